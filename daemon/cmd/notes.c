/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/notes.h"
#include "base/log.h"
#include "base/memory.h"
#include "trainvet/text.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void tv_notes_add(void *ctx, const char *path, const struct tv_damage *damage)
{
    struct tv_notes *notes = ctx;
    notes->any_damage = notes->any_damage || !damage->is_note;
    if (!notes->file || strcmp(notes->file, path) != 0) {
        free(notes->file);
        notes->file = tv_xstrndup(path, strlen(path));
        notes->of_file = 0;
    }
    if (notes->len == TV_NOTES_MAX || notes->of_file++ >= TV_NOTES_PER_FILE) {
        notes->dropped++;
        return;
    }
    char buffer[1024];
    struct tv_text text = tv_text_in(buffer, sizeof buffer);
    tv_text_add(&text, "%s: ", path);
    if (damage->line)
        tv_text_add(&text, "line %" PRIu32 ": ", damage->line);
    else if (damage->offset || damage->length)
        tv_text_add(&text, "byte %" PRIu64 ": ", damage->offset);
    tv_text_add(&text, "%s", damage->what);
    notes->lines[notes->len++] = tv_xstrndup(buffer, text.len);
}

void tv_notes_print(struct tv_notes *notes)
{
    for (size_t i = 0; i < notes->len; i++) {
        tv_log(TV_LOG_WARNING, "%s", notes->lines[i]);
        free(notes->lines[i]);
    }
    if (notes->dropped)
        tv_log(TV_LOG_WARNING, "%zu more of the same kind are not shown", notes->dropped);
    free(notes->file);
    *notes = (struct tv_notes){0};
}
