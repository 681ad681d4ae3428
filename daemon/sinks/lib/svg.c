/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lib/svg.h"
#include "trainvet/number.h"
#include <inttypes.h>
#include <math.h>
#include <string.h>

enum {
    WIDTH = 560,
    HEIGHT = 200,
    LEFT = 54,
    RIGHT = 18,
    TOP = 10,
    BOTTOM = 22,
    TICKS_X = 5,
    LEVELS = 5
};

#define LOG_FROM 30.0   /* ratio of the highest to the lowest value */
#define LARGEST  1e300  /* beyond, differences overflow */
#define SMALLEST 1e-290 /* below, they vanish */

struct axes {
    int64_t first, last; /* steps */
    double low, high;    /* values, or their logarithms */
    bool is_log;
};

void tv_html_text(FILE *out, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&':
            fputs("&amp;", out);
            break;
        case '<':
            fputs("&lt;", out);
            break;
        case '>':
            fputs("&gt;", out);
            break;
        case '"':
            fputs("&quot;", out);
            break;
        case '\'':
            fputs("&#39;", out);
            break;
        default:
            putc(*text, out);
        }
}

static void print_number(FILE *out, double value, int digits)
{
    char number[TV_NUMBER_MAX];
    tv_format_short(number, value, digits);
    fputs(number, out);
}

static double bounded(double value)
{
    return fmax(-LARGEST, fmin(LARGEST, value));
}

static void widen(struct axes *axes, double value)
{
    if (isnan(value))
        return;
    axes->low = fmin(axes->low, bounded(value));
    axes->high = fmax(axes->high, bounded(value));
}

static bool find_range(const struct tv_svg *svg, struct axes *axes)
{
    *axes =
        (struct axes){.first = INT64_MAX, .last = INT64_MIN, .low = INFINITY, .high = -INFINITY};
    for (size_t i = 0; i < svg->lines_len; i++) {
        const struct tv_svg_line *line = &svg->lines[i];
        for (size_t k = 0; k < line->len; k++) {
            const struct tv_plot_point *point = &line->points[k];
            axes->first = point->first_step < axes->first ? point->first_step : axes->first;
            axes->last = point->last_step > axes->last ? point->last_step : axes->last;
            widen(axes, line->expected ? point->expected : point->min);
            widen(axes, line->expected ? point->expected : point->max);
        }
    }
    if (!(axes->low <= axes->high))
        return false;
    axes->is_log = svg->may_be_log && axes->low > 0 && axes->high / axes->low > LOG_FROM;
    if (axes->is_log) {
        axes->low = log10(axes->low);
        axes->high = log10(axes->high);
    }
    double room = 0.04 * (axes->high / 2 - axes->low / 2) * 2;
    if (!(room > SMALLEST))
        room = fmax(fabs(axes->high) * 0.1, 1e3 * SMALLEST);
    axes->low -= room;
    axes->high += room;
    return true;
}

static double x_of(const struct axes *axes, int64_t step)
{
    double span = (double)axes->last - (double)axes->first;
    double share = span > 0 ? ((double)step - (double)axes->first) / span : 0.5;
    return LEFT + share * (WIDTH - LEFT - RIGHT);
}

static double y_of(const struct axes *axes, double value)
{
    double at = axes->is_log ? log10(value) : bounded(value);
    double share = (at / 2 - axes->low / 2) / (axes->high / 2 - axes->low / 2);
    return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP);
}

/* 1, 2 or 5 times a power of ten: at most `ticks` of them fit into the range. */
static double tick_width(double range, int ticks)
{
    double rough = range / ticks, power = pow(10, floor(log10(rough)));
    double of_power = rough / power;
    return power * (of_power <= 1 ? 1 : of_power <= 2 ? 2 : of_power <= 5 ? 5 : 10);
}

static void write_level(FILE *out, const struct axes *axes, double at)
{
    double value = axes->is_log ? pow(10, at) : at, y = y_of(axes, value);
    fprintf(out,
            "<path class=\"grid\" d=\"M%d %.1fH%d\"/><text x=\"%d\" y=\"%.1f\" "
            "text-anchor=\"end\">",
            LEFT, y, WIDTH - RIGHT, LEFT - 5, y + 4);
    print_number(out, value, 3);
    fputs("</text>", out);
}

