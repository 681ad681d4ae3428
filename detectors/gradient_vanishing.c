/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The logged gradient norm is, or becomes, too small to train anything while there is loss left. */
#include "lib/advice.h"
#include "lib/blocks.h"
#include "lib/innovation.h"
#include "lib/note.h"
#include "lib/robust.h"
#include "lib/silence.h"
#include "trainvet/number.h"
#include <math.h>

#define LAST 5

struct options {
    double share, ratio, dead, score, left;
    int64_t points, far_points;
};

struct state {
    double loss[LAST];
    uint32_t losses;
    struct tv_blocks blocks;    /* ln norm, of points that are not below */
    struct tv_blocks relative;  /* ln (norm / loss) of the same points, while losses are positive */
    struct tv_innovation noise; /* of the same points */
    double usual;               /* median norm so far */
    double first_loss, highest; /* norm */
    uint32_t calm;
    uint32_t below, far, dead; /* points in a row */
    int64_t below_step;
    bool is_raised, is_waiting;
    struct tv_point waiting; /* norm not judged yet */
    int64_t loss_step;
};

static double level(const double *ring, uint32_t count)
{
    return count ? tv_median_of(ring, count < LAST ? count : LAST) : NAN;
}

/* What decided, beside what it took. */
static void add_decision(const struct options *options, const struct state *state, double norm,
                         bool from_start, struct tv_note *note)
{
    double loss = level(state->loss, state->losses);
    if (from_start) {
        double limit = state->losses ? options->dead : 1e-2 * options->dead;
        double share = state->losses ? norm / fabs(loss) : norm;
        tv_note_evidence(note, "norm_over_loss", share);
        tv_note_evidence(note, "norm_over_loss_threshold", limit);
        note->finding->confidence = tv_margin_confidence(log(1 / share), log(1 / limit));
        return;
    }
    double fall = norm / state->usual, needed = options->share;
    tv_note_evidence(note, "share_of_usual", fall);
    if (!(loss > 0) || state->relative.len < 2)
        needed *= 0.1;
    tv_note_evidence(note, "share_of_usual_threshold", needed);
    double margin = needed / fall;
    if (loss > 0 && state->relative.len >= 2) {
        double ratio =
            norm / loss / exp(tv_blocks_median(&state->relative, 0, state->relative.len));
        tv_note_evidence(note, "share_of_usual_norm_over_loss", ratio);
        tv_note_evidence(note, "share_of_usual_norm_over_loss_threshold", options->ratio);
        margin = fmin(margin, options->ratio / ratio);
    }
    note->finding->confidence = tv_margin_confidence(margin, 1);
}

static void say(struct tv_view *view, const struct options *options, const struct state *state,
                double norm, bool from_start)
{
    const char *tag = tv_view_tag(view, TV_ROLE_GRAD_NORM);
    double loss = level(state->loss, state->losses);
    struct tv_note note;
    struct tv_finding finding;
    tv_note_init(&note, &finding, tag ? tag : "grad_norm", TV_WARNING, state->below_step);
    finding.observed = norm;
    finding.expected = from_start ? NAN : state->usual;
    if (from_start)
        tv_note_summary(&note, "gradient norm is only %s from the start, at a loss of %s",
                        TV_SHOW(norm), TV_SHOW(loss));
    else
        tv_note_summary(
            &note, "gradient norm falls from %s to %s since step %lld while the loss is still %s",
            TV_SHOW(state->usual), TV_SHOW(norm), (long long)state->below_step, TV_SHOW(loss));
    tv_note_evidence(&note, "grad_norm", norm);
    if (!from_start)
        tv_note_evidence(&note, "usual", state->usual);
    tv_note_evidence(&note, "loss", loss);
    tv_note_evidence(&note, "first_loss", state->first_loss);
    tv_note_evidence(&note, "learning_rate", tv_rate_now(view));
    add_decision(options, state, norm, from_start, &note);
    if (norm == 0) {
        tv_note_cause(&note, "no gradient arrives: the parameters are frozen or detached from the "
                             "loss, or every unit is dead");
        tv_note_advice(&note,
                       "check which parameters require gradients, and resume from a "
                       "checkpoint before step %lld",
                       (long long)state->below_step);
    } else if (from_start) {
        tv_note_cause(&note, "initialisation or saturated activations: the signal dies on its way "
                             "through the layers");
        tv_note_cause(&note, "the trained parameters are not connected to the loss (frozen, "
                             "detached, wrong adapter)");
        tv_note_advice(&note, "check the initialisation, normalisation and residual connections; "
                              "check which parameters "
                              "require gradients");
    } else {
        tv_note_cause(&note, "units died or saturated after a large update");
        tv_note_cause(&note,
                      "the loss or the gradient is scaled down, or most of the loss is masked");
        tv_note_cause(&note,
                      "weight decay shrinks the weights faster than the gradient grows them");
        tv_note_advice(&note,
                       "resume from a checkpoint before step %lld with a lower learning rate",
                       (long long)state->below_step);
        tv_advise_lower_lr(view, &note, tv_view_peak_lr(view) / 3);
    }
    tv_advise_bf16(view, &note);
    tv_raise(view, &finding);
}

