/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/sampling.h"

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Bytes of the character at i. */
static size_t char_bytes(struct sv s, size_t i)
{
	size_t n = 1;

	while (i + n < s.len && ((unsigned char)s.ptr[i + n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* Where it does not go on, the last * takes one character more: earlier ones
 * need not be tried again, so it is at most pattern times text. */
bool sampling_pattern_matches(struct sv pattern, struct sv text)
{
	size_t p = 0, t = 0, star = SIZE_MAX, star_text = 0;

	while (t < text.len) {
		if (p < pattern.len && pattern.ptr[p] == '*') {
			star = p++;
			star_text = t;
		} else if (p < pattern.len && pattern.ptr[p] == '?') {
			p++;
			t += char_bytes(text, t);
		} else if (p < pattern.len &&
			   lower(pattern.ptr[p]) == lower(text.ptr[t])) {
			p++;
			t++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			star_text += char_bytes(text, star_text);
			t = star_text;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.ptr[p] == '*')
		p++;
	return p == pattern.len;
}

static bool has_attribute(const struct sampling_request *request,
			  const struct sampling_attribute *wanted)
{
	for (size_t i = 0; i < request->attribute_count; i++)
		if (sv_eq(request->attributes[i].key, wanted->key) &&
		    sampling_pattern_matches(wanted->value,
					     request->attributes[i].value))
			return true;
	return false;
}

bool sampling_rule_matches(const struct sampling_rule *rule,
			   const struct sampling_request *request)
{
	const struct sv pairs[][2] = {
		{ rule->service_name, request->service_name },
		{ rule->service_type, request->service_type },
		{ rule->host, request->host },
		{ rule->method, request->method },
		{ rule->path, request->path },
		{ rule->resource_arn, request->resource_arn },
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (!sampling_pattern_matches(pairs[i][0], pairs[i][1]))
			return false;
	for (size_t i = 0; i < rule->attribute_count; i++)
		if (!has_attribute(request, &rule->attributes[i]))
			return false;
	return true;
}

int sampling_rule_compare(const struct sampling_rule *a,
			  const struct sampling_rule *b)
{
	if (a->priority != b->priority)
		return a->priority < b->priority ? -1 : 1;
	return sv_cmp(a->name, b->name);
}

const struct sampling_rule *
sampling_choose(const struct sampling_rule *rules, size_t count,
		const struct sampling_request *request)
{
	const struct sampling_rule *best = NULL;

	for (size_t i = 0; i < count; i++)
		if ((!best || sampling_rule_compare(&rules[i], best) < 0) &&
		    sampling_rule_matches(&rules[i], request))
			best = &rules[i];
	return best;
}
