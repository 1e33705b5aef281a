/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of operations (operations.def) and of the services that they
 * belong to. It is the one list from which requests are dispatched, roles
 * checked, calls audited and the matrix of roles tested: a new operation is a
 * row there and a handler, nothing else.
 */
#ifndef TALLY_COLLECTOR_DOOR_OPERATIONS_H
#define TALLY_COLLECTOR_DOOR_OPERATIONS_H

#include "collector/door/caller.h"
#include "collector/door/http.h"
#include "core/smithy/error.h"

enum { OPERATION_NAME_MAX = 64 };

enum service_id {
	SERVICE_NATIVE, /* our own API; /healthz and /metrics with it */
	SERVICE_XRAY,
	SERVICE_CLOUDWATCH,
	SERVICE_LOGS,
	SERVICE_CE,
	SERVICE_BUDGETS,
	SERVICE_LAMBDA,
	SERVICE_COUNT,
};

/* How requests of a service may come. */
enum { SPEAKS_REST = 1, SPEAKS_TARGET = 2, SPEAKS_RPC = 4, SPEAKS_QUERY = 8 };

struct service {
	const char *name;    /* as people call it: "CloudWatch" */
	const char *signing; /* in a signature's scope: "monitoring" */
	/* Before the '.' of X-Amz-Target, and /service/TARGET/operation/ */
	const char *target;
	const char *version; /* of Query; NULL: none */
	unsigned speaks;
	enum aws_protocol json;        /* what X-Amz-Target means, or REST */
	const struct aws_service *aws; /* its errors; NULL: our own form */
};

const struct service *service_of(enum service_id id);

/* ROLE_OWNER narrows: whoever else may, only a caller of the collector's own
 * account, since the answer tells of all accounts together. */
enum {
	ROLE_INGEST = 1,
	ROLE_READ = 2,
	ROLE_PUBLIC = 4,
	ROLE_OWNER = 8,
	ROLE_ADMIN_ONLY = 0,
};

/* In the order in which they are shed: the first goes last. */
enum operation_class {
	CLASS_HEALTH,
	CLASS_CONTROL, /* changes settings: audited */
	CLASS_USAGE,   /* may hold what is billed */
	CLASS_TELEMETRY,
	CLASS_READ,
	CLASS_COUNT,
};

enum operation_id {
#define OPERATION(id, service, name, method, path, roles, class, max, fn) \
	OPERATION_##id,
#define UNBUILT(id, service, name, method, path) OPERATION_##id,
#include "collector/door/operations.def"
	OPERATION_COUNT,
};

struct operation {
	enum operation_id id;
	enum service_id service;
	const char *name;
	enum method method;
	const char *path;
	unsigned roles;
	enum operation_class class;
	size_t body_max;
	bool built; /* false: the service has it, this collector does not */
};

/* i < OPERATION_COUNT (assert), in the order of the table. */
const struct operation *operation_at(size_t i);
/* The rows of one service, in order of their names. */
const struct operation *operations_of(enum service_id service, size_t *count);
/* NULL: the service has none of this name. */
const struct operation *operation_find(enum service_id service, struct sv name);
bool operation_allows(const struct operation *op, const struct caller *caller);
/* Appends the table, a JSON object a line, for documents and tests:
 * {"service","signing","name","built","protocols":[...],"target","version",
 *  "method","path","roles":[...],"class"}; what is NULL here is null there. */
void operations_write(struct buf *out);

#endif
