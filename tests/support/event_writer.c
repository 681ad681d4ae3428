/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/event_writer.h"
#include "base/memory.h"
#include <stdlib.h>
#include <string.h>

void tv_bytes_add(struct tv_bytes *bytes, const void *data, size_t len)
{
    if (bytes->len + len > bytes->cap) {
        bytes->cap = (bytes->len + len) * 2;
        bytes->data = tv_xrealloc(bytes->data, bytes->cap, 1);
    }
    if (len)
        memcpy(bytes->data + bytes->len, data, len);
    bytes->len += len;
}

void tv_bytes_free(struct tv_bytes *bytes)
{
    free(bytes->data);
    *bytes = (struct tv_bytes){0};
}

struct tv_span tv_bytes_span(const struct tv_bytes *bytes)
{
    return (struct tv_span){bytes->data ? bytes->data : "", bytes->len};
}

static void put(struct tv_bytes *to, uint64_t value, int bytes)
{
    for (; bytes; bytes--, value >>= 8)
        tv_bytes_add(to, &(unsigned char){(unsigned char)(value & 0xff)}, 1);
}

static void put_varint(struct tv_bytes *to, uint64_t value)
{
    for (; value >= 0x80; value >>= 7)
        put(to, (value & 0x7f) | 0x80, 1);
    put(to, value, 1);
}

void tv_pb_varint(struct tv_bytes *to, int field, uint64_t value)
{
    put_varint(to, (uint64_t)field << 3);
    put_varint(to, value);
}

void tv_pb_double(struct tv_bytes *to, int field, double value)
{
    uint64_t bits;
    memcpy(&bits, &value, 8);
    put_varint(to, (uint64_t)field << 3 | 1);
    put(to, bits, 8);
}

void tv_pb_float(struct tv_bytes *to, int field, float value)
{
    uint32_t bits;
    memcpy(&bits, &value, 4);
    put_varint(to, (uint64_t)field << 3 | 5);
    put(to, bits, 4);
}

void tv_pb_bytes(struct tv_bytes *to, int field, const void *data, size_t len)
{
    put_varint(to, (uint64_t)field << 3 | 2);
    put_varint(to, len);
    tv_bytes_add(to, data, len);
}

void tv_pb_text(struct tv_bytes *to, int field, const char *text)
{
    tv_pb_bytes(to, field, text, strlen(text));
}

void tv_pb_message(struct tv_bytes *to, int field, struct tv_bytes *message)
{
    tv_pb_bytes(to, field, message->data, message->len);
    tv_bytes_free(message);
}

/* CRC-32C by table (reflected polynomial 0x82f63b78), masked as TFRecord wants it. */
static uint32_t masked_crc(const void *data, size_t len)
{
    static uint32_t table[256];
    if (!table[1])
        for (uint32_t i = 0; i < 256; i++) {
            uint32_t c = i;
            for (int bit = 0; bit < 8; bit++)
                c = c & 1 ? c >> 1 ^ 0x82f63b78u : c >> 1;
            table[i] = c;
        }
    const unsigned char *p = data;
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < len; i++)
        crc = crc >> 8 ^ table[(crc ^ p[i]) & 0xff];
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xa282ead8u;
}

void tv_write_header(struct tv_bytes *file, uint64_t length)
{
    size_t at = file->len;
    put(file, length, 8);
    put(file, masked_crc(file->data + at, 8), 4);
}

size_t tv_write_record(struct tv_bytes *file, const void *data, size_t len)
{
    size_t at = file->len;
    tv_write_header(file, len);
    tv_bytes_add(file, data, len);
    put(file, masked_crc(data, len), 4);
    return at;
}

static struct tv_bytes event_at(double wall_time, int64_t step)
{
    struct tv_bytes event = {0};
    tv_pb_double(&event, 1, wall_time);
    if (step)
        tv_pb_varint(&event, 2, (uint64_t)step);
    return event;
}

static size_t write_event(struct tv_bytes *file, struct tv_bytes *event)
{
    size_t at = tv_write_record(file, event->data, event->len);
    tv_bytes_free(event);
    return at;
}

size_t tv_write_version(struct tv_bytes *file)
{
    struct tv_bytes event = event_at(1e9, 0);
    tv_pb_text(&event, 3, "brain.Event:2");
    return write_event(file, &event);
}

static size_t write_value_at(struct tv_bytes *file, double wall_time, int64_t step,
                             struct tv_bytes *value)
{
    struct tv_bytes event = event_at(wall_time, step), summary = {0};
    tv_pb_message(&summary, 1, value);
    tv_pb_message(&event, 5, &summary);
    return write_event(file, &event);
}

size_t tv_write_value(struct tv_bytes *file, int64_t step, struct tv_bytes *value)
{
    return write_value_at(file, 1e9 + (double)step, step, value);
}

size_t tv_write_scalar_at(struct tv_bytes *file, double wall_time, int64_t step, const char *tag,
                          float value)
{
    struct tv_bytes message = {0};
    tv_pb_text(&message, 1, tag);
    tv_pb_float(&message, 2, value);
    return write_value_at(file, wall_time, step, &message);
}

size_t tv_write_scalar(struct tv_bytes *file, int64_t step, const char *tag, float value)
{
    return tv_write_scalar_at(file, 1e9 + (double)step, step, tag, value);
}

struct tv_bytes tv_metadata(const char *plugin, const void *content, size_t len)
{
    struct tv_bytes data = {0}, metadata = {0};
    tv_pb_text(&data, 1, plugin);
    if (len)
        tv_pb_bytes(&data, 2, content, len);
    tv_pb_message(&metadata, 1, &data);
    return metadata;
}

size_t tv_write_tf2_scalar(struct tv_bytes *file, int64_t step, const char *tag, float value)
{
    struct tv_bytes message = {0}, tensor = {0}, metadata = tv_metadata("scalars", "", 0);
    uint32_t bits;
    memcpy(&bits, &value, 4);
    struct tv_bytes content = {0};
    put(&content, bits, 4);
    tv_pb_text(&message, 1, tag);
    tv_pb_varint(&tensor, 1, 1);
    tv_pb_bytes(&tensor, 2, "", 0);
    tv_pb_message(&tensor, 4, &content);
    tv_pb_message(&message, 8, &tensor);
    tv_pb_varint(&metadata, 4, 1);
    tv_pb_message(&message, 9, &metadata);
    return tv_write_value(file, step, &message);
}

size_t tv_write_text(struct tv_bytes *file, int64_t step, const char *tag, const char *text)
{
    struct tv_bytes message = {0}, tensor = {0}, shape = {0}, dim = {0};
    struct tv_bytes metadata = tv_metadata("text", "", 0);
    tv_pb_text(&message, 1, tag);
    tv_pb_varint(&dim, 1, 1);
    tv_pb_message(&shape, 2, &dim);
    tv_pb_varint(&tensor, 1, 7);
    tv_pb_message(&tensor, 2, &shape);
    tv_pb_text(&tensor, 8, text);
    tv_pb_message(&message, 8, &tensor);
    tv_pb_message(&message, 9, &metadata);
    return tv_write_value(file, step, &message);
}

size_t tv_write_session_log(struct tv_bytes *file, int64_t step, int status)
{
    struct tv_bytes event = event_at(1e9 + (double)step, step), log = {0};
    tv_pb_varint(&log, 1, (uint64_t)status);
    tv_pb_message(&event, 7, &log);
    return write_event(file, &event);
}
