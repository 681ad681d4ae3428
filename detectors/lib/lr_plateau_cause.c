/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lr_plateau_cause.h"
#include "lib/lr_setting.h"
#include "lib/note.h"
#include "trainvet/number.h"
#include <math.h>
#include <string.h>

#define LEVELS       64
#define PATIENCE_MAX 64 /* evaluations that are tried, besides what the configuration says */
#define COOLDOWN_MAX 32

enum cause {
    NEVER_STEPPED,
    PEAK,
    NUMBER,
    FACTOR_AND_PATIENCE,
    MODE,
    METRIC,
    MODE_AND_METRIC,
    DEFAULTS,
    BEGAN_ANEW
};

struct guess {
    enum cause cause;
    int setting;                    /* of NUMBER */
    double value, factor, residual; /* factor: of FACTOR_AND_PATIENCE */
};

static const struct number {
    int setting;
    const char *name;
    double plateau, greedy; /* defaults */
} numbers[] = {{TV_FOLLOW_FACTOR, "factor", 0.1, 0.95},
               {TV_FOLLOW_PATIENCE, "patience", 10, 10},
               {TV_FOLLOW_COOLDOWN, "cooldown", 0, 0},
               {TV_FOLLOW_MIN_LR, "min_lr", 0, 1e-3},
               {TV_FOLLOW_THRESHOLD, "threshold", 1e-4, 1e-6}};
#define NUMBERS (sizeof numbers / sizeof *numbers)

struct work {
    const struct tv_lr_plateau *plateau;
    const struct tv_view *view;
    enum tv_role metric;
    struct tv_schedule schedule; /* the promise with a guess in it */
    struct guess best, second;
};

static double default_of(const struct work *work, const struct number *number)
{
    bool is_greedy = work->schedule.table[TV_FOLLOW_RULE] == TV_FOLLOW_GREEDY;
    return is_greedy ? number->greedy : number->plateau;
}

static double difference(const struct tv_level *levels, size_t len, int64_t step, double value)
{
    if (tv_lr_is_among(levels, len, step, value))
        return 0;
    while (len > 1 && levels[len - 1].step >= step)
        len--;
    double expected = levels[len - 1].lr;
    return (value - expected) / fmax(fabs(value), fabs(expected));
}

/* Root mean square of the relative differences where each logged level begins and ends. */
static double residual_of(const struct work *work, enum tv_role metric, int64_t since)
{
    struct tv_level levels[LEVELS];
    const struct tv_lr_plateau *p = work->plateau;
    size_t len = tv_view_levels(work->view, &work->schedule, metric, since, levels, LEVELS);
    if (len == 0 || len > LEVELS)
        return INFINITY;
    double sum = 0, count = 0;
    for (uint32_t i = 0; i < p->logged_len; i++) {
        if (p->logged[i].last <= since)
            continue;
        double first = difference(levels, len, p->logged[i].first, p->logged[i].value);
        double last = difference(levels, len, p->logged[i].last, p->logged[i].value);
        sum += first * first + last * last;
        count += 2;
    }
    return count > 0 ? sqrt(sum / count) : INFINITY;
}

static void judge(struct work *work, struct guess guess, double residual)
{
    guess.residual = residual;
    bool is_same = guess.cause == work->best.cause && guess.setting == work->best.setting;
    if (residual < work->best.residual) {
        if (!is_same)
            work->second = work->best;
        work->best = guess;
    } else if (!is_same && residual < work->second.residual) {
        work->second = guess;
    }
}

static void try_number(struct work *work, int setting, double value)
{
    double *place = &work->schedule.table[setting], promised = *place;
    if (value == promised)
        return;
    *place = value;
    judge(work, (struct guess){.cause = NUMBER, .setting = setting, .value = value},
          residual_of(work, work->metric, 0));
    *place = promised;
}

/* What would explain the first change that was logged. */
static double logged_factor(const struct tv_lr_plateau *p)
{
    if (p->logged_len < 2)
        return NAN;
    double a = p->logged[0].value, b = p->logged[1].value;
    double factor = b < a ? b / a : a / b, unit = 1e-3;
    double plain = round(factor / unit) * unit;
    return fabs(plain - factor) < unit * factor ? plain : factor;
}

