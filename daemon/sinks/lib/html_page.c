/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/html_page.h"
#include "lib/message.h"
#include "lib/svg.h"
#include "report_css.h"
#include <math.h>

void tv_html_page_begin(FILE *out, const char *title)
{
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
          "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
          "'unsafe-inline'\">\n<title>trainvet",
          out);
    if (*title) {
        fputs(": ", out);
        tv_html_text(out, title);
    }
    fputs("</title>\n<style>\n", out);
    fputs(report_css, out);
    fputs("</style></head><body>\n", out);
}

void tv_html_page_end(FILE *out, FILE *rows, size_t runs, size_t max)
{
    char block[8192];
    if (runs > 1) {
        fputs("<nav><table><thead><tr><th>verdict<th>run<th>findings<th>step<th>loss<th>eval "
              "loss</thead><tbody>\n",
              out);
        rewind(rows);
        for (size_t len; (len = fread(block, 1, sizeof block, rows)) > 0;)
            fwrite(block, 1, len, out);
        fputs("</tbody></table>", out);
        if (runs > max)
            fprintf(out, "<p class=\"soft\">and %zu more runs</p>", runs - max);
        fputs("</nav>\n", out);
    }
    fputs("</body></html>\n", out);
}

void tv_html_number(FILE *out, double value)
{
    char number[64];
    struct tv_text text = tv_text_in(number, sizeof number);
    if (isnan(value))
        return;
    tv_text_add_number(&text, value);
    fputs(number, out);
}
