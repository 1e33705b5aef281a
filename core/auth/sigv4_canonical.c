/* SPDX-License-Identifier: Apache-2.0 */
#include "core/auth/sigv4_canonical.h"

#include <assert.h>

/* --- sink -------------------------------------------------------------------- */

void canonical_start(struct canonical_sink *s, struct buf *copy)
{
	sha256_init(&s->hash);
	s->copy = copy;
	s->used = 0;
}

static void flush(struct canonical_sink *s)
{
	sha256_update(&s->hash, s->used, s->block);
	if (s->copy)
		buf_add(s->copy, s->block, s->used);
	s->used = 0;
}

static inline void put(struct canonical_sink *s, char c)
{
	if (s->used == sizeof(s->block))
		flush(s);
	s->block[s->used++] = (uint8_t)c;
}

void canonical_bytes(struct canonical_sink *s, struct sv bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		put(s, bytes.ptr[i]);
}

void canonical_end(struct canonical_sink *s, uint8_t out[SIGV4_HASH_SIZE])
{
	flush(s);
	sha256_digest(&s->hash, SIGV4_HASH_SIZE, out);
}

/* --- encoding ---------------------------------------------------------------- */

static const char hex_upper[] = "0123456789ABCDEF";

/* RFC 3986 2.3. */
static inline bool unreserved(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	       c == '~';
}

static void put_encoded(struct canonical_sink *s, char c)
{
	if (unreserved(c)) {
		put(s, c);
		return;
	}
	put(s, '%');
	put(s, hex_upper[(unsigned char)c >> 4]);
	put(s, hex_upper[(unsigned char)c & 15]);
}

void canonical_encode(struct buf *out, struct sv plain)
{
	for (size_t i = 0; i < plain.len; i++) {
		unsigned char c = (unsigned char)plain.ptr[i];
		char escape[3] = { '%', hex_upper[c >> 4], hex_upper[c & 15] };

		if (unreserved((char)c))
			buf_char(out, (char)c);
		else
			buf_add(out, escape, sizeof(escape));
	}
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Takes one byte, decoded, off s (not empty, escapes checked). A '+' means a
 * space only in a query. */
static inline char take(struct sv *s, bool query)
{
	char c = s->ptr[0];
	size_t n = 1;

	if (c == '%') {
		assert(s->len >= 3);
		c = (char)(hex_value(s->ptr[1]) * 16 + hex_value(s->ptr[2]));
		n = 3;
	} else if (c == '+' && query) {
		c = ' ';
	}
	*s = sv_make(s->ptr + n, s->len - n);
	return c;
}

static bool escapes_ok(struct sv s)
{
	for (size_t i = 0; i < s.len; i++)
		if (s.ptr[i] == '%' &&
		    (s.len - i < 3 || hex_value(s.ptr[i + 1]) < 0 ||
		     hex_value(s.ptr[i + 2]) < 0))
			return false;
	return true;
}

bool canonical_is(struct sv encoded, struct sv plain)
{
	while (encoded.len && plain.len) {
		if (take(&encoded, true) != plain.ptr[0])
			return false;
		plain = sv_make(plain.ptr + 1, plain.len - 1);
	}
	return encoded.len == 0 && plain.len == 0;
}

bool canonical_decode(char *out, size_t cap, size_t *len, struct sv encoded)
{
	*len = 0;
	while (encoded.len) {
		if (*len == cap)
			return false;
		out[(*len)++] = take(&encoded, true);
	}
	return true;
}

/* --- path -------------------------------------------------------------------- */

static bool is_dot(struct sv s)
{
	return sv_eq(s, SV(".")) || sv_eq(s, SV(".."));
}

bool canonical_path_differs(struct sv path)
{
	bool first = true;

	while (path.ptr) {
		struct sv part = sv_cut(&path, '/');

		if (is_dot(part) || (part.len == 0 && !first && path.ptr))
			return true;
		first = false;
	}
	return false;
}

bool canonical_path_ok(struct sv path, bool s3)
{
	size_t parts = 0;

	if (path.len > SIGV4_PATH_BYTES_MAX || (s3 && !escapes_ok(path)))
		return false;
	for (size_t i = 0; i < path.len; i++)
		parts += path.ptr[i] == '/';
	return parts <= SIGV4_SEGMENTS_MAX;
}

/* As botocore and the JS SDK make it: parts that are empty or '.' go, '..'
 * takes the one before with it, a slash at the end stays. */
static void put_normal(struct canonical_sink *s, struct sv path)
{
	struct sv parts[SIGV4_SEGMENTS_MAX + 1];
	bool slash = sv_ends(path, SV("/"));
	size_t n = 0;

	while (path.ptr) {
		struct sv part = sv_cut(&path, '/');

		if (sv_eq(part, SV("..")))
			n -= n > 0;
		else if (part.len && !sv_eq(part, SV(".")))
			parts[n++] = part;
	}
	for (size_t i = 0; i < n; i++) {
		put(s, '/');
		for (size_t k = 0; k < parts[i].len; k++)
			put_encoded(s, parts[i].ptr[k]);
	}
	if (slash || n == 0)
		put(s, '/');
}

static void put_path(struct canonical_sink *s, struct sv path,
		     enum canonical_path mode)
{
	if (mode == CANONICAL_NORMAL) {
		put_normal(s, path);
		return;
	}
	if (path.len == 0)
		put(s, '/');
	while (path.len) {
		bool slash = path.ptr[0] == '/';
		char c = path.ptr[0];

		if (mode == CANONICAL_S3)
			c = take(&path, false);
		else
			path = sv_make(path.ptr + 1, path.len - 1);
		if (slash)
			put(s, '/');
		else
			put_encoded(s, c);
	}
}

/* --- query ------------------------------------------------------------------- */

/* Order of two texts as sent by their canonical encodings, bytewise. Encoded
 * bytes that differ first: an escape begins with '%', below all unreserved. */
static int order_one(struct sv a, struct sv b)
{
	while (a.len && b.len) {
		char x = take(&a, true), y = take(&b, true);
		bool ux = unreserved(x), uy = unreserved(y);

		if (x == y)
			continue;
		if (ux != uy)
			return ux ? 1 : -1;
		return (unsigned char)x < (unsigned char)y ? -1 : 1;
	}
	return (a.len > 0) - (b.len > 0);
}

static int order(const struct sigv4_param *a, const struct sigv4_param *b)
{
	int c = order_one(a->name, b->name);

	return c ? c : order_one(a->value, b->value);
}

bool canonical_params(struct sigv4_param *params, size_t *count,
		      struct sv query)
{
	size_t n = 0;

	*count = 0;
	if (query.len > SIGV4_QUERY_BYTES_MAX || !escapes_ok(query))
		return false;
	while (query.len) {
		struct sv value = sv_cut(&query, '&');
		struct sigv4_param p;
		size_t low = 0, high = n;

		if (value.len == 0)
			continue;
		if (n == SIGV4_PARAMS_MAX)
			return false;
		p.name = sv_cut(&value, '=');
		p.value = value;
		/* qsort may allocate, so by binary insertion. */
		while (low < high) {
			size_t middle = (low + high) / 2;

			if (order(&p, &params[middle]) < 0)
				high = middle;
			else
				low = middle + 1;
		}
		memmove(params + low + 1, params + low,
			(n - low) * sizeof(*params));
		params[low] = p;
		n++;
	}
	*count = n;
	return true;
}

static void put_decoded(struct canonical_sink *s, struct sv sent)
{
	while (sent.len)
		put_encoded(s, take(&sent, true));
}

static void put_query(struct canonical_sink *s,
		      const struct canonical_request *c)
{
	bool first = true;

	for (size_t i = 0; i < c->param_count; i++) {
		const struct sigv4_param *p = &c->params[i];

		if ((c->presigned &&
		     canonical_is(p->name, SV("X-Amz-Signature"))) ||
		    (c->omit_token &&
		     canonical_is(p->name, SV("X-Amz-Security-Token"))))
			continue;
		if (!first)
			put(s, '&');
		first = false;
		put_decoded(s, p->name);
		put(s, '=');
		put_decoded(s, p->value);
	}
}

/* RFC 9110 5.6.2. */
bool canonical_token(struct sv s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!unreserved(s.ptr[i]) &&
		    (s.ptr[i] == '\0' || !strchr("!#$%&'*+^`|", s.ptr[i])))
			return false;
	return s.len > 0;
}