static void try_numbers(struct work *work)
{
    static const double thresholds[] = {0, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.1};
    const struct tv_lr_plateau *p = work->plateau;
    double factor = logged_factor(p);
    if (factor > 0 && factor < 1)
        try_number(work, TV_FOLLOW_FACTOR, factor);
    for (size_t i = 0; i < NUMBERS; i++)
        try_number(work, numbers[i].setting, default_of(work, &numbers[i]));
    for (int patience = 0; patience <= PATIENCE_MAX; patience++)
        try_number(work, TV_FOLLOW_PATIENCE, patience);
    for (int cooldown = 0; cooldown <= COOLDOWN_MAX; cooldown++)
        try_number(work, TV_FOLLOW_COOLDOWN, cooldown);
    if (p->logged_len > 1)
        try_number(work, TV_FOLLOW_MIN_LR, p->logged[p->logged_len - 1].value);
    for (size_t i = 0; i < sizeof thresholds / sizeof *thresholds; i++)
        try_number(work, TV_FOLLOW_THRESHOLD, thresholds[i]);
}

/* Of each the configuration says another, or nothing. */
static void try_pair(struct work *work)
{
    double *setting = work->schedule.table, factor = setting[TV_FOLLOW_FACTOR],
           patience = setting[TV_FOLLOW_PATIENCE], logged = logged_factor(work->plateau);
    if (!(logged > 0 && logged < 1) || work->best.residual == 0)
        return;
    setting[TV_FOLLOW_FACTOR] = logged;
    for (int i = 0; i <= PATIENCE_MAX; i++) {
        setting[TV_FOLLOW_PATIENCE] = i;
        judge(work, (struct guess){.cause = FACTOR_AND_PATIENCE, .value = i, .factor = logged},
              residual_of(work, work->metric, 0));
    }
    setting[TV_FOLLOW_FACTOR] = factor;
    setting[TV_FOLLOW_PATIENCE] = patience;
}

static void try_sides(struct work *work)
{
    enum tv_role other =
        work->metric == TV_ROLE_EVAL_LOSS ? TV_ROLE_EVAL_METRIC : TV_ROLE_EVAL_LOSS;
    double *maximise = &work->schedule.table[TV_FOLLOW_MAXIMISE], promised = *maximise;
    bool has_other = tv_view_count(work->view, other) > 0;
    *maximise = promised == 0;
    judge(work, (struct guess){.cause = MODE}, residual_of(work, work->metric, 0));
    *maximise = promised;
    if (has_other)
        judge(work, (struct guess){.cause = METRIC}, residual_of(work, other, 0));
    *maximise = promised == 0;
    if (has_other)
        judge(work, (struct guess){.cause = MODE_AND_METRIC}, residual_of(work, other, 0));
    *maximise = promised;
}

static void try_whole(struct work *work)
{
    const struct tv_schedule promise = work->schedule;
    const struct tv_lr_plateau *p = work->plateau;
    if (p->logged_len == 1 && tv_lr_is_level(p->logged[0].value, promise.peak))
        judge(work, (struct guess){.cause = NEVER_STEPPED}, 0);
    work->schedule.peak = p->logged[0].value;
    if (!tv_lr_is_level(promise.peak, work->schedule.peak))
        judge(work, (struct guess){.cause = PEAK, .value = work->schedule.peak / promise.peak},
              residual_of(work, work->metric, 0));
    work->schedule = promise;
    bool is_changed = promise.table[TV_FOLLOW_MAXIMISE] != 0;
    for (size_t i = 0; i < NUMBERS; i++) {
        double usual = default_of(work, &numbers[i]);
        is_changed |= promise.table[numbers[i].setting] != usual;
        work->schedule.table[numbers[i].setting] = usual;
    }
    work->schedule.table[TV_FOLLOW_MAXIMISE] = 0;
    if (is_changed)
        judge(work, (struct guess){.cause = DEFAULTS}, residual_of(work, work->metric, 0));
    work->schedule = promise;
    int64_t resumed = tv_view_resume_step(work->view);
    if (resumed != TV_STEP_UNKNOWN)
        judge(work, (struct guess){.cause = BEGAN_ANEW, .value = (double)resumed},
              residual_of(work, work->metric, resumed - 1));
}

static const struct number *number_of(int setting)
{
    size_t i = 0;
    while (i + 1 < NUMBERS && numbers[i].setting != setting)
        i++;
    return &numbers[i];
}

