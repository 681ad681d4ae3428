/* SPDX-License-Identifier: GPL-2.0-or-later */
/* train_results.json and all_results.json: what Trainer.save_metrics() writes when train() has
 * returned. Source: huggingface/transformers src/transformers/trainer_pt_utils.py (save_metrics),
 * trainer_utils.py (speed_metrics). The file may be an earlier training's: the epoch in it tells
 * where that one ended. */
#include "lib/config.h"
#include "lib/json_scan.h"
#include "trainvet/parser.h"
#include "trainvet/text.h"
#include <math.h>
#include <string.h>

/* all_results.json gets the evaluation's numbers too, with the same epoch. */
static enum tv_status read_results(struct tv_json *json, double *ret_epoch, bool *ret_trained)
{
    struct tv_span key;
    struct tv_json_value value;
    bool more = true;
    enum tv_status status = tv_json_enter(json, '{');
    for (bool first = true; status == TV_OK; first = false) {
        status = tv_json_next(json, first, &key, &more);
        if (status != TV_OK || !more)
            break;
        status = tv_json_read(json, &value);
        if (status == TV_OK && tv_span_is(key, "epoch"))
            tv_json_number(&value, ret_epoch);
        *ret_trained = *ret_trained || (status == TV_OK && tv_span_is(key, "train_runtime"));
    }
    return status;
}

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)state;
    (void)last;
    struct tv_span text = tv_config_without_bom(in);
    struct tv_json json = {text.data, text.data + text.len, NULL};
    double epoch = NAN;
    bool trained = false;
    enum tv_status status = read_results(&json, &epoch, &trained);
    if (status != TV_OK) {
        tv_fail(reterr, TV_ECORRUPT, "%s", json.why ? json.why : "ends before its last brace");
        reterr->offset = (uint64_t)(json.at - in.data);
        return (struct tv_feed){.status = TV_ECORRUPT};
    }
    if (trained && epoch > 0 && isfinite(epoch))
        out->mark(out->ctx, &(struct tv_mark){.kind = TV_MARK_END,
                                              .step = TV_STEP_UNKNOWN,
                                              .wall_time = NAN,
                                              .epoch = epoch});
    return (struct tv_feed){.status = TV_OK, .consumed = in.len, .records = 1};
}

static int probe(struct tv_span basename, struct tv_span head)
{
    bool is_named =
        tv_span_is(basename, "train_results.json") || tv_span_is(basename, "all_results.json");
    return is_named && head.len && memmem(head.data, head.len, "\"train_runtime\"", 15) ? 95 : 0;
}

const struct tv_parser tv_parser_hf_results = {
    .name = "hf_results",
    .summary = "results that transformers saves when training has ended (train_results.json)",
    .mode = TV_PARSER_SNAPSHOT,
    .is_config = true,
    .probe = probe,
    .feed = feed,
};
