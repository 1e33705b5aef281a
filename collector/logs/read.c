/* SPDX-License-Identifier: Apache-2.0 */
/* The questions: lines of a group, lines of a request, groups. */
#include "collector/logs/collect.h"
#include "collector/logs/internal.h"

/* --- one request's lines ------------------------------------------------------ */

enum {
	SPANS_MAX = 16, /* streams one request ran in: its retries */
	RUNS_MAX = 16,  /* of one request in one stream */
};

/* From a START to its END: lines without an id in between are the run's. An
 * end that is not there (yet) is the next line with another id. */
struct run {
	struct event_key start, end;
	bool ended;
};

/* What one stream has of a request. */
struct span {
	char group[LOG_NAME_MAX], stream[LOG_NAME_MAX];
	size_t group_len, stream_len;
	int64_t first_ns, last_ns;
	struct run runs[RUNS_MAX];
	size_t run_count;
	struct event_key ends[RUNS_MAX];
	size_t end_count;
};

struct reading {
	const struct logs_query *query;
	struct collect collect;
	struct span *spans; /* of a request */
	size_t span_count;
	const struct span *span; /* being read */
	struct run *open;        /* whose end is looked for */
	bool more_spans;
};

static struct sv span_group(const struct span *s)
{
	return sv_make(s->group, s->group_len);
}

static struct sv span_stream(const struct span *s)
{
	return sv_make(s->stream, s->stream_len);
}

static struct span *span_of(struct reading *r, const struct line *line)
{
	struct span *s;

	for (size_t i = 0; i < r->span_count; i++)
		if (sv_eq(span_stream(&r->spans[i]), line->stream) &&
		    sv_eq(span_group(&r->spans[i]), line->group))
			return &r->spans[i];
	if (r->span_count == SPANS_MAX || line->group.len > LOG_NAME_MAX ||
	    line->stream.len > LOG_NAME_MAX) {
		r->more_spans = true;
		return NULL;
	}
	s = &r->spans[r->span_count++];
	memcpy(s->group, line->group.ptr, s->group_len = line->group.len);
	memcpy(s->stream, line->stream.ptr, s->stream_len = line->stream.len);
	s->first_ns = s->last_ns = line->key.time_ns;
	return s;
}

static int hit(void *arg, const struct line *line, enum mark mark)
{
	struct reading *r = arg;
	struct span *s = span_of(r, line);

	if (!s)
		return 0;
	if (line->key.time_ns < s->first_ns)
		s->first_ns = line->key.time_ns;
	if (line->key.time_ns > s->last_ns)
		s->last_ns = line->key.time_ns;
	if (mark == MARK_START && s->run_count < RUNS_MAX)
		s->runs[s->run_count++].start = line->key;
	else if (mark == MARK_END && s->end_count < RUNS_MAX)
		s->ends[s->end_count++] = line->key;
	else if (mark != MARK_LINE)
		r->more_spans = true;
	return 0;
}

/* The line's own id: empty when it has none. */
static struct sv line_id(const struct line *line)
{
	uint16_t at = log_group_has_requests(line->group) ?
			      log_line_id_at(line->message) :
			      NO_ID;

	return at == NO_ID ? sv_make("", 0) :
			     sv_make(line->message.ptr + at, LOGS_ID_MAX);
}

static int find_end(void *arg, const struct line *line)
{
	struct reading *r = arg;
	struct sv id;

	if (!sv_eq(line->stream, span_stream(r->span)) ||
	    log_event_key_cmp(&line->key, &r->open->start) <= 0)
		return 0;
	id = line_id(line);
	if (id.len && !request_id_eq(id, r->query->request_id) &&
	    log_event_key_cmp(&line->key, &r->open->end) < 0)
		r->open->end = line->key;
	return 0;
}

