/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/note.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void tv_note_init(struct tv_note *note, struct tv_finding *finding, const char *subject,
                  enum tv_severity severity, int64_t onset_step)
{
    note->finding = finding;
    note->used = 0;
    *finding = (struct tv_finding){
        .subject = subject,
        .severity = severity,
        .onset_step = onset_step,
        .observed = NAN,
        .expected = NAN,
        .confidence = NAN,
        .summary = "",
        .evidence = note->evidence,
        .causes = note->causes,
        .advice = note->advice,
    };
}

static const char *add(struct tv_note *note, const char *format, va_list args)
{
    if (!strchr(format, '%'))
        return format; /* a literal, as it stands */
    size_t room = sizeof note->buffer - note->used;
    if (room < 2)
        return "";
    char *start = note->buffer + note->used;
    int n = tv_format(start, room, format, args);
    note->used += n < 0 ? 0 : (size_t)n < room ? (size_t)n + 1 : room;
    return start;
}

void tv_note_summary(struct tv_note *note, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    note->finding->summary = add(note, format, args);
    va_end(args);
}

void tv_note_cause(struct tv_note *note, const char *format, ...)
{
    if (note->finding->causes_len == TV_ALERT_TEXTS)
        return;
    va_list args;
    va_start(args, format);
    note->causes[note->finding->causes_len++] = add(note, format, args);
    va_end(args);
}

void tv_note_advice(struct tv_note *note, const char *format, ...)
{
    if (note->finding->advice_len == TV_ALERT_TEXTS)
        return;
    va_list args;
    va_start(args, format);
    note->advice[note->finding->advice_len++] = add(note, format, args);
    va_end(args);
}

void tv_note_evidence(struct tv_note *note, const char *name, double value)
{
    if (note->finding->evidence_len < TV_ALERT_EVIDENCE)
        note->evidence[note->finding->evidence_len++] = (struct tv_evidence){name, value};
}

double tv_margin_confidence(double value, double threshold)
{
    double share = threshold / value;
    if (!(share < 1))
        return 0.7;
    return fmin(0.99, 1 - 0.3 * fmax(share, 0));
}
