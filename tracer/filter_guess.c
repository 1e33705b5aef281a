/* SPDX-License-Identifier: Apache-2.0 */
/* What a summary alone tells of an answer, so that most of what a search does
 * not select is never read. Three values: no, maybe, yes. */
#include <assert.h>

#include "tracer/filter_inner.h"

static enum filter_guess known(bool yes)
{
	return yes ? FILTER_YES : FILTER_NO;
}

static enum filter_guess negate(enum filter_guess g)
{
	return (enum filter_guess)(FILTER_YES - g);
}

static enum filter_guess flag_is(const struct filter_node *n, bool flag)
{
	return known(n->op == FILTER_SET ? flag :
		     n->op == FILTER_EQ  ? flag == n->is_true :
					   flag != n->is_true);
}

static enum filter_guess guess_duration(const struct filter_node *n, double d)
{
	switch ((enum filter_op)n->op) {
	case FILTER_EQ:
		return known(d == n->number);
	case FILTER_NE:
		return known(d != n->number);
	case FILTER_LT:
		return known(d < n->number);
	case FILTER_LE:
		return known(d <= n->number);
	case FILTER_GT:
		return known(d > n->number);
	default:
		return known(d >= n->number);
	}
}

/* The root took no longer than the whole. */
static enum filter_guess guess_response(const struct filter_node *n, double d)
{
	bool possible = n->op == FILTER_GT ? d > n->number :
			n->op == FILTER_GE || n->op == FILTER_EQ ?
					     d >= n->number :
					     true;

	return possible ? FILTER_MAYBE : FILTER_NO;
}

static enum filter_guess guess_keyword(const struct filter_node *n,
				       const struct filter_hint *h)
{
	double duration = (double)h->duration_ns / 1e9;

	switch ((enum filter_keyword)n->keyword) {
	case FILTER_OK: /* a response of 3xx is not ok, and no error */
		return h->status == SEGMENT_STATUS_OK ? FILTER_MAYBE :
							flag_is(n, false);
	case FILTER_ERROR:
		return flag_is(n, h->status == SEGMENT_STATUS_ERROR ||
					  h->status == SEGMENT_STATUS_THROTTLE);
	case FILTER_THROTTLE:
		return flag_is(n, h->status == SEGMENT_STATUS_THROTTLE);
	case FILTER_FAULT:
		return flag_is(n, h->status == SEGMENT_STATUS_FAULT);
	case FILTER_PARTIAL:
		return flag_is(n, h->partial);
	case FILTER_DURATION:
		return guess_duration(n, duration);
	case FILTER_RESPONSETIME:
		return guess_response(n, duration);
	default:
		return FILTER_MAYBE;
	}
}

/* By name: a segment of it is enough; that there is none does not tell, since
 * what services called has no segment. */
static enum filter_guess guess_service(const struct filter_node *n,
				       const struct filter_hint *h)
{
	const struct filter_id *id = n->to;

	if (n->child != FILTER_NONE ||
	    (id && (id->type.ptr || id->account.ptr)))
		return FILTER_MAYBE;
	for (size_t i = 0; i < h->name_count; i++)
		if (!id || sv_eq(h->names[i], id->name))
			return FILTER_YES;
	return FILTER_MAYBE;
}

static enum filter_guess guess(const struct filter *f, uint32_t node,
			       const struct filter_hint *h)
{
	const struct filter_node *n = &f->nodes[node];
	enum filter_guess all;

	assert(node < f->count);
	switch ((enum filter_verb)n->verb) {
	case FILTER_AND:
	case FILTER_OR:
		all = n->verb == FILTER_AND ? FILTER_YES : FILTER_NO;
		for (uint32_t i = n->child; i != FILTER_NONE;
		     i = f->nodes[i].next) {
			enum filter_guess g = guess(f, i, h);

			if (n->verb == FILTER_AND ? g < all : g > all)
				all = g;
		}
		return all;
	case FILTER_NOT:
		return negate(guess(f, n->child, h));
	case FILTER_KEYWORD:
		return guess_keyword(n, h);
	case FILTER_SERVICE:
		return guess_service(n, h);
	default:
		return FILTER_MAYBE;
	}
}

enum filter_guess filter_guess(const struct filter *f,
			       const struct filter_hint *hint)
{
	return f->count ? guess(f, f->root, hint) : FILTER_YES;
}
