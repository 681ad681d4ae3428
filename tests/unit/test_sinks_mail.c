/* SPDX-License-Identifier: GPL-2.0-or-later */
/* email, journal, stderr: what their texts look like whatever the alert says. */
#include "sinks/lib/journal_entry.h"
#include "sinks/lib/rfc_mail.h"
#include "support/sink_case.h"
#include "support/suite.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

static struct tv_sink_case c;

static void open_mail(const char *more)
{
    ck_assert_int_eq(tv_sink_case_open(&c, "email", "to=a@example.org, b@example.org,root",
                                       "from=trainvet@example.org", more, NULL),
                     TV_OK);
}

START_TEST(mail_goes_to_everybody_through_the_server)
{
    struct tv_alert alert = tv_sample_alert();
    open_mail("server=smtps://127.0.0.1:465");
    ck_assert_int_eq(tv_sink_case_deliver(&c, &alert), TV_AGAIN);
    ck_assert_str_eq(c.sent[0].url, "smtps://127.0.0.1:465");
    ck_assert_str_eq(c.sent[0].to, "a@example.org\nb@example.org\nroot\n");
    ck_assert_str_eq(c.sent[0].from, "trainvet@example.org");
    ck_assert_ptr_null(c.sent[0].password);
    const char *body = c.sent[0].body;
    ck_assert_ptr_eq(strstr(body, "Date: Fri, 02 Jan 2026 03:04:05 +0000\r\n"), body);
    ck_assert_ptr_nonnull(strstr(body, "\r\nFrom: trainvet@example.org\r\n"
                                       "To: a@example.org,\r\n b@example.org,\r\n root\r\n"
                                       "Subject: trainvet: CRITICAL non_finite in run broken/r8\r\n"
                                       "Message-ID: <0123456789abcdef.firing@"));
    tv_sink_case_close(&c);
}
END_TEST

START_TEST(mail_without_a_server_goes_through_sendmail)
{
    struct tv_alert alert = tv_sample_alert();
    open_mail(NULL);
    tv_sink_case_deliver(&c, &alert);
    ck_assert_ptr_null(c.sent[0].url);
    tv_sink_case_close(&c);
}
END_TEST

/* The end answers the beginning; a mail that is sent twice is the same mail. */
START_TEST(mails_about_one_alert_are_one_thread)
{
    struct tv_alert alert = tv_sample_alert(), over = tv_sample_resolved();
    char id[200], *from, *to;
    open_mail(NULL);
    tv_sink_case_deliver(&c, &alert);
    c.now += 100;
    tv_sink_case_deliver(&c, &alert);
    tv_sink_case_deliver(&c, &over);
    from = strstr(c.sent[0].body, "Message-ID: ") + strlen("Message-ID: ");
    to = strstr(from, "\r\n");
    snprintf(id, sizeof id, "\r\nMessage-ID: %.*s\r\n", (int)(to - from), from);
    ck_assert_ptr_nonnull(strstr(c.sent[1].body, id));
    ck_assert_ptr_null(strstr(c.sent[2].body, id));
    snprintf(id, sizeof id, "\r\nIn-Reply-To: %.*s\r\n", (int)(to - from), from);
    ck_assert_ptr_nonnull(strstr(c.sent[2].body, id));
    tv_sink_case_close(&c);
}
END_TEST

START_TEST(addresses_that_could_add_headers_are_refused)
{
    static const char *const wrong[] = {
        "to=",          "to=,",          "to=a b@c@d", "to=a@b\r\nBcc:c@d",
        "to=a@b\nX",    "to=-oQ/tmp@x",  "to=<a@b>",   "to=\"a\"@b",
        "to=a@",        "to=@b",         "to=a@b;c@d", "to=caf\xc3\xa9@example.org",
        "from=a@b\r\n", "from=a@b, c@d",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        bool is_from = wrong[i][0] == 'f';
        ck_assert_msg(tv_sink_case_open(&c, "email", is_from ? "to=a@b" : wrong[i],
                                        is_from ? wrong[i] : NULL, NULL) == TV_ECONFIG,
                      "%s", wrong[i]);
        tv_sink_case_close(&c);
    }
}
END_TEST

START_TEST(servers_are_checked)
{
    static const char *const wrong[] = {"server=example.org",     "server=http://example.org",
                                        "server=smtp://u:p@host", "server=smtp://",
                                        "server=smtp://a\r\nb",   "server=file:///etc/passwd",
                                        "server=smtp://host with"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        ck_assert_int_eq(tv_sink_case_open(&c, "email", "to=a@b", wrong[i], NULL), TV_ECONFIG);
        tv_sink_case_close(&c);
    }
}
END_TEST

