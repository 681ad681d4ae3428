/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_PICKLE_H
#define PARSERS_LIB_PICKLE_H
/* The plain values in a Python pickle. Nothing is imported, called or constructed: classes and
 * calls are names, and what is not a number, text, None, enum member, dictionary, list or an
 * object's attributes has no value. Source: CPython Lib/pickletools.py (opcodes of protocols 2 to
 * 5). */
#include "trainvet/error.h"
#include "trainvet/sample.h"

#define TV_PICKLE_STACK 2200 /* a batch of 1000 pairs and what lies below */
#define TV_PICKLE_MEMO  2048
#define TV_PICKLE_NODES 2048 /* members of all dictionaries and lists together */
#define TV_PICKLE_BOXES 512  /* dictionaries, lists, tuples, objects */

enum tv_pickle_kind {
    TV_PICKLE_OPAQUE,
    TV_PICKLE_MARK,
    TV_PICKLE_NONE,
    TV_PICKLE_BOOL,
    TV_PICKLE_INT,
    TV_PICKLE_FLOAT,
    TV_PICKLE_TEXT,
    TV_PICKLE_MEMBER, /* of an enum, by name: `text` */
    TV_PICKLE_GLOBAL, /* a class or function: `text` is its name, `module` where it is */
    TV_PICKLE_TUPLE,
    TV_PICKLE_LIST,
    TV_PICKLE_DICT,
    TV_PICKLE_OBJECT /* its attributes; text and module of its class */
};

struct tv_pickle_value {
    enum tv_pickle_kind kind;
    uint32_t box;        /* of TUPLE, LIST, DICT, OBJECT */
    struct tv_span text; /* borrowed from the pickle */
    union {
        struct tv_span module;
        double number;
        int64_t integer; /* of BOOL, INT */
    };
};

struct tv_pickle_node {
    struct tv_pickle_value key, value; /* key of DICT and OBJECT only */
    uint32_t next;                     /* index + 1, 0 ends */
};

struct tv_pickle {
    struct tv_pickle_value stack[TV_PICKLE_STACK], memo[TV_PICKLE_MEMO];
    struct tv_pickle_node nodes[TV_PICKLE_NODES];
    struct {
        uint32_t first, last; /* index + 1 */
    } boxes[TV_PICKLE_BOXES];
    uint32_t depth, memo_len, nodes_len, boxes_len;
};

/* Reads one pickle into *pickle, whatever was there before; the root is stack[0]. *bytes is then
 * what follows it.
 * TV_ECORRUPT: cut short or senseless. TV_EUNSUPPORTED: an opcode that plain settings do not need.
 * TV_ELIMIT: more values than the limits above. */
enum tv_status tv_pickle_read(struct tv_pickle *pickle, struct tv_span *bytes,
                              struct tv_error *reterr);

/* The members of a TUPLE, LIST, DICT or OBJECT: pass NULL for the first; NULL at the end. */
const struct tv_pickle_node *tv_pickle_next(const struct tv_pickle *pickle,
                                            const struct tv_pickle_value *parent,
                                            const struct tv_pickle_node *node);

#endif
