/* SPDX-License-Identifier: Apache-2.0 */
/* Keywords and annotations of a filter expression, and their comparison. */
#include <assert.h>

#include "tracer/filter_match.h"

static const struct segment *segment_at(const struct filter_match *m,
					uint32_t span)
{
	return &m->f->trace->spans[span].segment;
}

/* --- values -------------------------------------------------------------------- */

static bool compare_number(enum filter_op op, double left, double right)
{
	switch (op) {
	case FILTER_EQ:
		return left == right;
	case FILTER_NE:
		return left != right;
	case FILTER_LT:
		return left < right;
	case FILTER_LE:
		return left <= right;
	case FILTER_GT:
		return left > right;
	case FILTER_GE:
		return left >= right;
	default:
		return true; /* it is there */
	}
}

static bool compare_text(enum filter_op op, struct sv left, struct sv right)
{
	switch (op) {
	case FILTER_EQ:
		return sv_eq(left, right);
	case FILTER_NE:
		return !sv_eq(left, right);
	case FILTER_CONTAINS:
		return !right.len ||
		       (left.len >= right.len &&
			memmem(left.ptr, left.len, right.ptr, right.len));
	case FILTER_BEGINSWITH:
		return sv_starts(left, right);
	case FILTER_ENDSWITH:
		return sv_ends(left, right);
	case FILTER_SET:
		return true;
	default:
		return false; /* texts have no order */
	}
}

/* Of several values one suffices; but all there are must differ. */
struct tally {
	const struct filter_node *node;
	bool any, all;
};

static void count_value(struct tally *t, bool is)
{
	t->any = t->any || is;
	t->all = t->all && is;
}

static bool tally_result(const struct tally *t)
{
	return t->node->op == FILTER_NE ? t->any && t->all : t->any;
}

static void count_text(struct tally *t, struct sv text)
{
	if (text.len)
		count_value(t, compare_text((enum filter_op)t->node->op, text,
					    t->node->value));
}

/* --- boolean keywords ------------------------------------------------------------ */

static bool has_inferred(struct filter_match *m)
{
	uint32_t count;
	const struct facts_part *parts = facts_parts(m->f, &count);

	for (uint32_t i = 0; i < count; i++)
		if (parts[i].inferred)
			return true;
	return false;
}

static bool is_partial(const struct filter_match *m, uint32_t span)
{
	const struct span *s = &m->f->trace->spans[span];

	return s->segment.in_progress ||
	       (s->segment.subsegment && s->segment.traced && !s->answered);
}

static bool segment_flag(struct filter_match *m, enum filter_keyword k,
			 const struct filter_subject *s)
{
	bool whole = s->place == FILTER_TRACE;
	enum segment_status status;

	if (k == FILTER_INFERRED)
		return whole ? has_inferred(m) : s->part->inferred;
	if (k == FILTER_PARTIAL && whole)
		return m->f->trace->partial;
	if (s->span == SPAN_NONE)
		return false;
	status = whole ? m->f->trace->status : segment_at(m, s->span)->status;
	switch (k) {
	case FILTER_OK:
		return facts_ok(segment_at(m, s->span), status);
	case FILTER_ERROR: /* 429 is an error as well */
		return status == SEGMENT_STATUS_ERROR ||
		       status == SEGMENT_STATUS_THROTTLE;
	case FILTER_THROTTLE:
		return status == SEGMENT_STATUS_THROTTLE;
	case FILTER_FAULT:
		return status == SEGMENT_STATUS_FAULT;
	case FILTER_PARTIAL:
		return is_partial(m, s->span);
	default:
		assert(k == FILTER_ROOT);
		return s->span == m->f->trace->root;
	}
}

static bool flag_of(struct filter_match *m, enum filter_keyword k,
		    const struct filter_subject *s)
{
	switch (k) {
	case FILTER_FIRST:
		return s->index == 0;
	case FILTER_LAST:
		return s->index + 1 == s->count;
	case FILTER_REMOTE:
		return s->entity->remote;
	case FILTER_INFERRED:
		if (s->place == FILTER_SERVICES)
			return s->service->inferred;
		break;
	default:
		break;
	}
	return segment_flag(m, k, s);
}

