/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/audit.h"

#include <arpa/inet.h>
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "collector/door/audit_read.h"
#include "collector/door/audit_table.h"
#include "collector/door/operations.h"
#include "core/base/log.h"
#include "core/store/retention.h"

/* Refusals, and all else. */
enum { CALLS, REFUSALS, STREAMS };

enum { EXPIRE_EVERY_S = 3600 };

struct audit {
	const struct env *env;
	pthread_t thread;
	bool started;
	/* The thread's own. */
	struct audit_files *files[STREAMS];
	struct buf writing[STREAMS]; /* not empty: the disk said no to it */
	uint64_t writing_rows[STREAMS];
	struct retention retention;
	bool dirty[STREAMS];
	/* Under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t wake;    /* there is something to write */
	pthread_cond_t written; /* it has been written */
	struct buf pending[STREAMS];
	uint64_t pending_rows[STREAMS];
	uint64_t lost[STREAMS]; /* not in a row yet */
	uint64_t queued, done;  /* rows since the start */
	struct audit_table *table;
	struct instant minute; /* when the table was emptied */
	struct audit_stats stats;
	bool stop;
};

/* --- rows to text, under the lock ---------------------------------------------- */

static void queue_row(struct audit *a, int stream, const struct audit_row *row)
{
	struct buf *b = &a->pending[stream];
	size_t len = b->len;

	audit_row_write(row, b);
	if (b->failed) {
		uint64_t n = row->count ? row->count : 1;

		b->failed = false;
		b->len = len;
		a->lost[stream] += n;
		a->stats.lost += n;
		return;
	}
	a->pending_rows[stream]++;
	a->queued++;
}

static void queue_summary(void *arg, const struct audit_row *row)
{
	queue_row(arg, REFUSALS, row);
}

static void end_minute(struct audit *a, bool now)
{
	struct instant t = env_mono(a->env);

	if (!now && t.ns - a->minute.ns < AUDIT_MINUTE_S * (uint64_t)NS_PER_S)
		return;
	audit_table_empty(a->table, queue_summary, a);
	a->minute = t;
}

static void queue_lost(struct audit *a, int stream)
{
	const struct audit_row row = {
		.kind = AUDIT_LOST,
		.time_ns = env_wall(a->env).ns,
		.count = a->lost[stream],
		.outcome = "no_room",
	};

	if (!a->lost[stream])
		return;
	a->lost[stream] = 0;
	queue_row(a, stream, &row);
}

/* --- the thread ------------------------------------------------------------------ */

/* Takes what is pending, unless what was taken before is still to be written;
 * under the lock. */
static void take(struct audit *a, int stream)
{
	struct buf *mine = &a->writing[stream];
	struct buf empty = *mine;

	if (mine->len || !a->pending_rows[stream])
		return;
	*mine = a->pending[stream];
	a->pending[stream] = empty;
	a->writing_rows[stream] = a->pending_rows[stream];
	a->pending_rows[stream] = 0;
	queue_lost(a, stream);
}

static void write_out(struct audit *a, int stream)
{
	struct buf *mine = &a->writing[stream];
	int e;

	if (!mine->len)
		return;
	e = audit_files_append(a->files[stream], buf_view(mine),
			       env_wall(a->env));
	pthread_mutex_lock(&a->lock);
	if (e && !a->stats.errors++)
		log_error("audit", "rows cannot be written: %s; they wait",
			  err_text(e));
	if (!e) {
		buf_reset(mine);
		a->dirty[stream] = true;
		a->done += a->writing_rows[stream];
		a->stats.rows += a->writing_rows[stream];
		pthread_cond_broadcast(&a->written);
	}
	pthread_mutex_unlock(&a->lock);
}

/* Once a second: the disk, and what has expired. */
static void tick(struct audit *a)
{
	for (int i = 0; i < STREAMS; i++)
		if (a->dirty[i] && !audit_files_sync(a->files[i]))
			a->dirty[i] = false;
	retention_tick(&a->retention, env_wall(a->env));
	if (!retention_due(&a->retention, EXPIRE_EVERY_S * NS_PER_S))
		return;
	for (int i = 0; i < STREAMS; i++)
		audit_files_expire(a->files[i], a->retention.now_ns);
}

