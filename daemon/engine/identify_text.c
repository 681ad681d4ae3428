/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answer in words. */
#include "engine/identify_parts.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

#define LONGER 1.02 /* times the run: a schedule that the run does not finish */

static void add_number(struct tv_text *text, double value)
{
    char number[TV_NUMBER_MAX];
    tv_format_short(number, value, 6);
    tv_text_add(text, "%s", number);
}

static void add_steps(struct tv_text *text, double steps)
{
    char plain[32];
    int len = snprintf(plain, sizeof plain, "%.0f", steps);
    for (int i = 0; i < len; i++)
        tv_text_add(text, "%s%c", i > 0 && (len - i) % 3 == 0 ? "," : "", plain[i]);
}

/* "OneCycleLR (cosine)", "cosine", "warmup_stable_decay (linear)": without the floor. */
static void add_form(struct tv_text *text, const struct tv_schedule *s)
{
    static const char *const shapes[] = {[TV_SHAPE_LINEAR] = "linear",
                                         [TV_SHAPE_COSINE] = "cosine",
                                         [TV_SHAPE_SQRT] = "1 - sqrt",
                                         [TV_SHAPE_POLYNOMIAL] = "polynomial",
                                         [TV_SHAPE_REX] = "REX",
                                         [TV_SHAPE_HALVING] = "exponential",
                                         [TV_SHAPE_GEOMETRIC] = "geometric"};
    const char *name = tv_schedule_name(s);
    size_t shape = (size_t)s->param[TV_P_SHAPE];
    if (strcmp(name, "cosine_with_min_lr") == 0)
        name = "cosine";
    if (strcmp(name, "warmup_stable_decay") != 0) {
        tv_text_add(text, "%s", name);
        return;
    }
    const char *known = shape < sizeof shapes / sizeof *shapes ? shapes[shape] : NULL;
    if (s->param[TV_P_HOLD] > 0)
        tv_text_add(text, "warmup_stable_decay%s%s%s", known ? " (" : "", known ? known : "",
                    known ? " decay)" : "");
    else
        tv_text_add(text, "a %s decay", known ? known : "");
}

/* What comes back, or stands: "StepLR (x 0.1 every 1,000 steps)". */
static void add_period(struct tv_text *text, const struct tv_schedule *s)
{
    const char *name = tv_schedule_name(s);
    double period = s->param[TV_P_PERIOD];
    if (strcmp(name, "StepLR") == 0) {
        tv_text_add(text, " (x ");
        add_number(text, s->param[TV_P_GAMMA]);
        tv_text_add(text, " every ");
    } else if (strcmp(name, "CyclicLR") == 0) {
        tv_text_add(text, " (triangles of ");
        period += s->param[TV_P_DECAY];
    } else if (strcmp(name, "CosineAnnealingWarmRestarts") == 0) {
        tv_text_add(text,
                    s->param[TV_P_GROWTH] == 1 ? " (cycles of " : " (growing cycles, first of ");
    } else {
        return;
    }
    add_steps(text, period);
    tv_text_add(text, " steps)");
}

const char *tv_identity_name(const struct tv_identity *identity, char *buffer, size_t cap)
{
    const struct tv_schedule *s = &identity->schedule;
    struct tv_text text = tv_text_in(buffer, cap);
    buffer[0] = '\0';
    add_form(&text, s);
    add_period(&text, s);
    if (strcmp(tv_schedule_name(s), "OneCycleLR") == 0)
        tv_text_add(&text, s->table[3] == TV_SHAPE_COSINE ? " (cosine)" : " (linear)");
    else if (s->param[TV_P_FLOOR_RATIO] > 1e-6) {
        tv_text_add(&text, " to a floor of ");
        add_number(&text, s->param[TV_P_FLOOR_RATIO] * s->peak);
    }
    return buffer;
}

const char *tv_identity_prediction(const struct tv_identity *identity, double total_steps,
                                   char *buffer, size_t cap)
{
    const struct tv_schedule *s = &identity->schedule;
    struct tv_text text = tv_text_in(buffer, cap);
    buffer[0] = '\0';
    if (!s->kind || !(identity->zero_step < 1e15))
        return buffer;
    if (total_steps >= 1 && identity->zero_step > total_steps * LONGER) {
        double at_end = tv_schedule_lr(s, total_steps - (double)(s->log_offset + identity->lag));
        tv_text_add(&text, "at this rate the learning rate is still ");
        add_number(&text, at_end);
        tv_text_add(&text, " when the run ends at step ");
        add_steps(&text, total_steps);
        tv_text_add(&text, "; it would reach ");
        add_number(&text, identity->lowest);
        tv_text_add(&text, " at step ");
        add_steps(&text, identity->zero_step);
        return buffer;
    }
    tv_text_add(&text, "at this rate the learning rate reaches ");
    add_number(&text, identity->lowest);
    tv_text_add(&text, " at step ");
    add_steps(&text, identity->zero_step);
    if (total_steps >= 1 && total_steps < 1e15) {
        tv_text_add(&text, " of ");
        add_steps(&text, total_steps);
    }
    return buffer;
}

const char *tv_identity_text(const struct tv_identity *identity, double total_steps, char *buffer,
                             size_t cap)
{
    const struct tv_schedule *s = &identity->schedule;
    struct tv_text text = tv_text_in(buffer, cap);
    char prediction[160], name[96];
    if (!s->kind) {
        tv_text_add(&text, "the logged learning rate does not tell its schedule: %s",
                    identity->open);
        return buffer;
    }
    tv_text_add(&text, "the logged learning rate is %s%s with a peak of ",
                identity->is_so_far ? "so far " : "",
                tv_identity_name(identity, name, sizeof name));
    add_number(&text, s->peak);
    if (identity->epoch > 0) {
        tv_text_add(&text, ", stepped once in ");
        add_steps(&text, identity->epoch);
        tv_text_add(&text, " steps");
    }
    if (!identity->start_known) {
        tv_text_add(&text, " or more (its first steps are not logged)");
    } else if (s->warmup_steps > 0) {
        tv_text_add(&text, " behind ");
        add_steps(&text, s->warmup_steps);
        tv_text_add(&text, " steps of warm-up");
    }
    tv_identity_prediction(identity, total_steps, prediction, sizeof prediction);
    if (*prediction)
        tv_text_add(&text, "; %s", prediction);
    return buffer;
}
