/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fuzz/feed.h"

FUZZ_PARSER(hf_results)
