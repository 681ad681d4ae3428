/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Spellings from: huggingface/transformers integrations/integration_utils.py (rewrite_logs),
 * hiyouga/LlamaFactory train/callbacks.py, Lightning-AI/pytorch-lightning callbacks/lr_monitor.py,
 * keras callbacks/tensorboard.py, ourownstory/neural_prophet, NVIDIA/Megatron-LM
 * training/training.py, microsoft/DeepSpeed runtime/engine.py, NVIDIA/NeMo, pytorch/torchtitan
 * components/metrics.py, facebookresearch/detectron2, open-mmlab/mmengine,
 * facebookresearch/fairseq, allenai/OLMo, ultralytics engine/trainer.py, DLR-RM/stable-baselines3,
 * openai/baselines, openai/spinningup, ray-project/ray rllib;
 * the rest are tutorials' SummaryWriter names. */
#include "model/tags.h"
#include "trainvet/text.h"
#include <ctype.h>
#include <string.h>

enum { TAG_MAX = 128 }; /* a longer tag means nothing to us */

/* Tags are compared in lower case with ' ', '-' and '.' as '_'. */
static const struct {
    char tag[32];
    enum tv_role role;
    int rank;
} table[] = {
    {"train/loss", TV_ROLE_TRAIN_LOSS, 0},
    {"lm_loss", TV_ROLE_TRAIN_LOSS, 0},
    {"reduced_train_loss", TV_ROLE_TRAIN_LOSS, 0},
    {"loss_metrics/global_avg_loss", TV_ROLE_TRAIN_LOSS, 0},
    {"train/samples/train_loss", TV_ROLE_TRAIN_LOSS, 0},
    {"train/crossentropyloss", TV_ROLE_TRAIN_LOSS, 0},
    {"loss", TV_ROLE_TRAIN_LOSS, 1},
    {"total_loss", TV_ROLE_TRAIN_LOSS, 1},
    {"train_loss_step", TV_ROLE_TRAIN_LOSS, 1},
    {"loss/train", TV_ROLE_TRAIN_LOSS, 1},
    {"loss/training", TV_ROLE_TRAIN_LOSS, 1},
    {"training/loss", TV_ROLE_TRAIN_LOSS, 1},
    {"train/loss_step", TV_ROLE_TRAIN_LOSS, 1},
    {"train/total_loss", TV_ROLE_TRAIN_LOSS, 1},
    {"train/epoch_loss", TV_ROLE_TRAIN_LOSS, 1},
    {"train_loss", TV_ROLE_TRAIN_LOSS, 2},
    {"training_loss", TV_ROLE_TRAIN_LOSS, 2},
    {"mean_loss", TV_ROLE_TRAIN_LOSS, 2},
    {"train/train_loss", TV_ROLE_OTHER,
     0}, /* HF: mean over the whole run, logged once at the end */
    {"train_loss_epoch", TV_ROLE_TRAIN_LOSS, 3},
    {"train/loss_epoch", TV_ROLE_TRAIN_LOSS, 3},
    {"train/box_loss", TV_ROLE_TRAIN_LOSS, 4},

    {"eval/loss", TV_ROLE_EVAL_LOSS, 0},
    {"eval_loss", TV_ROLE_EVAL_LOSS, 0},
    {"val_loss", TV_ROLE_EVAL_LOSS, 0},
    {"val/loss", TV_ROLE_EVAL_LOSS, 0},
    {"valid/loss", TV_ROLE_EVAL_LOSS, 0},
    {"valid_loss", TV_ROLE_EVAL_LOSS, 0},
    {"validation/loss", TV_ROLE_EVAL_LOSS, 0},
    {"validation_loss", TV_ROLE_EVAL_LOSS, 0},
    {"validation/epoch_loss", TV_ROLE_EVAL_LOSS, 0},
    {"lm_loss_validation", TV_ROLE_EVAL_LOSS, 0},
    {"validation_metrics/loss", TV_ROLE_EVAL_LOSS, 0},
    {"train/samples/eval_loss", TV_ROLE_EVAL_LOSS, 0},
    {"loss/val", TV_ROLE_EVAL_LOSS, 1},
    {"loss_val", TV_ROLE_EVAL_LOSS, 1},
    {"loss/valid", TV_ROLE_EVAL_LOSS, 1},
    {"loss/validation", TV_ROLE_EVAL_LOSS, 1},
    {"loss/eval", TV_ROLE_EVAL_LOSS, 1},
    {"val_loss_epoch", TV_ROLE_EVAL_LOSS, 1},
    {"valid_loss_epoch", TV_ROLE_EVAL_LOSS, 1},
    {"loss/test", TV_ROLE_EVAL_LOSS, 2},
    {"test/loss", TV_ROLE_EVAL_LOSS, 2},
    {"test_loss", TV_ROLE_EVAL_LOSS, 2},
    {"val/box_loss", TV_ROLE_EVAL_LOSS, 4},

    {"train/learning_rate", TV_ROLE_LEARNING_RATE, 0},
    {"learning_rate", TV_ROLE_LEARNING_RATE, 0},
    {"lr", TV_ROLE_LEARNING_RATE, 0},
    {"train/lr", TV_ROLE_LEARNING_RATE, 1},
    {"train/epoch_learning_rate", TV_ROLE_LEARNING_RATE, 1},
    {"train/samples/lr", TV_ROLE_LEARNING_RATE, 1},
    {"lr/pg0", TV_ROLE_LEARNING_RATE, 1},
    {"x/lr0", TV_ROLE_LEARNING_RATE, 1},
    {"optim/learning_rate_group0", TV_ROLE_LEARNING_RATE, 1},
    {"learning_rate/train", TV_ROLE_LEARNING_RATE, 2},
    {"loss/lr", TV_ROLE_LEARNING_RATE, 3},

    {"train/grad_norm", TV_ROLE_GRAD_NORM, 0},
    {"grad_norm", TV_ROLE_GRAD_NORM, 0},
    {"gnorm", TV_ROLE_GRAD_NORM, 0},
    {"optim/total_grad_norm", TV_ROLE_GRAD_NORM, 0},
    {"grad_2_0_norm_total", TV_ROLE_GRAD_NORM, 0},
    {"grad_2_norm_total", TV_ROLE_GRAD_NORM, 0},
    {"train/gradient_norm", TV_ROLE_GRAD_NORM, 1},
    {"gradient_norm", TV_ROLE_GRAD_NORM, 1},

    {"train/epoch", TV_ROLE_EPOCH, 0},
    {"epoch", TV_ROLE_EPOCH, 0},

    {"throughput", TV_ROLE_THROUGHPUT, 0},
    {"throughput(tps)", TV_ROLE_THROUGHPUT, 0},
    {"train/epoch_steps_per_second", TV_ROLE_THROUGHPUT, 1},
    {"train_speed(iter/s)", TV_ROLE_THROUGHPUT, 1},

    {"loss_scale", TV_ROLE_LOSS_SCALE, 0},
    {"train/loss_scale", TV_ROLE_LOSS_SCALE, 0},
    {"train/samples/loss_scale", TV_ROLE_LOSS_SCALE, 0},

    {"rollout/ep_rew_mean", TV_ROLE_REWARD, 0},
    {"rollout/return", TV_ROLE_REWARD, 0},
    {"eprewmean", TV_ROLE_REWARD, 0},
    {"ep_reward_mean", TV_ROLE_REWARD, 0},
    {"mean_100_episode_reward", TV_ROLE_REWARD, 0},
    {"episode_reward_mean", TV_ROLE_REWARD, 0},
    {"ray/tune/episode_reward_mean", TV_ROLE_REWARD, 0},
    {"averageepret", TV_ROLE_REWARD, 0},
    {"objective/rlhf_reward", TV_ROLE_REWARD, 0},
    {"train/reward", TV_ROLE_REWARD, 1},
    {"reward", TV_ROLE_REWARD, 1},
};

