/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writing a block. Rows must come in the order of their keys, so each key
 * space is gathered, sorted and written by itself: C, D, M, P, S, X.
 */
#include <assert.h>
#include <stdlib.h>

#include "tracer/chunk.h"
#include "tracer/id_index.h"
#include "tracer/traces_inner.h"

static int write_row(struct seal *s, const struct row_key *key)
{
	int e = s->value.failed ? ERR_NOMEM :
				  block_writer_add(s->writer, row_key_view(key),
						   buf_view(&s->value));

	buf_reset(&s->value);
	return e;
}

static int store_row(struct seal *s, const struct row_key *key)
{
	int e = s->value.failed ?
			ERR_NOMEM :
			block_writer_store(s->writer, row_key_view(key),
					   buf_view(&s->value));

	buf_reset(&s->value);
	return e;
}

/* --- C: the documents ----------------------------------------------------------- */

#define NO_CHUNK UINT32_MAX

struct chunks {
	struct seal *s;
	struct deflate *deflate;
	struct columns_encoder *encoder;
	struct columns_row *rows;
	size_t count, cap, bytes;
	const struct trace_key *first;
	uint32_t *of_trace; /* by index in the head; NO_CHUNK: not sealed */
};

static int end_chunk(struct chunks *c)
{
	struct row_key key;
	int e;

	if (!c->count)
		return 0;
	row_key_chunk(&key, c->first);
	e = columns_encode(c->encoder, c->deflate, c->s->t->head.shapes,
			   c->rows, c->count, &c->s->value);
	c->count = c->bytes = 0;
	return e ? e : store_row(c->s, &key);
}

static int add_row(struct chunks *c, const struct head_trace *trace,
		   struct sv row)
{
	if (c->count == c->cap) {
		size_t cap = c->cap ? c->cap * 2 : 1024;
		struct columns_row *rows =
			reallocarray(c->rows, cap, sizeof(*rows));

		if (!rows)
			return ERR_NOMEM;
		c->rows = rows;
		c->cap = cap;
	}
	c->rows[c->count++] = (struct columns_row){
		.trace_id = trace_key_id(&trace->key),
		.row = row,
	};
	c->bytes += row.len;
	return 0;
}

/* A chunk has whole traces of one scope. */
static int add_trace(struct chunks *c, size_t i)
{
	const struct seal *s = c->s;
	const struct head_trace *trace = s->traces[i];
	struct row_key prefix;
	size_t bytes = 0;
	int e = 0;

	for (size_t d = s->first[i]; d < s->first[i + 1]; d++) {
		seal_fetch(s, d + SEAL_FETCH_AHEAD);
		bytes += s->documents[d]->row_len;
	}
	if (c->count &&
	    (c->bytes + bytes > COLUMNS_ROW_BYTES ||
	     c->count + trace->document_count > COLUMNS_ROWS_MAX ||
	     memcmp(c->first->bytes, trace->key.bytes, SCOPE_KEY_SIZE)))
		e = end_chunk(c);
	if (!c->count)
		c->first = &trace->key;
	for (size_t d = s->first[i]; d < s->first[i + 1] && !e; d++)
		e = add_row(c, trace, head_row(s->documents[d]));
	if (e)
		return e;
	c->of_trace[trace->index] = block_writer_chunk(c->s->writer);
	row_key_trace(&prefix, &trace->key);
	return block_writer_filter(c->s->writer, row_key_view(&prefix));
}

static int write_chunks(struct chunks *c)
{
	struct seal *s = c->s;
	int e = deflate_new(&c->deflate);

	if (!e)
		e = columns_encoder_new(&c->encoder);

	for (size_t i = 0; i < s->count && !e; i++)
		if (!s->dropped[i])
			e = add_trace(c, i);
	return e ? e : end_chunk(c);
}

static int write_dictionary(struct seal *s)
{
	struct row_key key;

	row_key_dictionary(&key);
	shapes_save(s->t->head.shapes, &s->value);
	return write_row(s, &key);
}

/* --- S: summaries ----------------------------------------------------------------- */

