/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef TRAINVET_DETECTOR_H
#define TRAINVET_DETECTOR_H
/* A detector is a pure function of (options, run so far, this event): no clock, no I/O, no globals,
 * no heap.
 *
 * Sequence of calls for one run:
 *   state = zeroed block of state_size
 *   on_sample for each point of the roles it asked for. Steps of one role never go back within an
 * attempt. Between roles the order of equal steps is not defined, and a role may lag behind another
 * (another file): compare two series by step, never by order of arrival. on_tick   live only, when
 * new points have come and then when it asked for it; what it raises must also come out of the next
 * on_sample or of on_end, so that a scan of the same log finds it too on_end    once, when the run
 * has ended or the scan has read everything; tv_view_now() is the observer's clock A run that goes
 * back to its first steps starts anew: the state is zeroed and the firing alerts are resolved. A
 * run that is resumed in the middle keeps its state: tv_view_attempt() has changed and steps
 * repeat. The same log gives the same findings whatever the chunking and however often the reader
 * was restarted. */
#include "trainvet/alert.h"
#include "trainvet/option.h"
#include "trainvet/run.h"

struct tv_detector {
    const char *name;    /* public id, same as the file's name */
    const char *summary; /* one line for `trainvet list` */
    const char
        *explain;   /* for `trainvet explain`: definition, formula, source, what it cannot see */
    uint32_t roles; /* TV_ROLE_BIT of each role that on_sample wants */
    const struct tv_option *options;
    size_t options_size; /* at most TV_DETECTOR_OPTIONS_MAX */
    size_t state_size;   /* aim at 2 KiB or less: there is one a run */
    void (*on_sample)(struct tv_view *view, const void *options, void *state,
                      const struct tv_point *point);
    /* Returns the seconds after which it has something else to say if nothing is logged until then,
     * INFINITY: never. NULL allowed. */
    double (*on_tick)(struct tv_view *view, const void *options, void *state);
    void (*on_end)(struct tv_view *view, const void *options, void *state); /* NULL allowed */
};

#define TV_DETECTOR_OPTIONS_MAX 512

/* Of a function that few points reach: kept out of on_sample(), which would save registers for it
 * at every point. */
#define TV_RARE __attribute__((noinline))

/* Raises a finding, or updates it when the same detector already fires about the same subject: the
 * step at which it was noticed, its onset and its identity stay as they were; severity may rise,
 * numbers and texts are replaced. */
void tv_raise(struct tv_view *view, const struct tv_finding *finding);
/* The trouble is over (hysteresis is the detector's). Nothing happens when it does not fire. */
void tv_clear(struct tv_view *view, const char *subject);
/* What fires turned out to be nothing of the kind: it is no longer among the run's alerts, and who
 * was told of it hears that it is over. */
void tv_withdraw(struct tv_view *view, const char *subject);
/* The same of all that was ever said about it, also of what is over. */
void tv_withdraw_all(struct tv_view *view, const char *subject);
/* Why nothing can be said yet or at all, for --explain: one sentence ("needs 3 evaluations, has
 * 2"). The last one stays; raising a finding removes it. */
void tv_silent(struct tv_view *view, const char *reason);
bool tv_silence_is_heard(const struct tv_view *view); /* else the reason need not be worded */

extern const struct tv_detector
    *const tv_detectors[]; /* NULL-terminated, in the order of detectors.def */

/* An option that a preset sets to another value than its default. */
struct tv_preset {
    const char *preset, *detector, *option;
    double value;
};
extern const struct tv_preset
    tv_presets[]; /* ended by a NULL preset, presets one behind the other */

#endif