static struct timespec in_ms(int ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_nsec += ms % 1000 * (long)NS_PER_MS;
	t.tv_sec += ms / 1000 + t.tv_nsec / NS_PER_S;
	t.tv_nsec %= NS_PER_S;
	return t;
}

/* There is something that can be taken. */
static bool has_work(const struct audit *a)
{
	for (int i = 0; i < STREAMS; i++)
		if (a->pending_rows[i] && !a->writing[i].len)
			return true;
	return false;
}

static void take_and_write(struct audit *a, bool last)
{
	pthread_mutex_lock(&a->lock);
	end_minute(a, last);
	for (int i = 0; i < STREAMS; i++)
		take(a, i);
	pthread_mutex_unlock(&a->lock);
	for (int i = 0; i < STREAMS; i++)
		write_out(a, i);
}

static void *run(void *arg)
{
	struct audit *a = arg;
	struct timespec until = in_ms(1000), now;
	bool stop = false;

	while (!stop) {
		pthread_mutex_lock(&a->lock);
		while (!a->stop && !has_work(a) &&
		       pthread_cond_timedwait(&a->wake, &a->lock, &until) !=
			       ETIMEDOUT)
			continue;
		stop = a->stop;
		pthread_mutex_unlock(&a->lock);
		take_and_write(a, false);
		now = in_ms(0);
		if (now.tv_sec < until.tv_sec ||
		    (now.tv_sec == until.tv_sec && now.tv_nsec < until.tv_nsec))
			continue;
		tick(a);
		until = in_ms(1000);
	}
	/* What was to be written again, what is pending, what that had no room
	 * for. */
	for (int i = 0; i < 3; i++)
		take_and_write(a, true);
	tick(a);
	return NULL;
}

/* --- opening ---------------------------------------------------------------------- */

static void init_conditions(struct audit *a)
{
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&a->wake, &attr);
	pthread_cond_init(&a->written, &attr);
	pthread_condattr_destroy(&attr);
}

int audit_open(struct audit **out, const struct env *env, const char *dir,
	       struct diag *diag)
{
	static const char *const names[STREAMS] = { "calls", "refusals" };
	struct audit *a = calloc(1, sizeof(*a));
	int e;

	if (!a)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	a->env = env;
	a->minute = env_mono(env);
	pthread_mutex_init(&a->lock, NULL);
	init_conditions(a);
	for (int i = 0; i < STREAMS; i++)
		a->pending[i].limit = a->writing[i].limit = AUDIT_PENDING_BYTES;
	e = env->disk->mkdir(env->disk_self, dir);
	if (e)
		e = diag_set(diag, env_err(e), "cannot make %s: %s", dir,
			     strerror(-e));
	for (int i = 0; i < STREAMS && !e; i++)
		e = audit_files_open(&a->files[i], env, dir, names[i], diag);
	if (!e && audit_table_new(&a->table))
		e = diag_set(diag, ERR_NOMEM, "out of memory");
	if (!e && pthread_create(&a->thread, NULL, run, a))
		e = diag_set(diag, ERR_NOMEM, "cannot start a thread");
	if (e) {
		audit_close(a);
		return e;
	}
	a->started = true;
	*out = a;
	return 0;
}

void audit_close(struct audit *a)
{
	if (!a)
		return;
	if (a->started) {
		pthread_mutex_lock(&a->lock);
		a->stop = true;
		pthread_cond_signal(&a->wake);
		pthread_mutex_unlock(&a->lock);
		pthread_join(a->thread, NULL);
		if (a->done != a->queued)
			log_error("audit", "%llu rows could not be written",
				  (unsigned long long)(a->queued - a->done));
	}
	for (int i = 0; i < STREAMS; i++) {
		audit_files_close(a->files[i]);
		buf_fini(&a->pending[i]);
		buf_fini(&a->writing[i]);
	}
	audit_table_free(a->table);
	pthread_cond_destroy(&a->wake);
	pthread_cond_destroy(&a->written);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

/* --- adding ------------------------------------------------------------------------ */

void audit_add(struct audit *a, const struct audit_row *row)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	end_minute(a, false);
	if (row->kind != AUDIT_REFUSAL) {
		queue_row(a, CALLS, row);
	} else {
		switch (audit_table_count(a->table, row)) {
		case AUDIT_FIRST:
			queue_row(a, REFUSALS, row);
			break;
		case AUDIT_OVERFLOW:
			a->stats.overflow++;
			a->stats.counted++;
			break;
		case AUDIT_AGAIN:
			a->stats.counted++;
			break;
		}
	}
	if (has_work(a))
		pthread_cond_signal(&a->wake);
	pthread_mutex_unlock(&a->lock);
}

