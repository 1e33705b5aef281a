/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/operations.h"

#include <assert.h>

#include "core/codec/json_write.h"

static const struct service services[] = {
	[SERVICE_NATIVE] = { .name = "Tallyscope",
			     .signing = "tallyscope",
			     .speaks = SPEAKS_REST,
			     .json = AWS_REST_JSON },
	[SERVICE_XRAY] = { .name = "X-Ray",
			   .signing = "xray",
			   .speaks = SPEAKS_REST,
			   .json = AWS_REST_JSON,
			   .aws = &aws_xray },
	[SERVICE_CLOUDWATCH] = { .name = "CloudWatch",
				 .signing = "monitoring",
				 .target = "GraniteServiceVersion20100801",
				 .version = "2010-08-01",
				 .speaks = SPEAKS_TARGET | SPEAKS_RPC |
					   SPEAKS_QUERY,
				 .json = AWS_JSON_1_0,
				 .aws = &aws_cloudwatch },
	[SERVICE_LOGS] = { .name = "CloudWatch Logs",
			   .signing = "logs",
			   .target = "Logs_20140328",
			   .speaks = SPEAKS_TARGET,
			   .json = AWS_JSON_1_1,
			   .aws = &aws_logs },
	[SERVICE_CE] = { .name = "Cost Explorer",
			 .signing = "ce",
			 .target = "AWSInsightsIndexService",
			 .speaks = SPEAKS_TARGET,
			 .json = AWS_JSON_1_1,
			 .aws = &aws_ce },
	[SERVICE_BUDGETS] = { .name = "Budgets",
			      .signing = "budgets",
			      .target = "AWSBudgetServiceGateway",
			      .speaks = SPEAKS_TARGET,
			      .json = AWS_JSON_1_1,
			      .aws = &aws_budgets },
	[SERVICE_LAMBDA] = { .name = "Lambda",
			     .signing = "lambda",
			     .speaks = SPEAKS_REST,
			     .json = AWS_REST_JSON,
			     .aws = &aws_lambda },
};

static const struct operation operations[] = {
#define OPERATION(id_, service_, name_, method_, path_, roles_, class_, max_, \
		  fn_)                                                        \
	[OPERATION_##id_] = {                                                 \
		.id = OPERATION_##id_,                                        \
		.service = SERVICE_##service_,                                \
		.name = (name_),                                              \
		.method = (method_),                                          \
		.path = (path_),                                              \
		.roles = (roles_),                                            \
		.class = (class_),                                            \
		.body_max = (max_) > 0 ? (size_t)(max_) :                     \
					 (size_t)HTTP_BODY_MAX,               \
		.built = true,                                                \
	},
#define UNBUILT(id_, service_, name_, method_, path_) \
	[OPERATION_##id_] = {                         \
		.id = OPERATION_##id_,                \
		.service = SERVICE_##service_,        \
		.name = (name_),                      \
		.method = (method_),                  \
		.path = (path_),                      \
		.roles = ROLE_ADMIN_ONLY,             \
		.class = CLASS_CONTROL,               \
		.body_max = (size_t)HTTP_BODY_MAX,    \
		.built = false,                       \
	},
#include "collector/door/operations.def"
};

const struct service *service_of(enum service_id id)
{
	assert(id < SERVICE_COUNT);
	return &services[id];
}

const struct operation *operation_at(size_t i)
{
	assert(i < OPERATION_COUNT);
	return &operations[i];
}

/* Where the rows of each service begin and end: terms of a sum.
 * NOLINTBEGIN(bugprone-macro-parentheses) */
#define OPERATION(id_, service_, name_, method_, path_, roles_, class_, max_, \
		  fn_)                                                        \
	+1
#define UNBUILT(id_, service_, name_, method_, path_) +1
/* NOLINTEND(bugprone-macro-parentheses) */
enum {
	END_NATIVE = 0
#include "collector/door/operations_native.def"
	,
	END_XRAY = END_NATIVE
#include "collector/door/operations_xray.def"
	,
	END_CLOUDWATCH = END_XRAY
#include "collector/door/operations_cloudwatch.def"
	,
	END_LOGS = END_CLOUDWATCH
#include "collector/door/operations_logs.def"
	,
	END_CE = END_LOGS
#include "collector/door/operations_ce.def"
	,
	END_BUDGETS = END_CE
#include "collector/door/operations_budgets.def"
	,
	END_LAMBDA = END_BUDGETS
#include "collector/door/operations_lambda.def"
};
#undef OPERATION
#undef UNBUILT
_Static_assert((int)END_LAMBDA == (int)OPERATION_COUNT,
	       "every service's rows are here");

