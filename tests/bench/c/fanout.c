/* The least that an MJPEG fan-out can be: one camera in, any viewers out, epoll, newest picture wins.
 *
 * fanout <camera port> sendfile|writev
 * Prints its port. Each frame is framed once; `sendfile` puts it into a memory file. It answers any request with the
 * stream, looks after nothing else, and is the yardstick that the Python server is held against. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define MOST 4096
struct frame { char head[128], *jpeg; int file, head_size, size, holders; long serial; };
struct viewer { int fd, asked; off_t at; struct frame *frame; long serial; };

static struct viewer *viewers[MOST];
static struct frame *newest;
static int n_viewers, by_file, loop;
static const char tail[] = "\r\n--frame\r\n";
static const char opening[] = "HTTP/1.1 200 OK\r\nContent-Type: multipart/x-mixed-replace; boundary=frame\r\n"
                              "Cache-Control: no-store\r\nConnection: close\r\n\r\n--frame\r\n";

static void let_go(struct frame *f) {
    if (!f || --f->holders) return;
    if (by_file) close(f->file);
    free(f->jpeg);
    free(f);
}

static struct frame *make(const char *jpeg, int size, long serial) {
    struct frame *f = calloc(1, sizeof *f);
    f->head_size = sprintf(f->head, "Content-Type: image/jpeg\r\nContent-Length: %d\r\nX-Sequence: %ld\r\n\r\n", size, serial);
    f->size = f->head_size + size + (int)sizeof tail - 1;
    f->holders = 1;
    f->serial = serial;
    f->jpeg = malloc(size);
    memcpy(f->jpeg, jpeg, size);
    if (by_file) {
        struct iovec v[] = {{f->head, f->head_size}, {f->jpeg, size}, {(char *)tail, sizeof tail - 1}};
        f->file = memfd_create("frame", 0);
        if (writev(f->file, v, 3) != f->size) abort();
    }
    return f;
}

static ssize_t send_some(struct viewer *v) {
    struct frame *f = v->frame;
    off_t at = v->at;
    if (by_file) return sendfile(v->fd, f->file, &at, f->size - at);
    struct iovec all[] = {{f->head, f->head_size}, {f->jpeg, f->size - f->head_size - sizeof tail + 1},
                          {(char *)tail, sizeof tail - 1}};
    int i = 0;
    for (; (size_t)at >= all[i].iov_len; i++) at -= all[i].iov_len;
    all[i].iov_base = (char *)all[i].iov_base + at;
    all[i].iov_len -= at;
    return writev(v->fd, all + i, 3 - i);
}

static void leave(struct viewer *v) {
    for (int i = 0; i < n_viewers; i++)
        if (viewers[i] == v) viewers[i] = viewers[--n_viewers];
    let_go(v->frame);
    close(v->fd);
    free(v);
}

static int serve(struct viewer *v) {
    for (;;) {
        if (!v->frame) {
            if (!newest || newest->serial == v->serial) break;
            v->frame = newest;
            newest->holders++;
            v->serial = newest->serial;
            v->at = 0;
        }
        ssize_t n = send_some(v);
        if (n < 0 && errno != EAGAIN) return -1;
        if (n > 0) v->at += n;
        if (v->at < v->frame->size) break;
        let_go(v->frame);
        v->frame = NULL;
    }
    int asked = EPOLLIN | (v->frame ? EPOLLOUT : 0);
    if (asked != v->asked) {
        struct epoll_event e = {.events = v->asked = asked, .data.ptr = v};
        epoll_ctl(loop, EPOLL_CTL_MOD, v->fd, &e);
    }
    return 0;
}

static int connect_camera(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    static const char get[] = "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
    if (connect(fd, (struct sockaddr *)&to, sizeof to) || write(fd, get, sizeof get - 1) < 0) { perror("camera"); exit(1); }
    return fd;
}

static char in[4 << 20];

static void camera_sent(int fd) { /* parts with Content-Length, as the bench's camera sends them */
    static size_t held;
    static long serial;
    ssize_t n = recv(fd, in + held, sizeof in - held - 1, 0);
    if (n <= 0) exit(0);
    held += n;
    for (;;) {
        in[held] = 0;
        char *length = strcasestr(in, "content-length: "), *body = length ? strstr(length, "\r\n\r\n") : NULL;
        if (!body || body + 4 + atoi(length + 16) > in + held) return;
        int size = atoi(length + 16);
        let_go(newest);
        newest = make(body + 4, size, ++serial);
        char *rest = body + 4 + size;
        memmove(in, rest, held -= rest - in);
        for (int i = n_viewers - 1; i >= 0; i--)
            if (serve(viewers[i])) leave(viewers[i]);
    }
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    by_file = !strcmp(argv[2], "sendfile");
    loop = epoll_create1(0);
    int camera = connect_camera(atoi(argv[1])), port = socket(AF_INET, SOCK_STREAM, 0), on = 1, lowat = 16384;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    if (bind(port, (struct sockaddr *)&at, size) || listen(port, 1024)) return 1;
    getsockname(port, (struct sockaddr *)&at, &size);
    printf("%d\n", ntohs(at.sin_port));
    fflush(stdout);
    struct epoll_event ready[256], e = {.events = EPOLLIN, .data.ptr = &camera};
    epoll_ctl(loop, EPOLL_CTL_ADD, camera, &e);
    e.data.ptr = &port;
    epoll_ctl(loop, EPOLL_CTL_ADD, port, &e);
    for (;;) {
        int n = epoll_wait(loop, ready, 256, -1);
        for (int i = 0; i < n; i++) {
            if (ready[i].data.ptr == &camera) camera_sent(camera);
            else if (ready[i].data.ptr == &port) {
                struct viewer *v = calloc(1, sizeof *v);
                v->fd = accept4(port, NULL, NULL, SOCK_NONBLOCK);
                if (n_viewers == MOST || v->fd < 0) exit(1);
                setsockopt(v->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
                setsockopt(v->fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &lowat, sizeof lowat);
                if (write(v->fd, opening, sizeof opening - 1) < 0) exit(1);
                viewers[n_viewers++] = v;
                e = (struct epoll_event){.events = v->asked = EPOLLIN, .data.ptr = v};
                epoll_ctl(loop, EPOLL_CTL_ADD, v->fd, &e);
            } else {
                struct viewer *v = ready[i].data.ptr;
                if (ready[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR) && recv(v->fd, in + (3 << 20), 4096, MSG_DONTWAIT) == 0) leave(v);
                else if (serve(v)) leave(v);
            }
        }
    }
}
