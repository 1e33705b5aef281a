/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "collector/config.h"

#define ALARM(rest)                                                    \
	"{\"alarms\":[{\"name\":\"n\",\"namespace\":\"AWS/Lambda\","   \
	"\"metric\":\"Errors\",\"statistic\":\"Sum\",\"threshold\":1," \
	"\"comparison\":\"GreaterThanOrEqualToThreshold\"" rest "}]}"

static void test_table(void **state)
{
	static const struct {
		const char *text;
		int err;
		const char *says; /* what the message must name */
	} rows[] = {
		{ "{}", 0, NULL },
		{ "{\"account\":\"000000000001\",\"region\":\"eu-west-1\"}", 0,
		  NULL },
		{ ALARM(""), 0, NULL },
		{ ALARM(",\"dimensions\":{\"FunctionName\":\"f\"}"), 0, NULL },
		{ "", ERR_SYNTAX, "" },
		{ "[]", ERR_INVALID, "object" },
		{ "{\"acount\":\"1\"}", ERR_INVALID, "acount" },
		{ "{\"account\":\"12\"}", ERR_INVALID, "twelve" },
		{ "{\"account\":12}", ERR_INVALID, "twelve" },
		{ "{\"region\":\"US east\"}", ERR_INVALID, "us-east-1" },
		{ "{\"http\":4318}", ERR_INVALID, "http" },
		{ "{\"alarms\":{}}", ERR_INVALID, "list" },
		{ "{\"alarms\":[{}]}", ERR_INVALID, "name" },
		{ ALARM(",\"period\":0"), ERR_INVALID, "period" },
		{ ALARM(",\"period\":61"), ERR_INVALID, "" },
		{ ALARM(",\"datapoints_to_alarm\":2"), ERR_INVALID, "" },
		{ ALARM(",\"treat_missing_data\":\"maybe\""), ERR_INVALID,
		  "maybe" },
		{ ALARM(",\"dimensions\":{\"a\":1}"), ERR_INVALID,
		  "dimensions" },
		{ "{\"series_window_seconds\":1}", ERR_INVALID, "60" },
		{ "{\"keys\":\"/k\"}", 0, NULL },
		{ "{\"keys\":1}", ERR_INVALID, "keys" },
		{ "{\"tokens\":{\"jwks\":\"/j\",\"issuer\":\"i\","
		  "\"audience\":\"a\"}}",
		  0, NULL },
		{ "{\"tokens\":{\"jwks\":\"/j\",\"issuer\":\"i\"}}",
		  ERR_INVALID, "audience" },
		{ "{\"tokens\":[]}", ERR_INVALID, "tokens" },
		{ "{\"xray_networks\":[\"10.0.0.0/8\",\"::1\"]}", 0, NULL },
		{ "{\"xray_networks\":\"10.0.0.0/8\"}", ERR_INVALID, "list" },
		{ "{\"xray_networks\":[\"10.0.0.0/33\"]}", ERR_INVALID,
		  "10.0.0.0/33" },
		{ "{\"xray_networks\":[7]}", ERR_INVALID, "network" },
		{ "{\"segment_bytes_max\":1048576}", 0, NULL },
		{ "{\"segment_bytes_max\":65535}", ERR_INVALID, "65536" },
		{ "{\"segment_bytes_max\":1048577}", ERR_INVALID, "1048576" },
		{ "{\"segment_bytes_max\":\"1 MB\"}", ERR_INVALID, "number" },
		{ "{\"tls\":{\"certificate\":\"/c\",\"key\":\"/k\","
		  "\"client_ca\":\"/a\"}}",
		  0, NULL },
		{ "{\"tls\":{\"certificate\":\"/c\"}}", ERR_INVALID, "key" },
		{ "{\"tls\":{\"key\":\"/k\"}}", ERR_INVALID, "certificate" },
		{ "{\"tls\":{\"certificate\":\"/c\",\"key\":1}}", ERR_INVALID,
		  "key" },
		{ "{\"tls\":true}", ERR_INVALID, "tls" },
		{ "{\"late_sampling\":[{\"service\":\"check*\","
		  "\"slow_seconds\":0.5,\"share\":0.25},{\"share\":1}]}",
		  0, NULL },
		{ "{\"trace_days\":{\"default\":7,\"123456789012\":90}}", 0,
		  NULL },
		{ "{\"trace_days\":7}", ERR_INVALID, "object" },
		{ "{\"trace_days\":{\"default\":0}}", ERR_INVALID, "days" },
		{ "{\"trace_days\":{\"default\":3651}}", ERR_INVALID, "3650" },
		{ "{\"trace_days\":{\"12345678901\":1}}", ERR_INVALID,
		  "accounts" },
		{ "{\"trace_days\":{\"12345678901x\":1}}", ERR_INVALID,
		  "accounts" },
		{ "{\"late_sampling\":{}}", ERR_INVALID, "list" },
		{ "{\"late_sampling\":[{}]}", ERR_INVALID, "share" },
		{ "{\"late_sampling\":[{\"share\":2}]}", ERR_INVALID,
		  "0 to 1" },
		{ "{\"late_sampling\":[{\"share\":0,\"slow_seconds\":0}]}",
		  ERR_INVALID, "slow_seconds" },
		{ "{\"late_sampling\":[{\"share\":0,\"slow\":1}]}", ERR_INVALID,
		  "slow" },
		{ "{\"late_sampling\":[{\"share\":0,\"service\":1}]}",
		  ERR_INVALID, "text" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct config c;
		struct diag diag = { 0 };

		config_init(&c);
		assert_int_equal(config_parse(&c, sv_from(rows[i].text), &diag),
				 rows[i].err);
		if (rows[i].says)
			assert_non_null(strstr(diag.text, rows[i].says));
		config_fini(&c);
	}
}

static void test_values(void **state)
{
	struct config c;
	struct diag diag = { 0 };

	(void)state;
	config_init(&c);
	assert_int_equal(config_parse(&c,
				      SV(ALARM(",\"evaluation_periods\":3,"
					       "\"dimensions\":{\"b\":\"2\","
					       "\"a\":\"1\"}")),
				      &diag),
			 0);
	assert_int_equal(c.alarm_count, 1);
	assert_int_equal(c.alarms[0].evaluation_periods, 3);
	assert_int_equal(c.alarms[0].datapoints, 3);
	assert_int_equal(c.alarms[0].dimension_count, 2);
	assert_true(sv_eq(c.alarms[0].dimensions[0].name, SV("a")));
	config_fini(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_values),
	};

	return cmocka_run_group_tests_name("config", tests, NULL, NULL);
}
