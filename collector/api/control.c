/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/api/control.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "collector/door/answer.h"
#include "core/smithy/message.h"

/* One call, until it is answered. */
struct control_call {
	struct api *api;
	struct control_plan plan;
};

struct control_plan *control_plan(struct request *r)
{
	struct control_call *call = arena_new(&r->arena, struct control_call);

	if (!call) {
		control_failed(r, ERR_NOMEM);
		return NULL;
	}
	return &call->plan;
}

static struct catalogue_change *add(struct control_plan *p)
{
	assert(p->changes.count < CATALOGUE_CHANGES_MAX);
	return &p->changes.list[p->changes.count++];
}

struct catalogue_change *control_put(struct control_plan *p,
				     enum catalogue_kind kind, struct sv name,
				     struct sv value)
{
	struct catalogue_change *c = add(p);

	*c = (struct catalogue_change){ .action = CATALOGUE_PUT,
					.kind = kind,
					.name = name,
					.value = value };
	return c;
}

struct catalogue_change *
control_delete(struct control_plan *p, enum catalogue_kind kind, struct sv name)
{
	struct catalogue_change *c = add(p);

	*c = (struct catalogue_change){ .action = CATALOGUE_DELETE,
					.kind = kind,
					.name = name };
	return c;
}

/* --- the way ----------------------------------------------------------------------- */

static void refuse(struct request *r, const struct control_plan *p,
		   enum catalogue_verdict verdict)
{
	static const struct control_error common[CONTROL_VERDICTS] = {
		[CATALOGUE_EXISTS] = { "InvalidRequestException",
				       "it exists already" },
		[CATALOGUE_MISSING] = { "InvalidRequestException",
					"there is none of this name" },
		[CATALOGUE_CONFLICT] = { "ThrottledException",
					 "others change it at the same time: "
					 "send the same again" },
		[CATALOGUE_LIMIT] = { "InvalidRequestException",
				      "there are as many as there may be" },
		[CATALOGUE_NO_ROOM] = { "InvalidRequestException",
					"the catalogue is full: delete "
					"something first" },
	};
	const struct control_error *e = &p->refused[verdict];

	if (!e->shape)
		e = &common[verdict];
	assert(e->shape);
	answer_error(r, e->shape, e->message);
}

static void on_change(void *arg, struct request *r,
		      enum catalogue_verdict verdict)
{
	struct control_call *call = arg;
	const struct control_plan *p = &call->plan;
	struct catalogue_item item;
	int e;

	if (verdict != CATALOGUE_DONE) {
		refuse(r, p, verdict);
		return;
	}
	if (!p->name.len) {
		p->answer(call->api, r, p->told);
		return;
	}
	e = catalogue_get(call->api->catalogue, &r->caller.scope, p->kind,
			  p->name, &r->arena, &item);
	if (e && e != ERR_NOT_FOUND)
		control_failed(r, e);
	else
		p->answer(call->api, r, e ? NULL : &item);
}

static void on_conflict(void *arg, struct request *r)
{
	struct control_call *call = arg;

	call->plan.again(call->api, r);
}

void control_submit(struct api *a, struct request *r, struct control_plan *p)
{
	struct control_call *call =
		(struct control_call *)((char *)p -
					offsetof(struct control_call, plan));
	const struct change_plan plan = {
		.answer = on_change,
		.again = p->again ? on_conflict : NULL,
		.arg = call,
	};

	call->api = a;
	change_submit(&a->ingest, a->catalogue, r, &p->changes, &plan);
}

/* --- objects ----------------------------------------------------------------------- */

struct sv control_write(const struct shape *shape, const void *in,
			struct arena *arena)
{
	struct buf out = { .limit = CATALOGUE_VALUE_MAX };
	struct json_writer w = json_writer(&out);
	struct sv value = { NULL, 0 };

	shape_write_json(shape, in, &w);
	if (!out.failed)
		value = arena_copy(arena, buf_view(&out));
	buf_fini(&out);
	return value;
}

int control_read(const struct shape *shape, struct sv value,
		 struct arena *arena, void *out)
{
	struct shape_fault fault;
	struct diag diag;
	int e = aws_message_read(AWS_REST_JSON, shape, value, arena, out,
				 &fault, &diag);

	return !e || e == ERR_NOMEM ? e : ERR_CORRUPT;
}

int control_get(struct api *a, struct request *r, enum catalogue_kind kind,
		struct sv name, const struct shape *shape, void *out,
		struct catalogue_item *item)
{
	struct catalogue_item mine;
	int e;

	if (!item)
		item = &mine;
	e = catalogue_get(a->catalogue, &r->caller.scope, kind, name, &r->arena,
			  item);
	return e ? e : control_read(shape, item->value, &r->arena, out);
}

void control_failed(struct request *r, int err)
{
	if (err == ERR_CORRUPT) {
		answer_error(r, "InternalFailure",
			     "what is stored under this name cannot be "
			     "read");
		return;
	}
	ingest_reply_error(r, err == ERR_NOMEM ? ERR_BUSY : err);
}

void control_invalid(struct request *r, const char *format, ...)
{
	char text[400];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	answer_error(r, "InvalidRequestException", text);
}

/* --- ARNs -------------------------------------------------------------------------- */

static int arn_head(const struct request *r, char *out, size_t size)
{
	return snprintf(out, size,
			"arn:aws:xray:%s:%012llu:", r->caller.scope.region,
			(unsigned long long)r->caller.scope.account);
}

struct sv control_arn(struct request *r, const char *format, ...)
{
	char text[CONTROL_ARN_MAX];
	int n = arn_head(r, text, sizeof(text));
	va_list args;

	va_start(args, format);
	vsnprintf(text + n, sizeof(text) - (size_t)n, format, args);
	va_end(args);
	return arena_copy(&r->arena, sv_from(text));
}

bool control_arn_read(const struct request *r, struct sv arn,
		      struct sv *resource)
{
	char head[CONTROL_ARN_MAX];
	size_t n = (size_t)arn_head(r, head, sizeof(head));

	if (!sv_starts(arn, sv_make(head, n)))
		return false;
	*resource = sv_make(arn.ptr + n, arn.len - n);
	return true;
}
