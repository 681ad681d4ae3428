/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/memory.h"
#include "support/folder.h"
#include "support/suite.h"
#include "tail/input.h"
#include "trainvet/text.h"
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct tv_folder folder;
static struct tv_input input = {.fd = -1};
static struct tv_error error;

static void setup(void)
{
    folder = tv_folder_new();
}

static void teardown(void)
{
    tv_input_close(&input);
    tv_folder_remove(&folder);
}

static enum tv_status open_it(const char *name)
{
    tv_input_close(&input);
    return tv_input_open(&input, AT_FDCWD, tv_folder_path(&folder, name), false, &error);
}

/* Reads in pieces of `piece` bytes to the end, or to an error. */
static enum tv_status read_all(struct tv_bytes *into, size_t piece)
{
    char *buffer = tv_xmalloc(piece);
    size_t n = 1;
    enum tv_status status = TV_OK;
    while (status == TV_OK && n) {
        status = tv_input_read(&input, buffer, piece, &n, &error);
        tv_check(n <= piece);
        tv_bytes_add(into, buffer, n);
    }
    free(buffer);
    return status;
}

static void write_gzip(const char *name, struct tv_span data, size_t cut)
{
    struct tv_span packed = tv_gzip(data);
    tv_folder_write(&folder, name, (struct tv_span){packed.data, packed.len - cut});
    free((char *)packed.data);
}

/* Text that does not repeat: gzip halves it at most. */
static struct tv_span noise(size_t len)
{
    char *data = tv_xmalloc(len);
    unsigned seed = 1;
    for (size_t i = 0; i < len; i++)
        data[i] = "0123456789abcdef"[rand_r(&seed) % 16];
    return (struct tv_span){data, len};
}

START_TEST(plain_and_compressed_files_give_the_same_bytes)
{
    static const size_t pieces[] = {1, 7, 4096, 1 << 20};
    struct tv_span data = noise(200000);
    tv_folder_write(&folder, "log", data);
    write_gzip("log.gz", data, 0);
    for (int gz = 0; gz < 2; gz++) {
        struct tv_bytes read = {0};
        ck_assert_int_eq(open_it(gz ? "log.gz" : "log"), TV_OK);
        ck_assert_int_eq(read_all(&read, pieces[_i]), TV_OK);
        ck_assert_uint_eq(read.len, data.len);
        ck_assert_mem_eq(read.data, data.data, data.len);
        ck_assert_uint_eq(input.offset, data.len);
        ck_assert(!input.ends_early);
        tv_bytes_free(&read);
    }
    free((char *)data.data);
}
END_TEST

START_TEST(members_of_a_gzip_file_are_read_one_after_the_other)
{
    struct tv_span a = tv_gzip(tv_span_of("first ")), b = tv_gzip(tv_span_of("second"));
    struct tv_bytes both = {0}, read = {0};
    tv_bytes_add(&both, a.data, a.len);
    tv_bytes_add(&both, b.data, b.len);
    tv_bytes_add(&both, "\0\0\0", 3); /* padding, as tape writers leave it */
    tv_folder_write(&folder, "x.gz", tv_bytes_span(&both));
    ck_assert_int_eq(open_it("x.gz"), TV_OK);
    ck_assert_int_eq(read_all(&read, 4), TV_OK);
    ck_assert(tv_span_is(tv_bytes_span(&read), "first second"));
    ck_assert(!input.ends_early);
    tv_bytes_free(&both);
    tv_bytes_free(&read);
    free((char *)a.data);
    free((char *)b.data);
}
END_TEST

START_TEST(cut_gzip_gives_what_it_holds_and_says_that_it_ends_early)
{
    struct tv_span data = noise(100000);
    struct tv_bytes read = {0};
    write_gzip("x.gz", data, 5000);
    ck_assert_int_eq(open_it("x.gz"), TV_OK);
    ck_assert_int_eq(read_all(&read, 4096), TV_OK);
    ck_assert(input.ends_early);
    ck_assert_uint_gt(read.len, 80000);
    ck_assert_mem_eq(read.data, data.data, read.len);
    tv_bytes_free(&read);
    free((char *)data.data);
}
END_TEST

START_TEST(damaged_gzip_is_an_error_with_a_reason)
{
    struct tv_span data = noise(100000), packed = tv_gzip(data);
    struct tv_bytes read = {0};
    memset((char *)packed.data + packed.len / 2, 0xFF, 64);
    tv_folder_write(&folder, "x.gz", packed);
    ck_assert_int_eq(open_it("x.gz"), TV_OK);
    ck_assert_int_eq(read_all(&read, 4096), TV_ECORRUPT);
    ck_assert(tv_span_starts(tv_span_of(error.message), "the compressed data is damaged"));
    tv_bytes_free(&read);
    free((char *)data.data);
    free((char *)packed.data);
}
END_TEST