/* --- headers ----------------------------------------------------------------- */

static bool same_name(struct sv sent, struct sv lower)
{
	if (sent.len != lower.len)
		return false;
	for (size_t i = 0; i < sent.len; i++) {
		char c = sent.ptr[i];

		if (c >= 'A' && c <= 'Z')
			c = (char)(c + ('a' - 'A'));
		if (c != lower.ptr[i])
			return false;
	}
	return true;
}

const struct sigv4_header *canonical_header(const struct sigv4_request *r,
					    struct sv name, size_t *from)
{
	for (size_t i = *from; i < r->header_count; i++)
		if (same_name(r->headers[i].name, name)) {
			*from = i + 1;
			return &r->headers[i];
		}
	*from = r->header_count;
	return NULL;
}

/* A value without white space at its ends; runs of it are one space. */
static void put_value(struct canonical_sink *s, struct sv value)
{
	bool space = false;

	value = sv_trim(value);
	for (size_t i = 0; i < value.len; i++) {
		char c = value.ptr[i];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			space = true;
			continue;
		}
		if (space)
			put(s, ' ');
		space = false;
		put(s, c);
	}
}

static bool put_header(struct canonical_sink *s, const struct sigv4_request *r,
		       struct sv name)
{
	size_t from = 0;
	const struct sigv4_header *h = canonical_header(r, name, &from);

	if (!h)
		return false;
	canonical_bytes(s, name);
	put(s, ':');
	put_value(s, h->value);
	while ((h = canonical_header(r, name, &from))) {
		put(s, ',');
		put_value(s, h->value);
	}
	put(s, '\n');
	return true;
}

bool canonical_write(struct canonical_sink *s,
		     const struct canonical_request *c)
{
	struct sv names = c->signed_headers;
	bool all = true;

	canonical_bytes(s, c->request->method);
	put(s, '\n');
	put_path(s, c->request->path, c->path);
	put(s, '\n');
	put_query(s, c);
	put(s, '\n');
	while (names.len)
		all &= put_header(s, c->request, sv_cut(&names, ';'));
	put(s, '\n');
	canonical_bytes(s, c->signed_headers);
	put(s, '\n');
	canonical_bytes(s, c->body);
	return all;
}
