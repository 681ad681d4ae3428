/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trainvet/sink.h"

#define TV_SINK(name) extern const struct tv_sink tv_sink_##name;
#include "sinks.def"
#undef TV_SINK

const struct tv_sink *const tv_sinks[] = {
#define TV_SINK(name) &tv_sink_##name,
#include "sinks.def"
#undef TV_SINK
    NULL,
};