static void say_number(struct tv_note *note, const struct work *work, const struct guess *guess)
{
    const struct number *number = number_of(guess->setting);
    char logged[TV_NUMBER_MAX], promised[TV_NUMBER_MAX];
    tv_format_short(logged, guess->value, 4);
    tv_format_short(promised, work->schedule.table[guess->setting], 4);
    tv_note_summary(note,
                    "the learning rate follows the evaluations with a %s of %s, the "
                    "configuration says %s",
                    number->name, logged, promised);
    if (guess->value == default_of(work, number))
        tv_note_cause(note,
                      "lr_scheduler_kwargs.%s does not reach the scheduler, which has its "
                      "default",
                      number->name);
    else
        tv_note_cause(note, "the scheduler is made with another %s than the configuration says",
                      number->name);
    tv_note_advice(note, "lr_scheduler_kwargs.%s: %s -> %s if that is what you want", number->name,
                   promised, logged);
}

static void say_pair(struct tv_note *note, const struct work *work, const struct guess *guess)
{
    const double *promised = work->schedule.table;
    tv_note_summary(note,
                    "the learning rate follows the evaluations with a factor of %.3g and a "
                    "patience of %.0f, the configuration says %.3g and %.0f",
                    guess->factor, guess->value, promised[TV_FOLLOW_FACTOR],
                    promised[TV_FOLLOW_PATIENCE]);
    tv_note_cause(note, "the scheduler is made by code that does not read lr_scheduler_kwargs");
    tv_note_advice(note,
                   "lr_scheduler_kwargs: {factor: %.3g, patience: %.0f} if that is what you want",
                   guess->factor, guess->value);
}

static void say_sides(struct tv_note *note, const struct work *work, enum cause cause)
{
    const char *mode = work->schedule.table[TV_FOLLOW_MAXIMISE] != 0 ? "min" : "max";
    bool is_loss = work->metric == TV_ROLE_EVAL_LOSS;
    const char *other = tv_view_tag(work->view, is_loss ? TV_ROLE_EVAL_METRIC : TV_ROLE_EVAL_LOSS);
    const char *own = tv_view_tag(work->view, work->metric);
    if (cause != MODE) {
        tv_note_summary(note, "the learning rate follows %s%s, the configuration says %s", other,
                        cause == METRIC ? "" : " in the other direction", own);
        tv_note_cause(note, "metric_for_best_model does not reach the scheduler");
        tv_note_advice(note,
                       "metric_for_best_model: name the metric that the scheduler is to "
                       "follow (it follows %s)",
                       other);
    } else {
        tv_note_summary(note, "the learning rate follows %s as if %s were better (mode %s)", own,
                        *mode == 'm' && mode[1] == 'a' ? "more" : "less", mode);
        tv_note_cause(note, "the scheduler is made with another mode than the configuration says");
    }
    if (cause != METRIC)
        tv_note_advice(note, "lr_scheduler_kwargs.mode: %s -> %s if that is what you want",
                       *mode == 'm' && mode[1] == 'a' ? "min" : "max", mode);
}

static void say_whole(struct tv_note *note, const struct work *work, const struct guess *guess)
{
    char number[TV_NUMBER_MAX];
    if (guess->cause == NEVER_STEPPED) {
        tv_format_short(number, work->plateau->logged[0].value, 4);
        tv_note_summary(note,
                        "the learning rate is %s from the first step on and never changes, "
                        "whatever the evaluations say",
                        number);
        tv_note_cause(note, "the scheduler is never stepped with the metric");
        tv_note_advice(note, "call scheduler.step(metric) after every evaluation; the Trainer does "
                             "so itself, so look for an own loop or callback that does not");
    } else if (guess->cause == PEAK) {
        tv_format_short(number, guess->value, 4);
        tv_note_summary(note,
                        "the learning rate is %s times what the configuration says at every "
                        "step",
                        number);
        tv_note_cause(note, "the optimizer is made with another learning rate");
        tv_note_advice(note, "learning_rate: multiply by %s if that is what you want", number);
    } else if (guess->cause == DEFAULTS) {
        tv_note_summary(note, "the learning rate follows the evaluations with the scheduler's "
                              "defaults");
        tv_note_cause(note, "lr_scheduler_kwargs do not reach the scheduler");
        tv_note_advice(note, "lr_scheduler_kwargs: hand them to the scheduler");
    } else {
        tv_format_short(number, guess->value, 12);
        tv_note_summary(note,
                        "since step %s the schedule began anew: the scheduler's state was "
                        "not restored on resume",
                        number);
        tv_note_cause(note, "the checkpoint has no scheduler.pt, or it was not read");
        tv_note_advice(note, "resume_from_checkpoint: name a checkpoint that holds scheduler.pt");
    }
}

