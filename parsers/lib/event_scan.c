/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/crc32c.h"
#include "lib/event.h"

/* Protocol buffers on the wire (protobuf.dev/programming-guides/encoding): a key byte is field
 * number * 8 + wire type; type 0 is a varint, 1 is 8 bytes, 2 is a length and that many bytes, 5 is
 * 4 bytes. Every function here returns false for what it does not expect; the caller then gives the
 * record to protobuf-c. */

struct wire {
    const char *at, *end;
};

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 };
#define KEY(field, type) ((field) << 3 | (type))

static inline bool take_varint(struct wire *wire, uint64_t *ret)
{
    uint64_t value = 0;
    for (unsigned shift = 0; shift < 70 && wire->at < wire->end; shift += 7) {
        uint64_t byte = (unsigned char)*wire->at++;
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret = value;
            return true;
        }
    }
    return false;
}

/* Lengths of up to 2^21 bytes are enough for a record that is shown. */
static inline bool take_bytes(struct wire *wire, struct wire *ret)
{
    size_t length = 0, byte = 0x80;
    for (unsigned shift = 0; byte >= 0x80; shift += 7) {
        if (shift > 14 || wire->at == wire->end)
            return false;
        byte = (unsigned char)*wire->at++;
        length |= (byte & 0x7f) << shift;
    }
    if (length > (size_t)(wire->end - wire->at))
        return false;
    *ret = (struct wire){wire->at, wire->at + length};
    wire->at += length;
    return true;
}

static inline bool take_double(struct wire *wire, double *ret)
{
    if (wire->end - wire->at < 8)
        return false;
    uint64_t bits = tv_load64(wire->at);
    memcpy(ret, &bits, 8);
    wire->at += 8;
    return true;
}

static inline bool take_float(struct wire *wire, double *ret)
{
    if (wire->end - wire->at < 4)
        return false;
    uint32_t bits = tv_load32(wire->at);
    float value;
    memcpy(&value, &bits, 4);
    *ret = value;
    wire->at += 4;
    return true;
}

static inline struct tv_span span_of(struct wire wire)
{
    return (struct tv_span){wire.at, (size_t)(wire.end - wire.at)};
}

static inline bool is(struct wire wire, const char *text, size_t len)
{
    return (size_t)(wire.end - wire.at) == len && memcmp(wire.at, text, len) == 0;
}

/* SummaryMetadata. Text and hyperparameters are for protobuf-c. */
static bool scan_metadata(struct wire wire, enum tv_plugin *ret)
{
    struct wire plugin = {NULL, NULL}, name = {NULL, NULL}, unused = {NULL, NULL};
    uint64_t data_class = 0;
    while (wire.at < wire.end) {
        switch ((unsigned char)*wire.at++) {
        case KEY(1, BYTES):
            if (plugin.at || !take_bytes(&wire, &plugin))
                return false;
            break;
        case KEY(2, BYTES): /* display_name */
        case KEY(3, BYTES): /* summary_description */
            if (!take_bytes(&wire, &unused))
                return false;
            break;
        case KEY(4, VARINT):
            if (!take_varint(&wire, &data_class) || data_class > INT32_MAX)
                return false;
            break;
        default:
            return false;
        }
    }
    while (plugin.at < plugin.end) {
        unsigned char key = (unsigned char)*plugin.at++;
        struct wire *field = key == KEY(1, BYTES) ? &name : &unused; /* else content */
        if ((key != KEY(1, BYTES) && key != KEY(2, BYTES)) || !take_bytes(&plugin, field))
            return false;
    }
    *ret = TV_PLUGIN_SCALARS;
    if (is(name, "scalars", 7))
        return true;
    if (is(name, "text", 4) || is(name, "hparams", 7))
        return false;
    if (data_class != 1)
        *ret = name.at == name.end ? TV_PLUGIN_NONE : TV_PLUGIN_OTHER;
    return true;
}

/* TensorShape; *ret_single tells whether it has exactly one element. */
static bool scan_shape(struct wire wire, bool *ret_single)
{
    *ret_single = true;
    while (wire.at < wire.end) {
        struct wire dim;
        uint64_t size = 0;
        if (*wire.at++ != KEY(2, BYTES) || !take_bytes(&wire, &dim))
            return false;
        if (dim.at < dim.end && (*dim.at++ != KEY(1, VARINT) || !take_varint(&dim, &size)))
            return false;
        if (dim.at < dim.end)
            return false;
        *ret_single = *ret_single && size == 1;
    }
    return true;
}

enum { DT_FLOAT = 1, DT_DOUBLE = 2 };

/* Tensor: true with TV_VALUE_TENSOR for one float or double, with TV_VALUE_OTHER for many of
 * another plugin's. */
