/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINKS_LIB_JOURNAL_ENTRY_H
#define SINKS_LIB_JOURNAL_ENTRY_H
/* An alert as the fields of a journal entry: journalctl TRAINVET_DETECTOR=non_finite, and by
 * MESSAGE_ID in a catalog. Values may hold anything, the journal takes lengths. */
#include "trainvet/alert.h"
#include <sys/uio.h>

/* Ours for every alert. */
#define TV_JOURNAL_MESSAGE_ID "a1c0ebe0a99347cf991807b7d67310bd"

enum { TV_JOURNAL_FIELDS = 21, TV_JOURNAL_TEXT = 12288 };

struct tv_journal_entry {
    struct iovec fields[TV_JOURNAL_FIELDS]; /* "NAME=value", into `text` */
    size_t len;
    char text[TV_JOURNAL_TEXT];
    size_t used;
};

/* The entry must not be moved afterwards. */
void tv_journal_entry(struct tv_journal_entry *ret, const struct tv_alert *alert);

#endif
