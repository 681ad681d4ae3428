/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "trainvet/parser.h"

#define TV_PARSER(name) extern const struct tv_parser tv_parser_##name;
#include "parsers.def"
#undef TV_PARSER

const struct tv_parser *const tv_parsers[] = {
#define TV_PARSER(name) &tv_parser_##name,
#include "parsers.def"
#undef TV_PARSER
    NULL,
};