static void write_grid(FILE *out, const struct axes *axes)
{
    double range = axes->high - axes->low, width = tick_width(range, LEVELS);
    if (axes->is_log && width < 1 && range > 1)
        width = 1;
    double begin = ceil(axes->low / width);
    for (int i = 0; i <= 2 * LEVELS && (begin + i) * width <= axes->high; i++)
        write_level(out, axes, (begin + i) * width);
    double steps = (double)axes->last - (double)axes->first;
    double wide = steps > 0 ? fmax(1, tick_width(steps, TICKS_X)) : 1;
    begin = ceil((double)axes->first / wide);
    for (int i = 0; i <= 2 * TICKS_X && (begin + i) * wide <= (double)axes->last; i++) {
        double at = (begin + i) * wide;
        double x =
            LEFT + (steps > 0 ? (at - (double)axes->first) / steps : 0.5) * (WIDTH - LEFT - RIGHT);
        fprintf(out, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">", x, HEIGHT - 6);
        print_number(out, at, 15);
        fputs("</text>", out);
    }
}

static void to(FILE *out, const struct axes *axes, bool *drawn, int64_t step, double value)
{
    fprintf(out, "%c%.1f %.1f", *drawn ? 'L' : 'M', x_of(axes, step), y_of(axes, value));
    *drawn = true;
}

/* Through the first, lowest, highest and last value of each stretch. A stretch without a finite
 * value leaves a gap. */
static void write_line(FILE *out, const struct axes *axes, const struct tv_svg_line *line)
{
    bool drawn = false;
    fprintf(out, "<path class=\"%s\" d=\"", line->css);
    for (size_t i = 0; i < line->len; i++) {
        const struct tv_plot_point *point = &line->points[i];
        if (isnan(line->expected ? point->expected : point->first)) {
            drawn = false;
            continue;
        }
        if (line->expected) {
            to(out, axes, &drawn, point->last_step, point->expected);
            continue;
        }
        int64_t middle = point->first_step + (point->last_step - point->first_step) / 2;
        to(out, axes, &drawn, point->first_step, point->first);
        if (point->first_step == point->last_step)
            continue;
        to(out, axes, &drawn, middle, point->min);
        to(out, axes, &drawn, middle, point->max);
        to(out, axes, &drawn, point->last_step, point->last);
    }
    fputs("\"/>", out);
    if (line->len == 1 && !line->expected)
        fprintf(out, "<circle class=\"%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"2\"/>", line->css,
                x_of(axes, line->points[0].last_step), y_of(axes, line->points[0].last));
}

static void write_lost(FILE *out, const struct axes *axes, const struct tv_svg_line *line)
{
    for (size_t i = 0; i < line->len && !line->expected; i++) {
        if (!line->points[i].non_finite)
            continue;
        double x = x_of(axes, line->points[i].first_step);
        fprintf(out,
                "<path class=\"lost\" d=\"M%.1f %dl4 -7h-8z\"><title>not finite near step "
                "%" PRId64 "</title></path>",
                x, TOP + 7, line->points[i].first_step);
    }
}

static void write_marks(FILE *out, const struct axes *axes, const struct tv_svg *svg)
{
    for (size_t i = 0; i < svg->marks_len; i++) {
        const struct tv_svg_mark *mark = &svg->marks[i];
        if (mark->step < axes->first || mark->step > axes->last)
            continue;
        fprintf(out, "<path class=\"mark %s\" d=\"M%.1f %dV%d\"><title>", mark->css,
                x_of(axes, mark->step), TOP, HEIGHT - BOTTOM);
        tv_html_text(out, mark->text);
        fputs("</title></path>", out);
    }
}

void tv_svg_write(FILE *out, const struct tv_svg *svg)
{
    struct axes axes;
    if (!find_range(svg, &axes))
        return;
    fputs("<figure><figcaption>", out);
    tv_html_text(out, svg->title);
    for (size_t i = 0; i < svg->lines_len; i++) {
        fprintf(out, "<span class=\"key %s\"></span>", svg->lines[i].css);
        tv_html_text(out, svg->lines[i].name);
    }
    fprintf(out, "</figcaption><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"", WIDTH,
            HEIGHT);
    tv_html_text(out, svg->title);
    fputs(" over steps\">", out);
    write_grid(out, &axes);
    for (size_t i = 0; i < svg->lines_len; i++)
        write_line(out, &axes, &svg->lines[i]);
    for (size_t i = 0; i < svg->lines_len; i++)
        write_lost(out, &axes, &svg->lines[i]);
    write_marks(out, &axes, svg);
    fputs("</svg></figure>\n", out);
}
