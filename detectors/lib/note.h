/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_NOTE_H
#define DETECTORS_LIB_NOTE_H
/* Builds a finding's texts in the caller's stack, so that detectors need no heap.
 *   struct tv_note note; tv_note_init(&note, &finding); tv_note_advice(&note, "warmup_steps: %d ->
 * %d", ...); */
#include "trainvet/detector.h"
#include "trainvet/text.h"

struct tv_note {
    struct tv_finding *finding;
    char buffer[3072];
    size_t used;
    const char *causes[TV_ALERT_TEXTS], *advice[TV_ALERT_TEXTS];
    struct tv_evidence evidence[TV_ALERT_EVIDENCE];
};

/* Fills *finding with empty lists, NaN numbers and these; the note must outlive the finding. */
void tv_note_init(struct tv_note *note, struct tv_finding *finding, const char *subject,
                  enum tv_severity severity, int64_t onset_step);
void tv_note_summary(struct tv_note *note, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void tv_note_cause(struct tv_note *note, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void tv_note_advice(struct tv_note *note, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* `name` must be a static string. */
void tv_note_evidence(struct tv_note *note, const char *name, double value);

/* Confidence of a verdict that was decided by a statistic (positive, above its threshold), from its
 * margin: 1 - 0.3 threshold / value, at most 0.99: 0.7 at the threshold, 0.85 at twice of it. It
 * puts alerts in order and is no measured probability. 0.7 when either is unknown. */
double tv_margin_confidence(double value, double threshold);

#endif
