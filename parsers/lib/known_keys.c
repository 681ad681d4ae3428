/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/known_keys.h"
#include "trainvet/text.h"
#include <string.h>

enum { NAME_MAX_LEN = 48 };

/* Fields of the dataclasses that LLaMA Factory's training parser reads (hiyouga/LLaMA-Factory,
 * src/llmtuner/hparams and src/llamafactory/hparams, v0.1.0 to v0.9.5 and ff6d4d12), and of
 * TrainingArguments and Seq2SeqTrainingArguments (huggingface/transformers, training_args.py and
 * training_args_seq2seq.py, v4.0 to v5.15). Sorted. */
/* clang-format off */
static const char *const known[] = {
    "accelerator_config", "account_for_embedding_in_pipeline_split",
    "account_for_loss_in_pipeline_split", "adafactor", "adam_beta1", "adam_beta2", "adam_epsilon",
    "adapter_folder", "adapter_name_or_path", "add_special_tokens", "add_tokens",
    "additional_target", "apollo_layerwise", "apollo_proj", "apollo_proj_type", "apollo_rank",
    "apollo_scale", "apollo_scale_front", "apollo_scale_type", "apollo_target",
    "apollo_update_interval", "apply_rope_fusion", "asft_alpha", "audio_sampling_rate",
    "auto_find_batch_size", "average_tokens_across_devices", "badam_mask_mode", "badam_mode",
    "badam_start_block", "badam_switch_block_every", "badam_switch_interval", "badam_switch_mode",
    "badam_update_ratio", "badam_verbose", "batch_eval_metrics", "bf16", "bf16_full_eval",
    "bias_activation_fusion", "buffer_size", "cache_dir", "cache_path", "calculate_per_token_loss",
    "checkpoint_dir", "chunk_size", "compute_accuracy", "compute_dtype", "context_parallel_size",
    "cpu_infer", "create_new_adapter", "crop_to_patches", "cross_entropy_loss_fusion",
    "cutoff_len", "data_seed", "data_shared_file_system", "dataloader_drop_last",
    "dataloader_num_workers", "dataloader_persistent_workers", "dataloader_pin_memory",
    "dataloader_prefetch_factor", "dataset", "dataset_dir", "ddp_backend", "ddp_broadcast_buffers",
    "ddp_bucket_cap_mb", "ddp_find_unused_parameters", "ddp_timeout", "debug", "deepspeed",
    "default_system", "dev_ratio", "disable_gradient_checkpointing", "disable_shuffling",
    "disable_tqdm", "disable_version_checking", "dispatch_batches", "do_eval", "do_predict",
    "do_sample", "do_train", "double_quantization", "dpo_beta", "dpo_ftx", "dpo_label_smoothing",
    "dpo_loss", "dpo_ref_model", "dpo_ref_model_checkpoint", "eaft_alpha", "early_stopping_steps",
    "enable_jit_checkpoint", "enable_liger_kernel", "enable_thinking", "enable_torch_profiler",
    "eval_accumulation_steps", "eval_dataset", "eval_delay", "eval_do_concat_batches",
    "eval_num_beams", "eval_on_each_dataset", "eval_on_start", "eval_steps", "eval_strategy",
    "eval_use_gather_object", "evaluate_during_training", "evaluation_strategy",
    "expert_model_parallel_size", "export_device", "export_dir", "export_hf_on_finish",
    "export_hub_model_id", "export_legacy_format", "export_quantization_bit",
    "export_quantization_dataset", "export_quantization_maxlen", "export_quantization_nsamples",
    "export_size", "extra_config", "finetuning_type", "flash_attn", "fp16", "fp16_backend",
    "fp16_full_eval", "fp16_opt_level", "fp8", "fp8_backend", "fp8_enable_fsdp_float8_all_gather",
    "freeze_extra_modules", "freeze_language_model", "freeze_multi_modal_projector",
    "freeze_trainable_layers", "freeze_trainable_modules", "freeze_vision_tower", "fsdp",
    "fsdp_config", "fsdp_min_num_params", "fsdp_transformer_layer_cls_to_wrap", "full_determinism",
    "galore_layerwise", "galore_proj_type", "galore_rank", "galore_scale", "galore_target",
    "galore_update_interval", "generation_config", "generation_max_length", "generation_num_beams",
    "gradient_accumulation_steps", "gradient_checkpointing", "gradient_checkpointing_kwargs",
    "greater_is_better", "group_by_length", "half_precision_backend", "hf_auth_token",
    "hf_hub_token", "hub_always_push", "hub_model_id", "hub_private_repo", "hub_revision",
    "hub_strategy", "hub_token", "hyper_parallel_args", "hyper_parallel_cp_size",
    "ignore_data_skip", "ignore_pad_token_for_loss", "image_dir", "image_do_pan_and_scan",
    "image_max_pixels", "image_min_pixels", "image_resolution",
    "include_effective_tokens_per_second", "include_for_metrics", "include_inputs_for_metrics",
    "include_num_input_tokens_seen", "include_tokens_per_second", "infer_backend", "infer_dtype",
    "init_special_tokens", "interleave_probs", "jit_mode_eval", "kt_config", "kt_cpu_activation",
    "kt_expert_checkpoint_path", "kt_force_think", "kt_lora_expert_intermediate_size",
    "kt_lora_expert_num", "kt_maxlen", "kt_mode", "kt_non_expert_weight_path", "kt_optimize_rule",
    "kt_use_cuda_graph", "kt_use_lora_experts", "kt_weight_path", "kto_chosen_weight",
    "kto_rejected_weight", "label_names", "label_smoothing_factor", "ld_alpha", "learning_rate",
    "length_column_name", "length_penalty", "liger_kernel_config", "load_best_model_at_end",
    "local_rank", "log_level", "log_level_replica", "log_on_each_node", "logging_dir",
    "logging_first_step", "logging_nan_inf_filter", "logging_steps", "logging_strategy",
    "lora_alpha", "lora_bf16_mode", "lora_dropout", "lora_rank", "lora_target",
    "loraplus_lr_embedding", "loraplus_lr_ratio", "low_cpu_mem_usage", "lr_scheduler_kwargs",
    "lr_scheduler_type", "mask_history", "masked_softmax_fusion", "master_addr", "master_port",
    "max_grad_norm", "max_length", "max_new_tokens", "max_samples", "max_source_length",
    "max_steps", "max_target_length", "media_dir", "megatron_pretrained_checkpoint",
    "metric_for_best_model", "mix_strategy", "mixed_precision", "mixture_of_depths", "mode",
    "model_max_length", "model_name_or_path", "model_revision", "module_dropout",
    "moe_aux_loss_coef", "moe_grouped_gemm", "moe_token_dispatcher_type", "mp_parameters",
    "ms_hub_token", "name_module_trainable", "neat_packing", "neft_alpha", "neftune_noise_alpha",
    "new_special_tokens", "new_special_tokens_config", "no_cuda", "num_beams", "num_hidden_layers",
    "num_layer_trainable", "num_train_epochs", "offload_folder", "oft_block_size", "oft_rank",
    "oft_target", "om_hub_token", "optim", "optim_args", "optim_target_modules", "orpo_beta",
    "output_dir", "overlap_grad_reduce", "overlap_param_gather", "overwrite_cache",
    "overwrite_output_dir", "packing", "padding_side", "parallelism_config", "past_index",
    "per_device_eval_batch_size", "per_device_train_batch_size", "per_gpu_eval_batch_size",
    "per_gpu_train_batch_size", "pipeline_model_parallel_size", "pissa_convert", "pissa_init",
    "pissa_iter", "placement_strategy", "plot_loss", "ppo_buffer_size", "ppo_epochs", "ppo_logger",
    "ppo_score_norm", "ppo_target", "ppo_whiten_rewards", "predict_with_generate",
    "prediction_loss_only", "pref_bco_weight", "pref_beta", "pref_ftx", "pref_loss",
    "preprocessing_batch_size", "preprocessing_num_workers", "preserve_thinking",
    "print_param_status", "profile_modules", "profiler_active_steps", "profiler_output_dir",
    "profiler_profile_memory", "profiler_record_shapes", "profiler_repeat", "profiler_wait_steps",
    "profiler_warmup_steps", "profiler_with_stack", "project", "prompt_template", "pure_bf16",
    "push_to_hub", "push_to_hub_model_id", "push_to_hub_organization", "push_to_hub_token",
    "quantization_bit", "quantization_device_map", "quantization_method", "quantization_type",
    "ray_init_kwargs", "ray_num_workers", "ray_run_name", "ray_scope", "ray_storage_filesystem",
    "ray_storage_path", "recompute_granularity", "recompute_method", "recompute_num_layers",
    "ref_model", "ref_model_adapters", "ref_model_checkpoint", "ref_model_quantization_bit",
    "remove_unused_columns", "repetition_penalty", "report_to", "reserved_label_len",
    "resize_vocab", "resources_per_worker", "restore_callback_states_from_checkpoint",
    "resume_from_checkpoint", "resume_lora_training", "reward_model", "reward_model_adapters",
    "reward_model_checkpoint", "reward_model_quantization_bit", "reward_model_type",
    "rope_scaling", "run_name", "save_on_each_node", "save_only_model", "save_safetensors",
    "save_steps", "save_strategy", "save_total_limit", "seed", "sequence_parallel", "sft_packing",
    "sglang_config", "sglang_lora_backend", "sglang_maxlen", "sglang_mem_fraction",
    "sglang_tp_size", "sharded_ddp", "shift_attn", "simpo_gamma", "skip_memory_metrics",
    "skip_special_tokens", "sortish_sampler", "source_prefix", "split", "split_batches",
    "split_special_tokens", "stage", "streaming", "swanlab_api_key", "swanlab_lark_secret",
    "swanlab_lark_webhook_url", "swanlab_logdir", "swanlab_mode", "swanlab_project",
    "swanlab_run_name", "swanlab_workspace", "system_prompt", "temperature", "template",
    "tensor_model_parallel_size", "tf32", "tokenized_path", "tool_format", "top_k", "top_p",
    "torch_compile", "torch_compile_backend", "torch_compile_mode", "torch_empty_cache_steps",
    "torchdynamo", "tpu_metrics_debug", "tpu_num_cores", "trackio_space_id", "train_from_scratch",
    "train_mm_proj_only", "train_on_prompt", "train_sampling_strategy", "trust_remote_code",
    "upcast_layernorm", "upcast_lmhead_output", "use_adam_mini", "use_apollo", "use_asft_loss",
    "use_audio_in_video", "use_auth_token", "use_badam", "use_cache", "use_cpu", "use_dft_loss",
    "use_distributed_optimizer", "use_dora", "use_eaft_loss", "use_fast_tokenizer", "use_galore",
    "use_hyper_parallel", "use_ipex", "use_kt", "use_kv_cache", "use_legacy_prediction_loop",
    "use_liger_kernel", "use_llama_pro", "use_mca", "use_megatron_bridge", "use_mps_device",
    "use_muon", "use_packed_sequences", "use_reentrant_gc", "use_rslora", "use_swanlab",
    "use_unsloth", "use_unsloth_gc", "use_v1_kernels", "val_size", "video_fps", "video_max_pixels",
    "video_maxlen", "video_min_pixels", "video_resolution", "virtual_pipeline_model_parallel_size",
    "visual_inputs", "vllm_config", "vllm_dtype", "vllm_enforce_eager", "vllm_gpu_util",
    "vllm_max_lora_rank", "vllm_maxlen", "warmup_ratio", "warmup_steps", "weight_decay",
    "xpu_backend",
};
/* clang-format on */

