/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cmd/plot.h"
#include "trainvet/number.h"
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define LABEL       10 /* characters for the numbers at the left, with the axis */
#define COLUMNS_MAX 240
#define ROWS_MAX    60

/* The dots of a Braille character: two columns of four (Unicode 15, block 2800). */
static const uint8_t braille[4][2] = {{0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};

struct canvas {
    int width, height;   /* cells */
    int across, upright; /* dots a cell */
    double low, high;
    uint8_t cell[ROWS_MAX][COLUMNS_MAX]; /* Braille bits, or 1 + the row of the dot for ASCII */
};

bool tv_plot_has_utf8(void)
{
    const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    const char *term = getenv("TERM"), *locale = NULL;
    for (size_t i = 0; i < sizeof names / sizeof *names && !(locale && *locale); i++)
        locale = getenv(names[i]);
    if (!locale || (term && strcmp(term, "dumb") == 0))
        return false;
    return strstr(locale, "UTF-8") || strstr(locale, "utf8") || strstr(locale, "utf-8") ||
           strstr(locale, "UTF8");
}

static void dot(struct canvas *canvas, int x, int y)
{
    int row = y / canvas->upright, column = x / canvas->across;
    if (row < 0 || row >= canvas->height || column < 0 || column >= canvas->width)
        return;
    if (canvas->across == 2)
        canvas->cell[row][column] |= braille[y % 4][x % 2];
    else
        canvas->cell[row][column] = (uint8_t)(1 + y % canvas->upright);
}

/* Dots from the top. */
static int dot_row(const struct canvas *canvas, double value)
{
    int dots = canvas->height * canvas->upright;
    double part = (value - canvas->low) / (canvas->high - canvas->low);
    return (int)lround((1 - part) * (dots - 1));
}

static double x_of(const struct tv_plot *plot, int column, int columns)
{
    return plot->first + (plot->last - plot->first) * column / (columns > 1 ? columns - 1 : 1);
}

/* One dot for each column, joined to the one before by a vertical line. */
static void draw(struct canvas *canvas, const struct tv_plot *plot)
{
    int columns = canvas->width * canvas->across, before = -1;
    for (int x = 0; x < columns; x++) {
        double value = plot->y(plot->ctx, x_of(plot, x, columns));
        if (!isfinite(value)) {
            before = -1;
            continue;
        }
        int y = dot_row(canvas, value);
        int from = before < 0 ? y : before;
        for (int at = from < y ? from + 1 : y; at <= (from < y ? y : from - (from > y)); at++)
            dot(canvas, x, at);
        dot(canvas, x, y);
        before = y;
    }
}

static bool find_range(struct canvas *canvas, const struct tv_plot *plot)
{
    canvas->low = 0;
    canvas->high = -INFINITY;
    int columns = canvas->width * canvas->across;
    for (int x = 0; x < columns; x++) {
        double value = plot->y(plot->ctx, x_of(plot, x, columns));
        if (!isfinite(value))
            continue;
        canvas->low = fmin(canvas->low, value);
        canvas->high = fmax(canvas->high, value);
    }
    if (canvas->high == canvas->low)
        canvas->high = canvas->low + 1;
    return isfinite(canvas->high);
}

static void print_cell(FILE *out, const struct canvas *canvas, uint8_t cell)
{
    static const char levels[] = "'-.";
    if (canvas->across == 1)
        fputc(cell ? levels[cell - 1] : ' ', out);
    else if (cell)
        fprintf(out, "%c%c%c", 0xE2, 0xA0 | cell >> 6, 0x80 | (cell & 0x3F));
    else
        fputc(' ', out);
}

static void print_rows(FILE *out, const struct canvas *canvas, bool ascii)
{
    for (int row = 0; row < canvas->height; row++) {
        char label[TV_NUMBER_MAX] = "";
        if (row == 0)
            tv_format_short(label, canvas->high, 3);
        else if (row == canvas->height / 2)
            tv_format_short(
                label, canvas->high - (canvas->high - canvas->low) * (row + 0.5) / canvas->height,
                3);
        else if (row == canvas->height - 1)
            tv_format_short(label, canvas->low, 3);
        fprintf(out, "%*.*s %s", LABEL - 2, LABEL - 2, label, ascii ? "|" : "\u2502");
        int last = canvas->width;
        while (last > 0 && !canvas->cell[row][last - 1])
            last--;
        for (int column = 0; column < last; column++)
            print_cell(out, canvas, canvas->cell[row][column]);
        fputc('\n', out);
    }
}

static void print_axis(FILE *out, const struct canvas *canvas, const struct tv_plot *plot)
{
    fprintf(out, "%*s%s", LABEL - 1, "", plot->ascii ? "+" : "\u2514");
    for (int column = 0; column < canvas->width; column++)
        fputs(plot->ascii ? "-" : "\u2500", out);
    fputc('\n', out);
    char line[COLUMNS_MAX + 1];
    memset(line, ' ', sizeof line);
    int used = -1;
    for (size_t i = 0; i < plot->marks_len; i++) {
        double part = (plot->marks[i].x - plot->first) / (plot->last - plot->first);
        int column = (int)lround(part * (canvas->width - 1));
        if (!(part >= 0 && part <= 1))
            continue;
        line[column] = plot->marks[i].letter;
        used = column > used ? column : used;
    }
    if (used >= 0)
        fprintf(out, "%*s%.*s\n", LABEL, "", used + 1, line);
    char first[TV_NUMBER_MAX], last[TV_NUMBER_MAX];
    tv_format_short(first, plot->first, 8);
    tv_format_short(last, plot->last, 8);
    fprintf(out, "%*s%-*s%s\n", LABEL, "", canvas->width - (int)strlen(last), first, last);
}

void tv_plot_print(FILE *out, const struct tv_plot *plot)
{
    struct canvas canvas = {.width = plot->columns - LABEL,
                            .height = plot->rows - 2,
                            .across = plot->ascii ? 1 : 2,
                            .upright = plot->ascii ? 3 : 4};
    if (canvas.width > COLUMNS_MAX)
        canvas.width = COLUMNS_MAX;
    if (canvas.height > ROWS_MAX)
        canvas.height = ROWS_MAX;
    if (canvas.width < 8 || canvas.height < 2 || !(plot->last > plot->first) ||
        !find_range(&canvas, plot))
        return;
    draw(&canvas, plot);
    print_rows(out, &canvas, plot->ascii);
    print_axis(out, &canvas, plot);
}
