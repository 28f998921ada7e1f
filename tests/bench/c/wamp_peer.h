/* A raw WAMP client over WebSocket in JSON or CBOR, one of many in one epoll loop: what wamp_load.c is made of.
 *
 * Frames are masked with a key that isn't zero; payloads are texts in JSON and bytes in CBOR. Of what comes in only the
 * first bytes of each frame are looked at. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAYLOAD_OF_CALLS 100
#define SAMPLES 2000000
#define LARGEST (1 << 16)

enum { ERROR = 8, ABORT = 3, GOODBYE = 6, WELCOME = 2, SUBSCRIBED = 33, EVENT = 36, RESULT = 50, REGISTERED = 65,
       INVOCATION = 68 };

struct peer {
    int fd, opcode, head_size, peeked, last, slow, is_lost, waits;
    unsigned long left;
    unsigned char head[10], peek[160];
    char *out;
    size_t held, room;
    long request, events;
    long long called;
};

static int cbor, poll_fd, port, peers_made, window_open = 1, closed_loop;
static const char *realm;
static long seen, calls, cut_off;
static long long *samples;
static long n_samples;
static char inbox[1 << 18], message[LARGEST + 512];
static size_t size;

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* --- writing: each value leaves a comma in JSON, which what follows takes back --- */

static void put(const void *bytes, size_t n) { memcpy(message + size, bytes, n); size += n; }

static void head(int major, unsigned long n) {
    unsigned char b[9] = {(unsigned char)(major << 5 | (n < 24 ? n : n < 1 << 16 ? 25 : 27))};
    int width = n < 24 ? 0 : n < 1 << 16 ? 2 : 8;
    for (int i = 0; i < width; i++) b[1 + i] = (unsigned char)(n >> 8 * (width - 1 - i));
    put(b, 1 + width);
}

static void number(unsigned long n) {
    if (cbor) head(0, n);
    else size += sprintf(message + size, "%lu,", n);
}

static void text(const char *s) {
    if (cbor) { head(3, strlen(s)); put(s, strlen(s)); }
    else size += sprintf(message + size, "\"%s\",", s);
}

static void payload(int n) {
    if (cbor) head(2, n);
    else put("\"", 1);
    memset(message + size, 'x', n);
    size += n;
    if (!cbor) put("\",", 2);
}

static void open_list(int n) { if (cbor) head(4, n); else put("[", 1); }
static void open_map(int n) { if (cbor) head(5, n); else put("{", 1); }

static void close_with(const char *bracket) {
    if (cbor) return;
    if (message[size - 1] == ',') size--;
    put(bracket, 1);
    put(",", 1);
}

static void key(const char *s) {
    text(s);
    if (!cbor) message[size - 1] = ':';
}

static void flush(struct peer *p) {
    size_t sent = 0;
    while (sent < p->held) {
        ssize_t n = send(p->fd, p->out + sent, p->held - sent, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n <= 0) break;
        sent += n;
    }
    memmove(p->out, p->out + sent, p->held -= sent);
    struct epoll_event e = {.events = EPOLLIN | (p->held ? EPOLLOUT : 0), .data.ptr = p};
    if (!p->slow && p->waits != (p->held > 0)) epoll_ctl(poll_fd, EPOLL_CTL_MOD, p->fd, &e);
    p->waits = p->held > 0;
}

static void frame(struct peer *p, int opcode, const char *bytes, size_t n) {
    static const unsigned char mask[4] = {0x5a, 0xc3, 0x17, 0x88};
    if (p->held + n + 16 > p->room) p->out = realloc(p->out, p->room = (p->held + n + 16) * 2);
    unsigned char *o = (unsigned char *)p->out + p->held, *b = o;
    *b++ = (unsigned char)(0x80 | opcode);
    if (n < 126) *b++ = (unsigned char)(0x80 | n);
    else if (n < 1 << 16) { *b++ = 0xfe; *b++ = (unsigned char)(n >> 8); *b++ = (unsigned char)n; }
    else { *b++ = 0xff; for (int i = 7; i >= 0; i--) *b++ = (unsigned char)(n >> 8 * i); }
    memcpy(b, mask, 4);
    b += 4;
    for (size_t i = 0; i < n; i++) b[i] = (unsigned char)bytes[i] ^ mask[i & 3];
    p->held = b + n - (unsigned char *)p->out;
    flush(p);
}

static void say(struct peer *p) {
    close_with("]");
    frame(p, cbor ? 2 : 1, message, cbor ? size : size - 1);
    size = 0;
}

static void request(struct peer *p, int type, const char *uri, int elements) {
    open_list(elements);
    number(type);
    number(++p->request);
    open_map(0);
    close_with("}");
    text(uri);
}

static void with_payload(struct peer *p, int n) {
    open_list(1);
    payload(n);
    close_with("]");
    say(p);
}

static void call(struct peer *p) {
    p->called = now();
    request(p, 48, "bench.echo", 5);
    with_payload(p, PAYLOAD_OF_CALLS);
}

/* --- reading: the first bytes of each frame are enough --- */