/* The gradient of a loss that is nearly gone is small by right: only a fall beyond that of the loss
 * counts. `factor` 1 for below, less for far below. */
static bool is_below(const struct state *state, const struct options *options, double norm,
                     double loss, double factor)
{
    if (state->blocks.len < 2 || !(norm < factor * options->share * state->usual))
        return false;
    if (loss >= 0 && loss <= options->left * state->first_loss)
        return false;
    double noise = tv_innovation_noise(&state->noise);
    if (noise >= 0 && norm > state->usual * exp(-options->score * noise))
        return false;
    if (!(loss > 0) || state->relative.len < 2)
        return norm < 0.1 * factor * options->share * state->usual;
    double usual = exp(tv_blocks_median(&state->relative, 0, state->relative.len));
    return norm / loss < factor * options->ratio * usual;
}

/* Tiny beside the loss, from the start, and the loss has hardly moved. A norm of exactly 0 may be
 * one that the trainer does not know: the loss must then have stood still for a while. */
static bool is_dead(const struct state *state, const struct options *options, double norm,
                    double loss, double factor)
{
    double limit = factor * options->dead;
    if (!state->losses)
        return norm > 0 && norm < 1e-2 * limit && state->highest < 1e-2 * options->dead;
    if (norm == 0 && (state->losses < 10 || fabs(loss) < 0.98 * fabs(state->first_loss)))
        return false;
    return norm < limit * fabs(loss) && state->highest < options->dead * fabs(state->first_loss) &&
           fabs(loss) > 0.5 * fabs(state->first_loss);
}

static void learn(struct state *state, const struct tv_point *point, double loss)
{
    state->highest = tv_most(state->highest, point->value);
    if (!(point->value > 0))
        return;
    tv_innovation_accept(&state->noise, point->value);
    if (loss > 0)
        tv_blocks_add_log(&state->relative, point->step, point->value / loss);
    if (tv_blocks_add_log(&state->blocks, point->step, point->value))
        state->usual = exp(tv_blocks_median(&state->blocks, 0, state->blocks.len));
}

static void count(struct state *state, const struct options *options, const struct tv_point *point)
{
    double norm = point->value, loss = level(state->loss, state->losses);
    bool dead = is_dead(state, options, norm, loss, 1);
    bool below = is_below(state, options, norm, loss, 1);
    if (!dead && !below) { /* most points end here: what is not below is not far below either */
        state->below = state->dead = state->far = 0;
        learn(state, point, loss);
        return;
    }
    bool none = is_dead(state, options, norm, loss, 0.1);
    bool far = none || is_below(state, options, norm, loss, 0.1);
    if ((below || dead) && state->below == 0)
        state->below_step = point->step;
    state->below = below || dead ? state->below + 1 : 0;
    state->dead = dead ? state->dead + 1 : 0;
    state->far = none ? state->far + 2 : far ? state->far + 1 : 0;
    if (!below)
        learn(state, point, loss);
}

static void on_norm(struct tv_view *view, const struct options *options, struct state *state,
                    const struct tv_point *point)
{
    count(state, options, point);
    if (!state->is_raised &&
        (state->below >= options->points || state->far >= options->far_points)) {
        state->is_raised = true;
        say(view, options, state, point->value, state->dead > 0);
    } else if (state->is_raised && state->below == 0 && ++state->calm >= options->points) {
        const char *tag = tv_view_tag(view, TV_ROLE_GRAD_NORM);
        state->is_raised = false;
        tv_clear(view, tag ? tag : "grad_norm");
    }
    if (state->below > 0 || !state->is_raised)
        state->calm = 0;
}

