/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef DETECTORS_LIB_SILENCE_H
#define DETECTORS_LIB_SILENCE_H
/* Why a detector has found nothing: sentences for --explain. For on_end: what is said as points
 * come in costs every run its time. */
#include "trainvet/detector.h"

/* tv_silent() with the numbers that decided. */
void tv_silent_because(struct tv_view *view, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The reasons that all detectors of the training loss share: rewards, or no such loss. True when
 * one of them was told. */
bool tv_silent_about_loss(struct tv_view *view);

#endif
