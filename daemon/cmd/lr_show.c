/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/lr_show.h"
#include "base/json.h"
#include "cmd/plot.h"
#include "engine/identify.h"
#include "schedule/steps.h"
#include "trainvet/number.h"
#include "trainvet/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ROWS_MAX     1000000 /* points of one table */
#define TABLE_ROWS   12      /* of the text form, when nobody chose */
#define RESTARTS_MAX 16
#define PLOT_COLUMNS 80
#define PLOT_ROWS    18

static bool is_known(double steps)
{
    return isfinite(steps) && steps >= 0 && steps < 1e15;
}

/* Where the table ends: the total, or far enough to see the warm-up and what follows. */
static double last_step(const struct tv_schedule *schedule)
{
    if (is_known(schedule->total_steps) && schedule->total_steps >= 1)
        return floor(schedule->total_steps);
    return fmax(1000, is_known(schedule->warmup_steps) ? 4 * ceil(schedule->warmup_steps) : 0);
}

/* All steps of the run at once: faster than one by one, which for several schedulers at work
 * together does not get far. */
struct curve {
    const struct tv_schedule *schedule;
    double *lr; /* NULL: not made yet */
    size_t len;
    bool is_needed; /* tv_schedule_lr() does not get far */
};

static void make_curve(struct curve *curve)
{
    double last = last_step(curve->schedule);
    if (curve->lr)
        return;
    curve->is_needed = isnan(tv_schedule_lr(curve->schedule, last));
    curve->len = (size_t)fmin(last, ROWS_MAX) + 1;
    curve->lr = tv_xcalloc(curve->len, sizeof *curve->lr);
    tv_schedule_series(curve->schedule, 0, curve->len, curve->lr);
}

static double lr_at(const struct curve *curve, double step)
{
    if (curve->is_needed && step >= 0 && step < (double)curve->len && step == floor(step))
        return curve->lr[(size_t)step];
    return tv_schedule_lr(curve->schedule, step);
}

/* Calls `visit` for each chosen step. */
static void each_step(const struct tv_lr_shown *shown, struct curve *curve, double every,
                      void (*visit)(void *ctx, double step, double lr), void *ctx)
{
    if (shown->choice.steps) {
        for (size_t i = 0; i < shown->choice.steps_len; i++) {
            double step = shown->choice.steps[i], lr = lr_at(curve, step);
            if (isnan(lr))
                make_curve(curve);
            visit(ctx, step, lr_at(curve, step));
        }
        return;
    }
    double last = last_step(shown->schedule);
    if (isnan(tv_schedule_lr(shown->schedule, last)))
        make_curve(curve);
    int64_t count = (int64_t)floor(last / every);
    for (int64_t i = 0; i <= count; i++)
        visit(ctx, (double)i * every, lr_at(curve, (double)i * every));
    if ((double)count * every < last)
        visit(ctx, last, lr_at(curve, last));
}

/* Every step, unless that is more than anybody reads. */
static double fine_every(const struct tv_lr_shown *shown)
{
    double least = ceil(last_step(shown->schedule) / ROWS_MAX);
    return fmax(shown->choice.every > 0 ? shown->choice.every : 1, fmax(1, least));
}

static void json_steps(struct tv_json *json, const char *key, double steps)
{
    if (!is_known(steps))
        tv_json_text(json, key, NULL);
    else if (fabs(steps - round(steps)) <= 1e-12 * steps) /* a share of the steps, 0.07 * 1600 */
        tv_json_int(json, key, (int64_t)round(steps));
    else
        tv_json_double(json, key, steps);
}

static void json_point(void *ctx, double step, double lr)
{
    struct tv_json *json = ctx;
    tv_json_open(json, NULL, '[');
    tv_json_int(json, NULL, (int64_t)step);
    tv_json_double(json, NULL, lr);
    tv_json_close(json, ']');
}

