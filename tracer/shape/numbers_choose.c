/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/shape/numbers_form.h"

/* --- distinct numbers ------------------------------------------------------------------ */

uint32_t numbers_slot(const struct numbers_writer *w, uint64_t v)
{
	uint32_t i =
		(uint32_t)((v * 0x9e3779b97f4a7c15u) >> 40) % NUMBERS_SLOTS;

	while (w->counts[i] && w->values[i] != v)
		i = (i + 1) % NUMBERS_SLOTS;
	return i;
}

void numbers_forget(struct numbers_writer *w)
{
	for (uint32_t i = 0; i < w->list_count; i++)
		w->counts[w->used[i]] = 0;
	w->list_count = 0;
}

/* Counts them; false: there are so many that a list does not pay. */
static bool count_distinct(struct numbers_writer *w, const uint64_t *numbers,
			   size_t count)
{
	size_t most = count / 4 + 4;

	most = most < NUMBERS_LIST_MAX ? most : NUMBERS_LIST_MAX;
	for (size_t i = 0; i < count; i++) {
		uint32_t slot = numbers_slot(w, numbers[i]);

		if (w->counts[slot]++)
			continue;
		if (w->list_count == most) {
			w->counts[slot] = 0;
			return false;
		}
		w->values[slot] = numbers[i];
		w->used[w->list_count++] = (uint16_t)slot;
	}
	w->usual_count = 0;
	for (uint32_t i = 0; i < w->list_count; i++)
		if (w->counts[w->used[i]] > w->usual_count) {
			w->usual_count = w->counts[w->used[i]];
			w->usual = w->values[w->used[i]];
		}
	return true;
}

/* --- which form ---------------------------------------------------------------------------- */

static void find_scale(struct numbers_facts *f)
{
	static const uint64_t scales[] = { 1000000000, 1000000, 1000 };

	f->scale = 1;
	if (f->most - f->least < 4096)
		return;
	for (size_t k = 0; k < sizeof(scales) / sizeof(scales[0]); k++) {
		size_t i = 0;

		while (i < f->count &&
		       (f->numbers[i] - f->least) % scales[k] == 0)
			i++;
		if (i == f->count) {
			f->scale = scales[k];
			return;
		}
	}
}

static struct numbers_facts look(const uint64_t *numbers, size_t count)
{
	struct numbers_facts f = { .numbers = numbers,
				   .count = count,
				   .least = numbers[0],
				   .most = numbers[0] };

	for (size_t i = 1; i < count; i++) {
		f.least = numbers[i] < f.least ? numbers[i] : f.least;
		f.most = numbers[i] > f.most ? numbers[i] : f.most;
	}
	find_scale(&f);
	f.width = bit_length((f.most - f.least) / f.scale);
	return f;
}

/* What LENGTHS over this base take, in bits. */
static uint64_t look_at_lengths(struct numbers_facts *f, uint64_t base)
{
	unsigned shortest = 64, longest = 0;

	f->base = base;
	f->digits = 0;
	for (size_t i = 0; i < f->count; i++) {
		unsigned n = bit_length(numbers_over(f, f->numbers[i], base));

		shortest = n < shortest ? n : shortest;
		longest = n > longest ? n : longest;
		f->digits += n ? n - 1 : 0;
	}
	f->shortest = shortest;
	f->class_width = bit_length(longest - shortest);
	return f->count * f->class_width + f->digits + 32;
}

static uint64_t best_lengths(struct numbers_facts *f)
{
	uint64_t from_least = look_at_lengths(f, f->least);
	uint64_t from_zero = look_at_lengths(f, f->least % f->scale);

	return from_zero < from_least ? from_zero :
					look_at_lengths(f, f->least);
}

/* Whether each place of the list goes with one number only. What is random
 * is found out after a few. */
bool numbers_follow(struct numbers_writer *w, const struct numbers_kept *leader,
		    const struct numbers_facts *f)
{
	w->turns++;
	for (size_t i = 0; i < f->count; i++) {
		uint16_t place = leader->index[i];

		if (w->turn[place] != w->turns) {
			w->turn[place] = w->turns;
			w->follower[place] = f->numbers[i];
		} else if (w->follower[place] != f->numbers[i]) {
			return false;
		}
	}
	return true;
}

/* The shortest list the column follows, if that costs less than `best`. */
static bool find_leader(struct numbers_writer *w, struct numbers_facts *f,
			uint64_t best)
{
	uint64_t each = 6 * protobuf_varint_size(f->most);
	bool found = false;

	for (uint32_t i = 0; i < w->listed_count; i++) {
		uint64_t bits = each * w->listed[i].list_count + 16;

		if (w->listed[i].count == f->count && bits < best &&
		    numbers_follow(w, &w->listed[i], f)) {
			best = bits;
			f->leader = i;
			found = true;
		}
	}
	return found;
}

static enum numbers_form best_form(struct numbers_writer *w,
				   struct numbers_facts *f)
{
	enum numbers_form form = NUMBERS_BITS;
	uint64_t n = f->count, best = n * f->width, bits;

	if (f->listed) {
		uint64_t gap = (f->most - f->least) / w->list_count;

		bits = n * bit_length(w->list_count - 1) +
		       8 * w->list_count * protobuf_varint_size(gap) + 16;
		if (bits < best) {
			best = bits;
			form = NUMBERS_LIST;
		}
		bits = (n - w->usual_count) *
			       (7 + 7 * protobuf_varint_size(f->most)) +
		       32;
		if (bits < best) {
			best = bits;
			form = NUMBERS_USUAL;
		}
	}
	if (f->width > 6 && form == NUMBERS_BITS && best_lengths(f) < best)
		form = NUMBERS_LENGTHS;
	if (f->listed && find_leader(w, f, best))
		form = NUMBERS_FOLLOWS;
	return form;
}

enum numbers_form numbers_choose(struct numbers_writer *w,
				 const uint64_t *numbers, size_t count,
				 struct numbers_facts *f)
{
	*f = look(numbers, count);
	if (f->least == f->most)
		return NUMBERS_SAME;
	f->listed = count_distinct(w, numbers, count);
	return best_form(w, f);
}