static void put_address(const struct sockaddr *peer,
			char out[AUDIT_ADDRESS_MAX])
{
	const void *ip = NULL;

	_Static_assert(AUDIT_ADDRESS_MAX >= INET6_ADDRSTRLEN, "room for both");
	if (peer && peer->sa_family == AF_INET)
		ip = &((const struct sockaddr_in *)(const void *)peer)
			      ->sin_addr;
	else if (peer && peer->sa_family == AF_INET6)
		ip = &((const struct sockaddr_in6 *)(const void *)peer)
			      ->sin6_addr;
	if (!ip || !inet_ntop(peer->sa_family, ip, out, AUDIT_ADDRESS_MAX))
		out[0] = '\0';
}

static void row_of(struct audit *a, struct request *r, enum audit_kind kind,
		   struct audit_row *row)
{
	const struct caller *c = &r->caller;

	*row = (struct audit_row){
		.kind = kind,
		.time_ns = env_wall(a->env).ns,
		.status = r->status,
		.owned = c->kind != CALLER_NOBODY,
		.scope = c->scope,
		.service = r->service ? r->service->name : NULL,
		.operation = r->operation ? r->operation->name : NULL,
	};
	audit_copy(row->caller, sizeof(row->caller), sv_from(c->name));
	audit_copy(row->key, sizeof(row->key), sv_from(c->id));
	put_address(r->peer, row->address);
	audit_copy(row->agent, sizeof(row->agent),
		   request_header(r, "User-Agent"));
	audit_copy(row->id, sizeof(row->id), request_id(r));
}

void audit_call(struct audit *a, struct request *r)
{
	struct audit_row row;

	if (!a)
		return;
	row_of(a, r, AUDIT_CALL, &row);
	audit_copy(row.outcome, sizeof(row.outcome),
		   sv_from(r->status < 400 ? "ok" :
			   r->error_type   ? r->error_type :
					     "error"));
	audit_add(a, &row);
}

void audit_refusal(struct audit *a, struct request *r, const char *reason)
{
	struct audit_row row;

	if (!a)
		return;
	row_of(a, r, AUDIT_REFUSAL, &row);
	audit_copy(row.outcome, sizeof(row.outcome), sv_from(reason));
	for (char *c = row.outcome; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	audit_add(a, &row);
}

void audit_event(struct audit *a, const char *operation, const char *outcome)
{
	struct audit_row row = {
		.kind = AUDIT_EVENT,
		.operation = operation,
	};

	if (!a)
		return;
	row.time_ns = env_wall(a->env).ns;
	audit_copy(row.outcome, sizeof(row.outcome), sv_from(outcome));
	audit_add(a, &row);
}

/* --- asking ------------------------------------------------------------------------- */

void audit_stats(struct audit *a, struct audit_stats *out)
{
	pthread_mutex_lock(&a->lock);
	*out = a->stats;
	pthread_mutex_unlock(&a->lock);
	for (int i = 0; i < STREAMS; i++)
		out->disk_bytes += audit_files_bytes(a->files[i]);
}

int audit_read(struct audit *a, const struct audit_query *query,
	       struct arena *arena, struct sv **rows, size_t *count,
	       bool *truncated)
{
	struct timespec until = in_ms(AUDIT_WAIT_MS);
	uint64_t damaged = 0, want;
	int e;

	pthread_mutex_lock(&a->lock);
	want = a->queued;
	while (a->done < want && pthread_cond_timedwait(&a->written, &a->lock,
							&until) != ETIMEDOUT)
		continue;
	pthread_mutex_unlock(&a->lock);
	e = audit_files_query(a->files, STREAMS, query, arena, rows, count,
			      truncated, &damaged);
	pthread_mutex_lock(&a->lock);
	a->stats.damaged += damaged;
	pthread_mutex_unlock(&a->lock);
	return e;
}
