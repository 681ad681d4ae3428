/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/event_full.h"
#include "lib/crc32c.h"
#include <math.h>
#include <stdlib.h>

static void *take(void *data, size_t size)
{
    struct tv_event_memory *memory = data;
    if (size > memory->left) {
        memory->refused = true;
        return NULL;
    }
    memory->left -= size;
    return malloc(size);
}

static void give_back(void *data, void *block)
{
    (void)data;
    free(block);
}

ProtobufCAllocator tv_event_allocator(struct tv_event_memory *memory)
{
    return (ProtobufCAllocator){take, give_back, memory};
}

static bool is(struct tv_span span, const char *text)
{
    return span.len == strlen(text) && memcmp(span.data, text, span.len) == 0;
}

static enum tv_plugin plugin_of(const Tvpb__SummaryMetadata *metadata)
{
    if (!metadata)
        return TV_PLUGIN_NONE;
    struct tv_span name = {"", 0};
    if (metadata->plugin_data)
        name = tv_event_span(metadata->plugin_data->plugin_name);
    if (is(name, "text"))
        return TV_PLUGIN_TEXT;
    if (is(name, "hparams"))
        return TV_PLUGIN_HPARAMS;
    if (is(name, "scalars") || metadata->data_class == 1)
        return TV_PLUGIN_SCALARS;
    return name.len ? TV_PLUGIN_OTHER : TV_PLUGIN_NONE;
}

static bool is_single(const Tvpb__TensorShape *shape)
{
    for (size_t i = 0; shape && i < shape->n_dim; i++)
        if (shape->dim[i]->size != 1)
            return false;
    return true;
}

/* IEEE 754 binary16. */
static double half_of(uint32_t bits)
{
    int exponent = (int)(bits >> 10 & 31);
    double fraction = bits & 1023;
    double value = exponent == 31  ? (fraction != 0 ? NAN : INFINITY)
                   : exponent == 0 ? ldexp(fraction, -24)
                                   : ldexp(fraction + 1024, exponent - 25);
    return bits & 0x8000 ? -value : value;
}

/* The upper half of a binary32. */
static double bfloat16_of(uint32_t bits)
{
    float value;
    bits <<= 16;
    memcpy(&value, &bits, 4);
    return value;
}

/* tensorflow/tensorflow: tensorflow/core/framework/types.proto */
enum {
    DT_FLOAT = 1,
    DT_DOUBLE = 2,
    DT_INT32 = 3,
    DT_UINT8 = 4,
    DT_INT16 = 5,
    DT_INT8 = 6,
    DT_STRING = 7,
    DT_INT64 = 9,
    DT_BOOL = 10,
    DT_BFLOAT16 = 14,
    DT_UINT16 = 17,
    DT_HALF = 19,
    DT_UINT32 = 22,
    DT_UINT64 = 23
};

/* Bytes of one element in tensor_content, 0 for a type that is no number. */
static size_t width_of(int32_t dtype)
{
    switch (dtype) {
    case DT_UINT8:
    case DT_INT8:
    case DT_BOOL:
        return 1;
    case DT_INT16:
    case DT_UINT16:
    case DT_BFLOAT16:
    case DT_HALF:
        return 2;
    case DT_FLOAT:
    case DT_INT32:
    case DT_UINT32:
        return 4;
    case DT_DOUBLE:
    case DT_INT64:
    case DT_UINT64:
        return 8;
    default:
        return 0;
    }
}

/* The element whose bytes, little-endian, are the low ones of `bits`. */
static double number_of(int32_t dtype, uint64_t bits)
{
    float single;
    double value;
    uint32_t low = (uint32_t)bits;
    switch (dtype) {
    case DT_FLOAT:
        memcpy(&single, &low, 4);
        return single;
    case DT_DOUBLE:
        memcpy(&value, &bits, 8);
        return value;
    case DT_HALF:
        return half_of(low & 0xffff);
    case DT_BFLOAT16:
        return bfloat16_of(low & 0xffff);
    case DT_INT8:
        return (int8_t)low;
    case DT_INT16:
        return (int16_t)low;
    case DT_INT32:
        return (int32_t)low;
    case DT_INT64:
        return (double)(int64_t)bits;
    case DT_BOOL:
        return (low & 0xff) != 0;
    default: /* unsigned */
        return (double)bits;
    }
}

static double number_at(int32_t dtype, const uint8_t *bytes)
{
    uint64_t bits = 0;
    for (size_t i = width_of(dtype); i-- > 0;)
        bits = bits << 8 | bytes[i];
    return number_of(dtype, bits);
}

