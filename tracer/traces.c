/* SPDX-License-Identifier: Apache-2.0 */
#include "tracer/traces.h"

#include <assert.h>
#include <stdlib.h>

#include "core/base/log.h"
#include "tracer/traces_inner.h"

enum { SEAL_WAIT_CALLS = 25 }; /* the collector tries five times a second */
#define SEAL_WAIT_NS (10 * NS_PER_S)
#define RETENTION_EVERY_NS (60 * NS_PER_S)

static struct traces_options with_defaults(const struct traces_options *o)
{
	struct traces_options d = o ? *o : (struct traces_options){ 0 };

	if (!d.head_bytes)
		d.head_bytes = TRACES_HEAD_BYTES;
	if (!d.seal_age_ns)
		d.seal_age_ns = TRACES_SEAL_AGE_NS;
	if (!d.quiet_ns)
		d.quiet_ns = TRACES_QUIET_NS;
	if (d.quiet_ns < 0)
		d.quiet_ns = 0;
	if (!d.retention_ns)
		d.retention_ns = TRACES_RETENTION_NS;
	return d;
}

/* Restores from the checkpoint; without a good one, from what the blocks say,
 * and the journal has what came after them. */
static int restore(struct traces *t, struct diag *diag)
{
	uint64_t oldest = 0;
	int e = traces_read_checkpoint(t, diag);

	if (!e)
		return traces_scan_dir(t, false, &oldest, diag);
	if (e != ERR_NOT_FOUND && e != ERR_CORRUPT)
		return e;
	if (e == ERR_CORRUPT)
		log_error("traces", "the checkpoint was damaged; blocks are "
				    "taken as they are, the journal is read "
				    "again from the last of them");
	e = traces_scan_dir(t, true, &oldest, diag);
	t->view.position = t->view.durable = oldest;
	return e;
}

void traces_count_shapes(struct traces_stats *stats, const struct head *head)
{
	struct shapes_stats shapes = { 0 };

	if (head->shapes)
		shapes_stats(head->shapes, &shapes);
	stats->verbatim += shapes.verbatim;
	stats->dictionary_full += shapes.full;
}

static void update_head_stats(struct traces *t)
{
	t->stats.head_traces = t->head.count;
	t->stats.head_documents = t->head.documents;
	t->stats.head_bytes = t->head.bytes;
}

/* --- the view ------------------------------------------------------------------ */

static bool is_over_age(const struct traces *t)
{
	return t->opened_ns &&
	       t->now_ns - t->opened_ns >= t->options.seal_age_ns;
}

/* Time is what frames and ticks say; a clock that is set back takes the head's
 * age with it, so that it goes on. */
static void note_time(struct traces *t, int64_t ns)
{
	t->now_ns = ns;
	if (t->opened_ns > ns)
		t->opened_ns = ns;
	map_windows_note(t, ns);
}

/* Only a head that is over its size stops the view when it cannot be sealed;
 * one that is merely old can wait. A disk that is full is not asked at once
 * again, since each try writes until it fails. */
static int seal_if_due(struct traces *t)
{
	bool over;
	int e;

	traces_lock(t); /* readers add digests to its bytes */
	over = t->head.bytes > t->options.head_bytes ||
	       t->head.text_bytes > traces_text_max(t);
	traces_unlock(t);
	if (over) {
		if (t->seal_wait > 0) {
			t->seal_wait--;
			return t->seal_err;
		}
		e = traces_seal_head(t, SEAL_SIZE);
		t->seal_err = e;
		t->seal_wait = e ? SEAL_WAIT_CALLS : 0;
		return e;
	}
	if (!is_over_age(t))
		return 0;
	e = traces_seal_head(t, SEAL_AGE);
	if (e)
		t->opened_ns =
			t->now_ns - t->options.seal_age_ns + SEAL_WAIT_NS;
	return 0;
}

enum { APPLY_LOCKED = 64 }; /* documents between two looks for readers */

/* Under the lock. */
static int add(struct traces *t, const struct frame *frame,
	       struct head_arrival *a)
{
	int e;

	a->scope = &frame->scope;
	a->received_ns = frame->received.ns;
	a->position = frame->position;
	a->sequence = t->next_sequence++;
	e = head_add(&t->head, a, &t->scratch);
	t->stats.documents += e == HEAD_ADDED || e == HEAD_REPLACED;
	t->stats.replaced += e == HEAD_REPLACED;
	t->stats.repeats += e == HEAD_REPEAT;
	t->stats.shed_trace += e == HEAD_SHED;
	return e < 0 ? e : 0;
}

/* Ingest refuses these; a replay does too. */
static int judged(enum segment_refusal refusal)
{
	return refusal == SEGMENT_NO_MEMORY ? ERR_NOMEM : 0;
}

static int apply_segment(struct traces *t, const struct frame *frame,
			 struct segment_record record)
{
	struct head_arrival a = { .segment = record.document };

