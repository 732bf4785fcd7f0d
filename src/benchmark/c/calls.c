// System calls and nothing else. calls getpid|read|clock COUNT
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char **argv) {
    if (argc != 3) return 64;
    long count = atol(argv[2]), sum = 0;
    if (strcmp(argv[1], "getpid") == 0) {
        for (long i = 0; i < count; i++) sum += syscall(SYS_getpid) > 0;
    } else if (strcmp(argv[1], "read") == 0) {
        char bytes[64];
        int file = open("/dev/zero", O_RDONLY);
        for (long i = 0; i < count; i++) sum += read(file, bytes, sizeof bytes);
    } else {
        struct timespec time;
        for (long i = 0; i < count; i++) sum += clock_gettime(CLOCK_MONOTONIC, &time) == 0;
    }
    printf("%ld\n", sum);
    return 0;
}