/* How many elements the type's own field holds, and the first of them. */
static size_t first_element(const Tvpb__Tensor *tensor, double *ret)
{
    size_t count;
    switch (tensor->dtype) {
    case DT_FLOAT:
        if ((count = tensor->n_float_val))
            *ret = tensor->float_val[0];
        return count;
    case DT_DOUBLE:
        if ((count = tensor->n_double_val))
            *ret = tensor->double_val[0];
        return count;
    case DT_INT64:
        if ((count = tensor->n_int64_val))
            *ret = (double)tensor->int64_val[0];
        return count;
    case DT_BOOL:
        if ((count = tensor->n_bool_val))
            *ret = tensor->bool_val[0];
        return count;
    case DT_UINT32:
        if ((count = tensor->n_uint32_val))
            *ret = tensor->uint32_val[0];
        return count;
    case DT_UINT64:
        if ((count = tensor->n_uint64_val))
            *ret = (double)tensor->uint64_val[0];
        return count;
    case DT_HALF:
    case DT_BFLOAT16:
        if ((count = tensor->n_half_val))
            *ret = number_of(tensor->dtype, (uint32_t)tensor->half_val[0]);
        return count;
    default: /* the integers of up to 32 bits */
        if ((count = tensor->n_int_val))
            *ret = tensor->int_val[0];
        return count;
    }
}

/* Why a tensor is not one number, NULL (and the number) when it is. *ret_broken tells a scalar that
 * cannot be read from something that is none. An absent field means 0 where TensorFlow, which
 * leaves out zeros, wrote the shape (tensorflow/tensorflow: tensorflow/core/framework/tensor.cc,
 * FromProtoField). */
static const char *refusal(const Tvpb__Tensor *tensor, double *ret, bool *ret_broken)
{
    size_t width = width_of(tensor->dtype);
    *ret_broken = false;
    if (width == 0)
        return "the tensor's type is not a number that a scalar can have";
    if (!is_single(tensor->tensor_shape))
        return "the tensor has more or fewer than the one element of a scalar";
    *ret = 0;
    if (tensor->tensor_content.len) { /* goes before the fields of values */
        *ret_broken = tensor->tensor_content.len != width;
        if (*ret_broken)
            return "the tensor's content has another size than one element of its type";
        *ret = number_at(tensor->dtype, tensor->tensor_content.data);
        return NULL;
    }
    size_t count = first_element(tensor, ret);
    if (count > 1)
        return "the tensor holds several values where a scalar has one";
    *ret_broken = !count && !tensor->tensor_shape;
    return *ret_broken ? "the tensor has neither shape nor value" : NULL;
}

static bool is_text(const Tvpb__Tensor *tensor, const struct tv_event_value *value)
{
    static const char suffix[] = "/text_summary";
    size_t len = sizeof suffix - 1;
    return tensor->dtype == DT_STRING && tensor->n_string_val &&
           (value->plugin == TV_PLUGIN_TEXT ||
            (value->plugin == TV_PLUGIN_NONE && value->tag.len > len &&
             memcmp(value->tag.data + value->tag.len - len, suffix, len) == 0));
}

static void read_tensor(const Tvpb__Tensor *tensor, struct tv_event_value *ret)
{
    if (is_text(tensor, ret)) {
        ret->form = TV_VALUE_TEXT;
        ret->body = tv_event_span(tensor->string_val[0]);
        return;
    }
    if (ret->plugin == TV_PLUGIN_TEXT)
        return;
    bool is_broken;
    ret->refused = refusal(tensor, &ret->value, &is_broken);
    if (!ret->refused)
        ret->form = TV_VALUE_TENSOR;
    else if (ret->plugin == TV_PLUGIN_SCALARS || (ret->plugin == TV_PLUGIN_NONE && is_broken))
        ret->form = TV_VALUE_REFUSED;
}

void tv_event_value_of(const Tvpb__Summary__Value *from, struct tv_event_value *ret)
{
    *ret = (struct tv_event_value){.tag = tv_event_span(from->tag),
                                   .plugin = plugin_of(from->metadata)};
    if (ret->plugin == TV_PLUGIN_HPARAMS) {
        ret->form = TV_VALUE_HPARAMS;
        ret->body = tv_event_span(from->metadata->plugin_data->content);
    } else if (from->value_case == TVPB__SUMMARY__VALUE__VALUE_SIMPLE_VALUE) {
        ret->form = TV_VALUE_SIMPLE;
        ret->value = from->simple_value;
    } else if (from->value_case == TVPB__SUMMARY__VALUE__VALUE_TENSOR) {
        read_tensor(from->tensor, ret);
    }
}
