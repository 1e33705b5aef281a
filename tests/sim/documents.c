/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/sim/documents.h"

#include <assert.h>
#include <dirent.h>
#include <stdio.h>

#include "core/wire/otlp.h"
#include "tests/bench/spans.h"

void documents_init(struct documents *d, struct arena *arena)
{
	d->list = arena_array(arena, DOCUMENTS_MAX, sizeof(*d->list));
	d->count = 0;
	assert(d->list);
}

void documents_add(struct documents *d, struct arena *arena,
		   enum document_format format, struct sv bytes)
{
	struct document *new = &d->list[d->count++];

	assert(d->count <= DOCUMENTS_MAX);
	new->format = format;
	new->bytes = arena_copy(arena, bytes);
	assert(new->bytes.ptr);
}

void documents_add_request(struct documents *d, struct arena *arena,
			   struct sv request)
{
	struct records records = { 0 };
	struct otlp_refused refused = { 0 };
	struct buf document = BUF_INIT;

	if (otlp_traces_decode(arena, request, &records, &refused, NULL))
		return;
	for (size_t i = 0; i < records.span_count; i++) {
		buf_reset(&document);
		document_of_span(&records.spans[i], &document);
		documents_add(d, arena, DOCUMENT_OTLP, buf_view(&document));
	}
	buf_fini(&document);
}

static void read_file(const char *folder, const char *name, struct buf *out)
{
	char path[512];
	FILE *f;
	size_t n;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	buf_reset(out);
	f = fopen(path, "r");
	assert(f);
	do {
		char *p = buf_grow(out, 4096);

		assert(p);
		n = fread(p, 1, 4096, f);
		out->len += n;
	} while (n);
	fclose(f);
}

/* The files of a folder whose name ends in suffix, each as fn takes it. */
static void each_file(const char *folder, struct sv suffix,
		      void (*fn)(struct documents *, struct arena *, struct sv),
		      struct documents *d, struct arena *arena)
{
	struct buf file = BUF_INIT;
	DIR *dir = opendir(folder);
	struct dirent *entry;

	assert(dir);
	while ((entry = readdir(dir)) != NULL)
		if (sv_ends(sv_from(entry->d_name), suffix)) {
			read_file(folder, entry->d_name, &file);
			fn(d, arena, buf_view(&file));
		}
	closedir(dir);
	buf_fini(&file);
}

/* A segment document, with the daemon's header in a line before it or not. */
static void add_segment(struct documents *d, struct arena *arena,
			struct sv text)
{
	if (sv_starts(text, SV("{\"format\"")))
		(void)sv_cut(&text, '\n');
	if (text.ptr)
		documents_add(d, arena, DOCUMENT_XRAY, text);
}

void documents_add_fixtures(struct documents *d, struct arena *arena)
{
	each_file("tests/fixtures/udp", SV(".bin"), add_segment, d, arena);
	each_file("tests/fixtures/otel-xray", SV(".txt"), add_segment, d,
		  arena);
	each_file("tests/fixtures/otlp", SV("traces.bin"),
		  documents_add_request, d, arena);
}

void documents_add_made(struct documents *d, struct arena *arena,
			unsigned traces)
{
	struct buf text = BUF_INIT;
	struct bench bench;

	bench_init(&bench, 1, 1795342177403000000);
	bench_request(&bench, traces, &text);
	documents_add_request(d, arena, buf_view(&text));
	for (unsigned i = 0; i < traces; i++) {
		buf_reset(&text);
		bench_segment(&bench, &text);
		documents_add(d, arena, DOCUMENT_XRAY, buf_view(&text));
	}
	buf_fini(&text);
}

struct shapes *documents_shapes(void)
{
	static const uint8_t id[TRACE_ID_SIZE];
	struct arena arena = ARENA_INIT;
	struct buf row = BUF_INIT;
	struct documents d;
	struct shapes *s;
	bool good = shapes_new(&s, 0) == 0;

	assert(good);
	documents_init(&d, &arena);
	documents_add_made(&d, &arena, 100);
	for (size_t i = 0; i < d.count; i++) {
		good = shape_pack_document(s, &d.list[i], id, &arena, &row);
		assert(good);
	}
	buf_fini(&row);
	arena_fini(&arena);
	return s;
}