/* --- numbers ------------------------------------------------------------------- */

static double seconds(int64_t ns)
{
	return (double)ns / 1e9;
}

/* False: it is not there. */
static bool number_of(const struct filter_match *m, enum filter_keyword k,
		      const struct filter_subject *s, double *out)
{
	const struct segment *segment;

	if (k == FILTER_INDEX || k == FILTER_COVERAGE) {
		*out = k == FILTER_INDEX ? s->index : s->entity->coverage;
		return true;
	}
	if (s->span == SPAN_NONE)
		return false;
	segment = segment_at(m, s->span);
	if (k == FILTER_HTTP_STATUS) {
		*out = segment->http_status;
		return segment->http_status != 0;
	}
	if (k == FILTER_DURATION && s->place == FILTER_TRACE) {
		*out = seconds(m->f->trace->end_ns - m->f->trace->start_ns);
		return true;
	}
	*out = seconds(segment->end_ns - segment->start_ns);
	return !segment->in_progress;
}

struct sv filter_service_type(struct sv type)
{
	struct sv rest = type;

	for (unsigned colons = 0; rest.len; colons++) {
		(void)sv_cut(&rest, ':');
		if (colons == 2)
			return sv_make(type.ptr, type.len - rest.len - 1);
	}
	return type;
}

/* --- texts --------------------------------------------------------------------- */

static const char *path_of(enum filter_keyword k)
{
	switch (k) {
	case FILTER_HTTP_URL:
		return "http.request.url";
	case FILTER_HTTP_METHOD:
		return "http.request.method";
	case FILTER_HTTP_USERAGENT:
		return "http.request.user_agent";
	case FILTER_HTTP_CLIENTIP:
		return "http.request.client_ip";
	case FILTER_USER:
		return "user";
	case FILTER_AVAILABILITYZONE:
		return "aws.ec2.availability_zone";
	case FILTER_INSTANCE_ID:
		return "aws.ec2.instance_id";
	default:
		assert(k == FILTER_RESOURCE_ARN);
		return "resource_arn";
	}
}

static void count_exceptions(struct filter_match *m, uint32_t span,
			     struct tally *t)
{
	struct facts_exception list[ROOTCAUSE_EXCEPTIONS_MAX];
	uint32_t n =
		facts_exceptions(m->f, span, list, ROOTCAUSE_EXCEPTIONS_MAX);

	for (uint32_t i = 0; i < n; i++)
		count_text(t, list[i].message);
}

/* Those that are asked of any segment. */
static bool is_of_any(enum filter_keyword k)
{
	return k >= FILTER_USER && k <= FILTER_RESOURCE_ARN;
}

static void count_documents(struct filter_match *m, enum filter_keyword k,
			    const struct filter_subject *s, struct tally *t)
{
	const struct assembly *a = m->f->trace;

	if (s->place != FILTER_TRACE || !is_of_any(k)) {
		if (s->span != SPAN_NONE)
			count_text(t, facts_text(m->f, s->span, path_of(k)));
		return;
	}
	for (uint32_t i = 0; i < a->count; i++)
		if (!a->spans[i].segment.subsegment)
			count_text(t, facts_text(m->f, i, path_of(k)));
}

static struct sv name_of(const struct filter_match *m,
			 const struct filter_subject *s)
{
	return s->exception         ? s->exception->type :
	       s->entity            ? s->entity->name :
	       s->service           ? s->service->name :
	       s->part              ? s->part->name :
	       s->span == SPAN_NONE ? SV("") :
				      segment_at(m, s->span)->name;
}

static struct sv type_of(const struct filter_match *m,
			 const struct filter_subject *s)
{
	return s->service           ? s->service->type :
	       s->part              ? s->part->type :
	       s->span == SPAN_NONE ? SV("") :
				      segment_at(m, s->span)->origin;
}

static bool is_inferred(const struct filter_subject *s)
{
	return s->service ? s->service->inferred : s->part && s->part->inferred;
}

