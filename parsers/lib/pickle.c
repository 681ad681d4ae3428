/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/pickle.h"
#include "trainvet/text.h"
#include <string.h>

struct reading {
    struct tv_pickle *p;
    struct tv_span rest;
    const char *begin;
    struct tv_error *reterr;
};

static enum tv_status fail(const struct reading *r, enum tv_status status, const char *message)
{
    tv_fail(r->reterr, status, "%s", message);
    if (r->reterr)
        r->reterr->offset = (uint64_t)(r->rest.data - r->begin);
    return status;
}

static enum tv_status cut_short(const struct reading *r)
{
    return fail(r, TV_ECORRUPT, "the pickle is cut short");
}

static enum tv_status senseless(const struct reading *r)
{
    return fail(r, TV_ECORRUPT, "the pickle's opcodes make no sense");
}

static enum tv_status too_much(const struct reading *r)
{
    return fail(r, TV_ELIMIT, "the pickle has more values than training arguments need");
}

static bool take(struct reading *r, uint64_t len, struct tv_span *ret)
{
    if (len > r->rest.len)
        return false;
    *ret = (struct tv_span){r->rest.data, (size_t)len};
    r->rest.data += len;
    r->rest.len -= (size_t)len;
    return true;
}

/* An unsigned number of `width` bytes, little-endian. */
static bool take_number(struct reading *r, unsigned width, uint64_t *ret)
{
    struct tv_span bytes;
    if (!take(r, width, &bytes))
        return false;
    *ret = 0;
    for (unsigned i = width; i-- > 0;)
        *ret = *ret << 8 | (unsigned char)bytes.data[i];
    return true;
}

static bool take_line(struct reading *r, struct tv_span *ret)
{
    const char *end = r->rest.len ? memchr(r->rest.data, '\n', r->rest.len) : NULL;
    struct tv_span newline;
    return end && take(r, (uint64_t)(end - r->rest.data), ret) && take(r, 1, &newline);
}

static enum tv_status push(struct reading *r, struct tv_pickle_value value)
{
    if (r->p->depth == TV_PICKLE_STACK)
        return too_much(r);
    r->p->stack[r->p->depth++] = value;
    return TV_OK;
}

static struct tv_pickle_value *top(struct reading *r, uint32_t below)
{
    return &r->p->stack[r->p->depth - 1 - below];
}

/* Index of the first value above the last mark; 0 when there is no mark. */
static uint32_t above_mark(const struct reading *r)
{
    uint32_t i = r->p->depth;
    while (i > 0 && r->p->stack[i - 1].kind != TV_PICKLE_MARK)
        i--;
    return i;
}

static enum tv_status new_box(struct reading *r, enum tv_pickle_kind kind,
                              struct tv_pickle_value *ret)
{
    if (r->p->boxes_len == TV_PICKLE_BOXES)
        return too_much(r);
    r->p->boxes[r->p->boxes_len].first = r->p->boxes[r->p->boxes_len].last = 0;
    *ret = (struct tv_pickle_value){.kind = kind, .box = r->p->boxes_len++};
    return TV_OK;
}

static enum tv_status add_node(struct reading *r, uint32_t box, const struct tv_pickle_value *key,
                               const struct tv_pickle_value *value)
{
    struct tv_pickle *p = r->p;
    if (p->nodes_len == TV_PICKLE_NODES)
        return too_much(r);
    struct tv_pickle_node *node = &p->nodes[p->nodes_len++];
    *node = (struct tv_pickle_node){.value = *value};
    if (key)
        node->key = *key;
    if (p->boxes[box].last)
        p->nodes[p->boxes[box].last - 1].next = p->nodes_len;
    else
        p->boxes[box].first = p->nodes_len;
    p->boxes[box].last = p->nodes_len;
    return TV_OK;
}

static enum tv_status push_box(struct reading *r, enum tv_pickle_kind kind)
{
    struct tv_pickle_value value = {0};
    enum tv_status status = new_box(r, kind, &value);
    return status == TV_OK ? push(r, value) : status;
}

