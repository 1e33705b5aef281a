/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "tracer/sampling.h"

static void patterns_match(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool want;
	} rows[] = {
		{ "", "", true },
		{ "", "a", false },
		{ "*", "", true },
		{ "*", "anything at all", true },
		{ "?", "", false },
		{ "?", "a", true },
		{ "?", "ab", false },
		{ "abc", "abc", true },
		{ "ABC", "abc", true },
		{ "abc", "ABC", true },
		{ "abc", "abcd", false },
		{ "abcd", "abc", false },
		{ "a*c", "ac", true },
		{ "a*c", "abbbc", true },
		{ "a*c", "abbbd", false },
		{ "*a*b*", "xxaxxbxx", true },
		{ "*a*b*", "xxbxxaxx", false },
		{ "a?c", "abc", true },
		{ "a?c", "ac", false },
		{ "*.example.com", "api.example.com", true },
		{ "*.example.com", "example.com", false },
		{ "/v?/*", "/v1/users", true },
		{ "/v?/*", "/v12/users", false },
		{ "**", "", true },
		{ "?*", "", false },
		{ "a**b", "ab", true },
		{ "*ab", "aab", true },
		{ "*aab", "aaaab", true },
		{ "?", "\xc3\xa9", true }, /* one character of two bytes */
		{ "??", "\xc3\xa9", false },
		{ "*\xa9", "\xc3\xa9", false }, /* not half of one */
		{ "*?*?*?*?*?*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false },
		/* A lower case letter's bit is not set in other bytes. */
		{ "[", "{", false },
		{ "@", "`", false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (sampling_pattern_matches(sv_from(rows[i].pattern),
					     sv_from(rows[i].text)) !=
		    rows[i].want)
			fail_msg("\"%s\" and \"%s\": not %d", rows[i].pattern,
				 rows[i].text, rows[i].want);
}

/* Matches all. */
static struct sampling_rule rule(const char *name, uint32_t priority)
{
	return (struct sampling_rule){
		.name = sv_from(name),
		.priority = priority,
		.service_name = SV("*"),
		.service_type = SV("*"),
		.host = SV("*"),
		.method = SV("*"),
		.path = SV("*"),
		.resource_arn = SV("*"),
	};
}

static const struct sampling_attribute attributes[] = {
	{ SV_INIT("tier"), SV_INIT("gold") },
	{ SV_INIT("zone"), SV_INIT("a1") },
};
static const struct sampling_request request = {
	.service_name = SV_INIT("orders"),
	.service_type = SV_INIT("AWS::Lambda::Function"),
	.host = SV_INIT("api.example.com"),
	.method = SV_INIT("GET"),
	.path = SV_INIT("/orders/12"),
	.resource_arn = SV_INIT("arn:aws:lambda:us-east-1:1:function:orders"),
	.attributes = attributes,
	.attribute_count = 2,
};

static void every_field_of_a_rule_decides(void **state)
{
	static const struct {
		size_t offset;
		const char *good, *bad;
	} rows[] = {
		{ offsetof(struct sampling_rule, service_name), "ord*",
		  "orders2" },
		{ offsetof(struct sampling_rule, service_type), "aws::lambda*",
		  "AWS::EC2*" },
		{ offsetof(struct sampling_rule, host), "*.example.com",
		  "*.example.org" },
		{ offsetof(struct sampling_rule, method), "G?T", "POST" },
		{ offsetof(struct sampling_rule, path), "/orders/*",
		  "/orders" },
		{ offsetof(struct sampling_rule, resource_arn),
		  "arn:aws:lambda:*", "arn:aws:ecs:*" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sampling_rule r = rule("r", 1);
		struct sv *field =
			(struct sv *)(void *)((char *)&r + rows[i].offset);
		const struct sampling_request empty = { .attributes = NULL };

		assert_true(sampling_rule_matches(&r, &request));
		assert_true(sampling_rule_matches(&r, &empty));
		*field = sv_from(rows[i].good);
		assert_true(sampling_rule_matches(&r, &request));
		assert_false(sampling_rule_matches(&r, &empty));
		*field = sv_from(rows[i].bad);
		assert_false(sampling_rule_matches(&r, &request));
	}
}

static void attributes_must_all_be_there(void **state)
{
	struct sampling_rule r = rule("r", 1);

	(void)state;
	r.attributes[0] = (struct sampling_attribute){ SV("tier"), SV("g*") };
	r.attribute_count = 1;
	assert_true(sampling_rule_matches(&r, &request));
	r.attributes[1] = (struct sampling_attribute){ SV("zone"), SV("a?") };
	r.attribute_count = 2;
	assert_true(sampling_rule_matches(&r, &request));
	r.attributes[1].value = SV("b?");
	assert_false(sampling_rule_matches(&r, &request));
	r.attributes[1] = (struct sampling_attribute){ SV("none"), SV("*") };
	assert_false(sampling_rule_matches(&r, &request));
	r.attributes[1] = (struct sampling_attribute){ SV("Zone"), SV("*") };
	assert_false(sampling_rule_matches(&r, &request));
}

static void the_first_by_priority_decides(void **state)
{
	struct sampling_rule rules[] = {
		rule("Default", SAMPLING_DEFAULT_PRIORITY),
		rule("late", 300),
		rule("posts", 5),
		rule("beta", 20),
		rule("alpha", 20),
	};
	size_t n = sizeof(rules) / sizeof(rules[0]);
	const struct sampling_rule *r;

	(void)state;
	rules[2].method = SV("POST");
	r = sampling_choose(rules, n, &request);
	assert_true(sv_eq(r->name, SV("alpha"))); /* of one priority, by name */
	rules[4].host = SV("elsewhere");
	r = sampling_choose(rules, n, &request);
	assert_true(sv_eq(r->name, SV("beta")));
	rules[2].method = SV("GET");
	r = sampling_choose(rules, n, &request);
	assert_true(sv_eq(r->name, SV("posts")));
	r = sampling_choose(rules, 1, &request);
	assert_true(sv_eq(r->name, SV("Default")));
	assert_null(sampling_choose(rules, 0, &request));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_match),
		cmocka_unit_test(every_field_of_a_rule_decides),
		cmocka_unit_test(attributes_must_all_be_there),
		cmocka_unit_test(the_first_by_priority_decides),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
