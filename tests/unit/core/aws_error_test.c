/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/codec/cbor.h"
#include "core/smithy/error.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static const struct aws_service plain = {
	.name = "Plain",
	.namespace = "com.example.plain",
	.missing = "InternalFailure",
	.invalid = "InternalFailure",
};

static void test_forms(void **state)
{
	static const struct {
		enum aws_protocol protocol;
		const struct aws_service *service;
		const char *shape, *body, *type, *error_type, *query_error;
		unsigned status;
	} rows[] = {
		{ AWS_JSON_1_0, &aws_cloudwatch, "DashboardNotFoundError",
		  "{\"__type\":\"DashboardNotFoundError\",\"message\":\"<m>\"}",
		  "application/x-amz-json-1.0", NULL, "ResourceNotFound;Sender",
		  404 },
		{ AWS_JSON_1_1, &plain, "ThrottlingException",
		  "{\"__type\":\"ThrottlingException\",\"message\":\"<m>\"}",
		  "application/x-amz-json-1.1", NULL, "", 400 },
		{ AWS_REST_JSON, &plain, "UnknownOperationException",
		  "{\"__type\":\"UnknownOperationException\","
		  "\"message\":\"<m>\"}",
		  "application/json", "UnknownOperationException", "", 400 },
		{ AWS_RPC_JSON, &aws_cloudwatch, "InternalServiceFault",
		  "{\"__type\":\"InternalServiceFault\",\"message\":\"<m>\"}",
		  "application/json", NULL, "InternalServiceError;Receiver",
		  500 },
		{ AWS_QUERY, &aws_cloudwatch, "InvalidParameterValueException",
		  "<ErrorResponse xmlns=\"http://monitoring.amazonaws.com/doc/"
		  "2010-08-01/\"><Error><Type>Sender</Type>"
		  "<Code>InvalidParameterValue</Code>"
		  "<Message>&lt;m&gt;</Message></Error>"
		  "<RequestId>id</RequestId></ErrorResponse>",
		  "text/xml", NULL, "", 400 },
		{ AWS_QUERY, &aws_cloudwatch, "SerializationException",
		  "<ErrorResponse xmlns=\"http://monitoring.amazonaws.com/doc/"
		  "2010-08-01/\"><Error><Type>Sender</Type>"
		  "<Code>MalformedInput</Code>"
		  "<Message>&lt;m&gt;</Message></Error>"
		  "<RequestId>id</RequestId></ErrorResponse>",
		  "text/xml", NULL, "", 400 },
	};
	struct aws_answer answer;
	struct buf b = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct aws_error *e =
			aws_error_find(rows[i].service, rows[i].shape);

		assert_non_null(e);
		buf_reset(&b);
		aws_error_write(rows[i].service, rows[i].protocol, e, SV("<m>"),
				SV("id"), &b, &answer);
		assert_string_equal(b.ptr, rows[i].body);
		assert_string_equal(answer.content_type, rows[i].type);
		assert_string_equal(answer.query_error, rows[i].query_error);
		assert_int_equal(answer.status, rows[i].status);
		if (rows[i].error_type)
			assert_string_equal(answer.error_type,
					    rows[i].error_type);
		else
			assert_null(answer.error_type);
	}
	buf_fini(&b);
}

static void test_cbor(void **state)
{
	const struct aws_error *e = aws_error_find(
		&aws_cloudwatch, "MissingRequiredParameterException");
	struct arena a = ARENA_INIT;
	struct aws_answer answer;
	struct buf b = BUF_INIT;
	struct cbor_doc doc;
	struct cbor v;

	(void)state;
	aws_error_write(&aws_cloudwatch, AWS_RPC_CBOR, e, SV("m"), SV("id"), &b,
			&answer);
	assert_int_equal(cbor_parse(&doc, &a, buf_view(&b), NULL), 0);
	v = cbor_root(&doc);
	assert_true(cbor_text_is(cbor_get(v, SV("__type")),
				 SV("com.amazonaws.cloudwatch#"
				    "MissingRequiredParameterException")));
	assert_true(cbor_text_is(cbor_get(v, SV("message")), SV("m")));
	assert_string_equal(answer.query_error, "MissingParameter;Sender");
	assert_string_equal(answer.content_type, "application/cbor");
	assert_string_equal(answer.smithy_protocol, "rpc-v2-cbor");
	buf_fini(&b);
	arena_fini(&a);
}

static void test_find(void **state)
{
	static const struct {
		enum shape_rule rule;
		const char *shape;
	} rows[] = {
		{ SHAPE_RULE_KIND, "SerializationException" },
		{ SHAPE_RULE_REQUIRED, "MissingRequiredParameterException" },
		{ SHAPE_RULE_LENGTH, "InvalidParameterValueException" },
		{ SHAPE_RULE_RANGE, "InvalidParameterValueException" },
		{ SHAPE_RULE_WORD, "InvalidParameterValueException" },
	};

	(void)state;
	assert_null(aws_error_find(&aws_cloudwatch, "NoSuchError"));
	assert_null(aws_error_find(&plain, "DashboardNotFoundError"));
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct shape_fault fault = { .rule = rows[i].rule };

		assert_string_equal(
			aws_error_of_fault(&aws_cloudwatch, &fault)->shape,
			rows[i].shape);
	}
	/* Every error of the table has a header that fits. */
	for (size_t i = 0; i < aws_cloudwatch.error_count; i++) {
		struct buf b = BUF_INIT;
		struct aws_answer answer;

		for (int p = AWS_JSON_1_0; p <= AWS_RPC_JSON; p++)
			aws_error_write(&aws_cloudwatch, (enum aws_protocol)p,
					&aws_cloudwatch.errors[i], SV(""),
					SV(""), &b, &answer);
		assert_true(answer.status >= 400);
		buf_fini(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_cbor),
		cmocka_unit_test(test_find),
	};

	return cmocka_run_group_tests_name("aws_error", tests, NULL, NULL);
}
