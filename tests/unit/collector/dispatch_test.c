/* SPDX-License-Identifier: Apache-2.0 */
/* Which operation a head, or a form, is for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "collector/door/dispatch.h"

#define GRANITE "GraniteServiceVersion20100801"
#define FORM "application/x-www-form-urlencoded"

struct row {
	enum method method;
	const char *path, *query, *target, *type, *smithy;
	const char *form;      /* of those that are one */
	const char *operation; /* NULL: none */
	enum service_id service;
	enum aws_protocol protocol;
	enum dispatch_result result;
};

static const struct row rows[] = {
	/* X-Amz-Target */
	{ METHOD_POST, "/", .target = GRANITE ".PutMetricData",
	  .operation = "PutMetricData", .service = SERVICE_CLOUDWATCH,
	  .protocol = AWS_JSON_1_0 },
	{ METHOD_POST, "/", .target = "Logs_20140328.PutLogEvents",
	  .operation = "PutLogEvents", .service = SERVICE_LOGS,
	  .protocol = AWS_JSON_1_1 },
	{ METHOD_POST, "/", .target = "AWSInsightsIndexService.GetCostAndUsage",
	  .operation = "GetCostAndUsage", .service = SERVICE_CE,
	  .protocol = AWS_JSON_1_1 },
	{ METHOD_POST, "/", .target = "AWSBudgetServiceGateway.DescribeBudgets",
	  .operation = "DescribeBudgets", .service = SERVICE_BUDGETS,
	  .protocol = AWS_JSON_1_1 },
	{ METHOD_POST, "/", .target = GRANITE ".PutMetricDat",
	  .service = SERVICE_CLOUDWATCH, .protocol = AWS_JSON_1_0,
	  .result = DISPATCH_UNKNOWN },
	{ METHOD_POST, "/", .target = GRANITE, .service = SERVICE_CLOUDWATCH,
	  .protocol = AWS_JSON_1_0, .result = DISPATCH_UNKNOWN },
	{ METHOD_POST, "/", .target = "", .service = SERVICE_LOGS,
	  .protocol = AWS_JSON_1_1, .result = DISPATCH_UNKNOWN },
	{ METHOD_POST, "/", .target = "DynamoDB_20120810.GetItem",
	  .service = SERVICE_LOGS, .protocol = AWS_JSON_1_1,
	  .result = DISPATCH_UNKNOWN },
	{ METHOD_GET, "/", .target = GRANITE ".ListMetrics",
	  .service = SERVICE_CLOUDWATCH, .protocol = AWS_JSON_1_0,
	  .result = DISPATCH_UNKNOWN },
	{ METHOD_POST, "/prefix/", .target = GRANITE ".ListMetrics",
	  .service = SERVICE_CLOUDWATCH, .protocol = AWS_JSON_1_0,
	  .result = DISPATCH_PREFIX },
	/* rpc v2 */
	{ METHOD_POST, "/service/" GRANITE "/operation/ListMetrics",
	  .smithy = "rpc-v2-cbor", .operation = "ListMetrics",
	  .service = SERVICE_CLOUDWATCH, .protocol = AWS_RPC_CBOR },
	{ METHOD_POST, "/service/" GRANITE "/operation/ListMetrics",
	  .smithy = "rpc-v2-json", .operation = "ListMetrics",
	  .service = SERVICE_CLOUDWATCH, .protocol = AWS_RPC_JSON },
	{ METHOD_POST, "/service/" GRANITE "/operation/ListMetrics",
	  .service = SERVICE_CLOUDWATCH, .protocol = AWS_RPC_CBOR,
	  .result = DISPATCH_PROTOCOL },
	{ METHOD_POST, "/service/" GRANITE "/operation/ListMetrics/",
	  .smithy = "rpc-v2-cbor", .service = SERVICE_CLOUDWATCH,
	  .protocol = AWS_RPC_CBOR, .result = DISPATCH_UNKNOWN },
	{ METHOD_POST, "/service/Logs_20140328/operation/PutLogEvents",
	  .smithy = "rpc-v2-cbor", .service = SERVICE_CLOUDWATCH,
	  .protocol = AWS_RPC_CBOR, .result = DISPATCH_UNKNOWN },
	{ METHOD_POST, "/p/service/" GRANITE "/operation/ListMetrics",
	  .smithy = "rpc-v2-cbor", .service = SERVICE_CLOUDWATCH,
	  .protocol = AWS_RPC_CBOR, .result = DISPATCH_PREFIX },
	/* Query */
	{ METHOD_POST, "/", .type = FORM,
	  .form = "Action=PutMetricData&Version=2010-08-01",
	  .operation = "PutMetricData", .service = SERVICE_CLOUDWATCH,
	  .protocol = AWS_QUERY },
	{ METHOD_POST, "/", .type = FORM "; charset=utf-8",
	  .form = "Namespace=a&Version=2010-08-01&Action=ListMetrics",
	  .operation = "ListMetrics", .service = SERVICE_CLOUDWATCH,
	  .protocol = AWS_QUERY },
	{ METHOD_POST, "/", .type = FORM, .form = "Action=Nothing",
	  .service = SERVICE_CLOUDWATCH, .protocol = AWS_QUERY,
	  .result = DISPATCH_UNKNOWN },
	{ METHOD_POST, "/", .type = FORM, .form = "",
	  .service = SERVICE_CLOUDWATCH, .protocol = AWS_QUERY,
	  .result = DISPATCH_NO_ACTION },
	{ METHOD_POST, "/", .type = FORM, .form = "XAction=ListMetrics&Action",
	  .service = SERVICE_CLOUDWATCH, .protocol = AWS_QUERY,
	  .result = DISPATCH_NO_ACTION },
	{ METHOD_POST, "/", .type = FORM,
	  .form = "Action=ListMetrics&Version=2009-05-15",
	  .service = SERVICE_CLOUDWATCH, .protocol = AWS_QUERY,
	  .result = DISPATCH_VERSION },
	{ METHOD_GET, "/", .query = "Action=ListMetrics&Version=2010%2d08-01",
	  .operation = "ListMetrics", .service = SERVICE_CLOUDWATCH,
	  .protocol = AWS_QUERY },
	{ METHOD_POST, "/", .type = FORM "x", .service = SERVICE_XRAY,
	  .protocol = AWS_REST_JSON, .result = DISPATCH_UNKNOWN },
	/* REST */
	{ METHOD_POST, "/TraceSegments", .type = "application/json",
	  .operation = "PutTraceSegments", .service = SERVICE_XRAY,
	  .protocol = AWS_REST_JSON },
	{ METHOD_POST, "/TraceSegments", .type = FORM,
	  .operation = "PutTraceSegments", .service = SERVICE_XRAY,
	  .protocol = AWS_REST_JSON },
	{ METHOD_POST, "/TraceSegments/", .service = SERVICE_XRAY,
	  .protocol = AWS_REST_JSON, .result = DISPATCH_UNKNOWN },
	{ METHOD_POST, "/%54raceSegments", .operation = "PutTraceSegments",
	  .service = SERVICE_XRAY, .protocol = AWS_REST_JSON },
	{ METHOD_POST, "/2015-03-31/functions/my-function/invocations",
	  .query = "Qualifier=1", .operation = "Invoke",
	  .service = SERVICE_LAMBDA, .protocol = AWS_REST_JSON },
	{ METHOD_POST,
	  "/2015-03-31/functions/arn%3Aaws%3Alambda%3Aus-east-1%3A1%3A"
	  "function%3Af/invocations",
	  .operation = "Invoke", .service = SERVICE_LAMBDA,
	  .protocol = AWS_REST_JSON },
	{ METHOD_POST, "/2015-03-31/functions/a%2Finvocations",
	  .service = SERVICE_LAMBDA, .protocol = AWS_REST_JSON,
	  .result = DISPATCH_METHOD }, /* a name, not a part of the path */
	{ METHOD_POST, "/2015-03-31/functions//invocations",
	  .service = SERVICE_LAMBDA, .protocol = AWS_REST_JSON,
	  .result = DISPATCH_UNKNOWN },
	{ METHOD_GET, "/2015-03-31/functions/", .query = "MaxItems=5",
	  .operation = "ListFunctions", .service = SERVICE_LAMBDA,
	  .protocol = AWS_REST_JSON },
	{ METHOD_GET, "/2015-03-31/functions/f/configuration",
	  .operation = "GetFunctionConfiguration", .service = SERVICE_LAMBDA,
	  .protocol = AWS_REST_JSON },
	{ METHOD_GET, "/2019-09-30/functions/f/provisioned-concurrency",
	  .query = "Qualifier=1",
	  .operation = "GetProvisionedConcurrencyConfig",
	  .service = SERVICE_LAMBDA, .protocol = AWS_REST_JSON },
	{ METHOD_GET, "/2019-09-30/functions/f/provisioned-concurrency",
	  .query = "List=ALL&MaxItems=1",
	  .operation = "ListProvisionedConcurrencyConfigs",
	  .service = SERVICE_LAMBDA, .protocol = AWS_REST_JSON },
	{ METHOD_GET, "/api/v1/traces", .operation = "ListTraces",
	  .service = SERVICE_NATIVE, .protocol = AWS_REST_JSON },
	{ METHOD_GET, "/api/v1/traces/", .service = SERVICE_NATIVE,
	  .protocol = AWS_REST_JSON, .result = DISPATCH_UNKNOWN },
	{ METHOD_GET, "/api/v1/traces/a/b", .operation = "GetTrace",
	  .service = SERVICE_NATIVE, .protocol = AWS_REST_JSON },
	{ METHOD_POST, "/healthz", .service = SERVICE_NATIVE,
	  .protocol = AWS_REST_JSON, .result = DISPATCH_METHOD },
	{ METHOD_GET, "", .service = SERVICE_NATIVE, .protocol = AWS_REST_JSON,
	  .result = DISPATCH_UNKNOWN },
	{ METHOD_GET, "*", .service = SERVICE_NATIVE, .protocol = AWS_REST_JSON,
	  .result = DISPATCH_UNKNOWN },
	{ METHOD_POST, "/x%", .service = SERVICE_XRAY,
	  .protocol = AWS_REST_JSON, .result = DISPATCH_UNKNOWN },
};

