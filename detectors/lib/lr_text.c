/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lr_text.h"
#include "trainvet/number.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

bool tv_lr_setting(const struct tv_view *view, const char *names, struct tv_setting *ret)
{
    while (*names) {
        char name[64];
        size_t len = strcspn(names, "|");
        if (tv_span_copy((struct tv_span){names, len}, name, sizeof name) &&
            tv_view_setting(view, name, ret))
            return true;
        names += len;
        names += *names == '|';
    }
    return false;
}

struct telling {
    struct tv_note *note;
    const struct tv_view *view;
    const struct tv_lr_case *input;
    const struct tv_lr_verdict *verdict;
    int64_t onset;
    const char *promised; /* name of the scheduler */
};

/* Texts in rotation, so that several fit one format. */
struct words {
    char text[16][96];
    unsigned next;
};

static const char *number(struct words *words, double value)
{
    char *text = words->text[words->next++ % 16];
    tv_format_short(text, value, 4);
    return text;
}

/* "warmup_steps" as the user's file spells it, else the first name. */
static const char *key_of(const struct telling *t, struct words *words, const char *names)
{
    struct tv_setting setting;
    char *text = words->text[words->next++ % 16];
    if (tv_lr_setting(t->view, names, &setting))
        tv_span_copy(tv_span_of(setting.key), text, sizeof words->text[0]);
    else
        tv_span_copy((struct tv_span){names, strcspn(names, "|")}, text, sizeof words->text[0]);
    return text;
}

/* " (train.yaml:12)", or nothing. */
static const char *place_of(const struct telling *t, struct words *words, const char *names)
{
    struct tv_setting setting;
    char *buffer = words->text[words->next++ % 16];
    struct tv_text text = tv_text_in(buffer, sizeof words->text[0]);
    if (tv_lr_setting(t->view, names, &setting) && *setting.source)
        tv_text_add(&text, " (%s)", setting.source);
    return buffer;
}

static bool is_about(double value, double wanted)
{
    return wanted > 0 && fabs(value - wanted) <= 2e-3 * wanted;
}

/* "gradient_accumulation_steps" where the ratio is that number, and so on; NULL: it means nothing.
 */
static const char *meaning_of(const struct telling *t, struct words *words, double ratio)
{
    double accumulation = t->input->accumulation, world = t->input->world_size;
    if (accumulation > 1 && is_about(ratio, accumulation))
        return key_of(t, words, TV_LR_ACCUMULATION_KEYS);
    if (world > 1 && is_about(ratio, world))
        return "the number of processes";
    if (accumulation > 1 && world > 1 && is_about(ratio, accumulation * world))
        return "gradient accumulation times the number of processes";
    return NULL;
}

static const char *argument_name(enum tv_schedule_param param)
{
    return param == TV_P_CYCLES ? "num_cycles" : param == TV_P_POWER ? "power" : "num_decay_steps";
}

static void tell_kind(const struct telling *t)
{
    struct words w = {0};
    const char *kind = t->verdict->kind;
    bool is_constant = strncmp(kind, "constant", 8) == 0;
    if (isnan(t->verdict->value))
        tv_note_summary(t->note,
                        "the learning rate follows the scheduler %s, the configuration says %s",
                        kind, t->promised);
    else
        tv_note_summary(
            t->note,
            "the learning rate follows the scheduler %s with %s %s, the configuration says %s",
            kind, argument_name(t->verdict->param), number(&w, t->verdict->value), t->promised);
    if (is_constant)
        tv_note_cause(t->note,
                      "the scheduler is constant%s or its step() is never called after that",
                      strcmp(kind, "constant") ? " after the warm-up" : "");
    tv_note_cause(t->note, "the job runs with %s %s: the setting %s%s does not reach it",
                  key_of(t, &w, TV_LR_KIND_KEYS), kind, t->promised,
                  place_of(t, &w, TV_LR_KIND_KEYS));
    tv_note_advice(
        t->note,
        "%s: %s -> %s if that is what you want; else let the job read the file that says %s",
        key_of(t, &w, TV_LR_KIND_KEYS), t->promised, kind, t->promised);
    if (is_constant)
        tv_note_advice(t->note, "call scheduler.step() after every optimizer.step()");
}

