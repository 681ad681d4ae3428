/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/target.h"
#include "lib/secret.h"
#include "trainvet/text.h"
#include <json.h>
#include <stdio.h>
#include <string.h>

static enum tv_status find_url(const struct tv_target_options *options, char url[TV_URL_MAX],
                               struct tv_error *reterr)
{
    bool inline_url = options->url && *options->url;
    enum tv_status status =
        tv_secret_read("url", options->url_file, options->url_credential, url, TV_URL_MAX, reterr);
    if (status != TV_OK)
        return status;
    if (inline_url && *url)
        return tv_fail(reterr, TV_ECONFIG, "set url, url_file or url_credential, only one of them");
    if (!inline_url && !*url)
        return tv_fail(reterr, TV_ECONFIG, "the address is missing: set url_file%s",
                       options->url ? " or url" : " or url_credential");
    if (inline_url && strlen(options->url) >= TV_URL_MAX)
        return tv_fail(reterr, TV_ECONFIG, "url is longer than %d bytes", TV_URL_MAX - 1);
    if (inline_url)
        memcpy(url, options->url, strlen(options->url) + 1);
    return TV_OK;
}

enum tv_status tv_target_read(const struct tv_target_options *options, struct tv_target *target,
                              const struct tv_sink_host *host, struct tv_error *reterr)
{
    static const char name[] = "Authorization: ";
    struct tv_target new = {.host = host};
    if (!host)
        return tv_fail(reterr, TV_ECONFIG, "this sink sends, which only a service can do");
    enum tv_status status = tv_ca_check(options->ca_file, reterr);
    if (status == TV_OK)
        status = find_url(options, new.url, reterr);
    if (status != TV_OK)
        return status;
    memcpy(new.authorization, name, sizeof name);
    size_t at = sizeof name - 1;
    status = tv_secret_read("authorization", options->authorization_file,
                            options->authorization_credential, new.authorization + at,
                            sizeof new.authorization - at, reterr);
    if (status != TV_OK)
        return status;
    if (!new.authorization[at])
        new.authorization[0] = '\0';
    *target = new;
    return TV_OK;
}

enum tv_status tv_target_open(const struct tv_target_options *options, struct tv_target *target,
                              const struct tv_sink_host *host, struct tv_error *reterr)
{
    struct tv_target new;
    enum tv_status status = tv_target_read(options, &new, host, reterr);
    if (status == TV_OK)
        status = tv_url_check("url", new.url, options->allow_link_local, reterr);
    if (status == TV_OK)
        *target = new;
    return status;
}

enum tv_status tv_target_open_sink(const void *options, void *state, void *out,
                                   const struct tv_sink_host *host, struct tv_error *reterr)
{
    (void)out;
    return tv_target_open(options, state, host, reterr);
}

enum tv_status tv_target_reopen_sink(const void *options, void *state, struct tv_error *reterr)
{
    return tv_target_open(options, state, ((struct tv_target *)state)->host, reterr);
}

enum tv_status tv_target_post(const struct tv_target_options *options,
                              const struct tv_target *target, const char *url, struct tv_json *body,
                              enum tv_outcome (*judge)(struct tv_span answer),
                              struct tv_error *reterr)
{
    const char *headers[] = {"Content-Type: application/json",
                             *target->authorization ? target->authorization : NULL, NULL};
    struct tv_http_post post = {.url = url ? url : target->url,
                                .headers = headers,
                                .body = body->data,
                                .body_len = body->len,
                                .timeout = options->timeout,
                                .allow_link_local = options->allow_link_local,
                                .ca_file =
                                    options->ca_file && *options->ca_file ? options->ca_file : NULL,
                                .judge = judge};
    enum tv_status status = target->host->post(target->host->ctx, &post, reterr);
    tv_json_free(body);
    return status == TV_OK ? TV_AGAIN : status;
}

enum tv_outcome tv_judge_code(struct tv_span answer, const char *key, const int64_t *later)
{
    enum tv_outcome outcome = TV_FAILED;
    struct json_object *code;
    struct json_tokener *tokener = json_tokener_new_ex(8);
    struct json_object *object =
        json_tokener_parse_ex(tokener, answer.data, answer.len < 65536 ? (int)answer.len : 65536);
    if (json_object_is_type(object, json_type_object) &&
        json_object_object_get_ex(object, key, &code) && json_object_is_type(code, json_type_int)) {
        int64_t value = json_object_get_int64(code);
        outcome = value == 0 ? TV_DELIVERED : TV_REFUSED;
        for (; *later; later++)
            outcome = value == *later ? TV_FAILED : outcome;
    }
    json_object_put(object);
    json_tokener_free(tokener);
    return outcome;
}