/* Moves stack[from..] into a new tuple that replaces them and, when `has_mark`, their mark. */
static enum tv_status make_tuple(struct reading *r, uint32_t from, bool has_mark)
{
    struct tv_pickle_value tuple = {0};
    enum tv_status status = new_box(r, TV_PICKLE_TUPLE, &tuple);
    for (uint32_t i = from; status == TV_OK && i < r->p->depth; i++)
        status = add_node(r, tuple.box, NULL, &r->p->stack[i]);
    if (status != TV_OK)
        return status;
    r->p->depth = from - has_mark;
    return push(r, tuple);
}

static bool is_collection(const struct tv_pickle_value *value, enum tv_pickle_kind kind)
{
    return value->kind == kind || value->kind == TV_PICKLE_OPAQUE ||
           value->kind == TV_PICKLE_OBJECT;
}

/* Puts stack[from..] as pairs into the dictionary below, and drops them. */
static enum tv_status set_items(struct reading *r, uint32_t from, bool has_mark)
{
    uint32_t count = r->p->depth - from;
    if (from < 1u + has_mark || count % 2 != 0)
        return senseless(r);
    const struct tv_pickle_value *dict = &r->p->stack[from - 1 - has_mark];
    if (!is_collection(dict, TV_PICKLE_DICT))
        return senseless(r);
    for (uint32_t i = 0; dict->kind == TV_PICKLE_DICT && i < count; i += 2) {
        const struct tv_pickle_value *pair = &r->p->stack[from + i];
        enum tv_status status = add_node(r, dict->box, &pair[0], &pair[1]);
        if (status != TV_OK)
            return status;
    }
    r->p->depth = from - has_mark;
    return TV_OK;
}

static enum tv_status append(struct reading *r, uint32_t from, bool has_mark)
{
    if (from < 1u + has_mark)
        return senseless(r);
    const struct tv_pickle_value *list = &r->p->stack[from - 1 - has_mark];
    if (!is_collection(list, TV_PICKLE_LIST))
        return senseless(r);
    for (uint32_t i = from; list->kind == TV_PICKLE_LIST && i < r->p->depth; i++) {
        enum tv_status status = add_node(r, list->box, NULL, &r->p->stack[i]);
        if (status != TV_OK)
            return status;
    }
    r->p->depth = from - has_mark;
    return TV_OK;
}

/* getattr(Class, 'MEMBER') and Class('value') are how enum members are pickled. */
static enum tv_status reduce(struct reading *r)
{
    if (r->p->depth < 2)
        return senseless(r);
    struct tv_pickle_value arguments = *top(r, 0), callee = *top(r, 1), result = {0};
    const struct tv_pickle_node *last = NULL;
    if (arguments.kind != TV_PICKLE_TUPLE)
        return senseless(r);
    for (const struct tv_pickle_node *n = NULL; (n = tv_pickle_next(r->p, &arguments, n));)
        last = n;
    r->p->depth -= 2;
    if (callee.kind == TV_PICKLE_GLOBAL && tv_span_is(callee.text, "OrderedDict"))
        return push_box(r, TV_PICKLE_DICT);
    if (callee.kind == TV_PICKLE_GLOBAL && last && last->value.kind == TV_PICKLE_TEXT) {
        bool by_name = tv_span_is(callee.text, "getattr");
        if (by_name || tv_span_starts(callee.module, "transformers."))
            result = (struct tv_pickle_value){.kind = by_name ? TV_PICKLE_MEMBER : TV_PICKLE_TEXT,
                                              .text = last->value.text};
    }
    return push(r, result);
}

static enum tv_status new_object(struct reading *r, uint32_t arguments)
{
    if (r->p->depth <= arguments)
        return senseless(r);
    struct tv_pickle_value of_class = *top(r, arguments), object;
    enum tv_status status = new_box(r, TV_PICKLE_OBJECT, &object);
    if (status != TV_OK)
        return status;
    if (of_class.kind == TV_PICKLE_GLOBAL) {
        object.text = of_class.text;
        object.module = of_class.module;
    }
    r->p->depth -= arguments + 1;
    return push(r, object);
}

static enum tv_status build(struct reading *r)
{
    if (r->p->depth < 2)
        return senseless(r);
    const struct tv_pickle_value *state = top(r, 0), *object = top(r, 1);
    if (state->kind == TV_PICKLE_DICT && object->kind == TV_PICKLE_OBJECT)
        r->p->boxes[object->box] = r->p->boxes[state->box];
    r->p->depth--;
    return TV_OK;
}