START_TEST(passwords_want_tls)
{
    struct tv_alert alert = tv_sample_alert();
    char option[300];
    const char *path = tv_secret_file("s3cret\n");
    snprintf(option, sizeof option, "password_file=%s", path);
    ck_assert_int_eq(tv_sink_case_open(&c, "email", "to=a@b", "server=smtp://h", option, NULL),
                     TV_ECONFIG); /* whose? */
    tv_sink_case_close(&c);
    for (int plain = 0; plain < 2; plain++) {
        ck_assert_int_eq(tv_sink_case_open(&c, "email", "to=a@b", "server=smtp://h", option,
                                           "user=u", plain ? "allow_plaintext=true" : NULL, NULL),
                         TV_OK);
        tv_sink_case_deliver(&c, &alert);
        ck_assert_str_eq(c.sent[0].password, "s3cret");
        ck_assert(c.sent[0].require_tls == !plain);
        ck_assert_ptr_null(strstr(c.sent[0].body, "s3cret"));
        tv_sink_case_close(&c);
    }
    unlink(path);
}
END_TEST

/* ASCII, CR LF, short lines, the same headers in the same order, one empty line. */
START_TEST(hostile_texts_add_no_header)
{
    static const char *const names[] = {
        "Date: ",         "From: ",         "To: ",
        "Subject: ",      "Message-ID: ",   "Auto-Submitted: ",
        "MIME-Version: ", "Content-Type: ", "Content-Transfer-Encoding: "};
    struct tv_alert alert = tv_hostile_alert(tv_hostile((size_t)_i));
    size_t header = 0;
    open_mail(NULL);
    ck_assert_int_eq(tv_sink_case_deliver(&c, &alert), TV_AGAIN);
    char *line = c.sent[0].body, *end;
    for (; (end = strstr(line, "\r\n")) && end != line; line = end + 2) {
        *end = '\0';
        ck_assert_uint_le(strlen(line), 78);
        for (const char *p = line; *p; p++)
            ck_assert(*p >= ' ' && *p < 0x7F);
        if (*line == ' ')
            continue;
        ck_assert_uint_lt(header, sizeof names / sizeof *names);
        ck_assert_msg(strncmp(line, names[header], strlen(names[header])) == 0, "%s", line);
        header++;
    }
    ck_assert_uint_eq(header, sizeof names / sizeof *names);
    for (line += 2; (end = strstr(line, "\r\n")); line = end + 2) {
        *end = '\0';
        ck_assert_uint_le(strlen(line), 76);
        ck_assert_uint_eq(strspn(line, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                       "0123456789+/="),
                          strlen(line));
    }
    ck_assert_str_eq(line, "");
    tv_sink_case_close(&c);
}
END_TEST

/* "NAME=value" of the field, by its length. */
static const char *field(const struct tv_journal_entry *entry, const char *name)
{
    for (size_t i = 0; i < entry->len; i++) {
        const char *text = entry->fields[i].iov_base;
        size_t len = strlen(name);
        if (strncmp(text, name, len) == 0 && text[len] == '=') {
            ck_assert_uint_eq(strlen(text), entry->fields[i].iov_len);
            return text + len + 1;
        }
    }
    return NULL;
}

START_TEST(journal_entries_have_fields_to_search_for)
{
    static struct tv_journal_entry entry;
    struct tv_alert alert = tv_sample_alert(), over = tv_sample_resolved();
    tv_journal_entry(&entry, &alert);
    ck_assert_str_eq(field(&entry, "MESSAGE"),
                     "CRITICAL non_finite in run broken/r8: the training loss is NaN & stays so");
    ck_assert_uint_eq(strlen(field(&entry, "MESSAGE_ID")), 32);
    ck_assert_str_eq(field(&entry, "PRIORITY"), "2");
    ck_assert_str_eq(field(&entry, "TRAINVET_RUN"), "broken/r8");
    ck_assert_str_eq(field(&entry, "TRAINVET_DETECTOR"), "non_finite");
    ck_assert_str_eq(field(&entry, "TRAINVET_ONSET_STEP"), "312");
    ck_assert_str_eq(field(&entry, "TRAINVET_EXPECTED"), "0.41");
    ck_assert_ptr_null(field(&entry, "TRAINVET_OBSERVED"));
    ck_assert_ptr_null(field(&entry, "TRAINVET_RESOLVED_STEP"));
    tv_journal_entry(&entry, &over);
    ck_assert_str_eq(field(&entry, "PRIORITY"), "6");
    ck_assert_str_eq(field(&entry, "TRAINVET_RESOLVED_STEP"), "400");
}
END_TEST

