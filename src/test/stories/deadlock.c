// two threads take two locks, each in another order; a watchdog ends what does not go on
#include <pthread.h>
#include <unistd.h>

static pthread_mutex_t ledger = PTHREAD_MUTEX_INITIALIZER, journal = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t both;

static void *bookkeeper(void *arg) {
    pthread_mutex_lock(&ledger); /* FIRST */
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&journal);
    return arg;
}

static void *auditor(void *arg) {
    pthread_mutex_lock(&journal); /* SECOND */
    pthread_barrier_wait(&both);
    pthread_mutex_lock(&ledger);
    return arg;
}

int main(void) {
    pthread_t threads[2];
    alarm(1);
    pthread_barrier_init(&both, NULL, 2);
    pthread_create(&threads[0], NULL, bookkeeper, NULL);
    pthread_create(&threads[1], NULL, auditor, NULL);
    pthread_join(threads[0], NULL);
    pthread_join(threads[1], NULL);
    return 0;
}
