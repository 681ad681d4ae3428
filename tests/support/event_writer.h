/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPPORT_EVENT_WRITER_H
#define SUPPORT_EVENT_WRITER_H
/* Writes TensorBoard event files for tests, byte by byte and with a CRC of its own, so that a
 * mistake in the reader is not repeated here. A struct tv_bytes is both a message under
 * construction and a file. Zero-initialise to create. */
#include "trainvet/sample.h"

struct tv_bytes {
    char *data;
    size_t len, cap;
};
void tv_bytes_add(struct tv_bytes *bytes, const void *data, size_t len);
void tv_bytes_free(struct tv_bytes *bytes);
struct tv_span tv_bytes_span(const struct tv_bytes *bytes);

/* Protocol buffer fields. */
void tv_pb_varint(struct tv_bytes *to, int field, uint64_t value);
void tv_pb_double(struct tv_bytes *to, int field, double value);
void tv_pb_float(struct tv_bytes *to, int field, float value);
void tv_pb_bytes(struct tv_bytes *to, int field, const void *data, size_t len);
void tv_pb_text(struct tv_bytes *to, int field, const char *text);
/* Adds `message` as a field and frees it. */
void tv_pb_message(struct tv_bytes *to, int field, struct tv_bytes *message);

/* TFRecord framing. Returns the offset at which the record begins. */
size_t tv_write_record(struct tv_bytes *file, const void *data, size_t len);
/* The header alone, with a right CRC, whatever the length. */
void tv_write_header(struct tv_bytes *file, uint64_t length);

/* Whole records as writers write them. wall_time of each is 1e9 + step unless given. */
size_t tv_write_version(struct tv_bytes *file); /* "brain.Event:2", step 0 */
size_t tv_write_scalar(struct tv_bytes *file, int64_t step, const char *tag,
                       float value); /* simple_value, torch */
size_t tv_write_scalar_at(struct tv_bytes *file, double wall_time, int64_t step, const char *tag,
                          float value);
/* The summary `value` message, freed here, in an Event. */
size_t tv_write_value(struct tv_bytes *file, int64_t step, struct tv_bytes *value);
/* TF2: rank-0 DT_FLOAT in tensor_content with plugin metadata. */
size_t tv_write_tf2_scalar(struct tv_bytes *file, int64_t step, const char *tag, float value);
/* torch add_text: `<tag>` is written as given ("args/text_summary"). */
size_t tv_write_text(struct tv_bytes *file, int64_t step, const char *tag, const char *text);
size_t tv_write_session_log(struct tv_bytes *file, int64_t step, int status);

/* SummaryMetadata with this plugin name and content. */
struct tv_bytes tv_metadata(const char *plugin, const void *content, size_t len);

#endif
