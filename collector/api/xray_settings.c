/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of X-Ray of which there is one of each: the encryption config, the
 * indexing rule, and where segments go.
 *
 * What a collector cannot do is refused and not just stored: it encrypts
 * nothing with a key of KMS, which it cannot reach, and indexes every trace.
 */
#include "collector/api/xray.h"
#include "collector/door/answer.h"

#define ENCRYPTION SV("encryption")
#define INDEXING SV("indexing-rule/Default")
#define DESTINATION SV("segment-destination")

/* --- encryption ------------------------------------------------------------------ */

static void answer_encryption(struct request *r, struct encryption_config *c)
{
	struct encryption_output out = { .config = c };

	c->status = SV("ACTIVE");
	answer_write(r, &encryption_output_shape, &out);
}

void api_xray_get_encryption(struct api *a, struct request *r)
{
	struct encryption_config config = { .type = SV("NONE") };
	struct page_input in;
	int e;

	if (!answer_read(r, &empty_shape, &in))
		return;
	e = control_get(a, r, CATALOGUE_SETTING, ENCRYPTION, &encryption_shape,
			&config, NULL);
	if (e == ERR_NOT_FOUND)
		config = (struct encryption_config){ .type = SV("NONE") };
	if (e && e != ERR_NOT_FOUND)
		control_failed(r, e);
	else
		answer_encryption(r, &config);
}

static void answer_put_encryption(struct api *a, struct request *r,
				  const struct catalogue_item *item)
{
	struct encryption_config config;
	int e = item ? control_read(&encryption_shape, item->value, &r->arena,
				    &config) :
		       ERR_BUSY;

	(void)a;
	if (e)
		control_failed(r, e);
	else
		answer_encryption(r, &config);
}

void api_xray_put_encryption(struct api *a, struct request *r)
{
	struct encryption_config in;
	struct control_plan *p;

	if (!answer_read(r, &put_encryption_shape, &in))
		return;
	if (sv_eq(in.type, SV("KMS")) == !in.key_id.ptr) {
		control_invalid(r, in.key_id.ptr ?
					   "KeyId goes with the Type KMS only" :
					   "The Type KMS needs a KeyId");
		return;
	}
	if (in.key_id.ptr) {
		control_invalid(r, "This collector has no keys of KMS; encrypt "
				   "the disk that its data folder is on");
		return;
	}
	p = control_plan(r);
	if (!p)
		return;
	p->kind = CATALOGUE_SETTING;
	p->name = ENCRYPTION;
	p->answer = answer_put_encryption;
	control_put(p, p->kind, p->name,
		    control_write(&encryption_shape, &in, &r->arena));
	control_submit(a, r, p);
}

/* --- the indexing rule ----------------------------------------------------------- */

/* All is indexed, whatever was wished: sampling is the clients'. */
static int make_rule(struct api *a, struct request *r,
		     struct indexing_rule *out)
{
	struct catalogue_item item;
	struct probabilistic_rule *p;
	int e = control_get(a, r, CATALOGUE_SETTING, INDEXING,
			    &indexing_rule_shape, out, &item);

	if (!e && (!out->rule || !out->rule->probabilistic))
		return ERR_CORRUPT;
	if (!e) {
		out->modified = (struct shape_time){ item.modified.ns, true };
		return 0;
	}
	if (e != ERR_NOT_FOUND)
		return e;
	p = arena_new(&r->arena, struct probabilistic_rule);
	*out = (struct indexing_rule){
		.name = SV("Default"),
		.modified = { 0, true },
		.rule = arena_new(&r->arena, struct indexing_value),
	};
	if (!p || !out->rule)
		return ERR_NOMEM;
	*p = (struct probabilistic_rule){ { 100, true }, { 100, true } };
	out->rule->probabilistic = p;
	return 0;
}

void api_xray_get_indexing(struct api *a, struct request *r)
{
	struct indexing_list_output out = { .rules = { .set = true } };
	struct indexing_rule rule;
	struct page_input in;
	int e;

	if (!answer_read(r, &page_input_shape, &in) ||
	    !xray_no_token(r, in.next_token))
		return;
	e = make_rule(a, r, &rule);
	if (e) {
		control_failed(r, e);
		return;
	}
	out.rules.items = &rule;
	out.rules.count = 1;
	answer_write(r, &indexing_list_shape, &out);
}

