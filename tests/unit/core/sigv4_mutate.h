/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One byte of a signed request replaced, put in or taken out, anywhere in what
 * the signature vouches for: of 200 that differ by more than the rules of
 * sigv4_equal.h allow none may be accepted, and of the others none refused.
 */
#ifndef TALLY_TESTS_SIGV4_MUTATE_H
#define TALLY_TESTS_SIGV4_MUTATE_H

#include "tests/unit/core/sigv4_equal.h"

enum { MUTATIONS = 200, PLACES_MAX = PIECES_MAX + 8 };

/* What became of all mutations so far. */
struct mutation_tally {
	size_t refused;
	size_t equal[EQUAL_RULE_COUNT];
};

/* Bytes of a piece: the scope is a part of Authorization, say. */
struct place {
	size_t piece, start, len;
};

static inline uint32_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)(*state >> 33);
}

static inline void pieces_of(struct pieces *p, const struct recording *r)
{
	const struct sigv4_request *q = &r->request;

	p->piece[PIECE_METHOD] = q->method;
	p->piece[PIECE_PATH] = q->path;
	p->piece[PIECE_QUERY] = q->query;
	p->piece[PIECE_BODY] = r->body;
	p->count = PIECE_HEADERS;
	for (size_t i = 0; i < q->header_count; i++) {
		p->piece[p->count++] = q->headers[i].name;
		p->piece[p->count++] = q->headers[i].value;
	}
}

/* Adds the place of text, if it is in that piece. */
static inline void add_place(struct place *places, size_t *n,
			     const struct pieces *p, size_t piece,
			     struct sv text)
{
	struct sv whole = p->piece[piece];

	if (!text.len || text.ptr < whole.ptr ||
	    text.ptr + text.len > whole.ptr + whole.len)
		return;
	places[(*n)++] = (struct place){ piece, (size_t)(text.ptr - whole.ptr),
					 text.len };
}

static inline struct sv after(struct sv text, const char *mark)
{
	const char *at =
		text.len ? memmem(text.ptr, text.len, mark, strlen(mark)) :
			   NULL;

	if (!at)
		return (struct sv){ NULL, 0 };
	at += strlen(mark);
	return sv_make(at, text.len - (size_t)(at - text.ptr));
}

/* The first of that byte. */
static inline struct sv seam(struct sv s, char c)
{
	const char *at = s.len ? memchr(s.ptr, c, s.len) : NULL;

	return sv_make(at, at ? 1 : 0);
}

/* Each piece that counts, and date, scope, signature and seams once more of
 * their own, or a long query would hide them. */
static inline size_t find_places(struct place *places, const struct pieces *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->count; i++) {
		struct sv s = p->piece[i];
		struct sv date = after(s, "X-Amz-Date=");
		struct sv scope = after(s, "Credential=");
		struct sv signature = after(s, "Signature=");

		if (i >= PIECE_HEADERS &&
		    !equal_matters(p, p->piece[i - i % 2]) &&
		    !equal_name(p->piece[i - i % 2], "x-amz-security-token"))
			continue;
		add_place(places, &n, p, i, s);
		if (i == PIECE_QUERY)
			add_place(places, &n, p, i, seam(s, '&'));
		else if (scope.ptr)
			add_place(places, &n, p, i, seam(s, ','));
		add_place(places, &n, p, i, sv_cut(&date, '&'));
		add_place(places, &n, p, i,
			  sv_cut(&scope, i == PIECE_QUERY ? '&' : ','));
		add_place(places, &n, p, i,
			  sv_make(signature.ptr, signature.ptr ? 64 : 0));
	}
	return n;
}

