/* SPDX-License-Identifier: Apache-2.0 */
/* A traces view in a folder of its own, fed with segments as the journal
 * would, which can be closed and fed again. */
#ifndef TALLY_TESTS_TRACER_VIEW_H
#define TALLY_TESTS_TRACER_VIEW_H

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tracer/traces.h"

#define VIEW_T0 (1795342000 * NS_PER_S)
#define VIEW_ID_S 0x6b02bf61 /* 177 s after it */
#define VIEW_ID_NS (VIEW_ID_S * NS_PER_S)

static const struct scope view_home = { 123456789012, "us-east-1" };

struct view_sent {
	uint64_t position;
	int64_t now_ns;
	struct scope scope;
	char *document;
};

struct view_fixture {
	char dir[64];
	struct traces *t;
	struct traces_options options;
	uint64_t position;
	int64_t now_ns;
	struct view_sent *sent;
	size_t sent_count;
};

static inline void view_open(struct view_fixture *f)
{
	struct diag diag = { 0 };

	assert_int_equal(
		traces_open(&f->t, env_posix(), f->dir, &f->options, &diag), 0);
}

static inline int view_setup(void **state)
{
	struct view_fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "/tmp/tally-traces-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->position = (UINT64_C(1) << 32) + 4096;
	f->now_ns = VIEW_T0;
	view_open(f);
	*state = f;
	return 0;
}

static inline void view_files(struct view_fixture *f,
			      void (*fn)(const char *path))
{
	DIR *dir = opendir(f->dir);
	struct dirent *entry;
	char path[512];

	assert_non_null(dir);
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", f->dir, entry->d_name);
		fn(path);
	}
	closedir(dir);
}

static inline void view_remove(const char *path)
{
	assert_int_equal(unlink(path), 0);
}

static inline int view_teardown(void **state)
{
	struct view_fixture *f = *state;

	traces_close(f->t);
	view_files(f, view_remove);
	rmdir(f->dir);
	for (size_t i = 0; i < f->sent_count; i++)
		free(f->sent[i].document);
	free(f->sent);
	free(f);
	return 0;
}

static inline void view_deliver(struct view_fixture *f,
				const struct view_sent *s)
{
	struct segment_record segment = { .document = sv_from(s->document) };
	struct records records = { .segments = &segment, .segment_count = 1 };
	struct frame frame = { .position = s->position,
			       .next = s->position + 64,
			       .scope = s->scope,
			       .received = { s->now_ns } };
	struct delivery d = { .frame = &frame, .records = &records };
	struct view *v = traces_view(f->t);

	if (frame.position < v->position)
		return;
	assert_int_equal(v->ops->apply(v->self, &d), 0);
}

static inline void view_send(struct view_fixture *f, const char *document)
{
	struct view_sent *s;

	f->sent = realloc(f->sent, (f->sent_count + 1) * sizeof(*f->sent));
	assert_non_null(f->sent);
	s = &f->sent[f->sent_count++];
	*s = (struct view_sent){ f->position, f->now_ns, view_home,
				 strdup(document) };
	f->position += 64;
	view_deliver(f, s);
}

/* Closes, opens, and gives all again that the journal would have. */
static inline void view_restart(struct view_fixture *f)
{
	traces_close(f->t);
	view_open(f);
	for (size_t i = 0; i < f->sent_count; i++)
		view_deliver(f, &f->sent[i]);
}

/* A segment of half a second, its id i, s seconds behind VIEW_T0, of the trace
 * with this time in its id and number n. */
static inline void view_segment_at(struct view_fixture *f, int64_t id_s,
				   unsigned n, unsigned i, int s,
				   const char *more)
{
	struct buf b = BUF_INIT;

	buf_format(&b,
		   "{\"trace_id\":\"1-%08x-%024x\",\"id\":\"%016x\","
		   "\"name\":\"svc%u\",\"start_time\":%lld,"
		   "\"end_time\":%lld.5%s}",
		   (unsigned)id_s, n, i, i, (long long)(VIEW_T0 / NS_PER_S + s),
		   (long long)(VIEW_T0 / NS_PER_S + s), more);
	view_send(f, b.ptr);
	buf_fini(&b);
}

static inline void view_segment(struct view_fixture *f, unsigned n, unsigned i,
				int s, const char *more)
{
	view_segment_at(f, VIEW_ID_S, n, i, s, more);
}

#define VIEW_TEST(name) \
	cmocka_unit_test_setup_teardown(name, view_setup, view_teardown)

#endif
