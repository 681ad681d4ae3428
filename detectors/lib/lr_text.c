/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lr_telling.h"
#include "trainvet/number.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

const char *tv_lr_number(struct tv_lr_words *words, double value)
{
    char *text = words->text[words->next++ % 16];
    tv_format_short(text, value, 4);
    return text;
}

const char *tv_lr_key(const struct tv_lr_telling *t, struct tv_lr_words *words, const char *keys,
                      const char *names)
{
    struct tv_setting setting = {0};
    char *text = words->text[words->next++ % 16];
    if (t->verdict && t->verdict->setting && *names)
        setting.key = t->verdict->setting;
    else if (!tv_lr_setting(t->view, keys, &setting) &&
             !(*names && tv_view_setting_named(t->view, names, 0, &setting)))
        setting.key = NULL;
    struct tv_span key =
        setting.key ? tv_span_of(setting.key) : (struct tv_span){keys, strcspn(keys, "|")};
    tv_span_copy(key, text, sizeof words->text[0]);
    return text;
}

const char *tv_lr_place(const struct tv_lr_telling *t, struct tv_lr_words *words, const char *keys)
{
    struct tv_setting setting;
    char *buffer = words->text[words->next++ % 16];
    struct tv_text text = tv_text_in(buffer, sizeof words->text[0]);
    const char *own = t->verdict ? t->verdict->setting : NULL;
    bool is_there =
        own ? tv_view_setting(t->view, own, &setting) : tv_lr_setting(t->view, keys, &setting);
    if (is_there && *setting.source)
        tv_text_add(&text, " (%s)", setting.source);
    return buffer;
}

bool tv_lr_is_about(double value, double wanted)
{
    return wanted > 0 && fabs(value - wanted) <= 2e-3 * wanted;
}

const char *tv_lr_meaning(const struct tv_lr_telling *t, struct tv_lr_words *words, double ratio)
{
    double accumulation = t->input->accumulation, world = t->input->world_size;
    if (accumulation > 1 && tv_lr_is_about(ratio, accumulation))
        return tv_lr_key(t, words, TV_LR_ACCUMULATION_KEYS, "");
    if (world > 1 && tv_lr_is_about(ratio, world))
        return "the number of processes";
    if (accumulation > 1 && world > 1 && tv_lr_is_about(ratio, accumulation * world))
        return "gradient accumulation times the number of processes";
    return NULL;
}

const char *tv_lr_argument(enum tv_schedule_param param)
{
    return param == TV_P_CYCLES ? "num_cycles" : param == TV_P_POWER ? "power" : "num_decay_steps";
}

void tv_lr_advise_stepping(const struct tv_lr_telling *t)
{
    static const char *const own_loops = " torch pytorch_warmup optax plain nanogpt accelerate ";
    const char *framework = t->input->promise->framework;
    char spaced[40];
    struct tv_text text = tv_text_in(spaced, sizeof spaced);
    tv_text_add(&text, " %s ", framework ? framework : "plain");
    if (framework && strcmp(framework, "lightning") == 0)
        tv_note_advice(t->note, "configure_optimizers: give the scheduler interval: step");
    else if (t->input->promise->by_epoch)
        tv_note_advice(t->note, "the trainer steps the scheduler once an epoch itself: remove the "
                                "callback or patch that does it otherwise");
    else if (strstr(own_loops, spaced))
        tv_note_advice(t->note, "call scheduler.step() once after every optimizer.step()");
    else
        tv_note_advice(t->note,
                       "call scheduler.step() once after every optimizer.step(); %s does "
                       "so itself, so look for a callback or an own loop that does not",
                       framework);
}

static tv_lr_teller *const tell[TV_LR_CAUSES] = {
    [TV_LR_KIND] = tv_lr_tell_kind,
    [TV_LR_PARAMETER] = tv_lr_tell_parameter,
    [TV_LR_SCALED] = tv_lr_tell_scaled,
    [TV_LR_RATE] = tv_lr_tell_rate,
    [TV_LR_WARMUP] = tv_lr_tell_warmup,
    [TV_LR_TOTAL] = tv_lr_tell_total,
    [TV_LR_TOTAL_RATIO] = tv_lr_tell_total,
    [TV_LR_FLOOR] = tv_lr_tell_floor,
    [TV_LR_LOG_WARMUP] = tv_lr_tell_log_warmup,
    [TV_LR_PER_EPOCH] = tv_lr_tell_per_epoch,
    [TV_LR_FROZEN] = tv_lr_tell_frozen,
    [TV_LR_RESTARTED] = tv_lr_tell_restarted,
    [TV_LR_JUMPED] = tv_lr_tell_jumped,
    [TV_LR_STOPPED] = tv_lr_tell_stopped,
    [TV_LR_SHIFTED] = tv_lr_tell_shifted,
    [TV_LR_NEW_TOTAL] = tv_lr_tell_new_total,
};

