/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/door.h"

#include "collector/door/answer.h"
#include "collector/door/dispatch.h"

/* What was refused is answered already. */
static bool refuse_caller(struct door *d, struct request *r, const char *reason)
{
	stats_add(&d->stats->refused_caller, 1);
	audit_refusal(d->audit, r, reason);
	return false;
}

/* The daemon's port: who is near enough. Nobody there shows a key, so all of
 * them together announce what one key may. */
static bool admit_neighbour(struct door *d, struct request *r)
{
	if (networks_have(d->daemon, r->peer)) {
		r->claimed = 1;
		if (r->body_max > DOOR_DAEMON_BODY_MAX)
			r->body_max = DOOR_DAEMON_BODY_MAX;
		r->caller.kind = CALLER_LISTENER;
		r->caller.role = KEY_INGEST;
		r->caller.scope = d->scope;
		return true;
	}
	answer_error(r, "AccessDeniedException",
		     "this address is in none of the networks that may use the "
		     "X-Ray port (xray_networks)");
	return refuse_caller(d, r, "network");
}

static bool is_public(const struct request *r)
{
	return r->operation && (r->operation->roles & ROLE_PUBLIC);
}

bool door_head(void *arg, struct request *r)
{
	struct door *d = arg;
	struct auth_refusal refusal;

	dispatch_service(r);
	if (d->daemon) {
		if (!admit_neighbour(d, r))
			return false;
	} else if (!is_public(r) && !auth_head(d->auth, r, &refusal)) {
		return refuse_caller(d, r, refusal.reason);
	}
	return admission_head(d->admission, r, r->announced_bytes);
}

/* False: faster than the key allows, and answered. */
static bool in_time(struct door *d, struct request *r)
{
	const struct caller *c = &r->caller;

	/* A token's subject and a key's name live side by side. */
	if (rate_take(d->rates, sv_from(c->id[0] ? c->id : c->name), c->rate,
		      env_mono(d->env)))
		return true;
	admission_refuse_rate(d->admission, r);
	audit_refusal(d->audit, r, "rate");
	return false;
}

static void refuse_role(struct request *r)
{
	static const char *const who[ROLE_INGEST + ROLE_READ + 1] = {
		[ROLE_ADMIN_ONLY] = "admin does",
		[ROLE_INGEST] = "ingest and admin do",
		[ROLE_READ] = "read and admin do",
		[ROLE_INGEST + ROLE_READ] = "ingest, read and admin do",
	};
	const struct operation *op = r->operation;
	char text[160];

	if (op->roles & ROLE_OWNER && !r->caller.owner)
		snprintf(text, sizeof(text),
			 "%.60s is for keys of the collector's own account",
			 op->name);
	else
		snprintf(text, sizeof(text),
			 "the role %s does not allow %.60s, %s",
			 key_role_name(r->caller.role), op->name,
			 who[op->roles & (ROLE_INGEST | ROLE_READ)]);
	answer_error(r, "AccessDeniedException", text);
}

/* What may take its time (door/readers.h). What a key for writing may ask is
 * short, and SDKs wait for it. */
static bool is_question(const struct operation *op)
{
	return op->class == CLASS_READ && !(op->roles & ROLE_INGEST);
}

/* What is decoded with much memory. Health and changes wait for nobody. */
static bool brings_records(const struct operation *op)
{
	return op->class == CLASS_USAGE || op->class == CLASS_TELEMETRY;
}

void door_request(void *arg, struct request *r)
{
	struct door *d = arg;
	struct auth_refusal refusal;
	enum dispatch_result why;

	if (!d->daemon && !is_public(r) &&
	    !auth_request(d->auth, r, &refusal)) {
		refuse_caller(d, r, refusal.reason);
		return;
	}
	if (!in_time(d, r))
		return;
	why = dispatch_operation(r, d->daemon != NULL);
	if (why != DISPATCH_OK) {
		stats_add(&d->stats->refused_unknown, 1);
		dispatch_refuse(r, why);
		audit_refusal(d->audit, r, "unknown_operation");
		return;
	}
	r->caller.owner = r->caller.kind != CALLER_NOBODY &&
			  r->caller.scope.account == d->scope.account;
	if (!operation_allows(r->operation, &r->caller)) {
		stats_add(&d->stats->refused_role, 1);
		refuse_role(r);
		audit_refusal(d->audit, r, "role");
		return;
	}
	if (!admission_request(d->admission, r))
		return;
	if (r->method == METHOD_GET)
		stats_add(&d->stats->api_requests, 1);
	if (brings_records(r->operation)) {
		work_begin(d->work);
		d->serve(d->arg, r); /* r may be gone then */
		work_end(d->work);
	} else if (!is_question(r->operation)) {
		d->serve(d->arg, r);
	} else if (readers_take(d->readers, r)) {
		stats_add(&d->stats->shed_busy, 1);
		stats_add(&d->stats->shed_read, 1);
		answer_error(r, "ServiceUnavailableException",
			     "too many questions wait: ask again");
		r->retry_after_s = ADMISSION_RETRY_AFTER_S;
	}
}

/* By the names that all AWS services have for these. */
static const char *shape_of(unsigned status)
{
	switch (status) {
	case 413:
		return "RequestEntityTooLargeException";
	case 503:
		return "ServiceUnavailableException";
	default:
		return NULL;
	}
}

void door_refuse(void *arg, struct request *r, unsigned status,
		 const char *code, const char *message)
{
	const char *shape = shape_of(status);
	const struct aws_error error = {
		.shape = code,
		.status = (uint16_t)status,
		.receiver = status >= 500,
	};

	(void)arg;
	if (shape && r->service && r->service->aws)
		answer_error(r, shape, message);
	else
		answer_error_as(r, &error, message);
}

void door_answered(void *arg, struct request *r)
{
	struct door *d = arg;
	const struct operation *op = r->operation;

	if (!op || !op->built || !operation_allows(op, &r->caller))
		return; /* refused, which is audited where it is */
	if (op->class == CLASS_CONTROL)
		audit_call(d->audit, r);
	/* The same usage with other values: somebody counts wrong, or lies. */
	if (op->class == CLASS_USAGE && r->status == 409)
		audit_refusal(d->audit, r, "conflict");
}

void door_done(void *arg, struct request *r)
{
	struct door *d = arg;

	admission_done(d->admission, r);
}
