/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "support/suite.h"
#include "trainvet/sink.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

extern const struct tv_sink tv_sink_html;

struct page {
    FILE *out;
    char *text;
    size_t len;
    _Alignas(16) unsigned char options[64], state[256];
};

static void page_open(struct page *page)
{
    memset(page, 0, sizeof *page);
    ck_assert_uint_le(tv_sink_html.options_size, sizeof page->options);
    ck_assert_uint_le(tv_sink_html.state_size, sizeof page->state);
    page->out = open_memstream(&page->text, &page->len);
    tv_option_defaults(tv_sink_html.options, page->options);
    ck_assert_int_eq(tv_sink_html.open(page->options, page->state, page->out, NULL, NULL), TV_OK);
}

static void page_close(struct page *page)
{
    ck_assert_int_eq(tv_sink_html.close(page->options, page->state, NULL), TV_OK);
    fclose(page->out);
}

static struct tv_run_report report_of(const char *name)
{
    return (struct tv_run_report){.run = name,
                                  .status = "ok",
                                  .steps = 10,
                                  .total_steps = -1,
                                  .warmup_steps = -1,
                                  .final_loss = 1,
                                  .final_eval_loss = NAN,
                                  .attempts = 1};
}

static size_t count(const char *text, const char *part)
{
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, part)); at++)
        n++;
    return n;
}

START_TEST(texts_of_a_log_are_never_markup)
{
    static const char evil[] = "<script>alert(\"x\")</script>'&";
    struct page page;
    struct tv_alert alert = {.run = evil,
                             .detector = "divergence",
                             .subject = evil,
                             .severity = TV_CRITICAL,
                             .observed = NAN,
                             .expected = NAN,
                             .summary = evil,
                             .causes = {evil},
                             .causes_len = 1,
                             .advice = {evil},
                             .advice_len = 1,
                             .fingerprint = "0123456789abcdef"};
    struct tv_run_report report = report_of(evil);
    const struct tv_alert *stories[] = {&alert};
    const struct tv_plot_point point = {.first_step = 1,
                                        .last_step = 1,
                                        .first = 1,
                                        .last = 1,
                                        .min = 1,
                                        .max = 1,
                                        .expected = NAN};
    const struct tv_plot plot = {TV_ROLE_TRAIN_LOSS, evil, &point, 1};
    report.alerts = 1;
    report.worst = TV_CRITICAL;
    report.stories = stories;
    report.plots = &plot;
    report.plots_len = 1;
    report.framework = report.scheduler = report.schedule_note = evil;
    report.scheduler_source = "log";
    page_open(&page);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(tv_sink_html.run(page.options, page.state, &report, NULL), TV_OK);
        ck_assert_int_eq(tv_sink_html.deliver(page.options, page.state, &alert, NULL), TV_OK);
    }
    page_close(&page);
    ck_assert_ptr_null(strstr(page.text, "<script"));
    ck_assert_ptr_null(strstr(page.text, "\"x\""));
    ck_assert_uint_ge(
        count(page.text, "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;&#39;&amp;"), 12);
    free(page.text);
}
END_TEST

/* Every combination of values that a log can hold. */
START_TEST(no_value_breaks_a_plot)
{
    static const double values[] = {0, 1, -1, NAN, 5e-324, 1e308, -1e308, 1e-300, 3};
    enum { VALUES = sizeof values / sizeof *values };
    struct page page;
    page_open(&page);
    for (int i = 0; i < VALUES * VALUES; i++) {
        double a = values[i / VALUES], b = values[i % VALUES];
        const struct tv_plot_point points[] = {
            {0, 5, isnan(a) ? b : a, isnan(b) ? a : b, fmin(a, b), fmax(a, b), a, isnan(a)},
            {INT64_MAX - 5, INT64_MAX, b, b, b, b, b, isnan(b)},
        };
        const struct tv_plot plots[] = {{TV_ROLE_TRAIN_LOSS, "loss", points, 2},
                                        {TV_ROLE_LEARNING_RATE, "lr", points, 2},
                                        {TV_ROLE_GRAD_NORM, "norm", points, 1}};
        struct tv_run_report report = report_of("run");
        report.plots = plots;
        report.plots_len = 3;
        report.scheduler = "cosine";
        report.scheduler_source = "configuration";
        ck_assert_int_eq(tv_sink_html.run(page.options, page.state, &report, NULL), TV_OK);
    }
    page_close(&page);
    const char *body = strstr(page.text, "<body>");
    for (const char *at = body; (at = strstr(at, " d=\"")); at++)
        ck_assert_int_eq(at[4 + strspn(at + 4, "MLHVhlz0123456789.- ")], '"');
    ck_assert_uint_lt(page.len, (size_t)VALUES * VALUES * 20000);
    ck_assert_uint_eq(count(body, "<svg"), count(body, "</svg>"));
    ck_assert_uint_eq(count(body, "<article"), count(body, "</article>"));
    free(page.text);
}
END_TEST

START_TEST(a_run_without_a_finding_is_in_the_table)
{
    struct page page;
    struct tv_run_report one = report_of("first"), other = report_of("second");
    page_open(&page);
    tv_sink_html.run(page.options, page.state, &one, NULL);
    tv_sink_html.run(page.options, page.state, &other, NULL);
    page_close(&page);
    ck_assert_ptr_nonnull(strstr(page.text, "2 runs: 0 critical"));
    ck_assert_ptr_nonnull(strstr(page.text, "<a href=\"#r2\">second</a>"));
    ck_assert_ptr_nonnull(strstr(page.text, "<article id=\"r2\">"));
    free(page.text);
}
END_TEST

static Suite *suite(void)
{
    Suite *suite = suite_create("html");
    TCase *tcase = tcase_create("html");
    tcase_add_test(tcase, texts_of_a_log_are_never_markup);
    tcase_add_test(tcase, no_value_breaks_a_plot);
    tcase_add_test(tcase, a_run_without_a_finding_is_in_the_table);
    suite_add_tcase(suite, tcase);
    return suite;
}

int main(void)
{
    return tv_test_main(suite());
}
