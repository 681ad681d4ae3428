/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINKS_LIB_TARGET_H
#define SINKS_LIB_TARGET_H
/* What every sink that posts JSON over HTTP has in common: its address, its authorization, its time
 * limit, and their options. */
#include "base/json.h"
#include "lib/url.h"
#include "trainvet/sink.h"

#define TV_AUTHORIZATION_MAX 2048

/* Embedded in a sink's options as `target`. */
struct tv_target_options {
    const char *url, *url_file, *url_credential;
    const char *authorization_file, *authorization_credential;
    const char *ca_file;
    double timeout;
    bool allow_link_local;
};

#define TV_TARGET_TEXT_(type_, field_, help_)                                                      \
    {                                                                                              \
        .name = #field_, .type = TV_OPTION_STRING, .offset = offsetof(type_, target.field_),       \
        .default_text = "", .help = (help_)                                                        \
    }

/* For services whose address is a secret. */
#define TV_TARGET_SECRET_ROWS(type_)                                                               \
    TV_TARGET_TEXT_(type_, url_file, "file with the bot's address, which is a secret"),            \
        TV_TARGET_TEXT_(type_, url_credential, "or the name of a systemd credential with it")

#define TV_TARGET_AUTHORIZATION_ROWS(type_)                                                        \
    TV_TARGET_TEXT_(type_, authorization_file,                                                     \
                    "file with the Authorization header's value: \"Bearer TOKEN\""),               \
        TV_TARGET_TEXT_(type_, authorization_credential,                                           \
                        "or the name of a systemd credential with it")

#define TV_TARGET_LIMIT_ROWS(type_)                                                                \
    TV_TARGET_TEXT_(type_, ca_file,                                                                \
                    "certificates (PEM) of who signs the server's; default: the system's"),        \
        {.name = "timeout",                                                                        \
         .type = TV_OPTION_DOUBLE,                                                                 \
         .offset = offsetof(type_, target.timeout),                                                \
         .default_value = 5,                                                                       \
         .min = 0.1,                                                                               \
         .max = 300,                                                                               \
         .help = "seconds that a request may take"},                                               \
    {                                                                                              \
        .name = "allow_link_local", .type = TV_OPTION_BOOL,                                        \
        .offset = offsetof(type_, target.allow_link_local), .max = 1,                              \
        .help = "may send to 169.254.0.0/16 and fe80::/10"                                         \
    }

struct tv_target {
    const struct tv_sink_host *host;
    char url[TV_URL_MAX];
    char authorization[TV_AUTHORIZATION_MAX]; /* the header, "" for none */
};

/* Reads the secrets and checks the address; on failure *target is as it was. Called again to read
 * the secrets again. `host` NULL is TV_ECONFIG. */
enum tv_status tv_target_open(const struct tv_target_options *options, struct tv_target *target,
                              const struct tv_sink_host *host, struct tv_error *reterr);

/* The same for a sink that takes several addresses: they are not checked. */
enum tv_status tv_target_read(const struct tv_target_options *options, struct tv_target *target,
                              const struct tv_sink_host *host, struct tv_error *reterr);

/* open and reopen of a sink whose options begin with struct tv_target_options and whose state is a
 * struct tv_target. */
enum tv_status tv_target_open_sink(const void *options, void *state, void *out,
                                   const struct tv_sink_host *host, struct tv_error *reterr);
enum tv_status tv_target_reopen_sink(const void *options, void *state, struct tv_error *reterr);

/* Starts the request with the finished object as its body, which is freed. TV_AGAIN when it is
 * under way. `url` NULL: the target's own. */
enum tv_status tv_target_post(const struct tv_target_options *options,
                              const struct tv_target *target, const char *url, struct tv_json *body,
                              enum tv_outcome (*judge)(struct tv_span answer),
                              struct tv_error *reterr);

/* A judge for services that answer {"errcode": 0} or {"code": 0} when they took the message:
 * `later`, ended by 0, are the codes that say nothing about the message: too many, or who we
 * are; it is tried again. Anything that is no such object is
 * taken as failed. */
enum tv_outcome tv_judge_code(struct tv_span answer, const char *key, const int64_t *later);

#endif
