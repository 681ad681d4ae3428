/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/suite.h"
#include "watch/watch.h"

/* statfs(2), and the file systems' own headers: Lustre lustre_user.h LL_SUPER_MAGIC, GPFS and
 * BeeGFS as coreutils' src/stat.c has them. */
START_TEST(network_and_fuse_file_systems_are_polled)
{
    static const unsigned long polled[] = {
        0x6969 /* NFS */,      0x0BD00BD0 /* Lustre */, 0x47504653 /* GPFS */,
        0xFF534D42 /* CIFS */, 0xFE534D42 /* SMB2 */,   0x517B /* SMB */,
        0x65735546 /* FUSE */, 0x01021997 /* 9p */,     0x00C36400 /* Ceph */,
        0x5346414F /* AFS */,  0x19830326 /* BeeGFS */, 0x786F4256 /* VirtualBox */,
    };
    for (size_t i = 0; i < sizeof polled / sizeof *polled; i++)
        ck_assert_msg(!tv_watch_works_with(polled[i]), "%lx", polled[i]);
}
END_TEST

START_TEST(local_file_systems_are_watched)
{
    static const unsigned long watched[] = {
        0xEF53 /* ext4 */,      0x58465342 /* XFS */,     0x9123683E /* btrfs */,
        0x01021994 /* tmpfs */, 0x794C7630 /* overlay */, 0x2FC12FC1 /* ZFS */,
        0xF2F52010 /* f2fs */,
    };
    for (size_t i = 0; i < sizeof watched / sizeof *watched; i++)
        ck_assert_msg(tv_watch_works_with(watched[i]), "%lx", watched[i]);
    ck_assert(!tv_watch_works_on("/nowhere/at/all"));
}
END_TEST

START_TEST(every_layer_of_an_overlay_is_looked_at)
{
    const char *at = "rw,seclabel,lowerdir=/a:/b\\:c::/d,upperdir=/up,workdir=/w,index=on\n";
    static const char *const expected[] = {"/a", "/b:c", "/d", "/up"};
    char layer[64];
    for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
        ck_assert(tv_watch_next_layer(&at, layer, sizeof layer));
        ck_assert_str_eq(layer, expected[i]);
    }
    ck_assert(!tv_watch_next_layer(&at, layer, sizeof layer));
    at = "rw,relatime\n";
    ck_assert(!tv_watch_next_layer(&at, layer, sizeof layer));
    at = "";
    ck_assert(!tv_watch_next_layer(&at, layer, sizeof layer));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("mount");
    TCase *tcase = tcase_create("mount");
    tcase_add_test(tcase, network_and_fuse_file_systems_are_polled);
    tcase_add_test(tcase, local_file_systems_are_watched);
    tcase_add_test(tcase, every_layer_of_an_overlay_is_looked_at);
    suite_add_tcase(suite, tcase);
    return tv_test_main(suite);
}