static unsigned long integer(const unsigned char **at) {
    unsigned long n = 0;
    if (!cbor) {
        while (**at == '[' || **at == ',' || **at == ' ') (*at)++;
        return strtoul((const char *)*at, (char **)at, 10);
    }
    int low = *(*at)++ & 31;
    if (low < 24) return low;
    for (int i = 0; i < 1 << (low - 24); i++) n = n << 8 | *(*at)++;
    return n;
}

static void answer(struct peer *p, unsigned long invocation) {
    open_list(4);
    number(70);
    number(invocation);
    open_map(0);
    close_with("}");
    with_payload(p, PAYLOAD_OF_CALLS);
}

static void take(struct peer *p) {
    p->peek[p->peeked] = 0;
    const unsigned char *at = p->peek + (cbor ? 1 : 0);
    if (p->opcode == 9) { frame(p, 10, (char *)p->peek, p->peeked); return; }
    if (p->opcode == 8) { p->last = GOODBYE; return; }
    if (p->opcode > 2) return;
    p->last = (int)integer(&at);
    if (p->last == EVENT) { p->events++; seen++; }
    else if (p->last == INVOCATION) answer(p, integer(&at));
    else if (p->last == RESULT) {
        if (n_samples < SAMPLES) samples[n_samples++] = now() - p->called;
        calls++;
        p->called = 0;
        if (closed_loop && window_open) call(p);
    } else if (p->last == ERROR || p->last == ABORT) {
        fprintf(stderr, "refused: %.120s\n", (char *)p->peek);
        exit(1);
    }
}

static void feed(struct peer *p, const unsigned char *b, size_t n) {
    while (n || (p->head_size >= 2 && !p->left)) {
        int wide = p->head_size < 2 ? 2 : (p->head[1] & 127) == 126 ? 4 : (p->head[1] & 127) == 127 ? 10 : 2;
        if (p->head_size < wide) {
            if (!n) return;
            p->head[p->head_size++] = *b++;
            n--;
            wide = p->head_size < 2 ? 2 : (p->head[1] & 127) == 126 ? 4 : (p->head[1] & 127) == 127 ? 10 : 2;
            if (p->head_size < wide) continue;
            p->opcode = p->head[0] & 15;
            p->peeked = 0;
            p->left = wide == 2 ? p->head[1] : 0;
            for (int i = 2; i < wide; i++) p->left = p->left << 8 | p->head[i];
        }
        size_t used = n < p->left ? n : p->left, room = sizeof p->peek - 1 - p->peeked;
        memcpy(p->peek + p->peeked, b, used < room ? used : room);
        p->peeked += (int)(used < room ? used : room);
        b += used;
        n -= used;
        if (!(p->left -= used)) { p->head_size = 0; take(p); }
        else return;
    }
}

/* Returns how much was read; a lost connection is an error unless it belongs to a slow subscriber. */
static long receive(struct peer *p, size_t most, int flags) {
    ssize_t n = p->is_lost ? -1 : recv(p->fd, inbox, most < sizeof inbox ? most : sizeof inbox, flags);
    if (n > 0) { feed(p, (unsigned char *)inbox, n); return n; }
    if (n < 0 && (p->is_lost || errno == EAGAIN)) return 0;
    if (!p->slow) { fprintf(stderr, "the router closed a connection\n"); exit(1); }
    p->is_lost = 1;
    cut_off++;
    return 0;
}

/* --- joining --- */

static void until(struct peer *p, int type) {
    flush(p);
    while (p->last != type) receive(p, sizeof inbox, 0);
}

static struct peer *join(int slow) {
    struct peer *p = calloc(1, sizeof *p);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    static const char *roles[] = {"caller", "callee", "publisher", "subscriber"};
    int one = 1, small = 1 << 16;
    p->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (slow) setsockopt(p->fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (connect(p->fd, (struct sockaddr *)&to, sizeof to)) { perror("connect"); exit(1); }
    setsockopt(p->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    dprintf(p->fd, "GET /ws HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: wamp.2.%s\r\n\r\n", port, cbor ? "cbor" : "json");
    for (int matched = 0; matched < 4;) {
        char c;
        if (recv(p->fd, &c, 1, 0) != 1) { fprintf(stderr, "no handshake\n"); exit(1); }
        matched = c == "\r\n\r\n"[matched] ? matched + 1 : c == '\r';
    }
    open_list(3);
    number(1);
    text(realm);
    open_map(1);
    key("roles");
    open_map(4);
    for (int i = 0; i < 4; i++) { key(roles[i]); open_map(0); close_with("}"); }
    close_with("}");
    close_with("}");
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = p};
    if (!slow) epoll_ctl(poll_fd, EPOLL_CTL_ADD, p->fd, &e);
    p->slow = slow;
    say(p);
    until(p, WELCOME);
    peers_made++;
    return p;
}

static struct peer *offer(int type, const char *uri, int reply, int slow) {
    struct peer *p = join(slow);
    request(p, type, uri, 4);
    say(p);
    until(p, reply);
    return p;
}
