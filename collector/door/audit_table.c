/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/audit_table.h"

#include <stdlib.h>
#include <sys/random.h>

#include "core/base/hash.h"

enum { SLOTS = 2 * AUDIT_SOURCES_MAX }; /* a power of two */
_Static_assert((SLOTS & (SLOTS - 1)) == 0, "slots are masked");

/* row.count is how many there were besides the first. */
struct source {
	uint64_t hash;
	struct audit_row row;
};

struct audit_table {
	uint64_t seed; /* addresses are chosen by strangers */
	size_t source_count, reason_count;
	uint16_t slots[SLOTS]; /* index of a source + 1; 0: none */
	struct source sources[AUDIT_SOURCES_MAX];
	struct audit_row reasons[AUDIT_REASONS_MAX];
};

int audit_table_new(struct audit_table **out)
{
	struct audit_table *t = calloc(1, sizeof(*t));

	if (!t)
		return ERR_NOMEM;
	if (getrandom(&t->seed, sizeof(t->seed), 0) != sizeof(t->seed)) {
		free(t);
		return ERR_IO;
	}
	*out = t;
	return 0;
}

void audit_table_free(struct audit_table *t)
{
	free(t);
}

static uint64_t hash_of(const struct audit_table *t, const struct audit_row *r)
{
	uint64_t h = t->seed ^ (r->owned ? r->scope.account + 1 : 0);

	h = hash64_seed(sv_from(r->caller), h);
	h = hash64_seed(sv_from(r->address), h);
	return hash64_seed(sv_from(r->outcome), h);
}

static bool is_alike(const struct audit_row *a, const struct audit_row *b)
{
	return a->owned == b->owned &&
	       (!a->owned || a->scope.account == b->scope.account) &&
	       !strcmp(a->caller, b->caller) &&
	       !strcmp(a->address, b->address) &&
	       !strcmp(a->outcome, b->outcome);
}

/* One more of what row stands for. */
static void count_more(struct audit_row *row, int64_t time_ns)
{
	if (!row->count++)
		row->since_ns = time_ns;
	row->time_ns = time_ns;
}

/* A count says only what holds of all it counts. */
static void forget_difference(struct audit_row *all,
			      const struct audit_row *one)
{
	if (all->operation != one->operation)
		all->operation = NULL;
	if (all->service != one->service)
		all->service = NULL;
	if (all->status != one->status)
		all->status = 0;
	if (strcmp(all->agent, one->agent) != 0)
		all->agent[0] = '\0';
	if (strcmp(all->key, one->key) != 0)
		all->key[0] = '\0';
	if (strcmp(all->scope.region, one->scope.region) != 0)
		all->scope.region[0] = '\0';
}

static void count_reason(struct audit_table *t, const struct audit_row *row)
{
	size_t i = 0;

	while (i < t->reason_count &&
	       strcmp(t->reasons[i].outcome, row->outcome) != 0)
		i++;
	if (i == AUDIT_REASONS_MAX) {
		i--;
	} else if (i == t->reason_count) {
		t->reasons[i] = (struct audit_row){ .kind = AUDIT_REFUSAL };
		audit_copy(t->reasons[i].outcome, AUDIT_REASON_MAX,
			   i == AUDIT_REASONS_MAX - 1 ? SV("other") :
							sv_from(row->outcome));
		t->reason_count++;
	}
	count_more(&t->reasons[i], row->time_ns);
}

enum audit_counted audit_table_count(struct audit_table *t,
				     const struct audit_row *row)
{
	uint64_t hash = hash_of(t, row);
	size_t at = hash & (SLOTS - 1);

	for (; t->slots[at]; at = (at + 1) & (SLOTS - 1)) {
		struct source *s = &t->sources[t->slots[at] - 1];

		if (s->hash != hash || !is_alike(&s->row, row))
			continue;
		count_more(&s->row, row->time_ns);
		forget_difference(&s->row, row);
		return AUDIT_AGAIN;
	}
	if (t->source_count == AUDIT_SOURCES_MAX) {
		count_reason(t, row);
		return AUDIT_OVERFLOW;
	}
	t->sources[t->source_count] = (struct source){ hash, *row };
	t->sources[t->source_count].row.count = 0;
	t->sources[t->source_count].row.id[0] = '\0';
	t->slots[at] = (uint16_t)++t->source_count;
	return AUDIT_FIRST;
}

void audit_table_empty(struct audit_table *t,
		       void (*each)(void *arg, const struct audit_row *row),
		       void *arg)
{
	for (size_t i = 0; i < t->source_count; i++)
		if (t->sources[i].row.count)
			each(arg, &t->sources[i].row);
	for (size_t i = 0; i < t->reason_count; i++)
		each(arg, &t->reasons[i]);
	t->source_count = t->reason_count = 0;
	memset(t->slots, 0, sizeof(t->slots));
}