static int64_t later(int64_t time_ns, int64_t by_ns)
{
	int64_t sum;

	if (__builtin_add_overflow(time_ns, by_ns, &sum))
		return by_ns < 0 ? INT64_MIN : INT64_MAX;
	return sum;
}

/* The first END behind the START, if no other START of the request (another
 * try) comes before it; else the latest the run can have ended. */
static void run_end(const struct span *s, struct run *run)
{
	run->end = (struct event_key){
		.time_ns =
			later(run->start.time_ns, LOGS_INVOCATION_S * NS_PER_S),
	};
	for (size_t i = 0; i < s->run_count; i++)
		if (log_event_key_cmp(&s->runs[i].start, &run->start) > 0 &&
		    log_event_key_cmp(&s->runs[i].start, &run->end) < 0)
			run->end = s->runs[i].start;
	for (size_t i = 0; i < s->end_count; i++)
		if (log_event_key_cmp(&s->ends[i], &run->start) > 0 &&
		    log_event_key_cmp(&s->ends[i], &run->end) < 0) {
			run->end = s->ends[i];
			run->ended = true;
		}
}

/* Gives each run its end: where there is no END, the stream tells, by the
 * first line of another request. */
static int runs_close(struct logs *l, const struct scope *scope,
		      struct reading *r, struct span *s)
{
	int err = 0;

	for (size_t i = 0; i < s->run_count && !err; i++) {
		struct run *run = &s->runs[i];
		struct visit v = {
			.scope = scope,
			.group = span_group(s),
			.line = find_end,
			.arg = r,
		};

		run_end(s, run);
		if (run->ended)
			continue;
		v.start_ns = run->start.time_ns;
		v.end_ns = run->end.time_ns;
		r->span = s;
		r->open = run;
		err = logs_scan_lines(l, &v);
		if (run->end.time_ns > s->last_ns)
			s->last_ns = run->end.time_ns;
	}
	return err;
}

static bool in_a_run(const struct span *s, const struct event_key *key)
{
	for (size_t i = 0; i < s->run_count; i++)
		if (log_event_key_cmp(key, &s->runs[i].start) > 0 &&
		    log_event_key_cmp(key, &s->runs[i].end) < 0)
			return true;
	return false;
}

/* --- lines in general -------------------------------------------------------------- */

static bool wanted(const struct logs_query *q, const struct line *line)
{
	if (q->stream.len && !sv_eq(q->stream, line->stream))
		return false;
	return !q->contains.len || memmem(line->message.ptr, line->message.len,
					  q->contains.ptr, q->contains.len);
}

static int take_line(void *arg, const struct line *line)
{
	struct reading *r = arg;

	if (!wanted(r->query, line))
		return 0;
	return logs_collect_add(&r->collect, line);
}

static int take_request_line(void *arg, const struct line *line)
{
	struct reading *r = arg;
	struct sv id;

	if (!sv_eq(line->stream, span_stream(r->span)) ||
	    !wanted(r->query, line))
		return 0;
	id = line_id(line);
	if (id.len ? !request_id_eq(id, r->query->request_id) :
		     !in_a_run(r->span, &line->key))
		return 0;
	return logs_collect_add(&r->collect, line);
}

static bool reading_done(void *arg, int64_t time_ns)
{
	const struct reading *r = arg;

	return logs_collect_done(&r->collect, time_ns);
}

static int read_request(struct logs *l, const struct visit *lines,
			struct reading *r)
{
	struct visit hits = *lines;
	int err;