/* A copy of piece with one byte changed at or before `at`, into out. */
static inline struct sv change(char *out, struct sv piece, size_t at,
			       uint64_t *seed)
{
	uint32_t how = next_random(seed) % 8;
	char any = (char)next_random(seed);
	size_t skip = how == 1 ? 0 : 1; /* 1 puts one in */

	memcpy(out, piece.ptr, at);
	if (how == 2) /* takes one out */
		return memcpy(out + at, piece.ptr + at + 1, piece.len - at - 1),
		       sv_make(out, piece.len - 1);
	if (how == 1 && any & 1)
		any = " &/\t"[(any >> 1) & 3];
	out[at] = how == 3 ? (char)(piece.ptr[at] ^ 0x20) :
		  how == 4 ? (char)(piece.ptr[at] ^ (1 << (any & 7))) :
			     any;
	memcpy(out + at + 1, piece.ptr + at + skip, piece.len - at - skip);
	return sv_make(out, piece.len + 1 - skip);
}

static inline enum sigv4_refusal judge_pieces(const struct pieces *p,
					      const uint8_t *body, int64_t now)
{
	static const struct sigv4_policy unsigned_ok = { true };
	struct sigv4_header headers[SIGV4_HEADERS_MAX];
	struct sigv4_key key = { SV(RECORDED_SECRET), true, false };
	struct sigv4_request r = { p->piece[PIECE_METHOD], p->piece[PIECE_PATH],
				   p->piece[PIECE_QUERY], headers, 0 };
	struct sigv4_claim c;
	enum sigv4_refusal why;

	for (size_t i = PIECE_HEADERS; i + 1 < p->count; i += 2)
		headers[r.header_count++] =
			(struct sigv4_header){ p->piece[i], p->piece[i + 1] };
	why = sigv4_parse(&c, &r, &unsigned_ok);
	if (!why)
		why = sigv4_check_time(&c, now);
	if (why)
		return why;
	key.known = sv_eq(c.key_id, SV(RECORDED_KEY));
	return sigv4_verify(&c, &r, &key, body, NULL, NULL);
}

/* NULL, or what is wrong. */
static inline const char *mutate_once(const struct pieces *p,
				      struct place place, int64_t now,
				      uint64_t *seed,
				      struct mutation_tally *tally)
{
	static char text[RECORDING_MAX + 1];
	struct pieces changed = *p;
	size_t at = place.start + next_random(seed) % place.len;
	uint8_t body[SIGV4_HASH_SIZE];
	enum equal_rule reason;
	bool taken;

	changed.piece[place.piece] =
		change(text, p->piece[place.piece], at, seed);
	if (sv_eq(changed.piece[place.piece], p->piece[place.piece]))
		return NULL;
	sigv4_hash(body, changed.piece[PIECE_BODY]);
	taken = judge_pieces(&changed, body, now) == SIGV4_OK;
	if (!equal_under(p, &changed, EQUAL_ALL)) {
		tally->refused += !taken;
		return taken ? "is accepted" : NULL;
	}
	reason = equal_reason(p, &changed);
	if (reason == EQUAL_RULE_COUNT)
		return "is equal by no rule alone";
	tally->equal[reason]++;
	return taken ? NULL : "is refused";
}

/* 200 refused, of a request that is accepted. */
static inline void mutate(const struct pieces *p, int64_t now, uint64_t seed,
			  const char *name, struct mutation_tally *tally)
{
	struct place places[PLACES_MAX];
	size_t count = find_places(places, p);
	size_t goal = tally->refused + MUTATIONS;
	uint8_t body[SIGV4_HASH_SIZE];

	assert_true(count > 0);
	sigv4_hash(body, p->piece[PIECE_BODY]);
	assert_int_equal(judge_pieces(p, body, now), SIGV4_OK);
	while (count && tally->refused < goal) {
		struct place place = places[next_random(&seed) % count];
		uint64_t start = seed;
		const char *wrong = mutate_once(p, place, now, &seed, tally);

		if (wrong)
			fail_msg("%s: piece %zu, bytes %zu+%zu, seed %llu %s",
				 name, place.piece, place.start, place.len,
				 (unsigned long long)start, wrong);
	}
}

static inline void print_tally(const struct mutation_tally *t)
{
	print_message("# %zu refused\n", t->refused);
	for (int i = 0; i < EQUAL_RULE_COUNT; i++)
		print_message("# %6zu accepted: %s\n", t->equal[i],
			      equal_text((enum equal_rule)i));
}

#endif
