/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SINKS_LIB_SECRET_H
#define SINKS_LIB_SECRET_H
/* Secrets never stand in a configuration or a command line: they are read from a file, or from a
 * credential that systemd hands over (LoadCredential=, $CREDENTIALS_DIRECTORY). */
#include "trainvet/error.h"
#include <stddef.h>

/* `option` is the base name of the options, "password" for password_file and password_credential.
 * Either of `file` and `credential` is "" or NULL when not set; both: the buffer is empty and it is
 * TV_OK. Blanks and line ends around the secret are cut. Errors: TV_ECONFIG (both set, a name with
 * a slash, empty, too long, more than one line), TV_EIO; TV_AGAIN: systemd handed over nothing. */
enum tv_status tv_secret_read(const char *option, const char *file, const char *credential,
                              char *buffer, size_t cap, struct tv_error *reterr);

/* Whether a file of certificates can be read; "" and NULL are none. TV_EIO. */
enum tv_status tv_ca_check(const char *file, struct tv_error *reterr);

#endif