static void tell_parameter(const struct telling *t)
{
    struct words w = {0};
    if (isnan(t->verdict->value)) {
        tv_note_summary(
            t->note,
            "the learning rate follows %s with its default parameters, not with those given",
            t->promised);
        tv_note_cause(t->note,
                      "lr_scheduler_kwargs are not passed on to the scheduler by this trainer");
        tv_note_advice(t->note,
                       "lr_scheduler_kwargs: remove them, or use a version that passes them on");
        return;
    }
    const char *name = argument_name(t->verdict->param);
    tv_note_summary(t->note,
                    "the learning rate follows %s with %s %s, which the configuration does not say",
                    t->promised, name, number(&w, t->verdict->value));
    tv_note_cause(t->note, "%s is %s where the scheduler is made", name,
                  number(&w, t->verdict->value));
    tv_note_advice(t->note, "lr_scheduler_kwargs.%s -> %s if that is what you want", name,
                   number(&w, t->verdict->value));
}

static void tell_scaled(const struct telling *t)
{
    struct words w = {0};
    double factor = t->verdict->value, peak = t->input->promise->peak;
    tv_note_summary(t->note,
                    "the learning rate is %s times what the configuration says, at every step "
                    "(peak %s, not %s)",
                    number(&w, factor), number(&w, factor * peak), number(&w, peak));
    const char *meaning = meaning_of(t, &w, factor);
    bool is_inverse = !meaning && (meaning = meaning_of(t, &w, 1 / factor));
    struct tv_setting group;
    if (tv_lr_setting(t->view, TV_LR_GROUP_KEYS, &group) && is_about(factor, group.number))
        tv_note_cause(t->note,
                      "the logged value belongs to another parameter group: %s %s, the schedule of "
                      "group 0 may be right",
                      group.key, number(&w, factor));
    if (!meaning && t->input->world_size > 1 && is_about(factor, sqrt(t->input->world_size)))
        meaning = "the square root of the number of processes";
    if (meaning)
        tv_note_cause(t->note, "the peak is %s by %s (learning rate scaled with the batch)",
                      is_inverse ? "divided" : "multiplied", meaning);
    else
        tv_note_cause(
            t->note,
            "the job was started with another peak (%s), or scales it by the batch or world size",
            number(&w, factor * peak));
    tv_note_cause(t->note, "the logged value belongs to another parameter group");
    tv_note_advice(t->note, "%s: %s -> %s if that is what you want; else remove what changes it",
                   key_of(t, &w, TV_LR_PEAK_KEYS), number(&w, peak), number(&w, factor * peak));
}

static void tell_rate(const struct telling *t)
{
    struct words w = {0};
    double rate = t->verdict->value;
    const char *meaning = meaning_of(t, &w, rate);
    if (rate < 1) {
        tv_note_summary(t->note, "the scheduler makes one step every %s optimizer steps",
                        number(&w, 1 / rate));
        tv_note_cause(t->note,
                      "the scheduler is stepped too rarely: the steps are divided twice (%s)",
                      key_of(t, &w, TV_LR_ACCUMULATION_KEYS));
        tv_note_advice(t->note, "call scheduler.step() once for each optimizer.step()");
        return;
    }
    tv_note_summary(
        t->note,
        "the scheduler makes %s steps for each optimizer step: the schedule ends at step %s",
        number(&w, rate), number(&w, t->input->promise->total_steps / rate));
    if (is_about(rate, t->input->accumulation) && rate > 1)
        tv_note_cause(t->note, "the scheduler is stepped on every micro-batch (%s %s)",
                      key_of(t, &w, TV_LR_ACCUMULATION_KEYS), number(&w, rate));
    if (!is_about(rate, t->input->accumulation))
        tv_note_cause(t->note,
                      "a scheduler prepared by Accelerate makes one step a process: %s processes%s",
                      number(&w, rate), meaning ? "" : ", or it is stepped on every micro-batch");
    tv_note_advice(
        t->note,
        "step the scheduler once for each optimizer step, or give it %s times as many steps: "
        "total %s -> %s, warm-up %s -> %s",
        number(&w, rate), number(&w, t->input->promise->total_steps),
        number(&w, rate * t->input->promise->total_steps),
        number(&w, t->input->promise->warmup_steps),
        number(&w, rate * t->input->promise->warmup_steps));
}

