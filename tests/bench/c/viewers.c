/* Many viewers of one multipart stream in one epoll loop: counts pictures, and their age when the last byte is there.
 *
 * viewers <port> <path> <count> <stall>
 * Prints "ready" when every viewer has its headers. Then for each line on stdin one line, for the time since the last:
 * "<pictures> <least per viewer> <p50 ns> <p99 ns> <maximum ns>". Ends at the end of stdin. With <stall> 1 nobody reads
 * after the headers. Ages come from the camera's stamp in the first COM segment: "GKTS" and 20 digits of
 * CLOCK_MONOTONIC, in ns. Parts without a Content-Length are counted at their boundary, without ages. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { HEAD, PART, BODY };
#define AGES 4000000
struct viewer { int fd, state, held, peek_size, matched; long body, pictures; char held_bytes[2048], peek[64]; };

static struct viewer *viewers;
static long long *ages;
static long n_ages, started;
static char buffer[1 << 18];

static long long now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int by_size(const void *a, const void *b) {
    long long x = *(const long long *)a, y = *(const long long *)b;
    return x < y ? -1 : x > y;
}

static void seen(struct viewer *v) {
    v->pictures++;
    v->peek[v->peek_size] = 0;
    char *stamp = v->peek_size > 30 ? memmem(v->peek, v->peek_size, "GKTS", 4) : NULL;
    if (stamp && n_ages < AGES) ages[n_ages++] = now() - atoll(stamp + 4);
}

/* Header bytes up to and with an empty line; returns how many were used, *whole if the line is there. */
static int headers(struct viewer *v, const char *p, int n, int *whole) {
    int had = v->held, room = (int)sizeof v->held_bytes - 1 - had, take = n < room ? n : room;
    memcpy(v->held_bytes + had, p, take);
    v->held_bytes[had + take] = 0;
    char *end = strstr(v->held_bytes, "\r\n\r\n");
    *whole = end != NULL;
    if (!end) {
        v->held = had + take;
        if (take < n) { fprintf(stderr, "headers too long\n"); exit(1); }
        return take;
    }
    end[2] = 0;
    v->held = 0;
    return (int)(end + 4 - v->held_bytes) - had;
}

static void uncounted(struct viewer *v, const char *p, int n) {
    static const char mark[] = "--frame";
    for (int i = 0; i < n; i++) {
        v->matched = p[i] == mark[v->matched] ? v->matched + 1 : p[i] == '-' ? 1 + (v->matched == 2) : 0;
        if (!mark[v->matched]) { v->matched = 0; v->pictures++; }
    }
}

static int take(struct viewer *v, const char *p, int n) {
    while (n > 0) {
        int whole, used;
        if (v->state == BODY && v->body < 0) { uncounted(v, p, n); return 0; }
        if (v->state == BODY) {
            used = n < v->body ? n : (int)v->body;
            int peek = 63 - v->peek_size < used ? 63 - v->peek_size : used;
            memcpy(v->peek + v->peek_size, p, peek);
            v->peek_size += peek;
            if (!(v->body -= used)) { seen(v); v->state = PART; v->peek_size = 0; }
        } else {
            used = headers(v, p, n, &whole);
            if (whole && v->state == HEAD) {
                if (!strstr(v->held_bytes, " 200")) { fprintf(stderr, "%.60s\n", v->held_bytes); exit(1); }
                v->state = PART;
                started++;
            } else if (whole) {
                char *length = strcasestr(v->held_bytes, "content-length:");
                v->body = length ? atol(length + 15) : -1;
                v->state = BODY;
            }
        }
        p += used;
        n -= used;
    }
    return 0;
}

static void report(int count) {
    long sum = 0, least = 1L << 60;
    for (int i = 0; i < count; i++) {
        sum += viewers[i].pictures;
        if (viewers[i].pictures < least) least = viewers[i].pictures;
        viewers[i].pictures = 0;
    }
    qsort(ages, n_ages, sizeof *ages, by_size);
    long long none = -1, *p50 = n_ages ? ages + n_ages / 2 : &none, *p99 = n_ages ? ages + n_ages * 99 / 100 : &none;
    printf("%ld %ld %lld %lld %lld\n", sum, least, *p50, *p99, n_ages ? ages[n_ages - 1] : none);
    fflush(stdout);
    n_ages = 0;
}

int main(int argc, char **argv) {
    if (argc < 5) return 2;
    int port = atoi(argv[1]), count = atoi(argv[3]), stall = atoi(argv[4]), poll = epoll_create1(0), told = 0;
    struct rlimit files = {count + 64, count + 64};
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setrlimit(RLIMIT_NOFILE, &files);
    viewers = calloc(count, sizeof *viewers);
    ages = malloc(AGES * sizeof *ages);
    struct epoll_event ready[256], asked = {.events = EPOLLIN, .data.ptr = NULL};
    epoll_ctl(poll, EPOLL_CTL_ADD, 0, &asked);
    for (int i = 0; i < count; i++) {
        char get[256];
        int n = snprintf(get, sizeof get, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n", argv[2]);
        int fd = viewers[i].fd = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(fd, (struct sockaddr *)&to, sizeof to) || write(fd, get, n) != n) { perror("viewer"); return 1; }
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = &viewers[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e);
    }
    for (;;) {
        int n = epoll_wait(poll, ready, 256, -1);
        for (int i = 0; i < n; i++) {
            struct viewer *v = ready[i].data.ptr;
            if (!v) {
                if (read(0, buffer, sizeof buffer) <= 0) return 0;
                report(count);
                continue;
            }
            ssize_t got = recv(v->fd, buffer, sizeof buffer, MSG_DONTWAIT);
            if (got <= 0) epoll_ctl(poll, EPOLL_CTL_DEL, v->fd, NULL);
            else take(v, buffer, (int)got);
            if (stall && v->state != HEAD) epoll_ctl(poll, EPOLL_CTL_DEL, v->fd, NULL);
        }
        if (started == count && !told) { told = 1; puts("ready"); fflush(stdout); }
    }
}
