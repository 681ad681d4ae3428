/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_EVENT_H
#define PARSERS_LIB_EVENT_H
/* The values of an Event message (event.proto) as trainvet understands them, read in two ways that
 * must agree: event_scan.c decodes the wire by hand, for the few shapes that nearly all records
 * have; event_full.c takes what protobuf-c made of any Event. */
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
    struct tv_span body;
    const char *refused; /* static: what was found and what was expected */
};

#define TV_EVENT_TAG_MAX 4096 /* bytes; a longer tag is refused */
#define TV_SCAN_VALUES   16

struct tv_event_scan {
    double wall_time;
    int64_t step;
    size_t count;
    struct tv_event_value values[TV_SCAN_VALUES]; /* form, tag, plugin and value are set;
                                                     TV_VALUE_OTHER is left out */
};

/* Decodes an Event whose fields come once each and are wall_time, step and a summary of at most
 * TV_SCAN_VALUES simple values, float or double tensors, histograms, images and audio, under tags
 * of ordinary length. False for anything else, malformed or not: protobuf-c then has the word.
 * Allocates nothing; *ret is undefined when false. */
bool tv_event_scan(struct tv_span data, struct tv_event_scan *ret);

#endif
