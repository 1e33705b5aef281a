/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/dispatch.h"

#include <assert.h>
#include <strings.h>

#include "collector/door/answer.h"

/* --- paths ------------------------------------------------------------------------ */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Whether text, as sent, is want once it is decoded. */
static bool is_decoded(struct sv text, struct sv want)
{
	size_t n = 0;

	if (!text.len || !memchr(text.ptr, '%', text.len))
		return sv_eq(text, want);
	for (size_t i = 0; i < text.len; i++, n++) {
		char c = text.ptr[i];

		if (c == '%' && text.len - i > 2 &&
		    hex_digit(text.ptr[i + 1]) >= 0 &&
		    hex_digit(text.ptr[i + 2]) >= 0) {
			c = (char)(hex_digit(text.ptr[i + 1]) << 4 |
				   hex_digit(text.ptr[i + 2]));
			i += 2;
		}
		if (n == want.len || want.ptr[n] != c)
			return false;
	}
	return n == want.len;
}

/* The value of an argument, as sent; ptr NULL: it is not there. */
static struct sv argument(struct sv query, struct sv name)
{
	while (query.ptr) {
		struct sv value = sv_cut(&query, '&');
		struct sv key = sv_cut(&value, '=');

		if (is_decoded(key, name))
			return value.ptr ? value : SV("");
	}
	return (struct sv){ NULL, 0 };
}

static bool has_argument(struct sv query, struct sv want)
{
	struct sv name = sv_cut(&want, '=');
	struct sv value = argument(query, name);

	return value.ptr && (!want.ptr || is_decoded(value, want));
}

/* A route of the table without its argument, and a path as sent. */
static bool path_fits(struct sv route, struct sv path)
{
	while (route.len) {
		struct sv want, have;

		if (!path.len || path.ptr[0] != '/')
			return false;
		route = sv_make(route.ptr + 1, route.len - 1);
		path = sv_make(path.ptr + 1, path.len - 1);
		if (!route.len)
			return path.len > 0; /* all below it */
		want = sv_make(route.ptr, 0);
		while (want.len < route.len && want.ptr[want.len] != '/')
			want.len++;
		have = sv_make(path.ptr, 0);
		while (have.len < path.len && have.ptr[have.len] != '/')
			have.len++;
		if (want.len && want.ptr[0] == '{' ? !have.len :
						     !is_decoded(have, want))
			return false;
		route = sv_make(route.ptr + want.len, route.len - want.len);
		path = sv_make(path.ptr + have.len, path.len - have.len);
	}
	return !path.len;
}

/* --- REST --------------------------------------------------------------------------- */

static enum service_id rest_service(const struct dispatch_head *h)
{
	if (sv_starts(h->path, SV("/api/")) || sv_starts(h->path, SV("/v1/")))
		return SERVICE_NATIVE; /* the latter is OpenTelemetry's */
	if (sv_starts(h->path, SV("/20"))) /* the date of a version */
		return SERVICE_LAMBDA;
	return h->method == METHOD_POST ? SERVICE_XRAY : SERVICE_NATIVE;
}

/* Cheap, and true of most rows: the first letter behind the '/' differs. */
static bool begins_otherwise(const char *route, struct sv path)
{
	return route && route[0] == '/' && route[1] && route[1] != '{' &&
	       path.len > 1 && path.ptr[1] != '%' && path.ptr[1] != route[1];
}

/* One with an argument is meant more closely than one without. */
static void find_path(const struct dispatch_head *h, enum service_id service,
		      struct dispatch *d)
{
	size_t count;
	const struct operation *rows = operations_of(service, &count);
	struct sv path = h->path;

	/* Lambda's model has some paths with a slash behind. */
	if (service == SERVICE_LAMBDA && sv_ends(path, SV("/")))
		path.len--;
	d->result = DISPATCH_UNKNOWN;
	for (size_t i = 0; i < count; i++) {
		struct sv arg, route;

		if (begins_otherwise(rows[i].path, path))
			continue;
		arg = sv_from(rows[i].path);
		route = sv_cut(&arg, '?');
		if (!path_fits(route, path) ||
		    (arg.ptr && !has_argument(h->query, arg)))
			continue;
		if (rows[i].method != h->method) {
			if (!d->operation)
				d->result = DISPATCH_METHOD;
			continue;
		}
		if (!d->operation || arg.ptr)
			d->operation = &rows[i];
		d->result = DISPATCH_OK;
	}
}

static void by_path(const struct dispatch_head *h, struct dispatch *d)
{
	enum service_id service = rest_service(h);

	d->protocol = AWS_REST_JSON;
	d->service = service_of(service);
	find_path(h, service, d);
	if (d->result == DISPATCH_UNKNOWN && service == SERVICE_XRAY) {
		/* One of ours, by the wrong method. */
		struct dispatch ours = *d;

		find_path(h, SERVICE_NATIVE, &ours);
		if (ours.result != DISPATCH_UNKNOWN) {
			*d = ours;
			d->service = service_of(SERVICE_NATIVE);
		}
	}
}