static void tell_warmup(const struct telling *t)
{
    struct words w = {0};
    double logged = t->verdict->value, promised = t->input->promise->warmup_steps;
    struct tv_setting setting;
    bool by_ratio = t->input->warmup_is_ratio && tv_lr_setting(t->view, TV_LR_RATIO_KEYS, &setting);
    const char *key = key_of(t, &w, by_ratio ? TV_LR_RATIO_KEYS : TV_LR_WARMUP_KEYS);
    if (logged == 0)
        tv_note_summary(
            t->note, "the learning rate does not warm up, the configuration says %s warm-up steps",
            number(&w, promised));
    else
        tv_note_summary(t->note, "the warm-up takes %s steps, the configuration says %s",
                        number(&w, logged), number(&w, promised));
    const char *meaning = promised > 0 && logged > 0 ? meaning_of(t, &w, logged / promised) : NULL;
    const char *inverse = promised > 0 && logged > 0 ? meaning_of(t, &w, promised / logged) : NULL;
    if (meaning)
        tv_note_cause(
            t->note,
            "the warm-up is multiplied by %s: it is counted in micro-batches or per process",
            meaning);
    else if (inverse)
        tv_note_cause(t->note, "the warm-up is divided by %s", inverse);
    else if (logged == 0)
        tv_note_cause(t->note, "%s does not reach the scheduler", key);
    else
        tv_note_cause(t->note, "the scheduler is made with %s warm-up steps", number(&w, logged));
    double total = t->input->promise->total_steps;
    if (by_ratio && total > 0)
        tv_note_advice(
            t->note,
            "%s: %s -> %s if that is what you want; else count the warm-up in optimizer steps", key,
            setting.value, number(&w, logged / total));
    else
        tv_note_advice(
            t->note,
            "%s: %s -> %s if that is what you want; else count the warm-up in optimizer steps", key,
            number(&w, promised), number(&w, logged));
}

static void tell_total(const struct telling *t)
{
    struct words w = {0};
    double logged = t->verdict->value, promised = t->input->promise->total_steps;
    struct tv_setting setting;
    tv_note_summary(t->note, "the schedule is laid out for %s steps, the run for %s",
                    number(&w, logged), number(&w, promised));
    bool by_epochs = !tv_lr_setting(t->view, TV_LR_TOTAL_KEYS, &setting) || !(setting.number > 0);
    if (by_epochs && tv_lr_setting(t->view, TV_LR_EPOCHS_KEYS, &setting) && setting.number > 0) {
        tv_note_cause(t->note,
                      "the scheduler was made for %s epochs, or for a data set of another size",
                      number(&w, setting.number * logged / promised));
        tv_note_advice(t->note, "%s: %s -> %s if that is what you want", setting.key, setting.value,
                       number(&w, setting.number * logged / promised));
    } else {
        tv_note_cause(
            t->note,
            "the scheduler was made for another number of epochs or another data set size");
        tv_note_advice(t->note, "%s: %s -> %s if that is what you want",
                       key_of(t, &w, TV_LR_TOTAL_KEYS), number(&w, promised), number(&w, logged));
    }
    double ratio = logged < promised ? promised / logged : logged / promised;
    const char *meaning = meaning_of(t, &w, ratio);
    if (meaning)
        tv_note_cause(t->note, "the number of steps is %s by %s",
                      logged < promised ? "divided" : "multiplied", meaning);
    tv_note_advice(t->note, "give the scheduler the number of optimizer steps of the whole run, %s",
                   number(&w, promised));
}