static void normalise(struct tv_text *text, const char *prefix, struct tv_span tag)
{
    tv_text_add_span(text, tv_span_of(prefix));
    tv_text_add_span(text, tag);
    for (char *c = text->data; *c; c++)
        *c = *c == ' ' || *c == '-' || *c == '.' ? '_'
             : *c >= 'A' && *c <= 'Z'            ? (char)(*c | 32)
                                                 : *c;
}

#define OTHER_GROUP 20 /* rank of a learning rate behind that of the first parameter group */

/* The number of the parameter group, from 0, that a tag's name ends in; -1: it is no learning rate
 * of a group. Lightning counts from 1: "lr-AdamW/pg2" is group 1. */
static int group_of(const char *name)
{
    static const char *const begins[] = {
        "lr/pg",          "x/lr",           "optim/learning_rate_group",
        "train/lr/group", "train/lr_group", "lr_group"};
    const char *digits = name + strlen(name);
    while (digits > name && isdigit((unsigned char)digits[-1]))
        digits--;
    size_t begin = (size_t)(digits - name), len = strlen(digits);
    if (len == 0 || len > 2)
        return -1;
    int number = len == 2 ? 10 * (digits[0] - '0') + digits[1] - '0' : digits[0] - '0';
    if (strncmp(name, "lr_", 3) == 0 && begin > 6 && strncmp(digits - 3, "/pg", 3) == 0)
        return number - 1;
    for (size_t i = 0; i < sizeof begins / sizeof *begins; i++)
        if (strlen(begins[i]) == begin && strncmp(name, begins[i], begin) == 0)
            return number;
    return -1;
}

