/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINKS_LIB_BOT_H
#define SINKS_LIB_BOT_H
/* Chat bots whose messages may be signed with a secret that the bot's settings show. */
#include "lib/message.h"
#include "lib/sign.h"
#include "lib/target.h"

/* A bot's options, whole. */
struct tv_bot_options {
    struct tv_target_options target;
    const char *secret_file, *secret_credential;
};

struct tv_bot {
    struct tv_target target;
    char secret[256]; /* "": messages are not signed */
};

extern const struct tv_option tv_bot_option_table[];

/* As struct tv_sink has them. */
enum tv_status tv_bot_open(const void *options, void *state, void *out,
                           const struct tv_sink_host *host, struct tv_error *reterr);
enum tv_status tv_bot_reopen(const void *options, void *state, struct tv_error *reterr);

double tv_bot_now(const struct tv_bot *bot);

#endif
