/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tail/agenda.h"
#include "base/memory.h"
#include "tail/follow_parts.h"
#include <stdlib.h>

/* Places count from 1, so that the parent of i is i / 2 and 0 means none. */
static void set(struct tv_agenda *agenda, size_t place, struct tv_followed *run)
{
    agenda->runs[place - 1] = run;
    run->place = place;
}

static struct tv_followed *at(const struct tv_agenda *agenda, size_t place)
{
    return agenda->runs[place - 1];
}

static void rise(struct tv_agenda *agenda, struct tv_followed *run)
{
    size_t place = run->place;
    for (; place > 1 && at(agenda, place / 2)->next_look > run->next_look; place /= 2)
        set(agenda, place, at(agenda, place / 2));
    set(agenda, place, run);
}

static void sink(struct tv_agenda *agenda, struct tv_followed *run)
{
    size_t place = run->place;
    for (size_t child; (child = 2 * place) <= agenda->len; place = child) {
        if (child < agenda->len && at(agenda, child + 1)->next_look < at(agenda, child)->next_look)
            child++;
        if (at(agenda, child)->next_look >= run->next_look)
            break;
        set(agenda, place, at(agenda, child));
    }
    set(agenda, place, run);
}

void tv_agenda_put(struct tv_agenda *agenda, struct tv_followed *run, double when)
{
    run->next_look = when;
    if (!run->place) {
        if (agenda->len == agenda->cap) {
            agenda->cap = agenda->cap ? agenda->cap * 2 : 16;
            agenda->runs = tv_xrealloc(agenda->runs, agenda->cap, sizeof(struct tv_followed *));
        }
        set(agenda, ++agenda->len, run);
    }
    rise(agenda, run);
    sink(agenda, run);
}

void tv_agenda_remove(struct tv_agenda *agenda, struct tv_followed *run)
{
    if (!run->place)
        return;
    struct tv_followed *last = at(agenda, agenda->len--);
    if (last != run) {
        set(agenda, run->place, last);
        rise(agenda, last);
        sink(agenda, last);
    }
    run->place = 0;
}

struct tv_followed *tv_agenda_first(const struct tv_agenda *agenda)
{
    return agenda->len ? agenda->runs[0] : NULL;
}

void tv_agenda_free(struct tv_agenda *agenda)
{
    free(agenda->runs);
    *agenda = (struct tv_agenda){0};
}
