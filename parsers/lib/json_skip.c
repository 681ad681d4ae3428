/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A trainer state is read behind its log first, so that its 50 MB are passed over once: by blocks
 * of 64 bytes, of which a word of bits each tells the quotes and the brackets (G. Langdale, D.
 * Lemire, Parsing gigabytes of JSON per second, VLDB Journal 28 (2019) 941). A block with an escape
 * or with what has no business there is read byte by byte, as is the end of the text. */
#include "lib/json_skip.h"
#ifdef __SSE2__
#include <emmintrin.h>
#endif

const uint8_t tv_json_stops[256] = {
    ['"'] = 3, ['\\'] = 1, ['{'] = 2, ['}'] = 2, ['['] = 2, [']'] = 2, [0] = 3,  [1] = 1,
    [2] = 1,   [3] = 1,    [4] = 1,   [5] = 1,   [6] = 1,   [7] = 1,   [8] = 1,  [9] = 1,
    [10] = 1,  [11] = 1,   [12] = 1,  [13] = 1,  [14] = 1,  [15] = 1,  [16] = 1, [17] = 1,
    [18] = 1,  [19] = 1,   [20] = 1,  [21] = 1,  [22] = 1,  [23] = 1,  [24] = 1, [25] = 1,
    [26] = 1,  [27] = 1,   [28] = 1,  [29] = 1,  [30] = 1,  [31] = 1,
};

/* Open brackets: one bit a level tells { from [. */
struct levels {
    uint8_t is_array[TV_JSON_DEPTH_MAX / 8];
    unsigned depth;
};

static inline enum tv_status take_bracket(struct tv_json *json, struct levels *levels,
                                          const char *p)
{
    bool is_array = *p == '[' || *p == ']';
    if (*p == '{' || *p == '[') {
        if (levels->depth == TV_JSON_DEPTH_MAX)
            return tv_json_fail(json, p, TV_ELIMIT, "it is nested deeper than 512 levels");
        uint8_t *bits = &levels->is_array[levels->depth / 8];
        *bits &= (uint8_t) ~(1u << levels->depth % 8);
        *bits |= (uint8_t)((unsigned)is_array << levels->depth % 8);
        levels->depth++;
        return TV_OK;
    }
    levels->depth--;
    if ((levels->is_array[levels->depth / 8] >> levels->depth % 8 & 1) != is_array)
        return tv_json_fail(json, p, TV_ECORRUPT, "a bracket closes what another kind opened");
    return TV_OK;
}

enum { BLOCK = 64 };

/* A bit for each byte of a block, the first byte's lowest. */
struct marks {
    uint64_t quotes, brackets;
    uint64_t controls; /* not allowed in a string */
    uint64_t odd;      /* NUL, \ */
};

#ifdef __SSE2__
static inline struct marks marks_of(const char *p)
{
    struct marks marks = {0};
    for (int i = 0; i < BLOCK; i += 16) {
        __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)(p + i));
        __m128i folded = _mm_or_si128(bytes, _mm_set1_epi8(0x20)); /* [ and ] become { and } */
        __m128i quotes = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
        __m128i brackets = _mm_or_si128(_mm_cmpeq_epi8(folded, _mm_set1_epi8('{')),
                                        _mm_cmpeq_epi8(folded, _mm_set1_epi8('}')));
        __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(bytes, _mm_set1_epi8(0x1f)), bytes);
        __m128i odd = _mm_or_si128(_mm_cmpeq_epi8(bytes, _mm_setzero_si128()),
                                   _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\')));
        marks.quotes |= (uint64_t)(unsigned)_mm_movemask_epi8(quotes) << i;
        marks.brackets |= (uint64_t)(unsigned)_mm_movemask_epi8(brackets) << i;
        marks.controls |= (uint64_t)(unsigned)_mm_movemask_epi8(controls) << i;
        marks.odd |= (uint64_t)(unsigned)_mm_movemask_epi8(odd) << i;
    }
    return marks;
}
#else
static inline struct marks marks_of(const char *p)
{
    (void)p;
    return (struct marks){.odd = 1};
}
#endif

/* From each opening quote up to its closing one, that not included. */
static inline uint64_t strings_of(uint64_t quotes)
{
    for (unsigned by = 1; by < BLOCK; by *= 2)
        quotes ^= quotes << by;
    return quotes;
}

/* Passes block after block, from outside of any string. True when that was all: *ret is behind the
 * closing bracket, or *ret_status tells what is wrong. Else *ret is where to go on byte by byte, in
 * a string if *ret_open. */
static bool skip_blocks(struct tv_json *json, struct levels *levels, const char *p,
                        const char **ret, bool *ret_open, enum tv_status *ret_status)
{
    uint64_t open = 0; /* all ones in a string */
    for (; json->end - p >= BLOCK; p += BLOCK) {
        struct marks marks = marks_of(p);
        uint64_t strings = strings_of(marks.quotes) ^ open;
        if (marks.odd || marks.controls & strings)
            break;
        for (uint64_t left = marks.brackets & ~strings; left; left &= left - 1) {
            const char *at = p + __builtin_ctzll(left);
            *ret_status = take_bracket(json, levels, at);
            *ret = at + 1;
            if (*ret_status != TV_OK || levels->depth == 0)
                return true;
        }
        open = strings >> (BLOCK - 1) ? UINT64_MAX : 0;
    }
    *ret = p;
    *ret_open = open != 0;
    return false;
}

enum tv_status tv_json_skip_nested(struct tv_json *json, const char *p, const char **ret)
{
    struct levels levels = {.depth = 0};
    enum tv_status status = TV_OK;
    for (;;) {
        bool is_open = false;
        if (skip_blocks(json, &levels, p, &p, &is_open, &status)) {
            *ret = p;
            return status;
        }
        if (!is_open) {
            p = tv_json_next_stop(p, json->end, 2);
            if (p == json->end)
                return tv_json_ends_early(json);
            if (*p == '\0')
                return tv_json_fail(json, p, TV_ECORRUPT,
                                    "a NUL byte stands where JSON was expected");
            is_open = *p++ == '"';
            if (!is_open) {
                status = take_bracket(json, &levels, p - 1);
                *ret = p;
                if (status != TV_OK || levels.depth == 0)
                    return status;
                continue;
            }
        }
        status = tv_json_string_end(json, p, &p);
        if (status != TV_OK)
            return status;
    }
}