/* Names that other frameworks and tutorials use. */
static const struct {
    const char *wrong, *right;
} meant[] = {
    {"num_cycles", "lr_scheduler_kwargs: {num_cycles: ...}"},
    {"power", "lr_scheduler_kwargs: {power: ...}"},
    {"lr_end", "lr_scheduler_kwargs: {lr_end: ...}"},
    {"min_lr", "lr_scheduler_kwargs: {min_lr: ...}"},
    {"min_lr_rate", "lr_scheduler_kwargs: {min_lr_rate: ...}"},
    {"min_lr_ratio", "lr_scheduler_kwargs: {min_lr_ratio: ...}"},
    {"num_stable_steps", "lr_scheduler_kwargs: {num_stable_steps: ...}"},
    {"num_decay_steps", "lr_scheduler_kwargs: {num_decay_steps: ...}"},
    {"timescale", "lr_scheduler_kwargs: {timescale: ...}"},
    {"reduce_lr_on_plateau", "lr_scheduler_type: reduce_lr_on_plateau"},
    {"reduce_lr_factor", "lr_scheduler_kwargs: {factor: ...}"},
    {"reduce_lr_patience", "lr_scheduler_kwargs: {patience: ...}"},
    {"early_stopping_patience", "early_stopping_steps"},
    {"early_stopping", "early_stopping_steps"},
    {"lr", "learning_rate"},
    {"lr_scheduler", "lr_scheduler_type"},
    {"scheduler", "lr_scheduler_type"},
    {"scheduler_type", "lr_scheduler_type"},
    {"lr_scheduler_args", "lr_scheduler_kwargs"},
    {"warmup", "warmup_ratio or warmup_steps"},
    {"num_warmup_steps", "warmup_steps"},
    {"batch_size", "per_device_train_batch_size"},
    {"train_batch_size", "per_device_train_batch_size"},
    {"micro_batch_size", "per_device_train_batch_size"},
    {"epochs", "num_train_epochs"},
    {"num_epochs", "num_train_epochs"},
    {"gradient_accumulation", "gradient_accumulation_steps"},
    {"grad_accum_steps", "gradient_accumulation_steps"},
    {"max_seq_length", "cutoff_len"},
    {"max_seq_len", "cutoff_len"},
    {"sequence_len", "cutoff_len"},
    {"model", "model_name_or_path"},
    {"base_model", "model_name_or_path"},
    {"model_name", "model_name_or_path"},
    {"lora_r", "lora_rank"},
    {"lora_target_modules", "lora_target"},
    {"load_in_4bit", "quantization_bit: 4"},
    {"load_in_8bit", "quantization_bit: 8"},
    {"gradient_clipping", "max_grad_norm"},
    {"grad_clip", "max_grad_norm"},
    {"optimizer", "optim"},
};

