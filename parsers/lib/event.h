/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_EVENT_H
#define PARSERS_LIB_EVENT_H
/* The values of an Event message (event.proto) as trainvet understands them, read in two ways that
 * must agree: event_scan.c decodes the wire by hand, for the few shapes that nearly all records
 * have; event_full.c takes what protobuf-c made of any Event. */
#include "lib/crc32c.h"
#include "trainvet/sample.h"

/* What a summary's metadata says that it is; kept in tv_tag.kind, because TensorFlow may write it
 * only once. */
enum tv_plugin {
    TV_PLUGIN_NONE, /* nothing said */
    TV_PLUGIN_SCALARS,
    TV_PLUGIN_TEXT,
    TV_PLUGIN_HPARAMS,
    TV_PLUGIN_OTHER
};

enum tv_value_form {
    TV_VALUE_OTHER,   /* a histogram, an image, ...: of no use here */
    TV_VALUE_SIMPLE,  /* simple_value: a scalar whatever the metadata says */
    TV_VALUE_TENSOR,  /* a tensor of one number: a scalar unless the tag's plugin says otherwise */
    TV_VALUE_REFUSED, /* should be a number and is none: see `refused` */
    TV_VALUE_TEXT,    /* `body` is the text */
    TV_VALUE_HPARAMS  /* `body` is a serialised HParamsPluginData */
};

struct tv_event_value {
    struct tv_span tag; /* never NULL */
    enum tv_value_form form;
    enum tv_plugin plugin;
    double value;
    const char *number; /* the four bytes that a TV_VALUE_TENSOR's float was read from, else NULL */
    struct tv_span body;
    const char *refused; /* static: what was found and what was expected */
};

/* The one shape that files of scalars are made of, as torch, tensorboardX and TensorFlow 1 write
 * it: wall_time, step (left out when 0), a summary of one simple_value under a tag of 1 to 118
 * bytes: 09 <f64> [10 <varint>] 2a L 0a L-2 0a L-9 <tag> 15 <f32> All lengths follow from the
 * number of bytes that remain after the step, so one comparison checks them all. */
struct tv_plain_event {
    double wall_time;
    int64_t step;
    struct tv_span tag;
    float value;
};

/* The step as the last event had it, in bytes: most events of a file repeat that of the one before.
 */
struct tv_seen_step {
    uint64_t bytes, mask; /* those behind the wall time; the summary's key when the step is left
                             out */
    int64_t step;
    unsigned len; /* 0: left out; at most 8, longer ones are not remembered */
};
#define TV_SEEN_NO_STEP                                                                            \
    {                                                                                              \
        .bytes = 0x2a, .mask = 0xff                                                                \
    }

/* Reads the step at `at`, 0 when there is none. Its length, SIZE_MAX for a malformed one. */
static inline size_t tv_event_step(const char *at, struct tv_seen_step *seen, int64_t *ret)
{
    uint64_t step = 0;
    size_t len = 0;
    unsigned shift = 0;
    if (*at == 0x10) {
        do {
            step |= (uint64_t)(at[++len] & 0x7f) << shift;
            shift += 7;
        } while (at[len] & 0x80 && shift < 64);
        if (at[len++] & 0x80)
            return SIZE_MAX;
    }
    *ret = (int64_t)step;
    if (len <= 8) {
        seen->mask = len ? UINT64_MAX >> (64 - 8 * len) : 0xff;
        seen->bytes = tv_load64(at) & seen->mask;
        seen->step = *ret;
        seen->len = (unsigned)len;
    }
    return len;
}

/* What stands behind the tag of a tensor of one float: its type, its shape, its number, the
 * metadata. Writers repeat it to the byte, but for the number. */
#define TV_SEEN_TENSOR_MAX 64
struct tv_seen_tensor {
    unsigned len, number; /* bytes, 0: none seen; where among them the number stands */
    enum tv_plugin plugin;
    char bytes[TV_SEEN_TENSOR_MAX];
};

