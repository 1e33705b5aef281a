/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AWS's public signing test suite, by header and by query: what it signed is
 * accepted, our signer makes the same signatures, and of each request 200
 * one-byte mutations are refused.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/auth/sigv4.h"
#include "core/base/hash.h"
#include "tests/unit/core/sigv4_cases.h"
#include "tests/unit/core/sigv4_mutate.h"

/* A case as a request; storage for what is made. */
struct made_case {
	struct pieces pieces;
	struct buf query, authorization, names;
	uint8_t body[SIGV4_HASH_SIZE];
};

static void add_header(struct pieces *p, const char *name, const char *value)
{
	p->piece[p->count++] = sv_from(name);
	p->piece[p->count++] = sv_from(value);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* SignedHeaders, from all headers there are. */
static void list_names(struct buf *out, const struct pieces *p,
		       const char *separator)
{
	char names[PIECES_MAX][64];
	const char *sorted[PIECES_MAX];
	size_t n = 0;

	for (size_t i = PIECE_HEADERS; i < p->count; i += 2) {
		struct buf b = BUF_INIT;

		equal_lower(&b, p->piece[i]);
		snprintf(names[n], sizeof(names[n]), "%s", b.ptr);
		sorted[n] = names[n];
		n++;
		buf_fini(&b);
	}
	qsort(sorted, n, sizeof(sorted[0]), by_text);
	for (size_t i = 0; i < n; i++) {
		if (i && !strcmp(sorted[i], sorted[i - 1]))
			continue;
		buf_text(out, i ? separator : "");
		buf_text(out, sorted[i]);
	}
}

static void escape(struct buf *out, const char *text)
{
	for (; *text; text++)
		if (strchr("/+=", *text))
			buf_format(out, "%%%02X", (unsigned char)*text);
		else
			buf_char(out, *text);
}

static void start_case(struct made_case *m, const struct sigv4_case *c)
{
	struct pieces *p = &m->pieces;

	*m = (struct made_case){ .pieces.count = PIECE_HEADERS };
	p->piece[PIECE_METHOD] = sv_from(c->method);
	p->piece[PIECE_PATH] = sv_from(c->path);
	p->piece[PIECE_QUERY] = sv_from(c->query);
	p->piece[PIECE_BODY] = sv_from(c->body ? c->body : "");
	p->normal_path = !(c->flags & CASE_RAW_PATH);
	sigv4_hash(m->body, p->piece[PIECE_BODY]);
	add_header(p, "Host", "example.amazonaws.com");
	for (int i = 0; i < CASE_HEADERS_MAX && c->headers[i].name; i++)
		add_header(p, c->headers[i].name, c->headers[i].value);
}

static void make_by_header(struct made_case *m, const struct sigv4_case *c)
{
	struct pieces *p = &m->pieces;

	start_case(m, c);
	add_header(p, "X-Amz-Date", CASE_TIME);
	if (c->flags & CASE_BODY_HASH)
		add_header(p, "x-amz-content-sha256", CASE_BODY_SHA256);
	if (c->token && !(c->flags & CASE_TOKEN_LATER))
		add_header(p, "X-Amz-Security-Token", c->token);
	list_names(&m->names, p, ";");
	if (c->flags & CASE_TOKEN_LATER)
		add_header(p, "X-Amz-Security-Token", c->token);
	buf_format(&m->authorization,
		   "AWS4-HMAC-SHA256 Credential=" RECORDED_KEY "/" CASE_SCOPE
		   ", SignedHeaders=%s, Signature=%s",
		   m->names.ptr, c->by_header);
	add_header(p, "Authorization", m->authorization.ptr);
	p->signed_names = buf_view(&m->names);
}

static void make_by_query(struct made_case *m, const struct sigv4_case *c)
{
	struct buf escaped = BUF_INIT;

	start_case(m, c);
	list_names(&m->names, &m->pieces, ";");
	list_names(&escaped, &m->pieces, "%3B");
	buf_format(&m->query,
		   "%s%sX-Amz-Algorithm=AWS4-HMAC-SHA256"
		   "&X-Amz-Credential=" RECORDED_KEY "%%2F",
		   c->query, *c->query ? "&" : "");
	escape(&m->query, CASE_SCOPE);
	buf_format(&m->query,
		   "&X-Amz-Date=" CASE_TIME "&X-Amz-SignedHeaders=%s"
		   "&X-Amz-Expires=3600",
		   escaped.ptr);
	if (c->token) {
		buf_text(&m->query, "&X-Amz-Security-Token=");
		escape(&m->query, c->token);
	}
	buf_format(&m->query, "&X-Amz-Signature=%s", c->by_query);
	m->pieces.piece[PIECE_QUERY] = buf_view(&m->query);
	m->pieces.signed_names = buf_view(&m->names);
	m->pieces.token_later = c->flags & CASE_TOKEN_LATER;
	buf_fini(&escaped);
}

static void end_case(struct made_case *m)
{
	buf_fini(&m->query);
	buf_fini(&m->authorization);
	buf_fini(&m->names);
}

static void (*const ways[])(struct made_case *m,
			    const struct sigv4_case *c) = { make_by_header,
							    make_by_query };

static void test_accepted(void **state)
{
	(void)state;
	assert_int_equal(SIGV4_CASES, 38);
	for (size_t i = 0; i < 2 * SIGV4_CASES; i++) {
		const struct sigv4_case *c = &sigv4_cases[i / 2];
		struct made_case m;
		enum sigv4_refusal why;

		ways[i % 2](&m, c);
		why = judge_pieces(&m.pieces, m.body, CASE_NOW);
		if (why)
			fail_msg("%s, way %zu: %s", c->name, i % 2,
				 sigv4_refusal_name(why));
		assert_int_equal(judge_pieces(&m.pieces, m.body,
					      CASE_NOW + 3600),
				 i % 2 ? SIGV4_OK : SIGV4_EXPIRED);
		end_case(&m);
	}
}

/* Which form of the path was signed, which must be what the case says. */
static void test_path_form(void **state)
{
	const struct sigv4_key key = { SV(RECORDED_SECRET), true, false };

	(void)state;
	for (size_t i = 0; i < SIGV4_CASES; i++) {
		struct sigv4_header headers[SIGV4_HEADERS_MAX];
		struct made_case m;
		struct sigv4_request r = { .headers = headers };
		struct sigv4_claim claim;
		enum sigv4_path form;
		bool normal;

		make_by_header(&m, &sigv4_cases[i]);
		r.method = m.pieces.piece[PIECE_METHOD];
		r.path = m.pieces.piece[PIECE_PATH];
		r.query = m.pieces.piece[PIECE_QUERY];
		for (size_t k = PIECE_HEADERS; k < m.pieces.count; k += 2)
			headers[r.header_count++] =
				(struct sigv4_header){ m.pieces.piece[k],
						       m.pieces.piece[k + 1] };
		assert_int_equal(sigv4_parse(&claim, &r, NULL), SIGV4_OK);
		assert_int_equal(sigv4_verify(&claim, &r, &key, m.body, NULL,
					      &form),
				 SIGV4_OK);
		normal = strstr(sigv4_cases[i].name, "-normalized") &&
			 !strstr(sigv4_cases[i].name, "space");
		assert_int_equal(form, normal ? SIGV4_PATH_NORMAL :
						SIGV4_PATH_AS_SENT);
		end_case(&m);
	}
}

/* The other end: our signer makes the suite's own signature. */
static void test_signer(void **state)
{
	const struct sigv4_credentials credentials = { SV(RECORDED_KEY),
						       SV(RECORDED_SECRET),
						       SV("us-east-1"),
						       SV("service") };
	size_t signed_by_us = 0;

	(void)state;
	for (size_t i = 0; i < SIGV4_CASES; i++) {
		const struct sigv4_case *c = &sigv4_cases[i];
		struct sigv4_header headers[SIGV4_HEADERS_MAX];
		struct sigv4_request r = { sv_from(c->method), sv_from(c->path),
					   sv_from(c->query), headers, 0 };
		struct buf out = BUF_INIT;
		struct made_case m;

		/* It signs a path by its normal form, and every header. */
		if (c->flags & (CASE_RAW_PATH | CASE_TOKEN_LATER))
			continue;
		make_by_header(&m, c);
		for (size_t k = PIECE_HEADERS; k < m.pieces.count - 2; k += 2)
			headers[r.header_count++] =
				(struct sigv4_header){ m.pieces.piece[k],
						       m.pieces.piece[k + 1] };
		assert_int_equal(sigv4_sign(&out, &r, &credentials, m.body), 0);
		assert_string_equal(out.ptr, m.authorization.ptr);
		signed_by_us++;
		buf_fini(&out);
		end_case(&m);
	}
	assert_int_equal(signed_by_us, 38 - 7 - 1);
}

static void test_mutations(void **state)
{
	struct mutation_tally tally = { 0 };

	(void)state;
	for (size_t i = 0; i < 2 * SIGV4_CASES; i++) {
		const struct sigv4_case *c = &sigv4_cases[i / 2];
		struct made_case m;

		ways[i % 2](&m, c);
		mutate(&m.pieces, CASE_NOW, hash64(sv_from(c->name)) + i,
		       c->name, &tally);
		end_case(&m);
	}
	print_tally(&tally);
	assert_int_equal(tally.refused, 2 * SIGV4_CASES * MUTATIONS);
	/* No rule is on the list in vain. */
	for (int i = 0; i < EQUAL_RULE_COUNT; i++)
		assert_true(tally.equal[i] > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepted),
		cmocka_unit_test(test_path_form),
		cmocka_unit_test(test_signer),
		cmocka_unit_test(test_mutations),
	};

	return cmocka_run_group_tests_name("sigv4_suite", tests, NULL, NULL);
}
