/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef SUPPORT_SUITE_H
#define SUPPORT_SUITE_H
/* main() of a unit test executable: runs the suite in fork mode and returns the exit status. */
#include <check.h>

int tv_test_main(Suite *suite);

#endif
