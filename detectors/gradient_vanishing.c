/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The logged gradient norm is, or becomes, too small to train anything while there is loss left. */
#include "lib/advice.h"
#include "lib/note.h"
#include "lib/robust.h"
#include <math.h>

#define LAST 5

struct options {
    double share, ratio, dead;
    int64_t points, dead_points;
};

struct state {
    double norm[LAST], loss[LAST];
    uint32_t norms, losses;
    double usual;      /* highest median of the last norms */
    double usual_loss; /* level of the loss then */
    double first_loss;
    uint32_t below, dead; /* points in a row */
    int64_t below_step;
    bool is_raised;
};

static double level(const double *ring, uint32_t count)
{
    return count ? tv_median_of(ring, count < LAST ? count : LAST) : NAN;
}

static void say(struct tv_view *view, const struct state *state, double norm, bool from_start)
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
    if (from_start) {
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
 * counts. */
static bool is_below(const struct state *state, const struct options *options, double norm)
{
    double loss = level(state->loss, state->losses);
    if (state->norms < 2 * LAST || !(norm < options->share * state->usual))
        return false;
    if (!(loss > 0) || !(state->usual_loss > 0))
        return norm < 0.1 * options->share * state->usual;
    return norm / state->usual < options->ratio * loss / state->usual_loss;
}

/* Tiny beside the loss, and the loss has hardly moved. */
static bool is_dead(const struct state *state, const struct options *options, double norm)
{
    double loss = level(state->loss, state->losses);
    if (!(state->usual < options->dead * fabs(state->first_loss)) && state->losses)
        return false;
    if (!state->losses)
        return norm < 1e-2 * options->dead;
    return norm < options->dead * fabs(loss) && fabs(loss) > 0.5 * fabs(state->first_loss);
}

static void on_norm(struct tv_view *view, const struct options *options, struct state *state,
                    const struct tv_point *point)
{
    uint32_t n = state->norms++;
    state->norm[n % LAST] = point->value;
    if (state->norms == 1000 * LAST)
        state->norms -= 900 * LAST;
    double norm = level(state->norm, n + 1);
    if (n == 0 || norm > state->usual) {
        state->usual = norm;
        state->usual_loss = level(state->loss, state->losses);
    }
    bool below = is_below(state, options, norm), dead = is_dead(state, options, norm);
    if (below || dead) {
        if (state->below++ == 0)
            state->below_step = point->step;
        state->dead = dead ? state->dead + 1 : 0;
    } else {
        state->below = state->dead = 0;
    }
    if (!state->is_raised &&
        (state->dead >= options->dead_points || (below && state->below >= options->points))) {
        state->is_raised = true;
        say(view, state, norm, dead);
    } else if (state->is_raised && state->below == 0 && norm > 2 * options->share * state->usual) {
        const char *tag = tv_view_tag(view, TV_ROLE_GRAD_NORM);
        state->is_raised = false;
        tv_clear(view, tag ? tag : "grad_norm");
    }
}

static void on_sample(struct tv_view *view, const void *options, void *state_,
                      const struct tv_point *point)
{
    struct state *state = state_;
    if (!isfinite(point->value))
        return;
    if (point->role == TV_ROLE_GRAD_NORM) {
        if (point->value >= 0 && !tv_view_is_rl(view))
            on_norm(view, options, state, point);
        return;
    }
    if (state->losses == 0)
        state->first_loss = point->value;
    state->loss[state->losses++ % LAST] = point->value;
    if (state->losses == 1000 * LAST)
        state->losses -= 900 * LAST;
}

static const struct tv_option table[] = {
    TV_OPTION_ROW(struct options, share, DOUBLE, 1e-2, 0, 1,
                  "gradient norm over the highest level that it had"),
    TV_OPTION_ROW(struct options, ratio, DOUBLE, 0.03, 0, 1,
                  "its fall over the fall of the loss in the same time"),
    TV_OPTION_ROW(struct options, points, INT, 2, 1, 1000,
                  "points in a row below, judged by the median of 5"),
    TV_OPTION_ROW(struct options, dead, DOUBLE, 1e-5, 0, 1,
                  "gradient norm over the loss that never trains anything"),
    TV_OPTION_ROW(struct options, dead_points, INT, 3, 1, 1000,
                  "points in a row below that, from the start"),
    TV_OPTION_END};

const struct tv_detector tv_detector_gradient_vanishing = {
    .name = "gradient_vanishing",
    .summary = "the logged gradient norm is too small to train while there is loss left",
    .explain =
        "Fires when the median of the last 5 norms is below `share` of the highest such median and "
        "has fallen `ratio` "
        "times further than the loss in the same time, `points` points in a row; or when the norm "
        "is below `dead` x loss "
        "in the first `dead_points` points and since, with the loss still above half of its first "
        "value. The norm of a "
        "converging model falls with its loss and is not reported.\n"
        "Comparing norm and loss makes both rules independent of the unit of the loss.\n"
        "Source: AutoTrainer and SageMaker Debugger judge layer gradients (below 1e-4 and 1e-7 "
        "absolute); a log has only "
        "the total norm, so the reference is the run's own.\n"
        "Cannot see: vanishing in the first layers while the last ones keep the total norm up.",
    .roles = TV_ROLE_BIT(TV_ROLE_GRAD_NORM) | TV_ROLE_BIT(TV_ROLE_TRAIN_LOSS),
    .options = table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .on_sample = on_sample,
};