static void tell_floor(const struct telling *t)
{
    struct words w = {0};
    double lowest = t->verdict->value * t->input->promise->peak;
    tv_note_summary(t->note, "the learning rate falls to %s only, the configuration says lower",
                    number(&w, lowest));
    tv_note_cause(t->note, "the scheduler has a lowest learning rate of %s (min_lr)",
                  number(&w, lowest));
    tv_note_advice(t->note, "lr_scheduler_kwargs.min_lr -> %s if that is what you want",
                   number(&w, lowest));
}

static void tell_log_warmup(const struct telling *t)
{
    tv_note_summary(t->note,
                    "the learning rate warms up logarithmically, the configuration says linearly");
    tv_note_cause(
        t->note,
        "the scheduler block of the DeepSpeed configuration replaces lr_scheduler_type, and its "
        "warmup_type is log by default");
    tv_note_advice(
        t->note,
        "scheduler.params.warmup_type: log -> linear in the DeepSpeed configuration, or remove its "
        "scheduler block");
}

static void tell_per_epoch(const struct telling *t)
{
    struct words w = {0};
    tv_note_summary(
        t->note,
        "the learning rate changes once in %s steps: the scheduler is stepped once an epoch",
        number(&w, t->verdict->value));
    tv_note_cause(
        t->note,
        "scheduler.step() is called at the end of an epoch, the schedule counts optimizer steps");
    tv_note_advice(
        t->note,
        "call scheduler.step() after every optimizer.step() (Lightning: interval: epoch -> step)");
}

static void tell_frozen(const struct telling *t)
{
    struct words w = {0};
    tv_note_summary(t->note, "the learning rate is %s from the first step on and never changes",
                    number(&w, t->verdict->value));
    tv_note_cause(t->note, "the scheduler is never stepped");
    if (t->verdict->value == 0)
        tv_note_cause(t->note, "every optimizer step is skipped (fp16 overflow)");
    tv_note_advice(t->note, "call scheduler.step() after every optimizer.step()");
}

static void tell_restarted(const struct telling *t)
{
    struct words w = {0};
    tv_note_summary(t->note, "the schedule began anew at step %s", number(&w, t->verdict->value));
    tv_note_cause(t->note, "the run was resumed without the state of its scheduler (scheduler.pt)");
    tv_note_advice(
        t->note,
        "resume_from_checkpoint: give the whole checkpoint directory, with optimizer.pt and "
        "scheduler.pt");
}

static void tell_jumped(const struct telling *t)
{
    struct words w = {0};
    tv_note_summary(t->note,
                    "from step %" PRId64
                    " on the learning rate is %s times what the configuration says",
                    t->onset, number(&w, t->verdict->value));
    tv_note_cause(
        t->note,
        "somebody or something changed the learning rate of the running job (a callback, a resume "
        "with another %s)",
        key_of(t, &w, TV_LR_PEAK_KEYS));
    tv_note_advice(t->note, "%s: resume from a checkpoint before step %" PRId64 " with %s",
                   key_of(t, &w, TV_LR_PEAK_KEYS), t->onset, number(&w, t->input->promise->peak));
}

static void tell_stopped(const struct telling *t)
{
    struct words w = {0};
    tv_note_summary(t->note, "from step %" PRId64 " on the learning rate stays at %s", t->onset,
                    number(&w, t->verdict->value));
    tv_note_cause(t->note, "the scheduler is no longer stepped");
    tv_note_cause(t->note, "every optimizer step is skipped (fp16 overflow)");
    tv_note_advice(
        t->note,
        "call scheduler.step() after every optimizer.step(); look at grad_norm and the loss scale");
}