static bool scan_tensor(struct wire wire, struct tv_event_value *value)
{
    struct wire shape = {NULL, NULL}, content = {NULL, NULL}, floats = {NULL, NULL},
                doubles = {NULL, NULL};
    uint64_t dtype = 0, version;
    bool single = true;
    while (wire.at < wire.end) {
        bool sound;
        switch ((unsigned char)*wire.at++) {
        case KEY(1, VARINT):
            sound = take_varint(&wire, &dtype);
            break;
        case KEY(2, BYTES):
            sound = !shape.at && take_bytes(&wire, &shape) && scan_shape(shape, &single);
            break;
        case KEY(3, VARINT):
            sound = take_varint(&wire, &version);
            break;
        case KEY(4, BYTES):
            sound = take_bytes(&wire, &content);
            break;
        case KEY(5, BYTES):
            sound = !floats.at && take_bytes(&wire, &floats) && (floats.end - floats.at) % 4 == 0;
            break;
        case KEY(6, BYTES):
            sound =
                !doubles.at && take_bytes(&wire, &doubles) && (doubles.end - doubles.at) % 8 == 0;
            break;
        default:
            sound = false;
        }
        if (!sound)
            return false;
    }
    if (dtype != DT_FLOAT && dtype != DT_DOUBLE)
        return false;
    if (!single) {
        value->form = TV_VALUE_OTHER;
        return value->plugin == TV_PLUGIN_OTHER;
    }
    value->form = TV_VALUE_TENSOR;
    struct wire number = content.at < content.end ? content : dtype == DT_FLOAT ? floats : doubles;
    if (number.end - number.at != (dtype == DT_FLOAT ? 4 : 8))
        return false;
    if (dtype == DT_DOUBLE)
        return take_double(&number, &value->value);
    value->number = number.at;
    return take_float(&number, &value->value);
}

/* Summary.Value; its tag, its metadata and one member of the oneof, once each. */
static inline bool scan_value(struct wire wire, struct tv_event_value *value)
{
    struct wire tag = {NULL, NULL}, metadata = {NULL, NULL}, tensor = {NULL, NULL}, unused;
    bool has_value = false;
    value->form = TV_VALUE_OTHER;
    value->plugin = TV_PLUGIN_NONE;
    value->number = NULL;
    while (wire.at < wire.end) {
        unsigned char key = (unsigned char)*wire.at++;
        if (key == KEY(1, BYTES)) {
            if (tag.at || !take_bytes(&wire, &tag))
                return false;
            continue;
        }
        if (key == KEY(9, BYTES)) {
            if (metadata.at || !take_bytes(&wire, &metadata))
                return false;
            continue;
        }
        if (has_value)
            return false;
        has_value = true;
        switch (key) {
        case KEY(2, FIXED32):
            if (!take_float(&wire, &value->value))
                return false;
            value->form = TV_VALUE_SIMPLE;
            break;
        case KEY(8, BYTES):
            if (!take_bytes(&wire, &tensor))
                return false;
            break;
        case KEY(3, BYTES): /* old histogram */
        case KEY(4, BYTES): /* image */
        case KEY(5, BYTES): /* histogram */
        case KEY(6, BYTES): /* audio */
            if (!take_bytes(&wire, &unused))
                return false;
            break;
        default:
            return false;
        }
    }
    value->tag = tag.at ? span_of(tag) : (struct tv_span){"", 0};
    return has_value && (!metadata.at || scan_metadata(metadata, &value->plugin)) &&
           (!tensor.at || scan_tensor(tensor, value));
}

static inline bool scan_summary(struct wire wire, struct tv_event_scan *event)
{
    while (wire.at < wire.end) {
        struct wire value;
        if (*wire.at++ != KEY(1, BYTES) || !take_bytes(&wire, &value) ||
            event->count == TV_SCAN_VALUES || !scan_value(value, &event->values[event->count]))
            return false;
        event->count += event->values[event->count].form != TV_VALUE_OTHER;
    }
    return true;
}

bool tv_event_scan(struct tv_span data, struct tv_event_scan *ret)
{
    struct wire wire = {data.data, data.data + data.len}, summary = {NULL, NULL};
    uint64_t step = 0;
    ret->wall_time = 0;
    ret->count = 0;
    while (wire.at < wire.end) {
        bool sound;
        switch ((unsigned char)*wire.at++) {
        case KEY(1, FIXED64):
            sound = take_double(&wire, &ret->wall_time);
            break;
        case KEY(2, VARINT):
            sound = take_varint(&wire, &step);
            break;
        case KEY(5, BYTES):
            sound = !summary.at && take_bytes(&wire, &summary);
            break;
        default:
            sound = false;
        }
        if (!sound)
            return false;
    }
    ret->step = (int64_t)step;
    return scan_summary(summary, ret);
}

void tv_event_remember(struct tv_span data, const struct tv_event_scan *event,
                       struct tv_seen_step *seen, struct tv_seen_tensor *ret)
{
    const struct tv_event_value *value = &event->values[0];
    struct tv_plain_event frame;
    if (event->count != 1 || !value->number || value->tag.len == 0)
        return;
    const char *tail = value->tag.data + value->tag.len;
    size_t len = (size_t)(data.data + data.len - tail);
    if (len > TV_SEEN_TENSOR_MAX || value->number < tail ||
        !tv_event_frame(data, (unsigned)len, seen, &frame) || frame.tag.data != value->tag.data)
        return;
    memcpy(ret->bytes, tail, len);
    ret->len = (unsigned)len;
    ret->number = (unsigned)(value->number - tail);
    ret->plugin = value->plugin;
}
