/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/url.h"
#include "base/address.h"
#include <curl/curl.h>
#include <string.h>

static enum tv_status check_parts(const char *option, CURLU *url, bool allow_link_local,
                                  struct tv_error *reterr)
{
    char *scheme = NULL, *host = NULL, *user = NULL;
    enum tv_status status = TV_OK;
    curl_url_get(url, CURLUPART_SCHEME, &scheme, 0);
    curl_url_get(url, CURLUPART_HOST, &host, 0);
    curl_url_get(url, CURLUPART_USER, &user, 0);
    if (!scheme || (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0))
        status = tv_fail(reterr, TV_ECONFIG, "%s must begin with http:// or https://", option);
    else if (!host || !*host)
        status = tv_fail(reterr, TV_ECONFIG, "%s names no host", option);
    else if (user)
        status = tv_fail(reterr, TV_ECONFIG,
                         "%s holds a user name or password; use authorization_file", option);
    else if (!allow_link_local && tv_is_link_local_text(host))
        status = tv_fail(reterr, TV_ECONFIG,
                         "%s is a link-local address, where clouds keep credentials; set "
                         "allow_link_local to use it nevertheless",
                         option);
    curl_free(scheme);
    curl_free(host);
    curl_free(user);
    return status;
}

enum tv_status tv_url_check(const char *option, const char *url, bool allow_link_local,
                            struct tv_error *reterr)
{
    if (strlen(url) >= TV_URL_MAX)
        return tv_fail(reterr, TV_ECONFIG, "%s is longer than %d bytes", option, TV_URL_MAX - 1);
    for (const unsigned char *p = (const unsigned char *)url; *p; p++)
        if (*p <= ' ' || *p >= 0x7F)
            return tv_fail(reterr, TV_ECONFIG,
                           "%s holds a blank, a control or a non-ASCII character", option);
    CURLU *parsed = curl_url();
    CURLUcode code = curl_url_set(parsed, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
    enum tv_status status =
        code == CURLUE_OK
            ? check_parts(option, parsed, allow_link_local, reterr)
            : tv_fail(reterr, TV_ECONFIG, "%s is not a http or https address", option);
    curl_url_cleanup(parsed);
    return status;
}
