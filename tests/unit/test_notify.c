/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "service/notify.h"
#include "support/folder.h"
#include "support/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct tv_folder folder;

static void setup(void)
{
    folder = tv_folder_new();
}

static void teardown(void)
{
    tv_folder_remove(&folder);
}

static int manager(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *path = tv_folder_path(&folder, "notify");
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    setenv("NOTIFY_SOCKET", path, 1);
    return fd;
}

START_TEST(the_manager_gets_what_is_said)
{
    char text[64] = "";
    int fd = manager();
    tv_notify_surely("READY=%d", 1);
    ck_assert_int_eq(recv(fd, text, sizeof text - 1, 0), 7);
    ck_assert_str_eq(text, "READY=1");
    tv_notify("STATUS=%s", "x");
    ck_assert_int_eq(recv(fd, text, sizeof text - 1, 0), 8);
    close(fd);
}
END_TEST

START_TEST(a_manager_that_does_not_read_holds_up_nobody)
{
    int fd = manager();
    for (int i = 0; i < 2000; i++) /* more than any queue of datagrams holds */
        tv_notify("STATUS=%d", i); /* with two seconds for each it would be over in an hour */
    tv_notify_surely("STOPPING=1");
    close(fd);
}
END_TEST

START_TEST(without_a_manager_nothing_is_sent)
{
    unsetenv("NOTIFY_SOCKET");
    tv_notify_surely("READY=1");
    setenv("NOTIFY_SOCKET", "relative", 1);
    tv_notify_surely("READY=1");
    setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
    tv_notify_surely("READY=1");
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("notify");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase, the_manager_gets_what_is_said);
    tcase_add_test(tcase, a_manager_that_does_not_read_holds_up_nobody);
    tcase_add_test(tcase, without_a_manager_nothing_is_sent);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
