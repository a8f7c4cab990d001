/* SPDX-License-Identifier: Apache-2.0 */
/* Measures one start of a program, from a parent so small that its own memory does not show:
 *
 *   meter run CMD...          to its end: wall ms, CPU ms, largest resident KiB, exit status
 *   meter http PORT CMD...    to the first HTTP 200 on 127.0.0.1:PORT, then settled for half a
 *                             second and killed: ms to the 200, CPU ms, private KiB, anonymous KiB
 *
 * Private memory is Private_Clean + Private_Dirty of /proc/PID/smaps_rollup. Of it, what is not
 * Anonymous is pages of program files: a second process of the same program would share them. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define POLL_US    200u
#define SETTLE_US  500000u
#define GIVE_UP_MS 20000.0

static double now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static double cpu_ms(const struct rusage *used)
{
    return (double)(used->ru_utime.tv_sec + used->ru_stime.tv_sec) * 1e3 +
           (double)(used->ru_utime.tv_usec + used->ru_stime.tv_usec) / 1e3;
}

static pid_t start(char **argv)
{
    pid_t pid = vfork(); /* no copy of our pages is made, nor counted */

    if (pid == 0) {
        int null = open("/dev/null", O_RDWR);

        dup2(null, 0);
        dup2(null, 1);
        dup2(null, 2);
        execvp(argv[0], argv);
        _exit(127);
    }
    return pid;
}

static bool answers_200(uint16_t port)
{
    static const char ask[] = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    char head[13] = "";
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    bool ok = connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 &&
              write(fd, ask, sizeof ask - 1) > 0 &&
              recv(fd, head, sizeof head - 1, MSG_WAITALL) == sizeof head - 1 &&
              memcmp(head + 9, "200", 3) == 0;

    close(fd);
    return ok;
}

/* The sum of the lines of smaps_rollup that begin so. */
static long kib_of(pid_t pid, const char *kind)
{
    char path[64], line[128];
    long sum = 0;

    snprintf(path, sizeof path, "/proc/%d/smaps_rollup", (int)pid);
    FILE *f = fopen(path, "r");
    if (f == NULL)
        return -1;
    while (fgets(line, sizeof line, f) != NULL)
        if (strncmp(line, kind, strlen(kind)) == 0)
            sum += strtol(line + strcspn(line, ":") + 1, NULL, 10);
    fclose(f);
    return sum;
}

static int meter_run(char **argv)
{
    double begin = now_ms();
    pid_t pid = start(argv);
    struct rusage used;
    int status;

    wait4(pid, &status, 0, &used);
    printf("%.3f %.3f %ld %d\n", now_ms() - begin, cpu_ms(&used), used.ru_maxrss,
           WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}

static int meter_http(uint16_t port, char **argv)
{
    double begin = now_ms(), took;
    pid_t pid = start(argv);
    struct rusage used;
    bool ok;

    while (!(ok = answers_200(port)) && now_ms() - begin < GIVE_UP_MS)
        usleep(POLL_US);
    took = now_ms() - begin;
    usleep(SETTLE_US);
    long kib = kib_of(pid, "Private_Clean") + kib_of(pid, "Private_Dirty");
    long anonymous = kib_of(pid, "Anonymous");

    kill(pid, SIGKILL);
    wait4(pid, NULL, 0, &used);
    if (!ok) {
        fprintf(stderr, "meter: no HTTP 200 on port %u within %.0f s\n", port, GIVE_UP_MS / 1e3);
        return 1;
    }
    printf("%.3f %.3f %ld %ld\n", took, cpu_ms(&used), kib, anonymous);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc > 2 && strcmp(argv[1], "run") == 0)
        return meter_run(argv + 2);
    if (argc > 3 && strcmp(argv[1], "http") == 0)
        return meter_http((uint16_t)strtoul(argv[2], NULL, 10), argv + 3);
    fprintf(stderr, "usage: meter run CMD... | meter http PORT CMD...\n");
    return 2;
}
