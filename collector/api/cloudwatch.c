/* SPDX-License-Identifier: Apache-2.0 */
/* CloudWatch: PutMetricData and ListMetrics. Rules: the API reference. */
#include "collector/ingest/cloudwatch.h"

#include "collector/api/api.h"
#include "collector/door/answer.h"
#include "core/base/hash.h"

void api_put_metric_data(struct api *a, struct request *r)
{
	cloudwatch_post(&a->ingest, r);
}

/* --- ListMetrics ------------------------------------------------------------------ */

enum {
	LIST_PAGE = 500,           /* metrics of one answer */
	LIST_ACTIVE_S = 3 * 3600,  /* RecentlyActive PT3H */
	LIST_KNOWN_S = 14 * 86400, /* older ones are not listed */
	TOKEN_LEN = 8 + 16,        /* hex of where to go on, and a hash
					   * of what was asked for */
};

/* One question, and how far it got. */
struct listing {
	const struct list_metrics *in;
	const struct scope *scope;
	int64_t oldest_ns; /* of a metric's last datum */
	uint64_t question; /* hash: a token is good for this one alone */
};

/* A NextToken is a place in the list of all series that fit by namespace and
 * name. That list only grows at its end, so a walk sees each once. */
static uint64_t hash_question(const struct list_metrics *in,
			      const struct scope *scope)
{
	struct buf b = BUF_INIT;
	uint64_t h;

	buf_format(&b, "%llu %s", (unsigned long long)scope->account,
		   scope->region);
	buf_format(&b, " %zu ", in->namespace.len);
	buf_sv(&b, in->namespace);
	buf_format(&b, " %zu ", in->metric_name.len);
	buf_sv(&b, in->metric_name);
	buf_format(&b, " %d", in->recently_active.ptr != NULL);
	for (size_t i = 0; i < in->dimensions.count; i++) {
		const struct dimension *d = &in->dimensions.items[i];

		buf_format(&b, " %zu %d %zu ", d->name.len,
			   d->value.ptr != NULL, d->value.len);
		buf_sv(&b, d->name);
		buf_sv(&b, d->value);
	}
	h = hash64(buf_view(&b));
	buf_fini(&b);
	return h;
}

static bool token_read(struct sv token, uint64_t question, size_t *start)
{
	uint8_t bytes[TOKEN_LEN / 2];

	*start = 0;
	if (!token.ptr)
		return true;
	if (token.len != TOKEN_LEN || !sv_to_hex(token, bytes, sizeof(bytes)) ||
	    get_le64(bytes + 4) != question)
		return false;
	*start = get_le32(bytes);
	return true;
}

static struct sv token_write(struct arena *arena, uint64_t question,
			     size_t start)
{
	uint8_t bytes[TOKEN_LEN / 2];
	char *text = arena_alloc(arena, TOKEN_LEN);

	if (!text)
		return (struct sv){ NULL, 0 };
	put_le32(bytes, (uint32_t)start);
	put_le64(bytes + 4, question);
	hex_from(text, bytes, sizeof(bytes));
	return sv_make(text, TOKEN_LEN);
}

/* Whether the series has all dimensions of the filter. */
static bool has_dimensions(const struct series_info *s,
			   const struct list_metrics *in)
{
	for (size_t i = 0; i < in->dimensions.count; i++) {
		const struct dimension *want = &in->dimensions.items[i];
		bool found = false;

		for (size_t k = 0; k < s->dimension_count && !found; k++)
			found = sv_eq(s->dimensions[k].name, want->name) &&
				(!want->value.ptr ||
				 sv_eq(s->dimensions[k].value, want->value));
		if (!found)
			return false;
	}
	return true;
}

static bool is_listed(const struct listing *l, const struct series_info *s)
{
	return s->last_ns >= l->oldest_ns && has_dimensions(s, l->in);
}

static int fill_page(struct api *a, const struct listing *l, size_t start,
		     struct arena *arena, struct list_metrics_output *out)
{
	struct metric *page = arena_array(arena, LIST_PAGE, sizeof(*page));
	struct series_info *list;
	size_t count;
	int e = series_list(a->series, l->scope, l->in->namespace,
			    l->in->metric_name, arena, &list, &count);

	if (e || !page)
		return e ? e : ERR_NOMEM;
	out->metrics.items = page;
	out->metrics.set = true;
	for (size_t i = start; i < count; i++) {
		if (!is_listed(l, &list[i]))
			continue;
		if (out->metrics.count == LIST_PAGE) {
			out->next_token = token_write(arena, l->question, i);
			return out->next_token.ptr ? 0 : ERR_NOMEM;
		}
		page[out->metrics.count] = (struct metric){
			.namespace = list[i].ns,
			.metric_name = list[i].name,
			.dimensions = { .items = (struct dimension *)list[i]
							 .dimensions,
					.count = list[i].dimension_count,
					.set = true },
		};
		out->metrics.count++;
	}
	return 0;
}

/* There are no linked accounts here: each metric is the caller's own. */
static int fill_owners(const struct listing *l, struct arena *arena,
		       struct list_metrics_output *out)
{
	struct sv *owners =
		arena_array(arena, out->metrics.count, sizeof(*owners));
	char text[16];
	struct sv own;

	snprintf(text, sizeof(text), "%012llu",
		 (unsigned long long)l->scope->account);
	own = arena_copy(arena, sv_from(text));
	if (!owners || !own.ptr)
		return ERR_NOMEM;
	for (size_t i = 0; i < out->metrics.count; i++)
		owners[i] = own;
	out->owning_accounts.items = owners;
	out->owning_accounts.count = out->metrics.count;
	out->owning_accounts.set = true;
	return 0;
}

static bool is_own_account(const struct list_metrics *in,
			   const struct scope *scope)
{
	uint64_t account;

	return !in->owning_account.ptr ||
	       (sv_to_u64(in->owning_account, &account) &&
		account == scope->account);
}

void api_list_metrics(struct api *a, struct request *r)
{
	struct list_metrics_output out = { .metrics = { .set = true } };
	struct list_metrics in;
	struct listing l = { .in = &in, .scope = &r->caller.scope };
	size_t start;
	int e = 0;

	if (!answer_read(r, &list_metrics_shape, &in))
		return;
	l.oldest_ns = env_wall(a->env).ns -
		      (in.recently_active.ptr ? LIST_ACTIVE_S : LIST_KNOWN_S) *
			      NS_PER_S;
	l.question = hash_question(&in, l.scope);
	if (!token_read(in.next_token, l.question, &start)) {
		answer_error(r, "InvalidParameterValueException",
			     "The parameter NextToken is not one that this "
			     "request was answered with.");
		return;
	}
	if (is_own_account(&in, l.scope))
		e = fill_page(a, &l, start, &r->arena, &out);
	if (!e && in.include_linked_accounts.value)
		e = fill_owners(&l, &r->arena, &out);
	if (e)
		answer_error(r, "ServiceUnavailableException",
			     "the collector is busy: ask again");
	else
		answer_write(r, &list_metrics_output_shape, &out);
}