const char *tv_lr_value_name(const struct tv_lr_verdict *verdict)
{
    static const char *const names[TV_LR_CAUSES] = {
        [TV_LR_SCALED] = "factor",
        [TV_LR_RATE] = "scheduler_steps_per_step",
        [TV_LR_WARMUP] = "logged_warmup_steps",
        [TV_LR_TOTAL] = "logged_total_steps",
        [TV_LR_TOTAL_RATIO] = "logged_total_steps",
        [TV_LR_FLOOR] = "lowest_of_peak",
        [TV_LR_PER_EPOCH] = "steps_per_scheduler_step",
        [TV_LR_FROZEN] = "constant",
        [TV_LR_RESTARTED] = "restart_step",
        [TV_LR_JUMPED] = "factor",
        [TV_LR_STOPPED] = "constant",
        [TV_LR_SHIFTED] = "steps_ahead",
        [TV_LR_NEW_TOTAL] = "logged_total_steps",
    };
    const char *name = names[verdict->cause];
    return name ? name : tv_lr_argument(verdict->param);
}

/* One line for a cause that is not the first. */
static void tell_other(const struct tv_lr_telling *t)
{
    static const char *const names[TV_LR_CAUSES] = {
        [TV_LR_KIND] = "another scheduler",
        [TV_LR_PARAMETER] = "another parameter of the scheduler",
        [TV_LR_SCALED] = "another peak: a factor of",
        [TV_LR_RATE] = "scheduler steps per optimizer step:",
        [TV_LR_WARMUP] = "another warm-up:",
        [TV_LR_TOTAL] = "another number of steps:",
        [TV_LR_TOTAL_RATIO] = "another number of steps, the warm-up in proportion:",
        [TV_LR_FLOOR] = "a lowest learning rate, as a share of the peak:",
        [TV_LR_LOG_WARMUP] = "a logarithmic warm-up",
        [TV_LR_PER_EPOCH] = "one scheduler step an epoch of",
        [TV_LR_FROZEN] = "a scheduler that is never stepped:",
        [TV_LR_RESTARTED] = "a schedule that began anew at step",
        [TV_LR_JUMPED] = "a change of the learning rate by",
        [TV_LR_STOPPED] = "a scheduler that stopped at",
        [TV_LR_SHIFTED] = "a schedule that is ahead by",
        [TV_LR_NEW_TOTAL] = "another number of steps since then:",
    };
    struct tv_lr_words w = {0};
    const struct tv_lr_verdict *verdict = t->verdict;
    tv_note_cause(t->note, "fits as well: %s %s%s%s", names[verdict->cause],
                  verdict->kind ? verdict->kind : "",
                  verdict->kind && !isnan(verdict->value) ? " " : "",
                  isnan(verdict->value) ? "" : tv_lr_number(&w, verdict->value));
}

void tv_lr_tell(struct tv_note *note, const struct tv_view *view, const struct tv_lr_case *input,
                const struct tv_lr_verdict *verdicts, size_t len)
{
    struct tv_lr_telling t = {.note = note,
                              .view = view,
                              .input = input,
                              .onset = input->fit.fail_step,
                              .promised = tv_schedule_name(input->promise),
                              .unit = input->promise->by_epoch ? "epochs" : "steps"};
    struct tv_lr_words w = {0};
    if (len == 0) {
        tv_note_summary(note,
                        "since step %" PRId64
                        " the learning rate is not what the configuration promises, and no "
                        "known cause explains it",
                        t.onset);
        tv_note_advice(note,
                       "compare %s, %s and the number of steps with what the job really runs with",
                       tv_lr_key(&t, &w, TV_LR_PEAK_KEYS, TV_LR_PEAK_NAMES),
                       tv_lr_key(&t, &w, TV_LR_KIND_KEYS, TV_LR_KIND_NAMES));
        return;
    }
    t.verdict = &verdicts[0];
    tell[t.verdict->cause](&t);
    if (t.verdict->scale != 1)
        tv_note_cause(note, "besides, the learning rate is multiplied by %s",
                      tv_lr_number(&w, t.verdict->scale));
    for (size_t i = 1; i < len && i < 3; i++) {
        t.verdict = &verdicts[i];
        if (t.verdict->is_exact)
            tell_other(&t);
    }
}
