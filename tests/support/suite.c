/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/suite.h"

int tv_test_main(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}