/* "lr-AdamW", but not its momenta ("lr-SGD-momentum"). */
static bool is_lightning_lr(const char *name)
{
    size_t len = strlen(name);
    return strncmp(name, "lr_", 3) == 0 && !strstr(name, "/pg") &&
           !(len > 9 && strcmp(name + len - 9, "_momentum") == 0) && !strstr(name, "_weight_decay");
}

/* Metrics of an evaluation other than its loss and its timing. */
static bool is_eval_metric(const char *name)
{
    static const char *const prefixes[] = {"eval/",       "eval_",  "val/",    "val_",
                                           "validation/", "valid/", "metrics/"};
    static const char *const not_metrics[] = {"runtime",       "per_second", "epoch",
                                              "loss",          "ppl",        "perplexity",
                                              "vs_iterations", "num_",       "samples"};
    bool found = false;
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
        found = found || strncmp(name, prefixes[i], strlen(prefixes[i])) == 0;
    for (size_t i = 0; found && i < sizeof not_metrics / sizeof *not_metrics; i++)
        found = !strstr(name, not_metrics[i]);
    size_t len = strlen(name); /* of Lightning: each batch, by a count of its own */
    return found && !(len > 5 && strcmp(name + len - 5, "_step") == 0);
}

enum { COMPOSED = 7, METRICS = 10 };

static bool has_word(const char *name, size_t len, const char *word)
{
    size_t n = strlen(word);
    for (size_t i = 0; i + n <= len; i++)
        if (strncmp(name + i, word, n) == 0 && (i == 0 || !isalpha((unsigned char)name[i - 1])) &&
            (i + n == len || !isalpha((unsigned char)name[i + n])))
            return true;
    return false;
}

/* "eval_<dataset>_loss", "eval/<dataset>_loss" of the HF trainer with several evaluation sets: the
 * one that is named after its purpose comes first. 0 for other tags. */
static int rank_of_dataset(const char *name)
{
    static const char *const words[] = {"dev", "val", "valid", "validation", "heldout"};
    size_t len = strlen(name);
    if (strncmp(name, "eval", 4) != 0 || (name[4] != '/' && name[4] != '_') || len <= 10 ||
        strcmp(name + len - 5, "_loss") != 0)
        return 0;
    const char *dataset = name + 5;
    len -= 10;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (has_word(dataset, len, words[i]))
            return TV_RANK_ONE_OF_SEVERAL - 1;
    if (has_word(dataset, len, "train"))
        return TV_RANK_ONE_OF_SEVERAL + 2;
    return has_word(dataset, len, "test") ? TV_RANK_ONE_OF_SEVERAL + 1 : TV_RANK_ONE_OF_SEVERAL;
}

