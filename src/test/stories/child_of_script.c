// a program that a script calls several times crashes for one of its arguments
#include <stdio.h>
#include <stdlib.h>

static int *parse(const char *text) {
    static int value;
    value = atoi(text);
    return value > 2 ? NULL : &value; /* GUILTY */
}

int main(int argc, char **argv) {
    int *value = parse(argv[argc - 1]);
    printf("%d\n", *value); /* CRASH */
    return 0;
}