const struct operation *operations_of(enum service_id service, size_t *count)
{
	static const size_t ends[SERVICE_COUNT] = {
		[SERVICE_NATIVE] = END_NATIVE,
		[SERVICE_XRAY] = END_XRAY,
		[SERVICE_CLOUDWATCH] = END_CLOUDWATCH,
		[SERVICE_LOGS] = END_LOGS,
		[SERVICE_CE] = END_CE,
		[SERVICE_BUDGETS] = END_BUDGETS,
		[SERVICE_LAMBDA] = END_LAMBDA,
	};
	size_t first = service ? ends[service - 1] : 0;

	assert(service < SERVICE_COUNT);
	*count = ends[service] - first;
	return &operations[first];
}

const struct operation *operation_find(enum service_id service, struct sv name)
{
	size_t low = 0, high;
	const struct operation *rows = operations_of(service, &high);

	while (low < high) {
		size_t middle = (low + high) / 2;
		int order = sv_cmp(name, sv_from(rows[middle].name));

		if (!order)
			return &rows[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool operation_allows(const struct operation *op, const struct caller *caller)
{
	if (op->roles & ROLE_PUBLIC)
		return true;
	if (caller->kind == CALLER_NOBODY)
		return false;
	if (op->roles & ROLE_OWNER && !caller->owner)
		return false;
	switch (caller->role) {
	case KEY_ADMIN:
		return true;
	case KEY_INGEST:
		return op->roles & ROLE_INGEST;
	case KEY_READ:
		return op->roles & ROLE_READ;
	}
	return false;
}

/* --- the table as text --------------------------------------------------------- */

static void put_text_or_null(struct json_writer *w, const char *key,
			     const char *text)
{
	json_key(w, key);
	if (text)
		json_put_text(w, text);
	else
		json_put_null(w);
}

/* Texts for bits, in a list. */
static void put_bits(struct json_writer *w, const char *key, unsigned bits,
		     const char *const names[])
{
	json_key(w, key);
	json_open_array(w);
	for (size_t i = 0; names[i]; i++)
		if (bits & 1U << i)
			json_put_text(w, names[i]);
	json_close_array(w);
}

static void put_protocols(struct json_writer *w, const struct operation *op)
{
	const struct service *s = service_of(op->service);
	/* In the order of SPEAKS_*. */
	const char *const names[] = { "rest-json",
				      s->json == AWS_JSON_1_1 ? "json-1.1" :
								"json-1.0",
				      "rpc-v2-cbor", "query", NULL };

	put_bits(w, "protocols", s->speaks, names);
}

static const char *method_name(enum method method)
{
	switch (method) {
	case METHOD_GET:
		return "GET";
	case METHOD_POST:
		return "POST";
	case METHOD_PUT:
		return "PUT";
	case METHOD_DELETE:
		return "DELETE";
	case METHOD_OTHER:
		break;
	}
	return NULL;
}

void operations_write(struct buf *out)
{
	static const char *const roles[] = { "ingest", "read", "public",
					     "owner", NULL };
	static const char *const classes[CLASS_COUNT] = {
		[CLASS_HEALTH] = "health",       [CLASS_CONTROL] = "control",
		[CLASS_USAGE] = "usage",         [CLASS_READ] = "read",
		[CLASS_TELEMETRY] = "telemetry",
	};

	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *op = &operations[i];
		const struct service *s = service_of(op->service);
		struct json_writer w = json_writer(out);

		json_open_object(&w);
		put_text_or_null(&w, "service", s->name);
		put_text_or_null(&w, "signing", s->signing);
		put_text_or_null(&w, "name", op->name);
		json_key(&w, "built");
		json_put_bool(&w, op->built);
		put_protocols(&w, op);
		put_text_or_null(&w, "target", s->target);
		put_text_or_null(&w, "version", s->version);
		put_text_or_null(&w, "method", method_name(op->method));
		put_text_or_null(&w, "path", op->path);
		put_bits(&w, "roles", op->roles, roles);
		put_text_or_null(&w, "class", classes[op->class]);
		json_close_object(&w);
		buf_char(out, '\n');
	}
}
