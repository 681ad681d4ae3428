/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What happened in the middle of a run. */
#include "lib/lr_telling.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

void tv_lr_tell_restarted(const struct tv_lr_telling *t)
{
    struct tv_lr_words w = {0};
    tv_note_summary(t->note, "the schedule began anew at step %s",
                    tv_lr_number(&w, t->verdict->value));
    tv_note_cause(t->note, "the run was resumed without the state of its scheduler (scheduler.pt)");
    tv_note_advice(
        t->note,
        "resume_from_checkpoint: give the whole checkpoint directory, with optimizer.pt and "
        "scheduler.pt");
}

void tv_lr_tell_jumped(const struct tv_lr_telling *t)
{
    struct tv_lr_words w = {0};
    tv_note_summary(t->note,
                    "from step %" PRId64
                    " on the learning rate is %s times what the configuration says",
                    t->onset, tv_lr_number(&w, t->verdict->value));
    tv_note_cause(
        t->note,
        "somebody or something changed the learning rate of the running job (a callback, a resume "
        "with another %s)",
        tv_lr_key(t, &w, TV_LR_PEAK_KEYS, TV_LR_PEAK_NAMES));
    tv_note_advice(t->note, "%s: resume from a checkpoint before step %" PRId64 " with %s",
                   tv_lr_key(t, &w, TV_LR_PEAK_KEYS, TV_LR_PEAK_NAMES), t->onset,
                   tv_lr_number(&w, t->input->promise->peak));
}

void tv_lr_tell_stopped(const struct tv_lr_telling *t)
{
    struct tv_lr_words w = {0};
    tv_note_summary(t->note, "from step %" PRId64 " on the learning rate stays at %s", t->onset,
                    tv_lr_number(&w, t->verdict->value));
    tv_note_cause(t->note, "the scheduler is no longer stepped");
    tv_note_cause(t->note, "every optimizer step is skipped (fp16 overflow)");
    tv_lr_advise_stepping(t);
    tv_note_advice(t->note, "look at grad_norm and the loss scale");
}

void tv_lr_tell_shifted(const struct tv_lr_telling *t)
{
    struct tv_lr_words w = {0};
    double ahead = t->verdict->value;
    tv_note_summary(t->note, "from step %" PRId64 " on the schedule is %s steps %s", t->onset,
                    tv_lr_number(&w, fabs(ahead)), ahead > 0 ? "ahead" : "behind");
    tv_note_cause(
        t->note,
        ahead > 0 ? "the run was resumed with the scheduler of a later step"
                  : "the run was resumed with the scheduler of an earlier step, or many optimizer "
                    "steps were skipped");
    tv_note_advice(
        t->note,
        "resume_from_checkpoint: take model, optimizer and scheduler from the same checkpoint");
}

void tv_lr_tell_new_total(const struct tv_lr_telling *t)
{
    struct tv_lr_words w = {0};
    tv_note_summary(t->note,
                    "from step %" PRId64 " on the schedule is laid out for %s steps, before for %s",
                    t->onset, tv_lr_number(&w, t->verdict->value),
                    tv_lr_number(&w, t->input->promise->total_steps));
    tv_note_cause(t->note, "the run was resumed with another number of epochs or steps");
    tv_note_advice(t->note, "%s: resume with the number of the first start, or expect the jump",
                   tv_lr_key(t, &w, TV_LR_EPOCHS_KEYS, ""));
}
