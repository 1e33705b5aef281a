/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/summary_json.h"

#include "tracer/rootcause.h"

struct told {
	struct json_writer *w;
	const struct trace *trace;
	struct facts *f;
};

static const struct segment *segment_at(const struct told *t, uint32_t span)
{
	return &t->trace->assembly.spans[span].segment;
}

static void put_text(struct told *t, const char *key, struct sv text)
{
	if (!text.len)
		return;
	json_key(t->w, key);
	json_put_sv(t->w, text);
}

static void put_flag(struct told *t, const char *key, bool flag)
{
	json_key(t->w, key);
	json_put_bool(t->w, flag);
}

static void put_seconds(struct told *t, const char *key, int64_t ns)
{
	json_key(t->w, key);
	json_put_double(t->w, (double)ns / 1e9);
}

/* --- services ------------------------------------------------------------------ */

/* Members of an object that is open. */
static void put_service_members(struct told *t, struct sv name, struct sv type,
				struct sv account)
{
	put_text(t, "Name", name);
	json_key(t->w, "Names");
	json_open_array(t->w);
	json_put_sv(t->w, name);
	json_close_array(t->w);
	put_text(t, "AccountId", account);
	put_text(t, "Type", type);
}

static void put_service(struct told *t, const struct facts_part *part)
{
	json_open_object(t->w);
	put_service_members(t, part->name, part->type,
			    facts_account(t->f, part));
	json_close_object(t->w);
}

static bool same_service(const struct facts_part *a, const struct facts_part *b)
{
	return a->account == b->account && sv_eq(a->name, b->name) &&
	       sv_eq(a->type, b->type);
}

/* A list in which each service stands once. */
struct services {
	struct facts_part of[SUMMARY_SERVICES_MAX];
	uint32_t count;
};

static void add_service(struct services *s, const struct facts_part *part)
{
	for (uint32_t i = 0; i < s->count; i++)
		if (same_service(&s->of[i], part))
			return;
	if (s->count < SUMMARY_SERVICES_MAX)
		s->of[s->count++] = *part;
}

/* The service a (sub)segment belongs to. */
static void add_owner(struct told *t, struct services *s, uint32_t span)
{
	uint32_t owner = t->trace->assembly.spans[span].owner;
	const struct segment *segment;

	if (owner == SPAN_NONE)
		return;
	segment = segment_at(t, owner);
	add_service(s, &(struct facts_part){ .name = segment->name,
					     .type = segment->origin,
					     .account = segment->account,
					     .span = owner });
}

static void put_services(struct told *t, const struct services *s)
{
	json_key(t->w, "ServiceIds");
	json_open_array(t->w);
	for (uint32_t i = 0; i < s->count; i++)
		put_service(t, &s->of[i]);
	json_close_array(t->w);
}

static void put_all_services(struct told *t)
{
	struct services s = { .count = 0 };
	uint32_t count, root = t->trace->assembly.root;
	const struct facts_part *parts = facts_parts(t->f, &count);

	for (uint32_t i = 0; i < count; i++)
		if (!parts[i].client)
			add_service(&s, &parts[i]);
	put_services(t, &s);
	if (root == SPAN_NONE)
		return;
	s.count = 0;
	add_owner(t, &s, root);
	json_key(t->w, "EntryPoint");
	if (s.count)
		put_service(t, &s.of[0]);
	else
		json_put_null(t->w);
}

/* --- the request ----------------------------------------------------------------- */

static void put_http(struct told *t)
{
	uint32_t root = t->trace->assembly.root;

	json_key(t->w, "Http");
	json_open_object(t->w);
	if (root != SPAN_NONE) {
		put_text(t, "HttpURL",
			 facts_text(t->f, root, "http.request.url"));
		if (segment_at(t, root)->http_status) {
			json_key(t->w, "HttpStatus");
			json_put_i64(t->w, segment_at(t, root)->http_status);
		}
		put_text(t, "HttpMethod",
			 facts_text(t->f, root, "http.request.method"));
		put_text(t, "UserAgent",
			 facts_text(t->f, root, "http.request.user_agent"));
		put_text(t, "ClientIp",
			 facts_text(t->f, root, "http.request.client_ip"));
	}
	json_close_object(t->w);
}

/* Texts of all segments at a path, each once. */
struct texts {
	struct sv of[SUMMARY_USERS_MAX];
	uint32_t count;
};