static void answer_indexing(struct api *a, struct request *r,
			    const struct catalogue_item *item)
{
	struct indexing_rule rule;
	struct indexing_output out = { .rule = &rule };
	int e = make_rule(a, r, &rule);

	(void)item;
	if (e)
		control_failed(r, e);
	else
		answer_write(r, &indexing_output_shape, &out);
}

void api_xray_update_indexing(struct api *a, struct request *r)
{
	struct indexing_input in;
	struct indexing_rule rule;
	struct probabilistic_rule *wanted;
	struct control_plan *p;

	if (!answer_read(r, &update_indexing_shape, &in))
		return;
	if (!sv_eq(in.name, SV("Default"))) {
		answer_error(r, "ResourceNotFoundException",
			     "the one indexing rule is called Default");
		return;
	}
	wanted = in.rule->probabilistic;
	if (!wanted || wanted->desired.value < 0 ||
	    wanted->desired.value > 100) {
		control_invalid(r, "Rule must have a Probabilistic with a "
				   "DesiredSamplingPercentage of 0 to 100");
		return;
	}
	wanted->actual = (struct shape_double){ 100, true };
	rule = (struct indexing_rule){ .name = in.name, .rule = in.rule };
	p = control_plan(r);
	if (!p)
		return;
	p->answer = answer_indexing;
	control_put(p, CATALOGUE_SETTING, INDEXING,
		    control_write(&indexing_rule_shape, &rule, &r->arena));
	control_submit(a, r, p);
}

/* --- where segments go ----------------------------------------------------------- */

static void answer_destination(struct request *r, struct sv where)
{
	struct segment_destination out = { .destination = where,
					   .status = SV("ACTIVE") };

	answer_write(r, &destination_shape, &out);
}

/* Both are the same store here: what is put as a segment is found by all that
 * X-Ray and transaction search find it by. So what was set is told again, and
 * nothing moves. */
void api_xray_get_destination(struct api *a, struct request *r)
{
	struct segment_destination is = { .destination = SV("XRay") };
	struct page_input in;
	int e;

	if (!answer_read(r, &empty_shape, &in))
		return;
	e = control_get(a, r, CATALOGUE_SETTING, DESTINATION,
			&destination_shape, &is, NULL);
	if (e && e != ERR_NOT_FOUND)
		control_failed(r, e);
	else
		answer_destination(r, e ? SV("XRay") : is.destination);
}

static void answer_moved(struct api *a, struct request *r,
			 const struct catalogue_item *item)
{
	struct segment_destination is;
	int e = item ? control_read(&destination_shape, item->value, &r->arena,
				    &is) :
		       ERR_BUSY;

	(void)a;
	if (e)
		control_failed(r, e);
	else
		answer_destination(r, is.destination);
}

void api_xray_update_destination(struct api *a, struct request *r)
{
	struct segment_destination in;
	struct control_plan *p;

	if (!answer_read(r, &destination_input_shape, &in))
		return;
	if (!in.destination.ptr) {
		control_invalid(r, "Destination must be XRay or "
				   "CloudWatchLogs");
		return;
	}
	p = control_plan(r);
	if (!p)
		return;
	p->kind = CATALOGUE_SETTING;
	p->name = DESTINATION;
	p->answer = answer_moved;
	control_put(p, p->kind, p->name,
		    control_write(&destination_shape, &in, &r->arena));
	control_submit(a, r, p);
}

/* --- what daemons tell of themselves --------------------------------------------- */

static uint64_t at_least_zero(struct shape_integer n)
{
	return n.value > 0 ? (uint64_t)n.value : 0;
}

/* Counted, and seen in the status; nothing is stored. */
void api_xray_telemetry(struct api *a, struct request *r)
{
	struct stats *s = a->stats;
	struct telemetry_input in;

	if (!answer_read(r, &telemetry_shape, &in))
		return;
	stats_add(&s->telemetry_records, in.records.count);
	for (size_t i = 0; i < in.records.count; i++) {
		const struct telemetry_record *t = &in.records.items[i];

		stats_add(&s->telemetry_received, at_least_zero(t->received));
		stats_add(&s->telemetry_sent, at_least_zero(t->sent));
		stats_add(&s->telemetry_spillover, at_least_zero(t->spillover));
		stats_add(&s->telemetry_rejected, at_least_zero(t->rejected));
	}
	answer_write(r, NULL, NULL);
}