START_TEST(journal_entries_of_hostile_texts_keep_their_fields)
{
    static struct tv_journal_entry entry;
    struct tv_alert alert = tv_hostile_alert(tv_hostile((size_t)_i));
    alert.state = TV_RESOLVED;
    alert.observed = 1.5;
    tv_journal_entry(&entry, &alert);
    ck_assert_uint_eq(entry.len, 17);
    for (size_t i = 0; i < entry.len; i++) {
        const unsigned char *text = entry.fields[i].iov_base;
        ck_assert(text[0] >= 'A' && text[0] <= 'Z');
        ck_assert_ptr_nonnull(memchr(text, '=', entry.fields[i].iov_len));
        for (size_t k = 0; k < entry.fields[i].iov_len; k++)
            ck_assert(text[k] >= ' ' && text[k] != 0x7F);
    }
}
END_TEST

/* What a sink writes on stderr while `alert` is delivered. */
static size_t capture(const char *color, const struct tv_alert *alert, char *ret, size_t cap)
{
    FILE *file = tmpfile();
    int old = dup(STDERR_FILENO);
    dup2(fileno(file), STDERR_FILENO);
    ck_assert_int_eq(tv_sink_case_open(&c, "stderr", color, NULL), TV_OK);
    ck_assert_int_eq(tv_sink_case_deliver(&c, alert), TV_OK);
    tv_sink_case_close(&c);
    dup2(old, STDERR_FILENO);
    close(old);
    rewind(file);
    size_t len = fread(ret, 1, cap - 1, file);
    fclose(file);
    ret[len] = '\0';
    return len;
}

START_TEST(stderr_tells_an_alert_in_a_few_lines)
{
    struct tv_alert alert = tv_sample_alert();
    char text[16384];
    capture("color=auto", &alert, text, sizeof text);
    ck_assert_str_eq(text, "trainvet: CRITICAL non_finite in run broken/r8\n"
                           "    the training loss is NaN & stays so\n"
                           "    since step 312, noticed at step 320 (train/loss)\n"
                           "    observed NaN, expected 0.41\n"
                           "    likely: a *bad* batch\n"
                           "    change: warmup_steps: 10 -> 47 (10 % of 468)\n"
                           "    change: max_grad_norm: 0 -> 1.0\n");
    capture("color=always", &alert, text, sizeof text);
    ck_assert_ptr_eq(strstr(text, "\033[1;31mtrainvet: CRITICAL"), text);
}
END_TEST

START_TEST(stderr_carries_no_control_characters)
{
    struct tv_alert alert = tv_hostile_alert(tv_hostile((size_t)_i));
    char text[16384];
    size_t len = capture("color=never", &alert, text, sizeof text);
    ck_assert_uint_lt(len, 10000);
    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)text[i];
        ck_assert((byte >= ' ' || byte == '\n') && byte != 0x7F);
        ck_assert(!(byte == 0xC2 && (unsigned char)text[i + 1] < 0xA0)); /* C1 */
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("sinks_mail");
    TCase *tcase = tcase_create("all");
    tcase_add_test(tcase, mail_goes_to_everybody_through_the_server);
    tcase_add_test(tcase, mail_without_a_server_goes_through_sendmail);
    tcase_add_test(tcase, mails_about_one_alert_are_one_thread);
    tcase_add_test(tcase, addresses_that_could_add_headers_are_refused);
    tcase_add_test(tcase, servers_are_checked);
    tcase_add_test(tcase, passwords_want_tls);
    tcase_add_loop_test(tcase, hostile_texts_add_no_header, 0, (int)tv_hostile_len);
    tcase_add_test(tcase, journal_entries_have_fields_to_search_for);
    tcase_add_loop_test(tcase, journal_entries_of_hostile_texts_keep_their_fields, 0,
                        (int)tv_hostile_len);
    tcase_add_test(tcase, stderr_tells_an_alert_in_a_few_lines);
    tcase_add_loop_test(tcase, stderr_carries_no_control_characters, 0, (int)tv_hostile_len);
    suite_add_tcase(suite, tcase);
    return tv_test_main(suite);
}