static void add_text(struct texts *list, struct sv text)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (sv_eq(list->of[i], text))
			return;
	if (text.len && list->count < SUMMARY_USERS_MAX)
		list->of[list->count++] = text;
}

static void find_texts(struct told *t, const char *path, struct texts *list)
{
	const struct assembly *a = &t->trace->assembly;

	list->count = 0;
	for (uint32_t i = 0; i < a->count; i++)
		if (!a->spans[i].segment.subsegment)
			add_text(list, facts_text(t->f, i, path));
}

static void put_texts(struct told *t, const char *key, const char *member,
		      const char *path)
{
	struct texts list;

	find_texts(t, path, &list);
	json_key(t->w, key);
	json_open_array(t->w);
	for (uint32_t i = 0; i < list.count; i++) {
		json_open_object(t->w);
		put_text(t, member, list.of[i]);
		json_close_object(t->w);
	}
	json_close_array(t->w);
}

static void put_users(struct told *t)
{
	const struct assembly *a = &t->trace->assembly;
	struct texts users;

	find_texts(t, "user", &users);
	json_key(t->w, "Users");
	json_open_array(t->w);
	for (uint32_t i = 0; i < users.count; i++) {
		struct services s = { .count = 0 };

		for (uint32_t k = 0; k < a->count; k++)
			if (!a->spans[k].segment.subsegment &&
			    sv_eq(facts_text(t->f, k, "user"), users.of[i]))
				add_owner(t, &s, k);
		json_open_object(t->w);
		put_text(t, "UserName", users.of[i]);
		put_services(t, &s);
		json_close_object(t->w);
	}
	json_close_array(t->w);
}

/* --- annotations ---------------------------------------------------------------- */

static bool same_value(struct json a, struct json b)
{
	return sv_eq(json_raw(a), json_raw(b));
}

static void put_value(struct told *t, struct json v)
{
	double number = 0;

	json_key(t->w, "AnnotationValue");
	json_open_object(t->w);
	if (json_is(v, JSON_NUMBER)) {
		json_key(t->w, "NumberValue");
		if (json_to_double(v, &number))
			json_put_double(t->w, number);
		else
			json_put_null(t->w);
	} else if (json_is(v, JSON_STRING)) {
		struct sv text = json_string(v, t->f->arena);

		if (!text.ptr)
			t->f->failed = true;
		json_key(t->w, "StringValue");
		json_put_sv(t->w, text);
	} else {
		put_flag(t, "BooleanValue", json_is(v, JSON_TRUE));
	}
	json_close_object(t->w);
}

/* The values of one key: list[i] is the first with it. */
static void put_values(struct told *t, const struct facts_annotation *list,
		       uint32_t i, uint32_t count)
{
	uint32_t seen[SUMMARY_VALUES_MAX], n = 0;

	json_key_sv(t->w, list[i].key);
	json_open_array(t->w);
	for (uint32_t k = i; k < count && n < SUMMARY_VALUES_MAX; k++) {
		struct services s = { .count = 0 };
		uint32_t v = 0;

		if (!sv_eq(list[k].key, list[i].key))
			continue;
		while (v < n && !same_value(list[seen[v]].value, list[k].value))
			v++;
		if (v < n)
			continue;
		seen[n++] = k;
		for (uint32_t j = k; j < count; j++)
			if (sv_eq(list[j].key, list[i].key) &&
			    same_value(list[j].value, list[k].value))
				add_owner(t, &s, list[j].span);
		json_open_object(t->w);
		put_value(t, list[k].value);
		put_services(t, &s);
		json_close_object(t->w);
	}
	json_close_array(t->w);
}

static void put_annotations(struct told *t)
{
	uint32_t keys[SUMMARY_KEYS_MAX], n = 0, count;
	const struct facts_annotation *list = facts_annotations(t->f, &count);

	if (count > SUMMARY_ANNOTATIONS_MAX)
		count = SUMMARY_ANNOTATIONS_MAX;
	json_key(t->w, "Annotations");
	json_open_object(t->w);
	for (uint32_t i = 0; i < count && n < SUMMARY_KEYS_MAX; i++) {
		uint32_t k = 0;

		while (k < n && !sv_eq(list[keys[k]].key, list[i].key))
			k++;
		if (k < n)
			continue;
		keys[n++] = i;
		put_values(t, list, i, count);
	}
	json_close_object(t->w);
}