START_TEST(gzip_bomb_is_stopped_after_little_output)
{
    struct tv_bytes zeros = {0}, read = {0};
    char *block = tv_xcalloc(1, 1 << 20);
    for (int i = 0; i < 64; i++)
        tv_bytes_add(&zeros, block, 1 << 20);
    write_gzip("bomb.gz", tv_bytes_span(&zeros), 0); /* 1000 : 1 */
    ck_assert_int_eq(open_it("bomb.gz"), TV_OK);
    ck_assert_int_eq(read_all(&read, 65536), TV_ELIMIT);
    ck_assert_uint_lt(read.len, 16 << 20);
    ck_assert_ptr_nonnull(strstr(error.message, "200 times"));
    tv_bytes_free(&zeros);
    tv_bytes_free(&read);
    free(block);
}
END_TEST

START_TEST(name_without_gzip_inside_is_read_as_it_is)
{
    struct tv_bytes read = {0};
    tv_folder_text(&folder, "x.gz", "plain");
    ck_assert_int_eq(open_it("x.gz"), TV_OK);
    ck_assert_int_eq(read_all(&read, 2), TV_OK);
    ck_assert(tv_span_is(tv_bytes_span(&read), "plain"));
    tv_bytes_free(&read);
}
END_TEST

START_TEST(skip_moves_on_and_stops_at_the_end)
{
    tv_folder_text(&folder, "x", "0123456789");
    write_gzip("x.gz", tv_span_of("0123456789"), 0);
    for (int gz = 0; gz < 2; gz++) {
        uint64_t skipped;
        char byte;
        size_t n;
        ck_assert_int_eq(open_it(gz ? "x.gz" : "x"), TV_OK);
        ck_assert_int_eq(tv_input_skip(&input, 7, &skipped, &error), TV_OK);
        ck_assert_uint_eq(skipped, 7);
        ck_assert_int_eq(tv_input_read(&input, &byte, 1, &n, &error), TV_OK);
        ck_assert_int_eq(byte, '7');
        ck_assert_int_eq(tv_input_skip(&input, UINT64_MAX, &skipped, &error), TV_OK);
        ck_assert_uint_eq(skipped, 2);
        ck_assert_uint_eq(input.offset, 10);
    }
}
END_TEST

static enum tv_status open_seen(const char *name, bool seen)
{
    const char *path = *name == '/' ? name : tv_folder_path(&folder, name);
    tv_input_close(&input);
    return tv_input_open(&input, AT_FDCWD, path, seen, &error);
}

START_TEST(pipes_devices_and_directories_are_refused_without_waiting)
{
    bool seen = _i;
    ck_assert_int_eq(mkfifo(tv_folder_path(&folder, "pipe"), 0644), 0);
    ck_assert_int_eq(open_seen("pipe", seen), TV_EUNSUPPORTED);
    ck_assert_str_eq(error.message, "is a named pipe, not a regular file, and was not opened");
    ck_assert_int_eq(open_seen(".", seen), TV_EUNSUPPORTED);
    ck_assert_str_eq(error.message, "is a directory, not a regular file, and was not opened");
    ck_assert_int_eq(open_seen("/dev/zero", seen), TV_EUNSUPPORTED);
    ck_assert_str_eq(error.message, "is a device, not a regular file, and was not opened");
}
END_TEST

START_TEST(what_has_become_a_link_since_it_was_seen_is_looked_at)
{
    tv_folder_text(&folder, "log", "x");
    ck_assert_int_eq(symlink("log", tv_folder_path(&folder, "link")), 0);
    ck_assert_int_eq(open_seen("link", true), TV_OK);
    ck_assert_int_eq(symlink("/dev/zero", tv_folder_path(&folder, "zero")), 0);
    ck_assert_int_eq(open_seen("zero", true), TV_EUNSUPPORTED);
    ck_assert_int_eq(open_seen("missing", true), TV_EIO);
}
END_TEST

START_TEST(system_errors_name_the_reason)
{
    struct tv_bytes read = {0};
    ck_assert_int_eq(open_it("missing"), TV_EIO);
    ck_assert_int_eq(error.sys_errno, ENOENT);
    ck_assert_str_eq(error.message, "cannot be read: No such file or directory");
    /* a regular file whose first page cannot be read */
    ck_assert_int_eq(tv_input_open(&input, AT_FDCWD, "/proc/self/mem", false, &error), TV_OK);
    ck_assert_int_eq(read_all(&read, 4096), TV_EIO);
    ck_assert_str_eq(error.message, "reading stopped: Input/output error");
}
END_TEST

START_TEST(file_name_is_what_the_parser_is_to_see)
{
    ck_assert(tv_span_is(tv_input_name("a/b/trainer_log.jsonl.gz"), "trainer_log.jsonl"));
    ck_assert(tv_span_is(tv_input_name("trainer_log.jsonl"), "trainer_log.jsonl"));
    ck_assert(tv_span_is(tv_input_name("a/"), ""));
}
END_TEST

/* As systemd does with RestrictSUIDSGID=yes: openat2() is not there. */
static void withhold_openat2(void)
{
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_openat2, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof rules / sizeof *rules, .filter = rules};
    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
    ck_assert_int_eq(syscall(SYS_openat2, AT_FDCWD, ".", NULL, 0), -1);
    ck_assert_int_eq(errno, ENOSYS);
}