static enum tv_status put_memo(struct reading *r, uint64_t index)
{
    if (r->p->depth == 0)
        return senseless(r);
    if (index >= TV_PICKLE_MEMO)
        return too_much(r);
    r->p->memo[index] = *top(r, 0);
    if (index >= r->p->memo_len)
        r->p->memo_len = (uint32_t)index + 1;
    return TV_OK;
}

static enum tv_status get_memo(struct reading *r, uint64_t index)
{
    return index < r->p->memo_len ? push(r, r->p->memo[index]) : senseless(r);
}

static enum tv_status push_text(struct reading *r, unsigned width, enum tv_pickle_kind kind)
{
    uint64_t len;
    struct tv_pickle_value value = {.kind = kind};
    if (!take_number(r, width, &len) || !take(r, len, &value.text))
        return cut_short(r);
    return push(r, value);
}

static enum tv_status push_int(struct reading *r, unsigned width, bool is_signed)
{
    uint64_t bits;
    if (!take_number(r, width, &bits))
        return cut_short(r);
    if (is_signed && width < 8 && width > 0 && bits >> (8 * width - 1) & 1)
        bits |= UINT64_MAX << (8 * width);
    return push(r, (struct tv_pickle_value){.kind = TV_PICKLE_INT, .integer = (int64_t)bits});
}

static enum tv_status push_long(struct reading *r, unsigned width)
{
    uint64_t len;
    struct tv_span skipped;
    if (!take_number(r, width, &len))
        return cut_short(r);
    if (len <= 8)
        return push_int(r, (unsigned)len, true);
    if (!take(r, len, &skipped))
        return cut_short(r);
    return push(r, (struct tv_pickle_value){0}); /* no setting is that large */
}

static enum tv_status push_float(struct reading *r)
{
    uint64_t swapped, bits = 0;
    if (!take_number(r, 8, &swapped))
        return cut_short(r);
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | (swapped >> (8 * i) & 0xFF);
    struct tv_pickle_value value = {.kind = TV_PICKLE_FLOAT};
    memcpy(&value.number, &bits, sizeof bits);
    return push(r, value);
}

static enum tv_status push_global(struct reading *r)
{
    struct tv_pickle_value value = {.kind = TV_PICKLE_GLOBAL};
    if (!take_line(r, &value.module) || !take_line(r, &value.text))
        return cut_short(r);
    return push(r, value);
}

static enum tv_status stack_global(struct reading *r)
{
    if (r->p->depth < 2 || top(r, 0)->kind != TV_PICKLE_TEXT || top(r, 1)->kind != TV_PICKLE_TEXT)
        return senseless(r);
    struct tv_pickle_value value = {
        .kind = TV_PICKLE_GLOBAL, .text = top(r, 0)->text, .module = top(r, 1)->text};
    r->p->depth -= 2;
    return push(r, value);
}

static enum tv_status indexed(struct reading *r, unsigned width,
                              enum tv_status (*use)(struct reading *, uint64_t))
{
    uint64_t index;
    return take_number(r, width, &index) ? use(r, index) : cut_short(r);
}

static enum tv_status drop(struct reading *r, uint32_t count, enum tv_pickle_kind replacement)
{
    if (r->p->depth < count)
        return senseless(r);
    r->p->depth -= count;
    return replacement == TV_PICKLE_MARK ? TV_OK
                                         : push(r, (struct tv_pickle_value){.kind = replacement});
}

static enum tv_status skip(struct reading *r, uint64_t len)
{
    struct tv_span skipped;
    return take(r, len, &skipped) ? TV_OK : cut_short(r);
}

static enum tv_status push_bool(struct reading *r, bool value)
{
    return push(r, (struct tv_pickle_value){.kind = TV_PICKLE_BOOL, .integer = value});
}

static enum tv_status tuple_of(struct reading *r, uint32_t count)
{
    return r->p->depth < count ? senseless(r) : make_tuple(r, r->p->depth - count, false);
}