void tv_lr_show_json(const struct tv_lr_shown *shown)
{
    const struct tv_schedule *schedule = shown->schedule;
    struct tv_json json = {0};
    tv_json_open(&json, NULL, '{');
    tv_json_text(&json, "kind", tv_schedule_name(schedule));
    tv_json_text(&json, "scheduler_source", shown->identity ? "log" : "configuration");
    tv_json_double(&json, "peak", schedule->peak);
    json_steps(&json, "total_steps", schedule->total_steps);
    json_steps(&json, "warmup_steps", schedule->warmup_steps);
    json_steps(&json, "steps_per_epoch",
               schedule->steps_per_epoch > 0 ? (double)schedule->steps_per_epoch : NAN);
    tv_json_text(&json, "framework", schedule->framework);
    json_steps(&json, "skipped_steps", (double)shown->skipped);
    if (shown->identity) {
        char name[96];
        tv_json_text(&json, "form", tv_identity_name(shown->identity, name, sizeof name));
        tv_json_bool(&json, "so_far", shown->identity->is_so_far);
        json_steps(&json, "steps_per_scheduler_step",
                   shown->identity->epoch > 0 ? shown->identity->epoch : NAN);
        tv_json_double(&json, "residual", shown->identity->residual);
        json_steps(&json, "lowest_at_step", shown->identity->zero_step);
        tv_json_double(&json, "lowest", shown->identity->lowest);
    }
    tv_json_open(&json, "assumed", '[');
    for (int i = 0; i < schedule->notes_len; i++)
        tv_json_text(&json, NULL, schedule->notes[i]);
    tv_json_close(&json, ']');
    tv_json_open(&json, "lr", '[');
    struct curve curve = {.schedule = schedule};
    each_step(shown, &curve, fine_every(shown), json_point, &json);
    free(curve.lr);
    tv_json_close(&json, ']');
    tv_json_close(&json, '}');
    puts(json.data);
    tv_json_free(&json);
}

static void csv_point(void *ctx, double step, double lr)
{
    char text[TV_NUMBER_MAX];
    (void)ctx;
    tv_format_double(text, lr);
    printf("%.0f,%s\n", step, text);
}

void tv_lr_show_csv(const struct tv_lr_shown *shown)
{
    puts("step,learning_rate");
    struct curve curve = {.schedule = shown->schedule};
    each_step(shown, &curve, fine_every(shown), csv_point, NULL);
    free(curve.lr);
}

/* ---- text ---- */

struct number {
    char text[TV_NUMBER_MAX];
};

static const char *plain(struct number *number, double value)
{
    tv_format_short(number->text, value, 12);
    return number->text;
}

/* A length that is no whole number is a fit: fewer digits are true. */
static const char *length(struct number *number, double steps)
{
    tv_format_short(number->text, steps, steps == floor(steps) ? 12 : 6);
    return number->text;
}

static bool has_trainer_steps(const struct tv_schedule *schedule)
{
    return schedule->framework &&
           (!strcmp(schedule->framework, "transformers") || !strcmp(schedule->framework, "trl") ||
            !strcmp(schedule->framework, "llamafactory"));
}

static void print_epoch(const struct tv_steps *steps)
{
    struct number a, b, c, d;
    if (isnan(steps->len_dataloader))
        return;
    double world = isnan(steps->world) ? 1 : steps->world;
    printf("  epoch      %s steps = %s micro-batches / gradient_accumulation_steps %s",
           plain(&a, steps->steps_per_epoch), plain(&b, steps->len_dataloader),
           plain(&c, steps->accumulation));
    double groups = steps->len_dataloader / steps->accumulation;
    if (groups != floor(groups))
        printf(", rounded %s", steps->steps_per_epoch > groups ? "up" : "down");
    printf("\n             %s micro-batches = %s samples / batch %s",
           plain(&b, steps->len_dataloader), plain(&a, steps->samples),
           plain(&c, steps->batch * steps->gpus));
    if (world > 1)
        printf(" / %s processes", plain(&d, world));
    printf(", rounded %s\n", steps->drop_last ? "down (dataloader_drop_last)" : "up");
}

static void print_total(const struct tv_steps *steps)
{
    struct number a, b, c;
    if (isnan(steps->total)) {
        printf("  total      not known\n");
    } else if (!strcmp(steps->total_from, "num_train_epochs") ||
               !strcmp(steps->total_from, "log.steps_per_epoch")) {
        double product = steps->epochs * steps->steps_per_epoch;
        printf("  total      %s steps = %s epochs x %s steps%s%s\n", plain(&a, steps->total),
               plain(&b, steps->epochs), plain(&c, steps->steps_per_epoch),
               product != floor(product) ? ", rounded up" : "",
               !strcmp(steps->total_from, "log.steps_per_epoch")
                   ? " (an epoch's length as the log shows it)"
                   : "");
    } else {
        bool is_counted = strcmp(steps->total_from, "max_steps") != 0;
        printf("  total      %s steps (%s)\n", plain(&a, steps->total),
               is_counted ? "the trainer's own count" : "max_steps");
    }
}