/* --- root causes --------------------------------------------------------------- */

static void put_exceptions(struct told *t, const struct rootcause_entity *e)
{
	json_key(t->w, "Exceptions");
	json_open_array(t->w);
	for (uint32_t i = 0; i < e->exception_count; i++) {
		json_open_object(t->w);
		put_text(t, "Name", e->exceptions[i].type);
		put_text(t, "Message", e->exceptions[i].message);
		json_close_object(t->w);
	}
	json_close_array(t->w);
}

static void put_cause_service(struct told *t, const struct rootcause_service *s,
			      enum rootcause_kind kind)
{
	json_open_object(t->w);
	put_service_members(t, s->name, s->type, s->account);
	json_key(t->w, "EntityPath");
	json_open_array(t->w);
	for (uint32_t i = 0; i < s->entity_count; i++) {
		const struct rootcause_entity *e = &s->entities[i];

		json_open_object(t->w);
		put_text(t, "Name", e->name);
		if (kind == ROOTCAUSE_SLOW) {
			json_key(t->w, "Coverage");
			json_put_double(t->w, e->coverage);
		} else {
			put_exceptions(t, e);
		}
		put_flag(t, "Remote", e->remote);
		json_close_object(t->w);
	}
	json_close_array(t->w);
	put_flag(t, "Inferred", s->inferred);
	json_close_object(t->w);
}

static void put_causes(struct told *t, const char *key,
		       enum rootcause_kind kind)
{
	uint32_t count;
	const struct rootcause *causes = rootcauses(t->f, kind, &count);

	json_key(t->w, key);
	json_open_array(t->w);
	for (uint32_t i = 0; i < count; i++) {
		json_open_object(t->w);
		json_key(t->w, "Services");
		json_open_array(t->w);
		for (uint32_t k = 0; k < causes[i].service_count; k++)
			put_cause_service(t, &causes[i].services[k], kind);
		json_close_array(t->w);
		put_flag(t, "ClientImpacting", causes[i].client_impacting);
		json_close_object(t->w);
	}
	json_close_array(t->w);
}

/* --- the whole ----------------------------------------------------------------- */

static bool has_throttle(const struct assembly *a)
{
	for (uint32_t i = 0; i < a->count; i++)
		if (a->spans[i].segment.status == SEGMENT_STATUS_THROTTLE)
			return true;
	return false;
}

static void put_flags(struct told *t)
{
	enum segment_status status = t->trace->summary.status;

	put_flag(t, "HasFault", status == SEGMENT_STATUS_FAULT);
	put_flag(t, "HasError",
		 status == SEGMENT_STATUS_ERROR ||
			 status == SEGMENT_STATUS_THROTTLE);
	put_flag(t, "HasThrottle", has_throttle(&t->trace->assembly));
	put_flag(t, "IsPartial", t->trace->summary.partial);
}

void summary_json_xray(struct json_writer *w, const struct trace *trace,
		       struct facts *facts, int64_t matched_ns)
{
	struct told t = { w, trace, facts };
	const struct trace_summary *s = &trace->summary;
	char id[TRACE_ID_TEXT + 1];

	trace_id_text(s->id, id);
	json_open_object(w);
	json_key(w, "Id");
	json_put_text(w, id);
	json_key(w, "StartTime");
	json_put_seconds(w, s->start_ns);
	put_seconds(&t, "Duration", s->end_ns - s->start_ns);
	put_seconds(&t, "ResponseTime", facts_response_ns(facts));
	put_flags(&t);
	put_http(&t);
	put_annotations(&t);
	put_users(&t);
	put_all_services(&t);
	put_texts(&t, "ResourceARNs", "ARN", "resource_arn");
	put_texts(&t, "InstanceIds", "Id", "aws.ec2.instance_id");
	put_texts(&t, "AvailabilityZones", "Name", "aws.ec2.availability_zone");
	put_causes(&t, "FaultRootCauses", ROOTCAUSE_FAULT);
	put_causes(&t, "ErrorRootCauses", ROOTCAUSE_ERROR);
	put_causes(&t, "ResponseTimeRootCauses", ROOTCAUSE_SLOW);
	json_key(w, "Revision");
	json_put_u64(w, trace->document_count);
	if (matched_ns) {
		json_key(w, "MatchedEventTime");
		json_put_seconds(w, matched_ns);
	}
	json_close_object(w);
}