	if (!record.read) {
		enum segment_refusal refusal =
			segment_take(&record, &t->scratch);

		if (refusal != SEGMENT_OK)
			return judged(refusal);
	}
	a.parsed = record.parsed;
	a.read = record.read;
	a.read_count = record.read_count;
	return add(t, frame, &a);
}

static int apply_span(struct traces *t, const struct frame *frame,
		      const struct span_record *record)
{
	struct segment segment;
	struct head_arrival a = { .span = record,
				  .read = &segment,
				  .read_count = 1 };
	enum segment_refusal refusal =
		span_read(&t->spans, record, &t->scratch, &segment);

	return refusal == SEGMENT_OK ? add(t, frame, &a) : judged(refusal);
}

static int apply_records(struct traces *t, const struct delivery *d)
{
	const struct records *r = d->records;
	int e = 0;

	traces_lock(t);
	for (size_t i = 0; i < r->segment_count + r->span_count && !e; i++) {
		if (i % APPLY_LOCKED == APPLY_LOCKED - 1) {
			traces_unlock(t);
			traces_lock(t);
		}
		arena_reset(&t->scratch);
		e = i < r->segment_count ?
			    apply_segment(t, d->frame, r->segments[i]) :
			    apply_span(t, d->frame,
				       &r->spans[i - r->segment_count]);
	}
	traces_unlock(t);
	return e;
}

/* Applying the same delivery twice changes nothing: its documents are exact
 * repeats. So it may stop half-way for want of memory and be tried again, as
 * long as nothing is sealed in between. */
static int traces_apply(void *self, const struct delivery *d)
{
	struct traces *t = self;
	int e;

	note_time(t, d->frame->received.ns);
	if (d->frame->position != t->half_applied) {
		e = seal_if_due(t);
		if (e)
			return e;
	}
	t->half_applied = d->frame->position;
	t->spans = (struct span_reader){ 0 };
	e = apply_records(t, d);
	if (e)
		return e;
	if (t->head.count && !t->opened_ns)
		t->opened_ns = t->now_ns;
	t->view.position = d->frame->next;
	t->half_applied = UINT64_MAX;
	return 0;
}

/* The journal has what the head holds, so there is nothing to write until a
 * seal. Only while there is no head, the position moves on by itself, once a
 * journal file. */
static int traces_checkpoint(void *self)
{
	struct traces *t = self;
	int e;

	if (t->head.count || t->view.position >> 32 == t->view.durable >> 32)
		return 0;
	e = traces_write_checkpoint(t, t->set, &t->head, t->view.position);
	if (!e)
		t->view.durable = t->view.position;
	return e;
}

static int traces_tick(void *self, struct wall now)
{
	struct traces *t = self;

	note_time(t, now.ns);
	retention_tick(&t->retention, now);
	if (t->half_applied == UINT64_MAX) {
		int e = seal_if_due(t);

		if (e)
			return e;
	}
	return retention_due(&t->retention, RETENTION_EVERY_NS) ?
		       traces_retain(t) :
		       0;
}

static const struct view_ops ops = {
	.name = "traces",
	.apply = traces_apply,
	.checkpoint = traces_checkpoint,
	.tick = traces_tick,
};

int traces_open(struct traces **out, const struct env *env, const char *dir,
		const struct traces_options *options, struct diag *diag)
{
	struct traces *t = calloc(1, sizeof(*t));
	int e;

	if (!t)
		return ERR_NOMEM;
	t->view = (struct view){ .ops = &ops, .self = t };
	t->env = env;
	t->options = with_defaults(options);
	t->next_number = t->next_sequence = 1;
	t->half_applied = UINT64_MAX;
	pthread_mutex_init(&t->lock, NULL);
	t->dir = strdup(dir);
	t->set = block_set_make(NULL, NULL, NULL, NULL);
	if (!t->dir || !t->set || strlen(dir) > TRACES_PATH_MAX / 2) {
		traces_close(t);
		return diag_set(diag, ERR_NOMEM, "traces: no memory");
	}
	e = env_err(env->disk->mkdir(env->disk_self, dir));
	if (e)
		(void)diag_set(diag, e, "traces: %s cannot be made: %s", dir,
			       err_text(e));
	if (!e)
		e = restore(t, diag);
	if (e) {
		if (diag && !diag->err)
			(void)diag_set(diag, e, "traces: %s: %s", dir,
				       err_text(e));
		traces_close(t);
		return e;
	}
	*out = t;
	return 0;
}

void traces_close(struct traces *t)
{
	if (!t)
		return;
	map_windows_fini(t);
	head_fini(&t->head);
	block_set_unref(t->set);
	arena_fini(&t->scratch);
	pthread_mutex_destroy(&t->lock);
	free(t->dir);
	free(t);
}

struct view *traces_view(struct traces *t)
{
	return &t->view;
}

void traces_stats(struct traces *t, struct traces_stats *out)
{
	traces_lock(t);
	update_head_stats(t);
	*out = t->stats;
	traces_count_shapes(out, &t->head);
	traces_unlock(t);
}

int traces_seal(struct traces *t)
{
	return traces_seal_head(t, SEAL_ALL);
}
