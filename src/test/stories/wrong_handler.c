// the program's handler is replaced by a part that is initialised late
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static volatile int reloaded;

static void reload(int signal) {
    reloaded = signal;
}

static void dump_statistics(int signal) {
    (void)signal;
}

static void init_service(void) {
    signal(SIGUSR1, reload);
}

static void init_statistics(void) {
    signal(SIGUSR1, dump_statistics); /* GUILTY */
}

int main(void) {
    init_service();
    init_statistics();
    kill(getpid(), SIGUSR1);
    return reloaded == SIGUSR1 ? 0 : 3;
}
