/* Raw WAMP clients in one epoll loop: the load of the router benches, on one core beside the router's.
 *
 * wamp_load <router pid> <port> <realm> <json|cbor> <seconds> fanout <subscribers> <payload bytes> <window>
 *                                                             calls <callers>
 *                                                             beside <subscribers> <slow ones> <bytes> <per second>
 *                                                             idle <sessions>
 * Prints "ready" when all have joined, then waits for a line on stdin before each measurement and answers it by one:
 * "<events or calls> <seconds> <router CPU seconds> <p50 ns> <p99 ns> <longest ns> <slow ones cut off> <their events>".
 * Ends with its stdin. The router's CPU is read from /proc around the measurement, after a warm-up. */
#include "wamp_peer.h"
#include <dirent.h>

#define CALL_EVERY 5000000LL /* ns between the calls beside events: 200 a second */
#define SLOW_EVERY 100000000LL /* ns between a slow subscriber's reads */
#define SLOW_SHARE 4 /* a slow one reads this fraction of what is published */
#define WARM_UP 0.3

static int router;

static long long router_cpu(void) {
    char name[128];
    long long sum = 0;
    snprintf(name, sizeof name, "/proc/%d/task", router);
    DIR *tasks = opendir(name);
    if (!tasks) { perror(name); exit(1); }
    for (struct dirent *task; (task = readdir(tasks));) {
        long long ns = 0;
        snprintf(name, sizeof name, "/proc/%d/task/%.20s/schedstat", router, task->d_name);
        FILE *f = task->d_name[0] == '.' ? NULL : fopen(name, "r");
        if (f && fscanf(f, "%lld", &ns) == 1) sum += ns;
        if (f) fclose(f);
    }
    closedir(tasks);
    return sum;
}

static void turn(int wait_ms) {
    struct epoll_event ready[128];
    int n = epoll_wait(poll_fd, ready, 128, wait_ms);
    for (int i = 0; i < n; i++) {
        struct peer *p = ready[i].data.ptr;
        if (ready[i].events & EPOLLOUT) flush(p);
        if (ready[i].events & ~EPOLLOUT) receive(p, sizeof inbox, MSG_DONTWAIT);
    }
}

static int by_size(const void *a, const void *b) {
    long long x = *(const long long *)a, y = *(const long long *)b;
    return x < y ? -1 : x > y;
}

static void report(long count, long long began, long long cpu, long slow_events) {
    cpu = router_cpu() - cpu;
    double took = (now() - began) / 1e9;
    qsort(samples, n_samples, sizeof *samples, by_size);
    long long none = 0, *p50 = n_samples ? samples + n_samples / 2 : &none;
    long long *p99 = n_samples ? samples + n_samples * 99 / 100 : &none, *most = n_samples ? samples + n_samples - 1 : &none;
    printf("%ld %.6f %.6f %lld %lld %lld %ld %ld\n", count, took, cpu / 1e9, *p50, *p99, *most, cut_off, slow_events);
    fflush(stdout);
}

static void begin(long long *began, long long *cpu) {
    n_samples = seen = calls = 0;
    *cpu = router_cpu();
    *began = now();
}

static void fanout(double seconds, int count, int bytes, int window) {
    struct peer *publisher = join(0), **all = calloc(count, sizeof *all);
    for (int i = 0; i < count; i++) all[i] = offer(32, "bench.topic", SUBSCRIBED, 0);
    long published = 0;
    long long began, cpu;
    puts("ready");
    for (fflush(stdout); getchar() != EOF;) {
        long long start = now();
        for (int warm = 1;; ) {
            long least = published;
            for (int i = 0; i < count; i++) if (all[i]->events < least) least = all[i]->events;
            for (; published - least < window; published++) {
                request(publisher, 16, "bench.topic", 5);
                with_payload(publisher, bytes);
            }
            turn(100);
            if (warm && now() - start > WARM_UP * 1e9) { warm = 0; begin(&began, &cpu); }
            if (!warm && now() - began > seconds * 1e9) break;
        }
        report(seen, began, cpu, 0);
    }
}

static void calling(double seconds, int count) {
    struct peer **all = calloc(count, sizeof *all);
    long long began = 0, cpu = 0;
    offer(64, "bench.echo", REGISTERED, 0);
    for (int i = 0; i < count; i++) all[i] = join(0);
    closed_loop = 1;
    puts("ready");
    for (fflush(stdout); getchar() != EOF;) {
        window_open = 1;
        for (int i = 0; i < count; i++) call(all[i]);
        for (long long start = now(); now() - start < WARM_UP * 1e9;) turn(100);
        for (begin(&began, &cpu); now() - began < seconds * 1e9;) turn(100);
        report(calls, began, cpu, 0);
        window_open = 0;
        for (int i = 0; i < count; i++) while (all[i]->called) turn(100);
    }
}

static void beside(double seconds, int count, int slow, int bytes, int rate) {
    struct peer *publisher = join(0), **all = calloc(count, sizeof *all), *caller;
    long long began, cpu;
    offer(64, "bench.echo", REGISTERED, 0);
    caller = join(0);
    for (int i = 0; i < count; i++) all[i] = offer(32, "bench.camera.frame", SUBSCRIBED, i < slow);
    puts("ready");
    for (fflush(stdout); getchar() != EOF;) {
        long slow_events = 0;
        for (int i = 0; i < slow; i++) all[i]->events = 0;
        begin(&began, &cpu);
        long long frame_at = began, call_at = began, read_at = began;
        for (long long t; (t = now()) - began < seconds * 1e9;) {
            if (t >= frame_at) {
                request(publisher, 16, "bench.camera.frame", 5);
                with_payload(publisher, bytes);
                frame_at += 1000000000LL / rate;
            }
            if (t >= call_at && !caller->called) { call(caller); call_at = t + CALL_EVERY; }
            if (t >= read_at) {
                long share = (long)bytes * rate / SLOW_SHARE / (1000000000LL / SLOW_EVERY);
                for (int i = 0; i < slow; i++) receive(all[i], share, MSG_DONTWAIT);
                read_at += SLOW_EVERY;
            }
            turn(1);
        }
        for (int i = 0; i < slow; i++) slow_events += all[i]->events;
        report(calls, began, cpu, slow_events);
    }
}

int main(int argc, char **argv) {
    if (argc < 8) return 2;
    router = atoi(argv[1]);
    port = atoi(argv[2]);
    realm = argv[3];
    cbor = !strcmp(argv[4], "cbor");
    double seconds = atof(argv[5]);
    int n = atoi(argv[7]), more[3] = {0};
    for (int i = 0; i < 3 && 8 + i < argc; i++) more[i] = atoi(argv[8 + i]);
    struct rlimit files = {16384, 16384};
    setrlimit(RLIMIT_NOFILE, &files);
    poll_fd = epoll_create1(0);
    samples = malloc(SAMPLES * sizeof *samples);
    if (more[0] > LARGEST || (!strcmp(argv[6], "beside") && more[1] > LARGEST)) return 2;
    if (!strcmp(argv[6], "fanout")) fanout(seconds, n, more[0], more[1]);
    else if (!strcmp(argv[6], "calls")) calling(seconds, n);
    else if (!strcmp(argv[6], "beside")) beside(seconds, n, more[0], more[1], more[2]);
    else {
        long long cpu = router_cpu(), began = now();
        while (peers_made < n) join(0);
        puts("ready");
        fflush(stdout);
        while (getchar() != EOF) report(peers_made, began, cpu, 0);
    }
    return 0;
}
