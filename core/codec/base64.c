/* SPDX-License-Identifier: Apache-2.0 */
#include "core/codec/base64.h"

static int value_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Four characters at p as out's bytes; n of them say something. */
static bool decode_four(const char *p, size_t n, uint8_t *out)
{
	uint32_t v = 0;

	for (size_t i = 0; i < 4; i++) {
		int six = i < n ? value_of(p[i]) : 0;

		if (six < 0)
			return false;
		v = v << 6 | (uint32_t)six;
	}
	for (size_t i = 0; i < n - 1; i++)
		out[i] = (uint8_t)(v >> (16 - 8 * i));
	/* What is left over must be zero. */
	return n == 4 || !(v & (0xffffffu >> (8 * (n - 1))));
}

int base64_parse(struct arena *arena, struct sv text, struct sv *out)
{
	size_t padding = 0;
	uint8_t *bytes;

	if (text.len % 4)
		return ERR_SYNTAX;
	while (padding < 2 && text.len > padding &&
	       text.ptr[text.len - 1 - padding] == '=')
		padding++;
	bytes = arena_alloc(arena, text.len / 4 * 3);
	if (!bytes)
		return ERR_NOMEM;
	for (size_t i = 0; i < text.len; i += 4) {
		size_t n = i + 4 == text.len ? 4 - padding : 4;

		if (!decode_four(text.ptr + i, n, bytes + i / 4 * 3))
			return ERR_SYNTAX;
	}
	*out = sv_make((const char *)bytes, text.len / 4 * 3 - padding);
	return 0;
}

void base64_put(struct buf *out, struct sv bytes)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				     "abcdefghijklmnopqrstuvwxyz0123456789+/";
	const uint8_t *p = (const uint8_t *)bytes.ptr;

	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t n = bytes.len - i < 3 ? bytes.len - i : 3;
		char four[4] = { '=', '=', '=', '=' };
		uint32_t v = 0;

		for (size_t k = 0; k < 3; k++)
			v = v << 8 | (k < n ? p[i + k] : 0u);
		for (size_t k = 0; k <= n; k++)
			four[k] = digits[v >> (18 - 6 * k) & 63];
		buf_add(out, four, sizeof(four));
	}
}