static void tell_shifted(const struct telling *t)
{
    struct words w = {0};
    double ahead = t->verdict->value;
    tv_note_summary(t->note, "from step %" PRId64 " on the schedule is %s steps %s", t->onset,
                    number(&w, fabs(ahead)), ahead > 0 ? "ahead" : "behind");
    tv_note_cause(
        t->note,
        ahead > 0 ? "the run was resumed with the scheduler of a later step"
                  : "the run was resumed with the scheduler of an earlier step, or many optimizer "
                    "steps were skipped");
    tv_note_advice(
        t->note,
        "resume_from_checkpoint: take model, optimizer and scheduler from the same checkpoint");
}

static void tell_new_total(const struct telling *t)
{
    struct words w = {0};
    tv_note_summary(
        t->note, "from step %" PRId64 " on the schedule is laid out for %s steps, before for %s",
        t->onset, number(&w, t->verdict->value), number(&w, t->input->promise->total_steps));
    tv_note_cause(t->note, "the run was resumed with another number of epochs or steps");
    tv_note_advice(t->note, "%s: resume with the number of the first start, or expect the jump",
                   key_of(t, &w, TV_LR_EPOCHS_KEYS));
}

static void (*const tell[TV_LR_CAUSES])(const struct telling *t) = {
    [TV_LR_KIND] = tell_kind,
    [TV_LR_PARAMETER] = tell_parameter,
    [TV_LR_SCALED] = tell_scaled,
    [TV_LR_RATE] = tell_rate,
    [TV_LR_WARMUP] = tell_warmup,
    [TV_LR_TOTAL] = tell_total,
    [TV_LR_TOTAL_RATIO] = tell_total,
    [TV_LR_FLOOR] = tell_floor,
    [TV_LR_LOG_WARMUP] = tell_log_warmup,
    [TV_LR_PER_EPOCH] = tell_per_epoch,
    [TV_LR_FROZEN] = tell_frozen,
    [TV_LR_RESTARTED] = tell_restarted,
    [TV_LR_JUMPED] = tell_jumped,
    [TV_LR_STOPPED] = tell_stopped,
    [TV_LR_SHIFTED] = tell_shifted,
    [TV_LR_NEW_TOTAL] = tell_new_total,
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
    return name ? name : argument_name(verdict->param);
}

/* One line for a cause that is not the first. */
static void tell_other(const struct telling *t)
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
    struct words w = {0};
    const struct tv_lr_verdict *verdict = t->verdict;
    tv_note_cause(t->note, "fits as well: %s %s%s%s", names[verdict->cause],
                  verdict->kind ? verdict->kind : "",
                  verdict->kind && !isnan(verdict->value) ? " " : "",
                  isnan(verdict->value) ? "" : number(&w, verdict->value));
}

void tv_lr_tell(struct tv_note *note, const struct tv_view *view, const struct tv_lr_case *input,
                const struct tv_lr_verdict *verdicts, size_t len)
{
    struct telling t = {.note = note,
                        .view = view,
                        .input = input,
                        .onset = input->fit.fail_step,
                        .promised = tv_schedule_name(input->promise)};
    struct words w = {0};
    if (len == 0) {
        tv_note_summary(note,
                        "since step %" PRId64
                        " the learning rate is not what the configuration promises, and no "
                        "known cause explains it",
                        t.onset);
        tv_note_advice(note,
                       "compare %s, %s and the number of steps with what the job really runs with",
                       key_of(&t, &w, TV_LR_PEAK_KEYS), key_of(&t, &w, TV_LR_KIND_KEYS));
        return;
    }
    t.verdict = &verdicts[0];
    tell[t.verdict->cause](&t);
    if (t.verdict->scale != 1)
        tv_note_cause(note, "besides, the learning rate is multiplied by %s",
                      number(&w, t.verdict->scale));
    for (size_t i = 1; i < len && i < 3; i++) {
        t.verdict = &verdicts[i];
        if (t.verdict->is_exact)
            tell_other(&t);
    }
}