static int write_position(struct seal *s)
{
	struct row_key key;

	row_key_position(&key);
	row_put_position(&s->value, s->t->view.position, s->oldest_position);
	return write_row(s, &key);
}

/* By scope, latest start first, id: lines are by scope and id. */
static int by_start(const void *left, const void *right, void *arg)
{
	const struct seal_summary *a = left, *b = right;
	struct head_trace *const *traces = arg;
	int scope = memcmp(traces[a->trace]->key.bytes,
			   traces[b->trace]->key.bytes, SCOPE_KEY_SIZE);

	if (scope)
		return scope;
	if (a->start_ns != b->start_ns)
		return a->start_ns < b->start_ns ? 1 : -1;
	return a->trace < b->trace ? -1 : a->trace > b->trace;
}

static int write_summaries(struct seal *s)
{
	int e = 0;

	qsort_r(s->list, s->list_count, sizeof(*s->list), by_start, s->traces);
	for (size_t i = 0; i < s->list_count && !e; i++) {
		const struct seal_summary *line = &s->list[i];
		struct row_key key;

		row_key_start(&key, &s->traces[line->trace]->key,
			      line->start_ns);
		e = block_writer_add(s->writer, row_key_view(&key),
				     sv_make(s->summaries.ptr + line->at,
					     line->len));
	}
	return e;
}

/* --- X: ids ------------------------------------------------------------------------- */

static int write_ids(struct seal *s, const struct chunks *c, uint32_t chunks)
{
	const struct head *h = &s->t->head;
	struct id_entry *list = calloc(h->id_count + 1, sizeof(*list));
	size_t count = 0;
	uint64_t left_out = 0;
	unsigned bits;
	int e = list ? 0 : ERR_NOMEM;

	for (size_t i = 0; i < h->id_count && !e; i++) {
		uint32_t chunk = c->of_trace[h->id_traces[i]];

		if (chunk != NO_CHUNK)
			list[count++] =
				(struct id_entry){ h->id_hashes[i], chunk };
	}
	count = e ? 0 : id_index_sort(list, count);
	bits = id_index_page_bits(count);
	for (uint32_t n = 0; n < UINT32_C(1) << bits && !e; n++) {
		struct row_key key;

		row_key_ids(&key, n);
		left_out +=
			id_index_put(&s->value, list, count, bits, n, chunks);
		e = store_row(s, &key);
	}
	free(list);
	s->ids_left_out += left_out;
	return e;
}

/* --- all of it ---------------------------------------------------------------------- */

static int write_rows(struct seal *s, struct chunks *c)
{
	uint32_t chunks;
	int e;

	c->of_trace = malloc((s->t->head.count + 1) * sizeof(*c->of_trace));
	if (!c->of_trace)
		return ERR_NOMEM;
	memset(c->of_trace, 0xff,
	       (s->t->head.count + 1) * sizeof(*c->of_trace));
	e = write_chunks(c);
	chunks = block_writer_chunk(s->writer);
	if (!e)
		e = write_dictionary(s);
	if (!e)
		e = minutes_write(&s->minutes, s->writer);
	if (!e)
		e = write_position(s);
	if (!e)
		e = write_summaries(s);
	return e ? e : write_ids(s, c, chunks);
}

int seal_write(struct seal *s, const char *path)
{
	struct block_options options = {
		.kind = BLOCK_KIND_TRACES,
		.format = ROWS_FORMAT,
		.filter_prefix = ROW_PREFIX,
		.stores = true,
		.time_min_ns = s->received_ns_min,
		.time_max_ns = s->received_ns_max,
	};
	struct chunks c = { .s = s };
	int e = block_writer_open(&s->writer, s->t->env, path, &options);

	if (e)
		return e;
	buf_reset(&s->value);
	e = write_rows(s, &c);
	deflate_free(c.deflate);
	if (c.encoder)
		columns_encoder_free(c.encoder);
	free(c.rows);
	free(c.of_trace);
	if (!e)
		return block_writer_finish(s->writer);
	block_writer_abort(s->writer);
	return e;
}
