/* Clockwork. */
#include <stdio.h>
#include "gears.h"

#define TEETH 24
#define RATIO(a, b) ((a) / (b))

typedef unsigned int ticks_t;

typedef struct {
    int teeth;
    struct gear *next;
} gear_t;

enum state { STOPPED, RUNNING };

struct clock {
    gear_t *first;
    enum state state;
};

static int total = 0;

int clock_start(struct clock *clock);

/* Winds the spring. */
static void wind(struct clock *clock, int turns)
{
    for (int i = 0; i < turns; i++) {
        clock->first->teeth += RATIO(TEETH, turns);
        total += 1;
    }
}

struct clock *
clock_new(const char *name)
{
    struct clock *clock = malloc(sizeof *clock);
    if (clock == NULL)
        return NULL;
    printf("new clock %s\n", name);
    return clock;
}

#ifdef WITH_ALARM
void ring(void)
{
    puts("ring");
}
#endif