static void print_warmup(const struct tv_steps *steps, const struct tv_schedule *schedule)
{
    struct number a, b, c;
    double warmup = schedule->warmup_steps;
    if (!strcmp(tv_schedule_name(schedule), "constant")) {
        printf("  warm-up    none: constant ignores it\n");
    } else if (!is_known(warmup)) {
        printf("  warm-up    not known\n");
    } else if (!strcmp(steps->warmup_from, "warmup_ratio")) {
        double product = steps->total * steps->warmup_ratio;
        printf("  warm-up    %s steps = %s x warmup_ratio %s%s\n", plain(&a, warmup),
               plain(&b, steps->total), plain(&c, steps->warmup_ratio),
               product != floor(product) ? ", rounded up" : "");
    } else if (!strcmp(steps->warmup_from, "warmup_steps")) {
        printf("  warm-up    %s steps (warmup_steps%s)\n", plain(&a, warmup),
               steps->warmup_ratio > 0 ? "; it wins over warmup_ratio" : "");
    } else {
        printf("  warm-up    %s steps (neither warmup_steps nor warmup_ratio is set)\n",
               plain(&a, warmup));
    }
}

static void print_derivation(const struct tv_lr_shown *shown)
{
    const struct tv_schedule *schedule = shown->schedule;
    struct tv_steps steps;
    struct number a;
    bool is_derived = has_trainer_steps(schedule) &&
                      tv_steps_resolve(shown->facts, &steps, NULL) != TV_ECONFIG &&
                      (isnan(steps.total) || steps.total == schedule->total_steps);
    if (is_derived) {
        print_epoch(&steps);
        print_total(&steps);
        print_warmup(&steps, schedule);
    } else {
        printf("  total      %s%s\n",
               is_known(schedule->total_steps) ? length(&a, schedule->total_steps) : "not known",
               is_known(schedule->total_steps) ? " steps" : "");
        printf("  warm-up    %s%s\n",
               is_known(schedule->warmup_steps) ? length(&a, schedule->warmup_steps) : "not known",
               is_known(schedule->warmup_steps) ? " steps" : "");
    }
    printf("  logged     at step g the trainer writes lr(%s)%s\n",
           schedule->log_offset ? "g - 1" : "g",
           schedule->offset_known ? "" : ", as far as the version is known");
    for (int i = 0; i < schedule->notes_len; i++)
        printf("  assumed    %s\n", schedule->notes[i]);
}

