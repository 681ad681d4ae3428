/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TensorBoard event files: TFRecord framing (lib/tfrecord.h) around Event messages
 * (lib/event.proto). This file walks from record to record and past damage; lib/event_batch.h reads
 * a record. */
#include "lib/event_batch.h"
#include "lib/tfrecord.h"
#include "trainvet/text.h"

/* Work on false headers, in bytes, that damage may cost: this much and 64 times what was read. Real
 * damage stays far below; without a bound, a made-up file could cost a window's checksum every few
 * bytes. */
#define SEARCH_ALLOWANCE (UINT64_C(64) << 20)

struct tfevents {
    uint64_t offset;     /* of the first byte of the current call, from the start of the file */
    struct tv_tag *last; /* see struct tv_event_batch */
    bool is_lost;        /* searching for the next sound record */
    char why[104];       /* what was found there and what was expected */
    uint64_t lost_from;
    uint64_t search_cost;
    bool noted_large;
};

/* One call of feed. */
struct reader {
    struct tfevents *state;
    struct tv_span in;
    bool last;
    struct tv_error *reterr;
    size_t at; /* next unread byte of `in` */
    struct tv_feed feed;
    struct tv_event_batch batch;
};

static inline uint64_t here(const struct reader *reader)
{
    return reader->state->offset + reader->at;
}

static void report(struct reader *reader, uint64_t offset, uint64_t length, bool is_note,
                   const char *what)
{
    struct tv_damage damage = {
        .offset = offset, .length = length, .is_note = is_note, .what = what};
    tv_event_damage(&reader->batch, &damage);
}

/* Reads sound records as long as they come; this is the hot loop. What is not plain, short and well
 * inside of the buffer goes the long way. */
static inline __attribute__((always_inline)) enum tv_record_state read_records(
    struct reader *reader, bool has_instruction, bool checks_data, struct tv_record *ret)
{
    const char *at = reader->in.data + reader->at, *end = reader->in.data + reader->in.len;
    for (;; at += ret->size) {
        bool is_short = tv_record_read_short(at, end, has_instruction, checks_data, ret);
        if (is_short && tv_event_read_plain(&reader->batch, ret->data))
            continue;
        reader->at = (size_t)(at - reader->in.data);
        if (!is_short) {
            struct tv_span rest = {at, (size_t)(end - at)};
            enum tv_record_state state = tv_record_read(rest, has_instruction, checks_data, ret);
            if (state != TV_RECORD_OK)
                return state;
        }
        reader->batch.offset = here(reader);
        tv_event_read_any(&reader->batch, ret->data);
    }
}

/* Nothing can be done before `size` bytes are there. At the end of the file they are a truncated
 * tail. */
static bool wait_for(struct reader *reader, uint64_t size)
{
    if (!reader->last && reader->at < reader->in.len) {
        reader->feed.status = TV_AGAIN;
        reader->feed.want = (size_t)size;
    }
    return false;
}

/* Where the next record begins is unknown from here on. The caller has said why in state->why. */
static bool lose(struct reader *reader)
{
    reader->state->is_lost = true;
    reader->state->lost_from = here(reader);
    reader->at++;
    return true;
}

static struct tv_text why_of(struct reader *reader)
{
    return tv_text_in(reader->state->why, sizeof reader->state->why);
}

/* A header that cannot be trusted. Zeros up to the end of what is there may be a block that is not
 * written yet, so they are left alone as long as they fit the window. */
static bool pass_header(struct reader *reader)
{
    const char *header = reader->in.data + reader->at;
    size_t zeros = tv_zero_run(reader->in, reader->at);
    struct tv_text why = why_of(reader);
    if (zeros >= TV_RECORD_HEADER) {
        if (zeros < TV_RECORD_SHOWN && reader->at + zeros == reader->in.len)
            return wait_for(reader, zeros + 1);
        tv_text_add(&why, "a run of zero bytes where a record header was expected");
        return lose(reader);
    }
    uint32_t found = tv_load32(header + 8), expected = tv_crc32c_mask(tv_crc32c(header, 8));
    if (found != expected)
        tv_text_add(&why, "a record header has the checksum %08x where %08x was expected", found,
                    expected);
    else
        tv_text_add(&why, "a record header claims %llu bytes, more than any writer writes",
                    (unsigned long long)tv_load64(header));
    return lose(reader);
}

static bool is_plausible_header(const char *at)
{
    static const char zeros[TV_RECORD_HEADER];
    return memcmp(at, zeros, sizeof zeros) == 0 || tv_record_header_ok(at, false);
}

/* Damaged data behind a sound header: only this record is lost if the next one begins where the
 * header says. */
