/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPPORT_SUITE_H
#define SUPPORT_SUITE_H
/* main() of a unit test executable: runs the suite in fork mode and returns the exit status. */
#include <check.h>

/* ck_assert for loops of many thousands: that one writes a mark to a file each time. */
#define tv_check(what)                                                                             \
    do {                                                                                           \
        if (!(what))                                                                               \
            ck_abort_msg("%s", #what);                                                             \
    } while (0)

int tv_test_main(Suite *suite);

/* How many random rounds of `wanted`: a fifth under the address sanitizer, which looks for harm to
 * memory; what comes out is compared in the builds without. With TRAINVET_ROUNDS=all in the
 * environment: all of them, always. */
int tv_rounds(int wanted);

#endif
