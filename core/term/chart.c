/* SPDX-License-Identifier: Apache-2.0 */
#include "core/term/term.h"

#include <math.h>

/* A character of UTF-8 from the block elements and braille (three bytes). */
static void put(struct buf *out, uint32_t code)
{
	const char bytes[3] = { (char)(0xE0 | code >> 12),
				(char)(0x80 | (code >> 6 & 0x3F)),
				(char)(0x80 | (code & 0x3F)) };

	buf_add(out, bytes, sizeof(bytes));
}

/* Sample `at` of columns, after more samples than columns were summed. */
static double grouped(const double *samples, size_t count, size_t columns,
		      size_t at)
{
	size_t from = count * at / columns;
	size_t to = count * (at + 1) / columns;
	double sum = 0;

	for (; from < to; from++)
		sum += isfinite(samples[from]) ? samples[from] : 0;
	return sum;
}

void term_spark(struct buf *out, const double *samples, size_t count,
		int columns, bool utf8)
{
	static const char ascii[] = " .:-=+*#";
	size_t width = columns > 0 ? (size_t)columns : 0;
	size_t shown = count < width ? count : width;
	double top = 0;

	for (size_t i = 0; i < shown; i++)
		top = fmax(top, grouped(samples, count, shown, i));
	for (size_t i = shown; i < width; i++)
		buf_char(out, ' ');
	for (size_t i = 0; i < shown; i++) {
		double v = grouped(samples, count, shown, i);
		/* Anything above nothing is seen: rounded up. */
		int level = v > 0 ? (int)ceil(v / top * 8) : 0;

		level = level > 8 ? 8 : level;
		if (level == 0)
			buf_char(out, ' ');
		else if (utf8)
			put(out, 0x2580 + (uint32_t)level);
		else
			buf_char(out, ascii[level > 7 ? 7 : level]);
	}
}

static void range(const double *samples, size_t count, double *min, double *max)
{
	*min = INFINITY;
	*max = -INFINITY;
	for (size_t i = 0; i < count; i++)
		if (isfinite(samples[i])) {
			*min = fmin(*min, samples[i]);
			*max = fmax(*max, samples[i]);
		}
}

/* The largest sample under dot column x of wide, so that a peak is never
 * between two dots; NAN: none is known there. */
static double sample_at(const double *samples, size_t count, size_t x,
			size_t wide)
{
	size_t from = count * x / wide;
	size_t to = count * (x + 1) / wide;
	double top = NAN;

	if (count && to == from)
		to = from + 1;
	for (; from < to; from++)
		if (isfinite(samples[from]))
			top = fmax(top, samples[from]); /* passes a NAN over */
	return top;
}

/* The dot row, counted from below, of v; -1: outside. */
static int dot_row(double v, double min, double max, int high)
{
	if (!isfinite(v) || v < min || v > max)
		return -1;
	if (!(max > min))
		return 0;
	return (int)((v - min) / (max - min) * (high - 1) + 0.5);
}

void term_braille(struct buf *out, const double *samples, size_t count,
		  int columns, int rows, double min, double max)
{
	/* Unicode's dot numbering: bit of (row from above, column). */
	static const uint8_t bit[4][2] = {
		{ 0x01, 0x08 }, { 0x02, 0x10 }, { 0x04, 0x20 }, { 0x40, 0x80 }
	};

	if (columns <= 0 || rows <= 0 || columns > TERM_WIDTH_MAX ||
	    rows > TERM_WIDTH_MAX)
		return;
	if (!(max > min))
		range(samples, count, &min, &max);
	for (int r = 0; r < rows; r++) {
		for (int c = 0; c < columns; c++) {
			uint32_t dots = 0;

			for (int half = 0; half < 2; half++) {
				size_t point = 2 * (size_t)c + (size_t)half;
				double v = sample_at(samples, count, point,
						     2 * (size_t)columns);
				int y = dot_row(v, min, max, 4 * rows);
				int above = 4 * rows - 1 - y - 4 * r;

				if (y >= 0 && above >= 0 && above < 4)
					dots |= bit[above][half];
			}
			put(out, 0x2800 + dots);
		}
		buf_char(out, '\n');
	}
}

void term_bar(struct buf *out, double from, double to, int columns, bool utf8)
{
	int first, last, cells;

	if (columns <= 0 || !isfinite(from) || !isfinite(to))
		return;
	from = fmin(fmax(from, 0), columns);
	to = fmin(fmax(to, from), columns);
	/* A left edge can only be whole: there are no right-hand eighths. */
	first = (int)from < columns ? (int)from : columns - 1;
	last = to > from ? (int)ceil((to - first) * 8) : 0;
	cells = (last + 7) / 8;
	for (int i = 0; i < first; i++)
		buf_char(out, ' ');
	for (int i = 0; i < cells; i++, last -= 8) {
		if (!utf8)
			buf_char(out, '=');
		else if (last >= 8)
			put(out, 0x2588);
		else
			put(out, 0x2590 - (uint32_t)last);
	}
	for (int i = first + cells; i < columns; i++)
		buf_char(out, ' ');
}