START_TEST(a_confined_reader_follows_no_link_below_its_root)
{
    if (_i == 1)
        withhold_openat2();
    struct tv_folder tree = tv_folder_new();
    struct tv_input in;
    char root[512], path[600];
    tv_folder_text(&tree, "in/dir/log", "data");
    tv_folder_text(&tree, "out/secret", "data");
    snprintf(root, sizeof root, "%s/in", tree.path);
    const char *const roots[] = {root, NULL};
    snprintf(path, sizeof path, "%s/link", root);
    ck_assert_int_eq(symlink("../out/secret", path), 0);
    snprintf(path, sizeof path, "%s/dirlink", root);
    ck_assert_int_eq(symlink("../out", path), 0);
    tv_input_confine(roots, 1);
    static const char *const refused[] = {"link", "dirlink/secret", "../out/secret",
                                          "dir/../../out/secret", "dir"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        snprintf(path, sizeof path, "%s/%s", root, refused[i]);
        ck_assert_msg(tv_input_open(&in, AT_FDCWD, path, false, &error) != TV_OK, "%s", path);
        ck_assert_int_eq(in.fd, -1);
    }
    ck_assert(tv_input_open(&in, AT_FDCWD, "/etc/passwd", false, &error) != TV_OK);
    snprintf(path, sizeof path, "%s/link", root);
    ck_assert_int_eq(tv_input_open(&in, AT_FDCWD, path, false, &error), TV_EUNSUPPORTED);
    ck_assert_ptr_nonnull(strstr(error.message, "symbolic link"));
    snprintf(path, sizeof path, "%s/none", root);
    ck_assert_int_eq(tv_input_open(&in, AT_FDCWD, path, false, &error), TV_EIO);
    ck_assert_int_eq(error.sys_errno, ENOENT);
    snprintf(path, sizeof path, "%s/dir/log", root);
    ck_assert_msg(tv_input_open(&in, AT_FDCWD, path, false, &error) == TV_OK, "%s", error.message);
    tv_input_close(&in);
    int dir = open(root, O_PATH | O_DIRECTORY);
    ck_assert_int_eq(tv_input_open(&in, dir, "link", false, &error), TV_EUNSUPPORTED);
    ck_assert_int_eq(tv_input_open(&in, dir, "dir/log", false, &error), TV_OK);
    tv_input_close(&in);
    tv_input_confine(NULL, 0);
    ck_assert_int_eq(tv_input_open(&in, dir, "link", false, &error), TV_OK);
    tv_input_close(&in);
    close(dir);
    tv_folder_remove(&tree);
}
END_TEST

START_TEST(a_confined_reader_opens_no_foreign_hard_link)
{
    if (geteuid() != 0)
        return; /* only root can give a file away */
    struct tv_folder tree = tv_folder_new();
    struct tv_input in;
    char path[600], other[600];
    const char *const roots[] = {tree.path, NULL};
    tv_folder_text(&tree, "log", "data");
    snprintf(path, sizeof path, "%s/log", tree.path);
    snprintf(other, sizeof other, "%s/other", tree.path);
    ck_assert_int_eq(link(path, other), 0);
    tv_input_confine(roots, 1);
    ck_assert_msg(tv_input_open(&in, AT_FDCWD, other, false, &error) == TV_OK, "%s", error.message);
    tv_input_close(&in);
    ck_assert_int_eq(chown(path, 65534, 65534), 0);
    ck_assert_int_eq(tv_input_open(&in, AT_FDCWD, other, false, &error), TV_EUNSUPPORTED);
    tv_input_confine(NULL, 0);
    tv_folder_remove(&tree);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("input");
    TCase *tcase = tcase_create("all");
    tcase_add_checked_fixture(tcase, setup, teardown);
    tcase_add_loop_test(tcase, plain_and_compressed_files_give_the_same_bytes, 0, 4);
    tcase_add_test(tcase, members_of_a_gzip_file_are_read_one_after_the_other);
    tcase_add_test(tcase, cut_gzip_gives_what_it_holds_and_says_that_it_ends_early);
    tcase_add_test(tcase, damaged_gzip_is_an_error_with_a_reason);
    tcase_add_test(tcase, gzip_bomb_is_stopped_after_little_output);
    tcase_add_test(tcase, name_without_gzip_inside_is_read_as_it_is);
    tcase_add_test(tcase, skip_moves_on_and_stops_at_the_end);
    tcase_add_loop_test(tcase, pipes_devices_and_directories_are_refused_without_waiting, 0, 2);
    tcase_add_test(tcase, what_has_become_a_link_since_it_was_seen_is_looked_at);
    tcase_add_test(tcase, system_errors_name_the_reason);
    tcase_add_test(tcase, file_name_is_what_the_parser_is_to_see);
    tcase_add_loop_test(tcase, a_confined_reader_follows_no_link_below_its_root, 0, 2);
    tcase_add_test(tcase, a_confined_reader_opens_no_foreign_hard_link);
    suite_add_tcase(suite, tcase);
    return tv_test_main(suite);
}