	r->spans = calloc(SPANS_MAX, sizeof(*r->spans));
	if (!r->spans)
		return ERR_NOMEM;
	/* The START may lie before the time that was asked for. */
	hits.start_ns = later(lines->start_ns, -LOGS_INVOCATION_S * NS_PER_S);
	hits.end_ns = later(lines->end_ns, LOGS_INVOCATION_S * NS_PER_S);
	err = logs_scan_requests(l, &hits, r->query->request_id, hit);
	for (size_t i = 0; i < r->span_count && !err; i++) {
		struct span *s = &r->spans[i];
		struct visit v = *lines;

		err = runs_close(l, lines->scope, r, s);
		v.group = span_group(s);
		v.line = take_request_line;
		if (v.start_ns < s->first_ns)
			v.start_ns = s->first_ns;
		if (v.end_ns > later(s->last_ns, 1))
			v.end_ns = later(s->last_ns, 1);
		r->span = s;
		if (!err)
			err = logs_scan_lines(l, &v);
	}
	free(r->spans);
	r->spans = NULL;
	return err;
}

int logs_read(struct logs *l, const struct scope *scope,
	      const struct logs_query *query, struct arena *arena,
	      struct log_event **events, size_t *count, bool *truncated)
{
	struct reading r = {
		.query = query,
		.collect = {
			.limit = query->limit ? query->limit :
						LOGS_LIMIT_DEFAULT,
			.bytes_max = l->options.answer_bytes,
			.descending = query->descending,
		},
	};
	struct visit v = {
		.scope = scope,
		.group = query->group,
		.start_ns = query->start_ns ? query->start_ns : INT64_MIN,
		.end_ns = query->end_ns ? query->end_ns : INT64_MAX,
		.descending = query->descending,
		.line = take_line,
		.done = reading_done,
		.arg = &r,
	};
	int err = 0;

	*events = NULL;
	*count = 0;
	*truncated = false;
	if (r.collect.limit > LOGS_LIMIT_MAX)
		r.collect.limit = LOGS_LIMIT_MAX;
	if (!query->request_id.len)
		err = logs_scan_lines(l, &v);
	else if (request_id_valid(query->request_id))
		err = read_request(l, &v, &r);
	if (!err)
		err = logs_collect_take(&r.collect, arena, events, count,
					truncated);
	logs_collect_fini(&r.collect);
	*truncated = *truncated || r.more_spans;
	if (err)
		*count = 0;
	if (*truncated) {
		pthread_mutex_lock(&l->lock);
		l->stats.truncated++;
		pthread_mutex_unlock(&l->lock);
	}
	return err;
}

/* --- groups ------------------------------------------------------------------------- */

struct group_set {
	struct arena *arena;
	struct logs_group *groups; /* by name */
	size_t count;
	bool truncated;
};

/* Merges the same group of head and blocks; keeps the order by name. */
static int take_group(void *arg, const struct logs_group *g)
{
	struct group_set *set = arg;
	size_t low = 0, high = set->count;
	struct sv name;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (sv_cmp(set->groups[middle].name, g->name) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < set->count && sv_eq(set->groups[low].name, g->name)) {
		struct logs_group *old = &set->groups[low];

		old->events += g->events;
		if (g->first_ns < old->first_ns)
			old->first_ns = g->first_ns;
		if (g->last_ns > old->last_ns)
			old->last_ns = g->last_ns;
		return 1;
	}
	if (set->count == LOGS_GROUPS_MAX) {
		set->truncated = true;
		return 1;
	}
	name = arena_copy(set->arena, g->name);
	if (!name.ptr)
		return ERR_NOMEM;
	memmove(&set->groups[low + 1], &set->groups[low],
		(set->count - low) * sizeof(*g));
	set->groups[low] = *g;
	set->groups[low].name = name;
	set->count++;
	return 1;
}

int logs_groups(struct logs *l, const struct scope *scope, struct arena *arena,
		struct logs_group **groups, size_t *count, bool *truncated)
{
	struct group_set set = { .arena = arena };
	int err;

	*count = 0;
	*truncated = false;
	set.groups = arena_array(arena, LOGS_GROUPS_MAX, sizeof(*set.groups));
	*groups = set.groups;
	if (!set.groups)
		return ERR_NOMEM;
	err = logs_scan_groups(l, scope, take_group, &set);
	*count = set.count;
	*truncated = set.truncated;
	return err;
}
