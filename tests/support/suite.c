/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/suite.h"
#include <stdlib.h>
#include <string.h>

int tv_test_main(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed != 0;
}

int tv_rounds(int wanted)
{
#ifdef __SANITIZE_ADDRESS__
    const char *rounds = getenv("TRAINVET_ROUNDS");
    if (!rounds || strcmp(rounds, "all") != 0)
        return wanted / 5;
#endif
    return wanted;
}
