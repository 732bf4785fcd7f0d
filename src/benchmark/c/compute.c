// Pure computation. compute flat|branchy MILLIONS
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 0x9e3779b97f4a7c15u;

static uint64_t next(void) {
    state ^= state << 7;
    state ^= state >> 9;
    return state;
}

// One short loop.
static uint64_t flat(uint64_t count) {
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; i++) sum += next();
    return sum;
}

// A small interpreter: hardly predictable branches, calls through pointers, data in memory.
static uint64_t stack[64];
static unsigned top;
static void push(uint64_t x) { stack[top++ & 63] = x; }
static uint64_t pop(void) { return stack[--top & 63]; }
static void add(void) { push(pop() + pop()); }
static void twist(void) { uint64_t a = pop(); push(a & 1 ? a * 3 + 1 : a >> 1); }
static void swap(void) { uint64_t a = pop(), b = pop(); push(a); push(b); }
static void fresh(void) { push(next()); }

static uint64_t branchy(uint64_t count) {
    void (*operations[])(void) = {add, twist, swap, fresh, twist, fresh};
    for (uint64_t i = 0; i < count; i++) operations[next() % 6]();
    return pop();
}

int main(int argc, char **argv) {
    if (argc != 3) return 64;
    uint64_t count = strtoull(argv[2], NULL, 10) * 1000000;
    printf("%llx\n", (unsigned long long) (strcmp(argv[1], "flat") == 0 ? flat(count) : branchy(count)));
    return 0;
}