/* "val_elbo_loss", "valid/mse_loss": the loss of an evaluation where no other is logged. */
static bool is_named_loss(const char *name)
{
    static const char *const prefixes[] = {"val", "valid", "validation"};
    size_t len = strlen(name);
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t n = strlen(prefixes[i]);
        if (len > n + 6 && strncmp(name, prefixes[i], n) == 0 &&
            (name[n] == '_' || name[n] == '/') && strcmp(name + len - 5, "_loss") == 0)
            return true;
    }
    return false;
}

enum word_kind { LOSS = 1, TRAIN = 2, EVAL = 4, STEP = 8, EPOCH = 16, WHOLE = 32 };

/* 0: a word that is none of these. */
static unsigned kind_of_word(const char *word, size_t len)
{
    static const struct {
        const char *word;
        enum word_kind kind;
    } words[] = {
        {"loss", LOSS},     {"train", TRAIN},     {"training", TRAIN}, {"val", EVAL},
        {"valid", EVAL},    {"validation", EVAL}, {"eval", EVAL},      {"dev", EVAL},
        {"step", STEP},     {"batch", STEP},      {"iter", STEP},      {"iteration", STEP},
        {"epoch", EPOCH},   {"total", WHOLE},     {"sum", WHOLE},      {"overall", WHOLE},
        {"average", WHOLE}, {"avg", WHOLE},       {"mean", WHOLE},     {"running", WHOLE},
    };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strlen(words[i].word) == len && strncmp(words[i].word, word, len) == 0)
            return words[i].kind;
    return 0;
}

/* "Loss/Training_epoch", "train_loss_sum_step", "val/total_loss": a whole loss under a name put
 * together from common words; that of a part has a word of its own ("train/cls_loss"). */
static struct tv_role_match loss_in_words(const char *name)
{
    static const struct tv_role_match none = {TV_ROLE_OTHER, 0};
    unsigned seen = 0;
    for (const char *word = name; *word;) {
        size_t len = strcspn(word, "/_");
        unsigned kind = kind_of_word(word, len);
        if (len && !kind)
            return none;
        seen |= kind;
        word += len + (word[len] != 0);
    }
    bool is_eval = seen & EVAL;
    if (!(seen & LOSS) || (is_eval && (seen & (TRAIN | STEP))))
        return none; /* Lightning counts the batches of an evaluation on their own */
    return (struct tv_role_match){is_eval ? TV_ROLE_EVAL_LOSS : TV_ROLE_TRAIN_LOSS,
                                  COMPOSED + ((seen & EPOCH) != 0)};
}

/* Metrics of an evaluation whose name tells which way is better: of scikit-learn, torchmetrics,
 * HF evaluate, detectron2, ultralytics. The first of them is judged when there are several. */
static const struct {
    const char *word;
    int direction;
} metrics[] = {
    {"accuracy", 1}, {"acc", 1},         {"f1", 1},        {"top1", 1},
    {"map", 1},      {"bleu", 1},        {"sacrebleu", 1}, {"rougel", 1},
    {"rouge1", 1},   {"rouge2", 1},      {"rougelsum", 1}, {"auc", 1},
    {"auroc", 1},    {"mcc", 1},         {"iou", 1},       {"miou", 1},
    {"dice", 1},     {"exact_match", 1}, {"em", 1},        {"ndcg", 1},
    {"mrr", 1},      {"psnr", 1},        {"ssim", 1},      {"meteor", 1},
    {"chrf", 1},     {"pearson", 1},     {"spearmanr", 1}, {"spearman", 1},
    {"r2", 1},       {"precision", 1},   {"recall", 1},    {"matthews_correlation", 1},
    {"wer", -1},     {"cer", -1},        {"ter", -1},      {"mse", -1},
    {"rmse", -1},    {"mae", -1},        {"fid", -1},      {"lpips", -1},
    {"error", -1},
};

/* Index of the metric that the name ends in or contains as a word, -1 when there is none. */
static int metric_of(const char *name)
{
    for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++)
        if (has_word(name, strlen(name), metrics[i].word))
            return (int)i;
    return -1;
}