/* memcmp() for what is short: the call alone would cost as much. */
static inline __attribute__((always_inline)) bool tv_event_same(const char *a, const char *b,
                                                                size_t len)
{
    if (len < 8)
        return memcmp(a, b, len) == 0;
    for (size_t at = 0; at + 8 < len; at += 8)
        if (tv_load64(a + at) != tv_load64(b + at))
            return false;
    return tv_load64(a + len - 8) == tv_load64(b + len - 8);
}

/* Everything of an event of one value but the `tail` bytes behind its tag. In line wherever it is
 * called: it is a third of the work on a file of scalars. */
static inline __attribute__((always_inline)) bool tv_event_frame(struct tv_span data, unsigned tail,
                                                                 struct tv_seen_step *seen,
                                                                 struct tv_plain_event *ret)
{
    const char *at = data.data, *end = at + data.len;
    if (data.len < 9 + 12 || *at != 0x09)
        return false;
    uint64_t wall_time = tv_load64(at + 1);
    at += 9;
    if ((tv_load64(at) & seen->mask) == seen->bytes) {
        ret->step = seen->step;
        at += seen->len;
    } else {
        size_t len = tv_event_step(at, seen, &ret->step);
        if (len == SIZE_MAX)
            return false;
        at += len; /* at most 11: it left at least one byte */
    }
    uint64_t summary = (uint64_t)(end - at) - 2, around = 4 + tail; /* L; L less the tag */
    if (summary <= around || summary > 127)
        return false;
    const uint64_t lengths = UINT64_C(0x0000010001000100), mask = UINT64_C(0x0000ffffffffffff);
    const uint64_t head = UINT64_C(0x00000a000a002a) - (around << 40) - (UINT64_C(2) << 24);
    if ((tv_load64(at) & mask) != head + lengths * summary)
        return false;
    memcpy(&ret->wall_time, &wall_time, 8);
    ret->tag = (struct tv_span){at + 6, summary - around};
    return true;
}

static inline __attribute__((always_inline)) bool tv_event_plain(struct tv_span data,
                                                                 struct tv_seen_step *seen,
                                                                 struct tv_plain_event *ret)
{
    if (!tv_event_frame(data, 5, seen, ret) || ret->tag.data[ret->tag.len] != 0x15)
        return false;
    uint32_t value = tv_load32(ret->tag.data + ret->tag.len + 1);
    memcpy(&ret->value, &value, 4);
    return true;
}

/* An event that differs from one that was remembered in its time, step, tag and number only. */
static inline bool tv_event_tensor(struct tv_span data, struct tv_seen_step *seen,
                                   const struct tv_seen_tensor *tensor, struct tv_plain_event *ret)
{
    if (tensor->len == 0 || !tv_event_frame(data, tensor->len, seen, ret))
        return false;
    const char *tail = ret->tag.data + ret->tag.len;
    unsigned behind = tensor->number + 4;
    if (!tv_event_same(tail, tensor->bytes, tensor->number) ||
        !tv_event_same(tail + behind, tensor->bytes + behind, tensor->len - behind))
        return false;
    uint32_t value = tv_load32(tail + tensor->number);
    memcpy(&ret->value, &value, 4);
    return true;
}

#define TV_SCAN_VALUES 16

struct tv_event_scan {
    double wall_time;
    int64_t step;
    size_t count;
    struct tv_event_value values[TV_SCAN_VALUES]; /* form, tag, plugin and value are set;
                                                     TV_VALUE_OTHER is left out */
};

/* Decodes an Event whose fields come once each and are wall_time, step and a summary of at most
 * TV_SCAN_VALUES simple values, float or double tensors, histograms, images and audio. False for
 * anything else, malformed or not: protobuf-c then has the word. Allocates nothing; *ret is
 * undefined when false. */
bool tv_event_scan(struct tv_span data, struct tv_event_scan *ret);

/* Remembers the only value that tv_event_scan() found in `data` when it is a tensor of one float
 * and nothing but its tag stands before it. */
void tv_event_remember(struct tv_span data, const struct tv_event_scan *event,
                       struct tv_seen_step *seen, struct tv_seen_tensor *ret);

#endif
