/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/api/api.h"

#include "collector/door/answer.h"
#include "collector/ingest/otlp.h"
#include "core/codec/time_text.h"

void api_put_batch(struct api *a, struct request *r)
{
	native_batch_post(&a->ingest, r);
}

void api_put_otlp_logs(struct api *a, struct request *r)
{
	otlp_logs_post(&a->ingest, r);
}

void api_put_otlp_metrics(struct api *a, struct request *r)
{
	otlp_metrics_post(&a->ingest, r);
}

void api_put_otlp_traces(struct api *a, struct request *r)
{
	otlp_traces_post(&a->ingest, r);
}

void api_put_trace_segments(struct api *a, struct request *r)
{
	xray_segments_post(&a->ingest, r);
}

/* Of each operation; NULL where it is not built. */
static void (*const handlers[])(struct api *a, struct request *r) = {
#define OPERATION(id, service, name, method, path, roles, class, max, fn) \
	[OPERATION_##id] = (fn),
#define UNBUILT(id, service, name, method, path)
#include "collector/door/operations.def"
};

void api_serve(void *arg, struct request *r)
{
	handlers[r->operation->id](arg, r);
}

/* --- errors -------------------------------------------------------------------- */

void api_error(struct request *r, unsigned status, const char *code,
	       const char *message)
{
	answer_error_as(r,
			&(struct aws_error){ .shape = code,
					     .status = (uint16_t)status },
			message);
}

void api_error_of(struct request *r, int err, const char *what)
{
	char text[160];

	switch (err) {
	case ERR_NOT_FOUND:
		snprintf(text, sizeof(text), "no such %s is stored here", what);
		api_error(r, 404, "NotFound", text);
		break;
	case ERR_INVALID:
	case ERR_SYNTAX:
	case ERR_LIMIT:
		snprintf(text, sizeof(text), "%s: %s", what, err_text(err));
		api_error(r, 400, "InvalidParameterValue", text);
		break;
	default:
		snprintf(text, sizeof(text), "%s: %s; ask again", what,
			 err_text(err));
		api_error(r, 503, "ServiceUnavailable", text);
		r->retry_after_s = 1;
	}
}

/* --- query arguments -------------------------------------------------------------- */

bool api_query_time(struct request *r, const char *name, int64_t *out_ns)
{
	struct sv text = request_query(r, name);
	char message[80];
	struct json_doc doc;

	if (!text.len)
		return true;
	/* Nothing here is older than 1970. */
	if ((time_from_iso(text, out_ns) ||
	     (!json_parse(&doc, &r->arena, text, NULL) &&
	      json_to_ns(json_root(&doc), out_ns))) &&
	    *out_ns >= 0)
		return true;
	snprintf(message, sizeof(message),
		 "%s must be epoch seconds or 2026-11-22T09:00:00Z", name);
	api_error(r, 400, "InvalidParameterValue", message);
	return false;
}

bool api_query_number(struct request *r, const char *name, uint64_t max,
		      uint64_t *out)
{
	struct sv text = request_query(r, name);
	char message[80];
	uint64_t v;

	if (!text.len)
		return true;
	if (sv_to_u64(text, &v) && v > 0 && v <= max) {
		*out = v;
		return true;
	}
	snprintf(message, sizeof(message),
		 "%s must be a whole number from 1 to %llu", name,
		 (unsigned long long)max);
	api_error(r, 400, "InvalidParameterValue", message);
	return false;
}

bool api_query_range(const struct api *a, struct request *r, int64_t default_s,
		     int64_t *start_ns, int64_t *end_ns)
{
	*end_ns = env_wall(a->env).ns + 1;
	if (!api_query_time(r, "end", end_ns))
		return false;
	*start_ns = *end_ns > default_s * NS_PER_S ?
			    *end_ns - default_s * NS_PER_S :
			    0;
	if (!api_query_time(r, "start", start_ns))
		return false;
	if (*start_ns < *end_ns)
		return true;
	api_error(r, 400, "InvalidParameterValue", "start must be before end");
	return false;
}