/* --- by name ------------------------------------------------------------------------ */

static const struct service *find_service(struct sv target, unsigned speaks,
					  enum service_id *id)
{
	for (size_t i = 0; i < SERVICE_COUNT; i++) {
		const struct service *s = service_of((enum service_id)i);

		*id = (enum service_id)i;
		if (s->speaks & speaks && s->target &&
		    sv_eq(target, sv_from(s->target)))
			return s;
	}
	return NULL;
}

static void find_name(enum service_id id, struct sv name, struct dispatch *d)
{
	d->operation = operation_find(id, name);
	d->result = d->operation ? DISPATCH_OK : DISPATCH_UNKNOWN;
}

static void by_target(const struct dispatch_head *h, struct dispatch *d)
{
	struct sv name = h->target;
	struct sv target = sv_cut(&name, '.');
	enum service_id id;

	d->service = find_service(target, SPEAKS_TARGET, &id);
	d->result = DISPATCH_UNKNOWN;
	if (!d->service) {
		/* Which of them? They refuse alike. */
		d->service = service_of(SERVICE_LOGS);
		d->protocol = d->service->json;
		return;
	}
	d->protocol = d->service->json;
	if (!sv_eq(h->path, SV("/")))
		d->result = DISPATCH_PREFIX;
	else if (h->method == METHOD_POST)
		find_name(id, name, d);
}

/* Cuts "/service/X/operation/Op". *prefix: something stands before it. */
static bool rpc_cut(struct sv path, struct sv *service, struct sv *name,
		    bool *prefix)
{
	const struct sv mark = SV("/service/"), second = SV("operation/");
	const char *at =
		path.len ? memmem(path.ptr, path.len, mark.ptr, mark.len) :
			   NULL;
	struct sv rest;

	if (!at)
		return false;
	*prefix = at != path.ptr;
	rest = sv_make(at + mark.len,
		       path.len - (size_t)(at - path.ptr) - mark.len);
	*service = sv_cut(&rest, '/');
	if (!rest.ptr || !sv_starts(rest, second))
		return false;
	*name = sv_make(rest.ptr + second.len, rest.len - second.len);
	return true;
}

/* False: it is no such path. */
static bool by_rpc(const struct dispatch_head *h, struct dispatch *d)
{
	struct sv target, name;
	enum service_id id;
	bool prefix;

	if (h->method != METHOD_POST ||
	    !rpc_cut(h->path, &target, &name, &prefix))
		return false;
	d->protocol = sv_eq(h->smithy_protocol, SV("rpc-v2-json")) ?
			      AWS_RPC_JSON :
			      AWS_RPC_CBOR;
	d->service = find_service(target, SPEAKS_RPC, &id);
	if (!d->service) {
		d->service = service_of(SERVICE_CLOUDWATCH);
		d->result = DISPATCH_UNKNOWN;
	} else if (prefix) {
		d->result = DISPATCH_PREFIX;
	} else if (d->protocol == AWS_RPC_CBOR &&
		   !sv_eq(h->smithy_protocol, SV("rpc-v2-cbor"))) {
		d->result = DISPATCH_PROTOCOL;
	} else {
		find_name(id, name, d);
	}
	return true;
}

static bool is_form(struct sv type)
{
	const struct sv form = SV("application/x-www-form-urlencoded");

	return type.len >= form.len &&
	       !strncasecmp(type.ptr, form.ptr, form.len) &&
	       (type.len == form.len || type.ptr[form.len] == ';' ||
		type.ptr[form.len] == ' ');
}

/* CloudWatch is the one service that has Query. */
void dispatch_by_body(struct dispatch *d, struct sv form)
{
	struct sv action = argument(form, SV("Action"));
	struct sv version = argument(form, SV("Version"));

	d->by_body = false;
	if (!action.len) {
		d->result = DISPATCH_NO_ACTION;
		return;
	}
	if (version.ptr && !is_decoded(version, sv_from(d->service->version))) {
		d->result = DISPATCH_VERSION;
		return;
	}
	find_name(SERVICE_CLOUDWATCH, action, d);
}

/* False: it is no Query. */
static bool by_form(const struct dispatch_head *h, struct dispatch *d)
{
	bool post = h->method == METHOD_POST && is_form(h->content_type);

	if (!sv_eq(h->path, SV("/")) ||
	    (!post && !(h->method == METHOD_GET &&
			argument(h->query, SV("Action")).ptr)))
		return false;
	d->service = service_of(SERVICE_CLOUDWATCH);
	d->protocol = AWS_QUERY;
	d->by_body = post;
	if (!post)
		dispatch_by_body(d, h->query);
	return true;
}

struct dispatch dispatch_by_head(const struct dispatch_head *head)
{
	struct dispatch d = { .result = DISPATCH_OK };