static void text_point(void *ctx, double step, double lr)
{
    const struct tv_schedule *schedule = ctx;
    struct number a;
    tv_format_short(a.text, lr, 6);
    if (isnan(lr))
        printf("  %10.0f  not known\n", step);
    else
        printf("  %10.0f  %-14s %5.1f %%\n", step, a.text, 100 * lr / schedule->peak);
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Steps behind the warm-up from which the learning rate leaps up again. */
static size_t find_restarts(const struct curve *curve, double restarts[RESTARTS_MAX])
{
    const struct tv_schedule *schedule = curve->schedule;
    double last = fmin(last_step(schedule), ROWS_MAX);
    double warmup = is_known(schedule->warmup_steps) ? ceil(schedule->warmup_steps) : 0;
    if (warmup > last)
        return 0;
    double before = curve->lr[(size_t)warmup];
    size_t len = 0;
    for (int64_t i = 1; warmup + (double)i <= last && len < RESTARTS_MAX; i++) {
        double n = warmup + (double)i, lr = curve->lr[(size_t)n];
        if (lr > before + 0.2 * schedule->peak)
            restarts[len++] = n;
        before = lr;
    }
    return len;
}

static void print_table(const struct tv_lr_shown *shown, struct curve *curve,
                        const double *restarts, size_t restarts_len)
{
    const struct tv_schedule *schedule = shown->schedule;
    double last = last_step(schedule);
    double warmup = is_known(schedule->warmup_steps) ? ceil(schedule->warmup_steps) : 0;
    double steps[TABLE_ROWS + RESTARTS_MAX] = {0, 1, floor(warmup / 2), warmup, last - 1, last};
    size_t len = 6, kept = 0;
    struct tv_lr_shown chosen = *shown;
    printf("\n  %10s  %-14s of peak\n", "step", "learning rate");
    if (shown->choice.steps || shown->choice.every > 0) {
        each_step(shown, curve, fine_every(shown), text_point, (void *)schedule);
        return;
    }
    for (int i = 1; i < 5; i++)
        steps[len++] = floor(warmup + (last - warmup) * i / 5);
    for (size_t i = 0; i < restarts_len; i++)
        steps[len++] = restarts[i];
    qsort(steps, len, sizeof *steps, by_value);
    for (size_t i = 0; i < len; i++)
        if (steps[i] >= 0 && (kept == 0 || steps[i] > steps[kept - 1]))
            steps[kept++] = steps[i];
    chosen.choice.steps = steps;
    chosen.choice.steps_len = kept;
    each_step(&chosen, curve, 1, text_point, (void *)schedule);
}

static double lr_of(const void *curve, double step)
{
    return lr_at(curve, round(step));
}

static void print_plot(const struct curve *curve, const double *restarts, size_t restarts_len)
{
    const struct tv_schedule *schedule = curve->schedule;
    struct tv_plot_mark marks[RESTARTS_MAX + 1];
    size_t len = 0;
    for (size_t i = 0; i < restarts_len; i++)
        marks[len++] = (struct tv_plot_mark){restarts[i], 'R'};
    bool warms_up = is_known(schedule->warmup_steps) && schedule->warmup_steps > 0;
    if (warms_up)
        marks[len++] = (struct tv_plot_mark){schedule->warmup_steps, 'W'};
    putchar('\n');
    tv_plot_print(stdout, &(struct tv_plot){.y = lr_of,
                                            .ctx = curve,
                                            .last = last_step(schedule),
                                            .columns = PLOT_COLUMNS,
                                            .rows = PLOT_ROWS,
                                            .ascii = !tv_plot_has_utf8(),
                                            .marks = marks,
                                            .marks_len = len});
    if (warms_up)
        printf("  W  warm-up ends at step %.0f\n", schedule->warmup_steps);
    if (restarts_len)
        printf("  R  restart at step");
    for (size_t i = 0; i < restarts_len; i++)
        printf("%s %.0f", i ? "," : "", restarts[i]);
    if (restarts_len)
        putchar('\n');
}

/* What the log tells besides the schedule. */
static void print_log(const struct tv_lr_shown *shown)
{
    char text[160];
    if (shown->identity) {
        printf("  identified from the logged learning rate; it differs by %.2g of the peak\n",
               shown->identity->residual);
        if (shown->identity->is_so_far && isfinite(shown->identity->zero_step))
            printf("  so far     the log does not reach its end: another decay or a restart may "
                   "follow\n");
        if (shown->identity->epoch > 0)
            printf("  stepped    once in %.0f steps (per epoch)\n", shown->identity->epoch);
        tv_identity_prediction(shown->identity, shown->planned, text, sizeof text);
        if (*text)
            printf("  predicted  %s\n", text);
        if (!shown->identity->start_known)
            printf("  peak       or more: the first steps are not logged\n");
        if (isfinite(shown->schedule->total_steps) && !shown->identity->end_known)
            printf("  total      %s\n", shown->identity->is_cyclic
                                            ? "or more: further cycles may follow"
                                            : "about: it is no whole number of steps");
    }
    if (shown->skipped > 0)
        printf("  skipped    %lld optimizer steps (fp16 overflow): the schedule lags by as many\n",
               (long long)shown->skipped);
}

void tv_lr_show_text(const struct tv_lr_shown *shown)
{
    const struct tv_schedule *schedule = shown->schedule;
    struct number a, b;
    double restarts[RESTARTS_MAX];
    struct curve curve = {.schedule = schedule};
    make_curve(&curve);
    size_t restarts_len = find_restarts(&curve, restarts);
    char name[96];
    printf("%s: %s, peak %s", shown->path,
           shown->identity ? tv_identity_name(shown->identity, name, sizeof name)
                           : tv_schedule_name(schedule),
           plain(&a, schedule->peak));
    if (is_known(schedule->total_steps))
        printf(", %s steps", length(&b, schedule->total_steps));
    bool is_told = !shown->identity || shown->identity->start_known;
    if (is_told && is_known(schedule->warmup_steps) && schedule->warmup_steps > 0)
        printf(", %s of them warm-up", length(&b, schedule->warmup_steps));
    printf("\n\n");
    print_derivation(shown);
    print_log(shown);
    print_table(shown, &curve, restarts, restarts_len);
    if (shown->plot)
        print_plot(&curve, restarts, restarts_len);
    free(curve.lr);
}