static void heads_are_dispatched(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct row *w = &rows[i];
		const struct dispatch_head head = {
			.method = w->method,
			.path = sv_from(w->path),
			.query = sv_from(w->query),
			.target = sv_from(w->target),
			.content_type = sv_from(w->type),
			.smithy_protocol = sv_from(w->smithy),
		};
		struct dispatch d = dispatch_by_head(&head);

		assert_int_equal(d.by_body, w->form != NULL);
		if (w->form) {
			assert_null(d.operation);
			dispatch_by_body(&d, sv_from(w->form));
		}
		assert_int_equal(d.result, w->result);
		assert_ptr_equal(d.service, service_of(w->service));
		assert_int_equal(d.protocol, w->protocol);
		if (w->result != DISPATCH_OK)
			continue;
		assert_non_null(d.operation);
		assert_string_equal(d.operation->name, w->operation);
		assert_int_equal(d.operation->service, w->service);
	}
}

/* Where the form, and a name, are refused. */
static void refusals_have_the_form_of_the_protocol(void **state)
{
	static const struct {
		enum service_id service;
		enum aws_protocol protocol;
		enum dispatch_result why;
		unsigned status;
		const char *text;
	} cases[] = {
		{ SERVICE_CLOUDWATCH, AWS_JSON_1_0, DISPATCH_UNKNOWN, 400,
		  "\"__type\":\"UnknownOperationException\"" },
		{ SERVICE_CLOUDWATCH, AWS_QUERY, DISPATCH_UNKNOWN, 400,
		  "<Code>InvalidAction</Code>" },
		{ SERVICE_CLOUDWATCH, AWS_QUERY, DISPATCH_NO_ACTION, 400,
		  "<Code>MissingAction</Code>" },
		{ SERVICE_CLOUDWATCH, AWS_QUERY, DISPATCH_VERSION, 400,
		  "<Code>NoSuchVersion</Code>" },
		{ SERVICE_CLOUDWATCH, AWS_RPC_CBOR, DISPATCH_UNBUILT, 404,
		  "com.amazonaws.cloudwatch#UnknownOperationException" },
		{ SERVICE_CLOUDWATCH, AWS_JSON_1_0, DISPATCH_PREFIX, 400,
		  "without one" },
		{ SERVICE_CLOUDWATCH, AWS_QUERY, DISPATCH_TOO_LARGE, 413,
		  "<Code>RequestEntityTooLarge</Code>" },
		{ SERVICE_XRAY, AWS_REST_JSON, DISPATCH_UNKNOWN, 404,
		  "\"__type\":\"UnknownOperationException\"" },
		{ SERVICE_LOGS, AWS_JSON_1_1, DISPATCH_UNBUILT, 400,
		  "this collector does not" },
		{ SERVICE_NATIVE, AWS_REST_JSON, DISPATCH_METHOD, 405,
		  "\"code\":\"MethodNotAllowed\"" },
		{ SERVICE_NATIVE, AWS_REST_JSON, DISPATCH_UNKNOWN, 404,
		  "\"code\":\"NotFound\"" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct request r = { .service = service_of(cases[i].service),
				     .protocol = cases[i].protocol,
				     .id = "an id" };

		dispatch_refuse(&r, cases[i].why);
		assert_int_equal(r.status, cases[i].status);
		assert_non_null(memmem(r.reply.ptr, r.reply.len, cases[i].text,
				       strlen(cases[i].text)));
		buf_fini(&r.reply);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(heads_are_dispatched),
		cmocka_unit_test(refusals_have_the_form_of_the_protocol),
	};

	return cmocka_run_group_tests_name("dispatch", tests, NULL, NULL);
}