/* Opcodes that make or keep a value. */
static enum tv_status value_opcode(struct reading *r, unsigned char opcode)
{
    switch (opcode) {
    case 'N':
        return push(r, (struct tv_pickle_value){.kind = TV_PICKLE_NONE});
    case 0x88:
    case 0x89:
        return push_bool(r, opcode == 0x88);
    case 'J':
        return push_int(r, 4, true);
    case 'K':
        return push_int(r, 1, false);
    case 'M':
        return push_int(r, 2, false);
    case 0x8a:
        return push_long(r, 1);
    case 0x8b:
        return push_long(r, 4);
    case 'G':
        return push_float(r);
    case 'X':
        return push_text(r, 4, TV_PICKLE_TEXT);
    case 0x8c:
        return push_text(r, 1, TV_PICKLE_TEXT);
    case 0x8d:
        return push_text(r, 8, TV_PICKLE_TEXT);
    case 'C':
    case 'U':
        return push_text(r, 1, TV_PICKLE_OPAQUE);
    case 'B':
    case 'T':
        return push_text(r, 4, TV_PICKLE_OPAQUE);
    case 'c':
        return push_global(r);
    case 0x93:
        return stack_global(r);
    case 'q':
        return indexed(r, 1, put_memo);
    case 'r':
        return indexed(r, 4, put_memo);
    case 0x94:
        return put_memo(r, r->p->memo_len);
    case 'h':
        return indexed(r, 1, get_memo);
    case 'j':
        return indexed(r, 4, get_memo);
    default:
        tv_fail(r->reterr, TV_EUNSUPPORTED,
                "the pickle has the opcode 0x%02x, which plain settings do not need", opcode);
        return TV_EUNSUPPORTED;
    }
}

/* Opcodes that arrange values. */
static enum tv_status one_opcode(struct reading *r, unsigned char opcode)
{
    uint32_t from = 0;
    bool needs_mark = strchr("tue1", opcode) || opcode == 0x90;
    if (needs_mark && (from = above_mark(r)) == 0)
        return senseless(r);
    switch (opcode) {
    case 0x80: /* protocol */
        return skip(r, 1);
    case 0x95: /* frame */
        return skip(r, 8);
    case '(':
        return push(r, (struct tv_pickle_value){.kind = TV_PICKLE_MARK});
    case ')':
        return push_box(r, TV_PICKLE_TUPLE);
    case '}':
        return push_box(r, TV_PICKLE_DICT);
    case ']':
    case 0x8f: /* a set is as good as a list */
        return push_box(r, TV_PICKLE_LIST);
    case 't':
        return make_tuple(r, from, true);
    case 0x85:
    case 0x86:
    case 0x87:
        return tuple_of(r, opcode - 0x84u);
    case 's':
        return r->p->depth < 3 ? senseless(r) : set_items(r, r->p->depth - 2, false);
    case 'u':
        return set_items(r, from, true);
    case 'a':
        return r->p->depth < 2 ? senseless(r) : append(r, r->p->depth - 1, false);
    case 'e':
    case 0x90:
        return append(r, from, true);
    case 'R':
        return reduce(r);
    case 0x81:
        return new_object(r, 1);
    case 0x92:
        return new_object(r, 2);
    case 'b':
        return build(r);
    case '0':
        return drop(r, 1, TV_PICKLE_MARK);
    case '1':
        return drop(r, r->p->depth - from + 1, TV_PICKLE_MARK);
    case 'Q': /* a tensor's storage */
        return drop(r, 1, TV_PICKLE_OPAQUE);
    default:
        return value_opcode(r, opcode);
    }
}

enum tv_status tv_pickle_read(struct tv_pickle *pickle, struct tv_span *bytes,
                              struct tv_error *reterr)
{
    struct reading r = {pickle, *bytes, bytes->data, reterr};
    struct tv_span opcode;
    pickle->depth = pickle->memo_len = pickle->nodes_len = pickle->boxes_len = 0;
    while (take(&r, 1, &opcode)) {
        if (opcode.data[0] == '.') {
            *bytes = r.rest;
            return pickle->depth == 1 ? TV_OK : senseless(&r);
        }
        enum tv_status status = one_opcode(&r, (unsigned char)opcode.data[0]);
        if (status != TV_OK)
            return status;
    }
    return cut_short(&r);
}

const struct tv_pickle_node *tv_pickle_next(const struct tv_pickle *pickle,
                                            const struct tv_pickle_value *parent,
                                            const struct tv_pickle_node *node)
{
    uint32_t next = node ? node->next : pickle->boxes[parent->box].first;
    return next ? &pickle->nodes[next - 1] : NULL;
}
