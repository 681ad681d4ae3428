/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPPORT_EVENT_COMPARE_H
#define SUPPORT_EVENT_COMPARE_H
/* The decoders by hand against protobuf-c, for the unit test and for the fuzzer. */
#include "trainvet/sample.h"

/* Which of them took an event. */
struct tv_decoded {
    bool by_plain, by_scan, by_protobuf;
    bool by_tensor; /* by what was remembered of an event before */
};

/* Decodes `data` in all these ways. NULL when what the decoders by hand accepted they read as
 * protobuf-c did, else one sentence that says what differs. */
const char *tv_compare_decoders(struct tv_span data, struct tv_decoded *ret);

#endif