static void say_nothing_fits(struct tv_note *note, const struct work *work)
{
    tv_note_summary(note, "the learning rate is not one that %s can give by the logged evaluations",
                    tv_schedule_name(&work->schedule));
    tv_note_cause(note, "another scheduler runs, or the run was resumed with another learning "
                        "rate: no known slip gives these values");
    tv_note_advice(note, "lr_scheduler_type: name the scheduler that the job really uses");
}

/* What explains the log as well. */
static void say_second(struct tv_note *note, const struct guess *guess)
{
    static const char *const names[] = {
        [NEVER_STEPPED] = "the scheduler is never stepped",
        [PEAK] = "the optimizer is made with another learning rate",
        [FACTOR_AND_PATIENCE] = "another factor and patience",
        [MODE] = "the scheduler has another mode",
        [METRIC] = "it follows another metric",
        [MODE_AND_METRIC] = "it follows another metric in the other direction",
        [DEFAULTS] = "lr_scheduler_kwargs do not reach the scheduler",
        [BEGAN_ANEW] = "the schedule began anew on resume"};
    char value[TV_NUMBER_MAX];
    tv_format_short(value, guess->value, 4);
    if (guess->cause == NUMBER)
        tv_note_cause(note, "or a %s of %s: the log shows no difference",
                      number_of(guess->setting)->name, value);
    else
        tv_note_cause(note, "or %s: the log shows no difference", names[guess->cause]);
}

static void add_evidence(struct tv_note *note, const struct work *work)
{
    const struct tv_lr_plateau *p = work->plateau;
    tv_note_evidence(note, "evaluations", (double)tv_view_count(work->view, work->metric));
    tv_note_evidence(note, "promised_factor", work->schedule.table[TV_FOLLOW_FACTOR]);
    tv_note_evidence(note, "promised_patience", work->schedule.table[TV_FOLLOW_PATIENCE]);
    tv_note_evidence(note, "logged_changes", (double)p->logged_len - 1);
    if (isfinite(work->best.residual))
        tv_note_evidence(note, "residual_best", work->best.residual);
    if (isfinite(work->second.residual))
        tv_note_evidence(note, "residual_second", work->second.residual);
}

void tv_lr_plateau_tell(const struct tv_lr_plateau *plateau, struct tv_view *view,
                        enum tv_role metric)
{
    struct work work = {.plateau = plateau,
                        .view = view,
                        .metric = metric,
                        .schedule = *tv_view_schedule(view),
                        .best.residual = INFINITY,
                        .second.residual = INFINITY};
    try_whole(&work);
    try_numbers(&work);
    try_sides(&work);
    try_pair(&work);
    const char *tag = tv_view_tag(view, TV_ROLE_LEARNING_RATE);
    struct tv_finding finding;
    struct tv_note note;
    tv_note_init(&note, &finding, tag ? tag : "learning_rate", TV_WARNING, plateau->fail_step);
    finding.observed = plateau->observed;
    finding.expected = plateau->expected;
    finding.confidence = work.best.residual > 0 ? 0.7 : work.second.residual > 0 ? 0.98 : 0.9;
    if (work.best.residual > 0)
        say_nothing_fits(&note, &work);
    else if (work.best.cause == NUMBER)
        say_number(&note, &work, &work.best);
    else if (work.best.cause == FACTOR_AND_PATIENCE)
        say_pair(&note, &work, &work.best);
    else if (work.best.cause >= MODE && work.best.cause <= MODE_AND_METRIC)
        say_sides(&note, &work, work.best.cause);
    else
        say_whole(&note, &work, &work.best);
    if (work.second.residual == 0)
        say_second(&note, &work.second);
    add_evidence(&note, &work);
    tv_raise(view, &finding);
}