static void on_loss(struct state *state, double loss)
{
    if (state->losses == 0)
        state->first_loss = loss;
    state->loss[state->losses++ % LAST] = loss;
    if (state->losses == 1000 * LAST)
        state->losses -= 900 * LAST;
}

static void judge_waiting(struct tv_view *view, const struct options *options, struct state *state)
{
    if (state->is_waiting)
        on_norm(view, options, state, &state->waiting);
    state->is_waiting = false;
}

/* A norm waits for the loss of its step, which may come after it. */
static void on_sample(struct tv_view *view, const void *options, void *state_,
                      const struct tv_point *point)
{
    struct state *state = state_;
    if (!isfinite(point->value) || tv_view_is_rl(view))
        return;
    if (state->is_waiting && point->step != state->waiting.step)
        judge_waiting(view, options, state);
    if (point->role == TV_ROLE_TRAIN_LOSS) {
        on_loss(state, point->value);
        state->loss_step = point->step;
        judge_waiting(view, options, state);
    } else if (point->value >= 0) {
        judge_waiting(view, options, state);
        state->waiting = *point;
        state->is_waiting = true;
        if (state->losses && state->loss_step == point->step)
            judge_waiting(view, options, state);
    }
}

static void on_end(struct tv_view *view, const void *options_, void *state_)
{
    const struct options *options = options_;
    struct state *state = state_;
    judge_waiting(view, options, state);
    if (tv_view_count(view, TV_ROLE_GRAD_NORM) == 0)
        tv_silent(view, "no gradient norm is logged");
    else if (tv_view_is_rl(view))
        tv_silent(view, "rewards are logged: the loss of reinforcement learning has no direction");
    else if (state->blocks.len < 2)
        tv_silent_because(view,
                          "too few gradient norms to know the usual one (%llu); none is tiny "
                          "beside the loss",
                          (unsigned long long)tv_view_count(view, TV_ROLE_GRAD_NORM));
    else
        tv_silent_because(view,
                          "no %lld gradient norms in a row fell below %g of the usual (%s) and of "
                          "what the loss explains",
                          (long long)options->points, options->share, TV_SHOW(state->usual));
}

static const struct tv_option table[] = {
    TV_OPTION_ROW(struct options, share, DOUBLE, 0.2, 0, 1, "gradient norm over its median so far"),
    TV_OPTION_ROW(struct options, ratio, DOUBLE, 0.03, 0, 1,
                  "gradient norm / loss over the median of that so far"),
    TV_OPTION_ROW(struct options, dead, DOUBLE, 1e-5, 0, 1,
                  "gradient norm over the loss that never trains anything"),
    TV_OPTION_ROW(struct options, score, DOUBLE, 3, 0, 100,
                  "least fall of ln norm over the noise of ln norm"),
    TV_OPTION_ROW(struct options, left, DOUBLE, 0.008, 0, 1,
                  "share of the first loss that must be left"),
    TV_OPTION_ROW(struct options, points, INT, 3, 1, 1000, "points in a row"),
    TV_OPTION_ROW(struct options, far_points, INT, 2, 1, 1000,
                  "points in a row below a tenth of these limits"),
    TV_OPTION_END};

const struct tv_detector tv_detector_gradient_vanishing = {
    .name = "gradient_vanishing",
    .summary = "the logged gradient norm is too small to train while there is loss left",
    .explain =
        "Fires when the norm is below `share` of its median so far and norm / loss below "
        "`ratio` of its own median so far, `points` points in a row (`far_points` when it is "
        "below a tenth of both), while the loss is above `left` of its first value and ln norm "
        "falls by more than `score` times its own noise (the norm of single batches may be "
        "heavy-tailed); or when it is below `dead` x loss from the first point on "
        "(one point below a tenth of it) with the loss still above half of its first "
        "value. The norm of a converging model falls with its loss and is not reported. "
        "Losses that are not positive have no such ratio: then the norm must fall ten times "
        "further. Without any loss only a norm below a hundredth of `dead` counts.\n"
        "Comparing norm and loss makes both rules independent of the unit of the loss.\n"
        "Source: AutoTrainer and SageMaker Debugger judge layer gradients (below 1e-4 and "
        "1e-7 absolute); a log has only the total norm, so the reference is the run's own.\n"
        "Cannot see: vanishing in the first layers while the last ones keep the total norm "
        "up.",
    .roles = TV_ROLE_BIT(TV_ROLE_GRAD_NORM) | TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS),
    .options = table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .on_sample = on_sample,
    .on_end = on_end,
};
