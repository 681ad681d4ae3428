/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/bot.h"
#include "lib/secret.h"

const struct tv_option tv_bot_option_table[] = {
    TV_TARGET_SECRET_ROWS(struct tv_bot_options),
    TV_OPTION_TEXT_ROW(struct tv_bot_options, secret_file, "",
                       "file with the secret of the bot's signature check, when it is on"),
    TV_OPTION_TEXT_ROW(struct tv_bot_options, secret_credential, "",
                       "or the name of a systemd credential with it"),
    TV_TARGET_LIMIT_ROWS(struct tv_bot_options),
    TV_OPTION_END,
};

enum tv_status tv_bot_open(const void *opaque_options, void *state, void *out,
                           const struct tv_sink_host *host, struct tv_error *reterr)
{
    (void)out;
    const struct tv_bot_options *options = opaque_options;
    struct tv_bot new;
    enum tv_status status = tv_target_open(&options->target, &new.target, host, reterr);
    if (status == TV_OK)
        status = tv_secret_read("secret", options->secret_file, options->secret_credential,
                                new.secret, sizeof new.secret, reterr);
    if (status == TV_OK)
        *(struct tv_bot *)state = new;
    return status;
}

enum tv_status tv_bot_reopen(const void *options, void *state, struct tv_error *reterr)
{
    return tv_bot_open(options, state, NULL, ((struct tv_bot *)state)->target.host, reterr);
}

double tv_bot_now(const struct tv_bot *bot)
{
    return bot->target.host->now(bot->target.host->ctx);
}
