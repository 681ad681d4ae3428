/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A mail for each alert, through a server (SMTP) or the sendmail program of this machine. */
#include "lib/rfc_mail.h"
#include "lib/secret.h"
#include "lib/url.h"
#include "trainvet/sink.h"
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct options {
    const char *to, *from, *server, *user, *password_file, *password_credential, *ca_file;
    bool allow_plaintext;
    double timeout;
};

struct state {
    const struct tv_sink_host *host;
    char addresses[2048]; /* what `to` points to */
    const char *to[TV_MAIL_TO_MAX + 1];
    char from[320], password[512], node[256];
};

static const struct tv_option option_table[] = {
    TV_OPTION_TEXT_ROW(struct options, to, "", "addresses, separated by commas"),
    TV_OPTION_TEXT_ROW(struct options, from, "", "sender; default: trainvet@ and this machine"),
    TV_OPTION_TEXT_ROW(struct options, server, "",
                       "smtp://HOST:PORT or smtps://HOST:PORT; default: /usr/sbin/sendmail"),
    TV_OPTION_TEXT_ROW(struct options, user, "", "user name at the server"),
    TV_OPTION_TEXT_ROW(struct options, password_file, "", "file with the password"),
    TV_OPTION_TEXT_ROW(struct options, password_credential, "",
                       "or the name of a systemd credential with it"),
    TV_OPTION_TEXT_ROW(struct options, ca_file, "",
                       "certificates (PEM) of who signs the server's; default: the system's"),
    TV_OPTION_ROW(struct options, allow_plaintext, BOOL, 0, 0, 1,
                  "send the password without TLS, to a server on the same machine"),
    TV_OPTION_ROW(struct options, timeout, DOUBLE, 30, 1, 300, "seconds that a mail may take"),
    TV_OPTION_END,
};

static enum tv_status read_addresses(const struct options *options, struct state *state,
                                     struct tv_error *reterr)
{
    size_t len = 0;
    if (strlen(options->to) >= sizeof state->addresses)
        return tv_fail(reterr, TV_ECONFIG, "to is too long");
    memcpy(state->addresses, options->to, strlen(options->to) + 1);
    for (char *rest = state->addresses, *word; (word = strsep(&rest, ", "));) {
        if (!*word)
            continue;
        if (len == TV_MAIL_TO_MAX)
            return tv_fail(reterr, TV_ECONFIG, "to names more than %d addresses", TV_MAIL_TO_MAX);
        if (!tv_mail_address_ok(tv_span_of(word)))
            return tv_fail(reterr, TV_ECONFIG, "to holds something that is no mail address");
        state->to[len++] = word;
    }
    state->to[len] = NULL;
    if (!len)
        return tv_fail(reterr, TV_ECONFIG, "the option to is missing: who gets the mail");
    snprintf(state->from, sizeof state->from, "%s%s", *options->from ? "" : "trainvet@",
             *options->from ? options->from : state->node);
    return tv_mail_address_ok(tv_span_of(state->from))
               ? TV_OK
               : tv_fail(reterr, TV_ECONFIG, "from is no mail address");
}

static enum tv_status check_server(const char *server, struct tv_error *reterr)
{
    struct tv_span url = tv_span_of(server);
    if (!tv_span_starts(url, "smtp://") && !tv_span_starts(url, "smtps://"))
        return tv_fail(reterr, TV_ECONFIG, "server must begin with smtp:// or smtps://");
    if (strchr(server, '@'))
        return tv_fail(reterr, TV_ECONFIG, "server holds a user name; use user and password_file");
    for (const char *p = server; *p; p++)
        if (*p <= ' ' || *p >= 0x7F)
            return tv_fail(reterr, TV_ECONFIG, "server holds a blank or a control character");
    return url.len < TV_URL_MAX && server[strcspn(server, ":") + 3]
               ? TV_OK
               : tv_fail(reterr, TV_ECONFIG, "server names no host");
}

static enum tv_status read_password(const struct options *options, struct state *state,
                                    struct tv_error *reterr)
{
    enum tv_status status =
        tv_secret_read("password", options->password_file, options->password_credential,
                       state->password, sizeof state->password, reterr);
    if (status == TV_OK && *state->password && !*options->user)
        return tv_fail(reterr, TV_ECONFIG, "there is a password but no user");
    return status;
}

static enum tv_status open_sink(const void *opaque_options, void *opaque, void *out,
                                const struct tv_sink_host *host, struct tv_error *reterr)
{
    (void)out;
    const struct options *options = opaque_options;
    struct state *state = opaque;
    state->host = host;
    if (!host)
        return tv_fail(reterr, TV_ECONFIG, "this sink sends, which only a service can do");
    if (gethostname(state->node, sizeof state->node - 1) != 0 || !*state->node)
        memcpy(state->node, "localhost", sizeof "localhost");
    enum tv_status status = read_addresses(options, state, reterr);
    if (status == TV_OK && *options->server)
        status = check_server(options->server, reterr);
    if (status == TV_OK)
        status = tv_ca_check(options->ca_file, reterr);
    if (status == TV_OK)
        status = read_password(options, state, reterr);
    return status;
}

static enum tv_status reopen(const void *options, void *opaque, struct tv_error *reterr)
{
    struct state *state = opaque, new = *state;
    enum tv_status status = read_password(options, &new, reterr);
    if (status == TV_OK)
        memcpy(state->password, new.password, sizeof state->password);
    return status;
}

static enum tv_status deliver(const void *opaque_options, void *opaque,
                              const struct tv_alert *alert, struct tv_error *reterr)
{
    const struct options *options = opaque_options;
    const struct state *state = opaque;
    char message[TV_MAIL_MESSAGE_MAX];
    struct tv_text text = tv_text_in(message, sizeof message);
    struct tv_mail_parts parts = {.from = state->from,
                                  .to = state->to,
                                  .now = state->host->now(state->host->ctx),
                                  .node = state->node};
    tv_mail_message(&text, alert, &parts);
    struct tv_mail mail = {.url = *options->server ? options->server : NULL,
                           .user = *options->user ? options->user : NULL,
                           .password = *state->password ? state->password : NULL,
                           .require_tls = *state->password && !options->allow_plaintext,
                           .ca_file = *options->ca_file ? options->ca_file : NULL,
                           .from = state->from,
                           .to = state->to,
                           .message = message,
                           .message_len = text.len,
                           .timeout = options->timeout};
    enum tv_status status = state->host->mail(state->host->ctx, &mail, reterr);
    return status == TV_OK ? TV_AGAIN : status;
}

const struct tv_sink tv_sink_email = {
    .name = "email",
    .summary = "a mail for each alert, through a server or the local sendmail",
    .options = option_table,
    .options_size = sizeof(struct options),
    .state_size = sizeof(struct state),
    .limit = TV_SINK_LIMIT,
    .open = open_sink,
    .deliver = deliver,
    .reopen = reopen,
};