/* What was inferred is a resource, and so it is of its service: a table of
 * type AWS::DynamoDB::Table is AWS::DynamoDB as well. */
static void count_types(struct tally *t, struct sv type, bool inferred)
{
	struct sv service = filter_service_type(type);

	count_text(t, type);
	if (inferred && service.len < type.len)
		count_text(t, service);
}

static bool eval_text(struct filter_match *m, const struct filter_node *n,
		      const struct filter_subject *s)
{
	enum filter_keyword k = (enum filter_keyword)n->keyword;
	struct tally t = { .node = n, .all = true };

	if (k == FILTER_NAME)
		count_text(&t, name_of(m, s));
	else if (k == FILTER_TYPE)
		count_types(&t, type_of(m, s), is_inferred(s));
	else if (k != FILTER_MESSAGE)
		count_documents(m, k, s, &t);
	else if (s->exception)
		count_text(&t, s->exception->message);
	else if (s->span != SPAN_NONE)
		count_exceptions(m, s->span, &t);
	return tally_result(&t);
}

bool filter_eval_keyword(struct filter_match *m, const struct filter_node *n,
			 const struct filter_subject *s)
{
	enum filter_keyword k = (enum filter_keyword)n->keyword;
	double number;
	bool flag;

	switch (filter_keyword_kind(k)) {
	case FILTER_BOOLEAN:
		flag = flag_of(m, k, s);
		return n->op == FILTER_SET ? flag :
		       n->op == FILTER_EQ  ? flag == n->is_true :
					     flag != n->is_true;
	case FILTER_NUMBER:
		return number_of(m, k, s, &number) &&
		       compare_number((enum filter_op)n->op, number, n->number);
	default:
		return eval_text(m, n, s);
	}
}

/* --- annotations ---------------------------------------------------------------- */

/* One value: compared as what it is, where what it is compared with can be
 * read as that; its text otherwise. */
static void count_annotation(struct filter_match *m, struct json v,
			     struct tally *t)
{
	const struct filter_node *n = t->node;
	enum filter_op op = (enum filter_op)n->op;
	bool flag = json_is(v, JSON_TRUE);
	double number;
	struct sv text;

	if (op == FILTER_SET) {
		count_value(t, !json_is(v, JSON_FALSE));
		return;
	}
	if (json_is(v, JSON_NUMBER) && n->is_number && op <= FILTER_GE &&
	    json_to_double(v, &number)) {
		count_value(t, compare_number(op, number, n->number));
		return;
	}
	if ((flag || json_is(v, JSON_FALSE)) && (n->is_true || n->is_false) &&
	    op <= FILTER_NE) {
		count_value(t, (flag == n->is_true) == (op == FILTER_EQ));
		return;
	}
	text = json_is(v, JSON_STRING) ? json_string(v, m->f->arena) :
					 json_raw(v);
	if (!text.ptr)
		m->f->failed = true;
	else
		count_value(t, compare_text(op, text, n->value));
}

/* Outside of braces of the whole trace; of a node, those of its segment and
 * what is in it; of an edge, those of the call. */
bool filter_eval_annotation(struct filter_match *m, const struct filter_node *n,
			    const struct filter_subject *s)
{
	struct tally t = { .node = n, .all = true };
	uint32_t count, i = 0;
	const struct facts_annotation *list = facts_annotations(m->f, &count);
	bool chained = s->place == FILTER_PART && !s->part->inferred;

	if (s->place != FILTER_TRACE && s->span == SPAN_NONE)
		return false;
	if (s->place != FILTER_TRACE && !chained) {
		struct json map =
			json_get(facts_body(m->f, s->span), SV("annotations"));
		struct json v = json_get(map, n->key);

		if (v.doc)
			count_annotation(m, v, &t);
		return tally_result(&t);
	}
	if (chained)
		i = facts_annotations_of(m->f, s->span);
	while (i < count) {
		if (sv_eq(list[i].key, n->key))
			count_annotation(m, list[i].value, &t);
		i = chained ? list[i].next : i + 1;
	}
	return tally_result(&t);
}
