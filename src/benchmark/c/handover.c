// Two threads hand a number back and forth. handover wait|spin COUNT
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static _Atomic long number;
static long count;

static void *wait_for_it(void *side) {
    pthread_mutex_lock(&mutex);
    while (number < count) {
        if (number % 2 == (long) side) {
            number++;
            pthread_cond_signal(&changed);
        } else {
            pthread_cond_wait(&changed, &mutex);
        }
    }
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&mutex);
    return NULL;
}

static void *spin(void *side) {
    for (long seen; (seen = atomic_load(&number)) < count;) {
        if (seen % 2 == (long) side) atomic_store(&number, seen + 1);
    }
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 3) return 64;
    count = atol(argv[2]);
    void *(*run)(void *) = strcmp(argv[1], "spin") == 0 ? spin : wait_for_it;
    pthread_t threads[2];
    for (long i = 0; i < 2; i++) pthread_create(&threads[i], NULL, run, (void *) i);
    for (int i = 0; i < 2; i++) pthread_join(threads[i], NULL);
    printf("%ld\n", (long) number);
    return 0;
}
