/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PARSERS_LIB_ZIP_ENTRY_H
#define PARSERS_LIB_ZIP_ENTRY_H
/* One stored (not compressed) entry of a zip archive, as torch.save writes them.
 * Source: PKWARE APPNOTE.TXT 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16. */
#include "trainvet/error.h"
#include "trainvet/sample.h"

/* The bytes of the first entry whose name ends with `suffix`.
 * TV_ECORRUPT: no archive, or offsets that lead outside. TV_EUNSUPPORTED: no such entry, or it is
 * compressed. */
enum tv_status tv_zip_stored(struct tv_span zip, const char *suffix, struct tv_span *ret,
                             struct tv_error *reterr);

#endif
