/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TrainingArguments as a JSON file: the trainer's own dump (to_json_string) or what a user wrote
 * for HfArgumentParser.parse_json_file and LLaMA Factory. */
#include "lib/json_config.h"
#include "lib/known_keys.h"
#include "trainvet/parser.h"
#include "trainvet/text.h"
#include <string.h>

/* A dump states every field; nobody writes these two by hand. */
static bool is_dump(struct tv_span text)
{
    return tv_span_holds(text, "\"logging_nan_inf_filter\"") &&
           tv_span_holds(text, "\"adam_epsilon\"");
}

static void look_at_key(void *ctx, struct tv_span key, uint32_t line)
{
    const char *meant = tv_misspelt_key(key);
    if (meant)
        tv_config_note(ctx, line,
                       "%.*s is no setting of transformers that we know; perhaps %s was meant",
                       (int)key.len, key.data, meant);
}

static struct tv_feed feed(void *state, struct tv_span in, bool last, const struct tv_emit *out,
                           struct tv_error *reterr)
{
    (void)state;
    (void)last;
    if (is_dump(in))
        return tv_json_feed(TV_FACT_RUN_ARGS, in, out, reterr);
    struct tv_feed result = tv_json_feed(TV_FACT_USER_CONFIG, in, out, reterr);
    struct tv_config config = tv_config_begin(out, TV_FACT_USER_CONFIG, "");
    if (result.status == TV_OK)
        tv_json_keys(tv_config_without_bom(in), look_at_key, &config);
    return result;
}

static int probe(struct tv_span basename, struct tv_span head)
{
    static const char *const keys[] = {"\"per_device_train_batch_size\"",
                                       "\"gradient_accumulation_steps\"",
                                       "\"lr_scheduler_type\"",
                                       "\"num_train_epochs\"",
                                       "\"learning_rate\"",
                                       "\"warmup_ratio\"",
                                       "\"warmup_steps\"",
                                       "\"max_steps\"",
                                       "\"finetuning_type\""};
    static const char *const others[] = {"\"log_history\"", "\"architectures\"", "\"peft_type\"",
                                         "\"zero_optimization\"",
                                         "\"train_micro_batch_size_per_gpu\""};
    struct tv_span text = tv_span_trim(tv_config_without_bom(head));
    if (!tv_span_ends(basename, ".json") || text.len == 0 || text.data[0] != '{' ||
        tv_span_is(basename, "trainer_state.json"))
        return 0;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (tv_span_holds(text, others[i]))
            return 0;
    static const char *const beside[] = {
        "\"output_dir\"",    "\"do_train\"",      "\"model_name_or_path\"", "\"weight_decay\"",
        "\"logging_steps\"", "\"eval_strategy\"", "\"save_steps\"",         "\"optim\""};
    int found = 0, more = 0;
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        more += tv_span_holds(text, beside[i]);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        found += tv_span_holds(text, keys[i]);
    if (tv_span_is(basename, "training_args.json") && found)
        return 90;
    return found >= 2 || (found && more >= 2) ? 70 : 0;
}

const struct tv_parser tv_parser_hf_args = {
    .name = "hf_args",
    .summary = "transformers TrainingArguments (JSON)",
    .mode = TV_PARSER_SNAPSHOT,
    .is_config = true,
    .probe = probe,
    .feed = feed,
};
