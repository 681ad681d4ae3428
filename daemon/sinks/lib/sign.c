/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/sign.h"
#include "trainvet/text.h"
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>

bool tv_base64(struct tv_span data, char *text, size_t cap)
{
    gnutls_datum_t from = {.data = (unsigned char *)data.data, .size = (unsigned)data.len}, to;
    text[0] = '\0';
    if (gnutls_base64_encode2(&from, &to) != GNUTLS_E_SUCCESS)
        return false;
    bool fits = tv_span_copy((struct tv_span){(const char *)to.data, to.size}, text, cap);
    gnutls_free(to.data);
    return fits;
}

bool tv_sign(struct tv_span key, struct tv_span message, char signature[TV_SIGNATURE_MAX])
{
    char digest[32];
    signature[0] = '\0';
    return gnutls_hmac_fast(GNUTLS_MAC_SHA256, key.data, key.len, message.data, message.len,
                            digest) == GNUTLS_E_SUCCESS &&
           tv_base64((struct tv_span){digest, sizeof digest}, signature, TV_SIGNATURE_MAX);
}
