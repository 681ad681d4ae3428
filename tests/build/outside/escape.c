/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "../../daemon/base/memory.h"
