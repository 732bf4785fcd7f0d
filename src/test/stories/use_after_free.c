// a session is closed, its memory becomes a message, and then the session is used once more
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct session {
    long number;
    void (*greet)(struct session *);
    char rest[80];
};

static struct session *current;

static void hello(struct session *session) {
    printf("hello from %ld\n", session->number);
}

static void open_session(long number) {
    current = calloc(1, sizeof *current);
    current->number = number;
    current->greet = hello;
}

static void close_session(void) {
    free(current); /* FREED */
}

static char *receive(void) {
    char *message = malloc(sizeof(struct session));
    for (int i = 0; i < 90; i++) {
        message[i] = 'a' + i % 26; /* OVERWRITTEN */
    }
    return message;
}

int main(void) {
    open_session(7);
    current->greet(current);
    fflush(stdout);
    close_session();
    char *message = receive();
    current->greet(current); /* CRASH */
    return message[0];
}