static bool pass_data(struct reader *reader, struct tv_record record)
{
    size_t next = reader->at + (size_t)record.size;
    bool is_tail = reader->in.len - next < TV_RECORD_HEADER;
    if (is_tail && !reader->last)
        return wait_for(reader, record.size + TV_RECORD_HEADER);
    struct tv_text why = why_of(reader);
    tv_text_add(&why, "a record of %zu bytes has the data checksum %08x where %08x was expected",
                record.data.len, tv_load32(record.data.data + record.data.len),
                tv_crc32c_mask(tv_crc32c(record.data.data, record.data.len)));
    if (!is_tail && !is_plausible_header(reader->in.data + next)) {
        reader->state->search_cost += record.size;
        return lose(reader);
    }
    report(reader, here(reader), record.size, false, reader->state->why);
    reader->at = next;
    return true;
}

static bool pass_large(struct reader *reader, struct tv_record record)
{
    if (!reader->state->noted_large)
        report(reader, here(reader), 0, true,
               "records of more than 1 MiB (images, graphs) are passed over unread");
    reader->state->noted_large = true;
    if (record.size <= reader->in.len - reader->at) {
        reader->at += (size_t)record.size;
    } else if (!reader->last) {
        reader->feed.status = TV_AGAIN;
        reader->feed.skip = record.size;
        return false;
    } else {
        return false;
    }
    return true;
}

static void report_lost(struct reader *reader)
{
    struct tfevents *state = reader->state;
    uint64_t to = here(reader);
    char what[200];
    struct tv_text text = tv_text_in(what, sizeof what);
    tv_text_add(&text, "%s; %s at byte %llu", state->why,
                reader->at < reader->in.len ? "reading goes on with the sound record"
                                            : "no sound record was found up to the end",
                (unsigned long long)to);
    report(reader, state->lost_from, to - state->lost_from, false, what);
    state->is_lost = false;
}

/* Looks for the next sound record after damage. True when reading can go on at reader->at. */
static bool find_record(struct reader *reader)
{
    struct tfevents *state = reader->state;
    struct tv_record record;
    while (state->search_cost <= SEARCH_ALLOWANCE + 64 * here(reader)) {
        switch (tv_record_search(reader->in, &reader->at, &record)) {
        case TV_RECORD_OK:
        case TV_RECORD_LARGE:
            report_lost(reader);
            return true;
        case TV_RECORD_SHORT:
            if (!reader->last)
                return wait_for(reader, record.size);
            if (record.size == TV_RECORD_HEADER)
                reader->at = reader->in.len;
            report_lost(reader);
            return false;
        default:
            state->search_cost += record.size;
            reader->at++;
        }
    }
    reader->feed.status = tv_fail(reader->reterr, TV_ECORRUPT,
                                  "the file is damaged in more places than can be searched");
    return false;
}

/* Reads up to the next thing that is no sound record. False when this call has done what it can. */
static bool read_on(struct reader *reader)
{
    if (reader->state->is_lost && !find_record(reader))
        return false;
    struct tv_record record;
    enum tv_record_state state;
    bool checks_data = !reader->batch.out->trusts_data;
    if (!tv_crc32c_has_instruction())
        state = read_records(reader, false, checks_data, &record);
    else if (checks_data)
        state = read_records(reader, true, true, &record);
    else
        state = read_records(reader, true, false, &record);
    switch (state) {
    case TV_RECORD_BAD_LENGTH:
        return pass_header(reader);
    case TV_RECORD_BAD_DATA:
        return pass_data(reader, record);
    case TV_RECORD_LARGE:
        return pass_large(reader, record);
    default:
        return wait_for(reader, record.size);
    }
}

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    struct reader reader;
    reader.state = state;
    reader.in = in;
    reader.last = last;
    reader.reterr = reterr;
    reader.at = 0;
    reader.feed = (struct tv_feed){.status = TV_OK};
    reader.batch.out = out;
    reader.batch.last = reader.state->last;
    reader.batch.records = 0;
    reader.batch.seen = (struct tv_seen_step)TV_SEEN_NO_STEP;
    reader.batch.tensor.len = 0;
    reader.batch.len = 0; /* its samples stay uninitialised: they are 8 KiB */
    while (read_on(&reader))
        ;
    tv_event_flush(&reader.batch);
    reader.state->last = reader.batch.last;
    reader.feed.records = reader.batch.records;
    reader.feed.consumed = reader.at;
    reader.state->offset += reader.at + reader.feed.skip;
    return reader.feed;
}

/* The first record of a file says "brain.Event:2", whatever the file is called. */
static int probe(struct tv_span basename, struct tv_span head)
{
    bool is_named = basename.len && memmem(basename.data, basename.len, "tfevents", 8) != NULL;
    bool is_framed = head.len >= TV_RECORD_HEADER && tv_record_header_ok(head.data, false);
    if (is_framed && memmem(head.data, head.len, "brain.Event:", 12))
        return 100;
    return is_named ? (is_framed ? 95 : 80) : 0;
}

const struct tv_parser tv_parser_tfevents = {
    .name = "tfevents",
    .summary = "TensorBoard event files (events.out.tfevents.*)",
    .mode = TV_PARSER_STREAM,
    .state_size = sizeof(struct tfevents),
    .probe = probe,
    .feed = feed,
};