static const char *without_eval(const char *name)
{
    return strncmp(name, "eval_", 5) == 0 || strncmp(name, "eval/", 5) == 0 ? name + 5 : name;
}

bool tv_tag_is_metric(const char *prefix, struct tv_span tag, const char *metric)
{
    char name[TAG_MAX], wanted[TAG_MAX];
    struct tv_text text = tv_text_in(name, sizeof name);
    normalise(&text, prefix, tag);
    struct tv_text other = tv_text_in(wanted, sizeof wanted);
    normalise(&other, "", tv_span_of(metric));
    return !text.cut && !other.cut && strcmp(without_eval(name), without_eval(wanted)) == 0;
}

int tv_tag_group(const char *prefix, struct tv_span tag)
{
    char name[TAG_MAX];
    struct tv_text text = tv_text_in(name, sizeof name);
    normalise(&text, prefix, tag);
    return text.cut ? -1 : group_of(name);
}

int tv_tag_direction(const char *prefix, struct tv_span tag)
{
    char name[TAG_MAX];
    struct tv_text text = tv_text_in(name, sizeof name);
    normalise(&text, prefix, tag);
    int metric = text.cut ? -1 : metric_of(name);
    return metric < 0 ? 0 : metrics[metric].direction;
}

/* Whatever loss the table does not name. */
static struct tv_role_match composed_loss(const char *name)
{
    if (!strstr(name, "loss"))
        return (struct tv_role_match){TV_ROLE_OTHER, 0}; /* as most are */
    int dataset = rank_of_dataset(name);
    if (dataset)
        return (struct tv_role_match){TV_ROLE_EVAL_LOSS, dataset};
    struct tv_role_match loss = loss_in_words(name);
    if (loss.role == TV_ROLE_OTHER && is_named_loss(name))
        return (struct tv_role_match){TV_ROLE_EVAL_LOSS, TV_RANK_NAMED_LOSS};
    return loss;
}

struct tv_role_match tv_tag_role(const char *prefix, const char *parser, struct tv_span tag)
{
    char name[TAG_MAX] = ""; /* zeros behind its end: begins are compared */
    struct tv_text text = tv_text_in(name, sizeof name);
    normalise(&text, prefix, tag);
    if (text.cut)
        return (struct tv_role_match){TV_ROLE_OTHER, 0};
    /* what the settings of single layers do not change */
    if (strcmp(parser, "mmengine_log") == 0 && strcmp(name, "base_lr") == 0)
        return (struct tv_role_match){TV_ROLE_LEARNING_RATE, -1};
    if (strcmp(parser, "hf_trainer_state") == 0 && strcmp(name, "train_loss") == 0)
        return (struct tv_role_match){TV_ROLE_OTHER, 0}; /* as train/train_loss */
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (memcmp(name, table[i].tag, 8) == 0 && strcmp(name, table[i].tag) == 0)
            return (struct tv_role_match){table[i].role, table[i].rank};
    int group = group_of(name);
    if (group >= 0)
        return (struct tv_role_match){TV_ROLE_LEARNING_RATE, group ? OTHER_GROUP + group : 2};
    if (is_lightning_lr(name))
        return (struct tv_role_match){TV_ROLE_LEARNING_RATE, 2};
    struct tv_role_match loss = composed_loss(name);
    if (loss.role != TV_ROLE_OTHER)
        return loss;
    if (is_eval_metric(name)) {
        int metric = metric_of(name);
        return (struct tv_role_match){TV_ROLE_EVAL_METRIC,
                                      metric < 0 ? METRICS + (int)(sizeof metrics / sizeof *metrics)
                                                 : METRICS + metric};
    }
    return (struct tv_role_match){TV_ROLE_OTHER, 0};
}

const char *tv_role_name(enum tv_role role)
{
    static const char *const names[TV_ROLE_COUNT] = {
        "other", "train_loss", "eval_loss",  "learning_rate", "grad_norm",
        "epoch", "throughput", "loss_scale", "eval_metric",   "reward",
    };
    return names[role];
}