	if (head->target.ptr)
		by_target(head, &d);
	else if (!by_rpc(head, &d) && !by_form(head, &d))
		by_path(head, &d);
	return d;
}

/* --- requests ----------------------------------------------------------------------- */

static struct dispatch of_request(struct request *r)
{
	const struct dispatch_head head = {
		.method = r->method,
		.path = r->target_path,
		.query = r->target_query,
		.target = request_header(r, "X-Amz-Target"),
		.content_type = request_header(r, "Content-Type"),
		.smithy_protocol = request_header(r, "smithy-protocol"),
	};

	return dispatch_by_head(&head);
}

/* The most that one of CloudWatch's operations takes. */
static size_t form_bytes_max(void)
{
	size_t count, most = 0;
	const struct operation *rows =
		operations_of(SERVICE_CLOUDWATCH, &count);

	for (size_t i = 0; i < count; i++)
		if (rows[i].built && rows[i].body_max > most)
			most = rows[i].body_max;
	return most;
}

static size_t bytes_max(const struct request *r, const struct dispatch *d)
{
	if (r->method == METHOD_GET)
		return DISPATCH_GET_BODY_MAX;
	if (d->by_body)
		return form_bytes_max();
	return d->operation ? d->operation->body_max : r->body_max;
}

void dispatch_service(struct request *r)
{
	struct dispatch d = of_request(r);
	size_t most = bytes_max(r, &d);

	r->service = d.service;
	r->protocol = d.protocol;
	r->operation = d.operation;
	if (most < r->body_max)
		r->body_max = most;
}

static bool on_daemon(const struct operation *op)
{
	return op->id == OPERATION_GetSamplingRules ||
	       op->id == OPERATION_GetSamplingTargets ||
	       op->id == OPERATION_GetHealth;
}

enum dispatch_result dispatch_operation(struct request *r, bool daemon)
{
	struct dispatch d;

	if (r->operation) {
		d = (struct dispatch){ .operation = r->operation };
	} else {
		d = of_request(r);
		if (d.by_body && !daemon) {
			if (!answer_plain_body(r, r->body_max))
				return DISPATCH_CODING;
			dispatch_by_body(&d, buf_view(&r->body));
			if (d.operation && r->body.len > d.operation->body_max)
				d.result = DISPATCH_TOO_LARGE;
		}
	}
	if (daemon && (!d.operation || !on_daemon(d.operation))) {
		d.operation = NULL;
		if (d.result != DISPATCH_METHOD)
			d.result = DISPATCH_UNKNOWN;
	}
	r->operation = d.operation;
	if (d.result == DISPATCH_OK && !d.operation->built)
		return DISPATCH_UNBUILT;
	return d.result;
}

/* --- refusals ----------------------------------------------------------------------- */

static void refuse_native(struct request *r, enum dispatch_result why)
{
	if (why == DISPATCH_METHOD)
		answer_error(r, "MethodNotAllowed",
			     "this path takes another method; see the API's "
			     "page");
	else
		answer_error(r, "NotFound",
			     "there is no such path; see the API's page");
}

static const char *reason(enum dispatch_result why)
{
	switch (why) {
	case DISPATCH_UNBUILT:
		return "the service has this operation, but this collector "
		       "does not";
	case DISPATCH_METHOD:
		return "this path takes another method";
	case DISPATCH_PREFIX:
		return "an endpoint with a path is not supported: give the "
		       "collector's address without one";
	case DISPATCH_PROTOCOL:
		return "the header smithy-protocol must be rpc-v2-cbor or "
		       "rpc-v2-json";
	case DISPATCH_NO_ACTION:
		return "the form has no Action";
	case DISPATCH_VERSION:
		return "there is no such Version of the service";
	case DISPATCH_UNKNOWN:
		break;
	case DISPATCH_OK:
	case DISPATCH_CODING:
	case DISPATCH_TOO_LARGE:
		assert(false);
	}
	return "there is no such operation here";
}

void dispatch_refuse(struct request *r, enum dispatch_result why)
{
	struct aws_error error = { "UnknownOperationException", "InvalidAction",
				   400, false };

	if (why == DISPATCH_CODING)
		return; /* answered already */
	if (why == DISPATCH_TOO_LARGE) {
		answer_error(r, "RequestEntityTooLargeException",
			     "the body is larger than the operation takes");
		return;
	}
	if (!r->service->aws &&
	    (why == DISPATCH_METHOD || why == DISPATCH_UNKNOWN)) {
		refuse_native(r, why);
		return;
	}
	if (why == DISPATCH_NO_ACTION)
		error.code = "MissingAction";
	else if (why == DISPATCH_VERSION)
		error.code = "NoSuchVersion";
	if (r->protocol == AWS_REST_JSON || r->protocol == AWS_RPC_CBOR ||
	    r->protocol == AWS_RPC_JSON)
		error.status = 404;
	answer_error_as(r, &error, reason(why));
}
