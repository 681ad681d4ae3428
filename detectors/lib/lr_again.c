/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/lr_again.h"
#include "lib/note.h"
#include <math.h>

#define SAME     1e-6 /* relative: float32 */
#define FAR      10   /* times what it last fell in as many steps: back into a warm-up */
#define REPEATED 5
#define FALLS    8
#define LOW      0.25 /* of the highest: the end of a cycle may be below */
#define LEVEL    0.3  /* of the steepest fall: and there it may have become level */

static bool is_same(double a, double b)
{
    return fabs(a - b) <= SAME * fabs(b);
}

static void tell(const struct tv_lr_again *again, struct tv_view *view, const char *subject,
                 const struct tv_lr_point *first, const struct tv_lr_point *point)
{
    struct tv_note note;
    struct tv_finding finding;
    int64_t onset = first->step + again->shift;
    tv_note_init(&note, &finding, subject, TV_WARNING, onset);
    tv_note_summary(&note,
                    "the schedule begins again at step %lld: from there on the learning rate "
                    "repeats that of step %lld on, %lld steps late",
                    (long long)onset, (long long)first->step, (long long)again->shift);
    finding.observed = point->value;
    finding.expected = again->before.value;
    finding.confidence = 0.9;
    tv_note_evidence(&note, "learning_rate_before", again->before.value);
    tv_note_evidence(&note, "learning_rate_after", first->value);
    tv_note_evidence(&note, "points_repeated", again->next);
    tv_note_evidence(&note, "steps_late", (double)again->shift);
    tv_note_cause(&note, "the run was resumed without the scheduler's state");
    tv_note_advice(&note, "resume with the scheduler's state (HF: resume_from_checkpoint, with "
                          "scheduler.pt in the checkpoint)");
    tv_raise(view, &finding);
}

/* The point behind the jump, and those that follow it, against the first ones. */
static void follow(struct tv_lr_again *again, struct tv_view *view,
                   const struct tv_lr_points *points, const char *subject,
                   const struct tv_lr_point *point)
{
    const struct tv_lr_point *expected = &points->kept[again->next];
    if (point->step != expected->step + again->shift || !is_same(point->value, expected->value) ||
        (again->next && is_same(point->value, expected[-1].value))) {
        again->next = 0;
        return;
    }
    if (++again->next < REPEATED)
        return;
    tell(again, view, subject, points->kept, point);
    again->is_told = true;
}

void tv_lr_again_add(struct tv_lr_again *again, struct tv_view *view,
                     const struct tv_lr_points *points, const char *subject,
                     struct tv_lr_point point)
{
    if (again->is_told)
        return;
    if (again->next) {
        follow(again, view, points, subject, &point);
        if (again->next)
            return;
    }
    double fall = again->before.value - point.value;
    double steps = (double)point.step - (double)again->before.step;
    bool is_far = -fall > 0.02 * again->highest || fall > FAR * again->slope * steps;
    bool is_jump = is_far && again->falls >= FALLS && again->before.value > LOW * again->highest &&
                   again->slope > LEVEL * again->steepest;
    if (is_jump) {
        again->shift = point.step - points->kept[0].step;
        follow(again, view, points, subject, &point);
    }
    again->falls = fall >= 0 ? again->falls + 1 : 0;
    if (again->next)
        return; /* `before` stays what it was before the jump */
    if (steps > 0 && fall >= 0)
        again->slope = fall / steps;
    again->steepest = fmax(again->steepest, again->slope);
    again->highest = fmax(again->highest, point.value);
    again->before = point;
}