bool tv_known_key(struct tv_span key)
{
    size_t low = 0, high = sizeof known / sizeof *known;
    while (low < high) {
        size_t middle = (low + high) / 2;
        size_t len = strlen(known[middle]);
        int order = memcmp(known[middle], key.data, len < key.len ? len : key.len);
        if (order == 0)
            order = (len > key.len) - (len < key.len);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* Insertions, deletions, substitutions and swaps of neighbours (restricted Damerau-Levenshtein,
 * Boytsov 2011); both at most NAME_MAX_LEN long. */
static size_t distance(struct tv_span a, const char *b, size_t b_len)
{
    size_t rows[3][NAME_MAX_LEN + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_len; j++)
        above[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t best = above[j - 1] + (a.data[i - 1] != b[j - 1]);
            best = above[j] + 1 < best ? above[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            if (i > 1 && j > 1 && a.data[i - 1] == b[j - 2] && a.data[i - 2] == b[j - 1] &&
                before[j - 2] + 1 < best)
                best = before[j - 2] + 1;
            row[j] = best;
        }
        size_t *spare = before;
        before = above;
        above = row;
        row = spare;
    }
    return above[b_len];
}

const char *tv_misspelt_key(struct tv_span key)
{
    const char *nearest = tv_known_key(key) ? NULL : tv_nearest_key(key);
    if (!nearest || strncmp(nearest, "lr_scheduler_kwargs", 19) == 0)
        return nearest;
    size_t len = strlen(nearest);
    return key.len >= 6 && len <= NAME_MAX_LEN && key.len <= NAME_MAX_LEN &&
                   distance(key, nearest, len) == 1
               ? nearest
               : NULL;
}

const char *tv_nearest_key(struct tv_span key)
{
    for (size_t i = 0; i < sizeof meant / sizeof *meant; i++)
        if (tv_span_is(key, meant[i].wrong))
            return meant[i].right;
    if (key.len < 4 || key.len > NAME_MAX_LEN)
        return NULL;
    size_t least = key.len / 4 + 1; /* fewer edits than this are a slip of the pen */
    const char *best = NULL;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        size_t len = strlen(known[i]);
        if (len > NAME_MAX_LEN || len + least < key.len || key.len + least < len)
            continue;
        size_t edits = distance(key, known[i], len);
        if (edits < least) {
            least = edits;
            best = known[i];
        }
    }
    return best;
}
