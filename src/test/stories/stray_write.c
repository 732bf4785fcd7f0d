// threads pay into accounts; once in some runs one of them writes past its own
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct account {
    long history[4];
    const char *owner;
};

static struct account accounts[3] = {{.owner = "ada"}, {.owner = "barbara"}, {.owner = "chen"}};

static void pay(struct account *account, int entry, long amount) {
    account->history[entry] = amount; /* GUILTY */
}

static void *teller(void *which) {
    struct timespec now;
    for (int entry = 0; entry < 4; entry++) {
        pay(&accounts[(long)which], entry, 100 + entry);
    }
    clock_gettime(CLOCK_REALTIME, &now);
    if (now.tv_nsec / 1000 % 8 == 0) {
        pay(&accounts[(long)which], 4, 17);
    }
    return NULL;
}

int main(void) {
    pthread_t tellers[3];
    for (long i = 0; i < 3; i++) {
        pthread_create(&tellers[i], NULL, teller, (void *)i);
    }
    for (int i = 0; i < 3; i++) {
        pthread_join(tellers[i], NULL);
    }
    size_t length = 0;
    for (int i = 0; i < 3; i++) {
        length += strlen(accounts[i].owner); /* CRASH */
    }
    printf("%zu\n", length);
    return 0;
}
