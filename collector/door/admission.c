/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/admission.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/random.h>

#include "collector/door/answer.h"
#include "core/base/hash.h"

enum {
	WINDOW = 16,                /* slots in which a caller may stand */
	RECOUNT_MS = 50,            /* between two looks at who is active */
	OTHERS = ADMISSION_CALLERS, /* the slot of those who found none */
};

struct slot {
	uint64_t id; /* hash of the caller */
	size_t requests, bytes;
	uint64_t last_ns; /* when its last request began or ended; 0: free */
};

struct admission {
	struct admission_options options;
	size_t marks[ADMISSION_LEVELS]; /* bytes from which a level holds */
	size_t back;                    /* so much lower it is left */
	admission_gauge_fn *gauge;      /* of the journal; NULL: none */
	void *gauge_arg;
	_Atomic size_t used;
	_Atomic int level;
	_Atomic size_t arriving[ADMISSION_ARRIVING]; /* bytes, by claim */
	uint64_t seed;
	pthread_mutex_t lock; /* over what follows; held for some compares */
	size_t requests;
	size_t active; /* callers, as last counted and since come */
	uint64_t counted_ns;
	struct slot slots[ADMISSION_CALLERS + 1];
};

int admission_new(struct admission **out,
		  const struct admission_options *options)
{
	static const unsigned percent[ADMISSION_LEVELS] = {
		[ADMISSION_ALL] = 0,
		[ADMISSION_NO_READ] = ADMISSION_READ_PERCENT,
		[ADMISSION_NO_TELEMETRY] = ADMISSION_TELEMETRY_PERCENT,
		[ADMISSION_NO_USAGE] = ADMISSION_USAGE_PERCENT,
		[ADMISSION_NO_CONTROL] = ADMISSION_CONTROL_PERCENT,
	};
	struct admission *a = calloc(1, sizeof(*a));

	if (!a)
		return ERR_NOMEM;
	assert(options->budget_bytes >= 100);
	a->options = *options;
	for (size_t i = 0; i < ADMISSION_LEVELS; i++)
		a->marks[i] = options->budget_bytes / 100 * percent[i];
	a->back = options->budget_bytes / 100 * ADMISSION_BACK_PERCENT;
	if (getrandom(&a->seed, sizeof(a->seed), 0) != sizeof(a->seed))
		a->seed = (uint64_t)(uintptr_t)a;
	pthread_mutex_init(&a->lock, NULL);
	*out = a;
	return 0;
}

void admission_free(struct admission *a)
{
	if (!a)
		return;
	pthread_mutex_destroy(&a->lock);
	free(a);
}

_Atomic size_t *admission_used(struct admission *a)
{
	return &a->used;
}

size_t admission_budget(const struct admission *a)
{
	return a->options.budget_bytes;
}

/* Up at once, down only past the margin. Two threads may both move it: the
 * next look puts right what they leave. */
void admission_watch(struct admission *a, admission_gauge_fn *gauge, void *arg)
{
	a->gauge = gauge;
	a->gauge_arg = arg;
}

/* The memory in use, or as much of it as of the journal's budget is. */
static size_t pressure(const struct admission *a)
{
	size_t used = atomic_load(&a->used);
	unsigned percent = a->gauge ? a->gauge(a->gauge_arg) : 0;
	size_t as_used = a->options.budget_bytes / 100 * percent;

	/* Below it nothing is refused for the journal's sake, but who was
	 * refused stays so until it is ADMISSION_BACK_PERCENT lower. */
	if (percent < ADMISSION_TELEMETRY_PERCENT - ADMISSION_BACK_PERCENT ||
	    (percent < ADMISSION_TELEMETRY_PERCENT &&
	     atomic_load_explicit(&a->level, memory_order_relaxed) <
		     ADMISSION_NO_TELEMETRY))
		as_used = 0;
	return used > as_used ? used : as_used;
}

enum admission_level admission_level(struct admission *a)
{
	size_t used = pressure(a);
	int was = atomic_load_explicit(&a->level, memory_order_relaxed);
	int now = ADMISSION_ALL;

	while (now + 1 < ADMISSION_LEVELS && used >= a->marks[now + 1])
		now++;
	if (now < was) {
		now = was;
		while (now > ADMISSION_ALL && used + a->back < a->marks[now])
			now--;
	}
	if (now != was)
		atomic_store_explicit(&a->level, now, memory_order_relaxed);
	return (enum admission_level)now;
}

const char *admission_level_name(enum admission_level level)
{
	static const char *const names[ADMISSION_LEVELS] = {
		"none",
		"read",
		"read, telemetry",
		"read, telemetry, usage",
		"read, telemetry, usage, control",
	};

	return names[level];
}

/* --- refusing ------------------------------------------------------------------- */

/* The level at which a class is refused; ADMISSION_LEVELS: at none. */
static enum admission_level level_of(enum operation_class class)
{
	static const enum admission_level levels[CLASS_COUNT] = {
		[CLASS_HEALTH] = ADMISSION_LEVELS,
		[CLASS_CONTROL] = ADMISSION_NO_CONTROL,
		[CLASS_USAGE] = ADMISSION_NO_USAGE,
		[CLASS_TELEMETRY] = ADMISSION_NO_TELEMETRY,
		[CLASS_READ] = ADMISSION_NO_READ,
	};

	return levels[class];
}

/* A Query request names its operation in its body: like telemetry till then. */
static enum operation_class class_of(const struct request *r)
{
	return r->operation ? r->operation->class : CLASS_TELEMETRY;
}

static void count_shed(struct admission *a, const struct request *r)
{
	struct stats *st = a->options.stats;
	_Atomic uint64_t *const counters[CLASS_COUNT] = {
		[CLASS_CONTROL] = &st->shed_control,
		[CLASS_USAGE] = &st->shed_usage,
		[CLASS_TELEMETRY] = &st->shed_telemetry,
		[CLASS_READ] = &st->shed_read,
	};
	_Atomic uint64_t *counter = counters[class_of(r)];

	if (counter)
		stats_add(counter, 1);
}

static void refuse_full(struct admission *a, struct request *r)
{
	count_shed(a, r);
	stats_add(&a->options.stats->shed_memory, 1);
	answer_error(r, "ServiceUnavailableException",
		     "the collector has more under way than its memory, or the "
		     "journal's budget, holds: "
		     "send the same again");
	r->retry_after_s = ADMISSION_RETRY_AFTER_S;
}

/* In the names that SDKs know to retry by themselves. */
static void refuse_fast(struct admission *a, struct request *r,
			const char *message)
{
	bool xray = r->service && r->service->aws == &aws_xray;
	bool rest = r->protocol == AWS_REST_JSON;
	const struct aws_error error = {
		.shape = xray ? "ThrottledException" : "ThrottlingException",
		.code = "Throttling",
		.status = xray || rest ? 429 : 400,
	};

	count_shed(a, r);
	answer_error_as(r, &error, message);
	r->retry_after_s = ADMISSION_RETRY_AFTER_S;
}

void admission_refuse_rate(struct admission *a, struct request *r)
{
	stats_add(&a->options.stats->shed_rate, 1);
	refuse_fast(a, r,
		    "this key makes more requests a second than it may: "
		    "wait, and send the same again");
}

/* --- bodies on their way --------------------------------------------------------- */

static _Atomic size_t *arriving_of(struct admission *a, const struct request *r)
{
	struct sv bytes =
		sv_make((const char *)&r->claimed, sizeof(r->claimed));

	return &a->arriving[hash64_seed(bytes, a->seed) % ADMISSION_ARRIVING];
}

/* False: too much is on its way in this name. */
static bool arrives(struct admission *a, struct request *r, size_t body_bytes)
{
	size_t bytes = body_bytes ? body_bytes : r->body_max;
	size_t most = a->options.budget_bytes / ADMISSION_ARRIVING_PART;
	_Atomic size_t *sum;
	size_t before;

	if (!r->claimed)
		return true;
	sum = arriving_of(a, r);
	before = atomic_fetch_add(sum, bytes);
	r->admission_arriving = bytes;
	return !before || before + bytes <= most;
}

/* It is whole, or will never be. */
static void arrived(struct admission *a, struct request *r)
{
	if (!r->admission_arriving)
		return;
	atomic_fetch_sub(arriving_of(a, r), r->admission_arriving);
	r->admission_arriving = 0;
}

bool admission_head(struct admission *a, struct request *r, size_t body_bytes)
{
	enum admission_level refused = level_of(class_of(r));
	size_t used;

	if (refused == ADMISSION_LEVELS)
		return true;
	if (body_bytes > r->body_max)
		return true; /* 413, which says that it never fits */
	used = atomic_load(&a->used);
	if (admission_level(a) >= refused ||
	    (body_bytes && used + body_bytes > a->marks[refused])) {
		refuse_full(a, r);
		return false;
	}
	if (arrives(a, r, body_bytes))
		return true;
	arrived(a, r);
	stats_add(&a->options.stats->shed_share, 1);
	refuse_fast(a, r,
		    "this key has more bodies on their way than its share: "
		    "send the same again");
	return false;
}

/* --- shares --------------------------------------------------------------------- */

static uint64_t caller_hash(const struct admission *a, const struct caller *c)
{
	struct sv id = c->kind == CALLER_KEY   ? sv_from(c->id) :
		       c->kind == CALLER_TOKEN ? sv_from(c->name) :
						 (struct sv){ "", 0 };

	return hash64_seed(id, a->seed ^ c->scope.account);
}

static bool is_active(const struct slot *s, uint64_t now_ns)
{
	return s->requests ||
	       (s->last_ns &&
		now_ns - s->last_ns < ADMISSION_ACTIVE_MS * 1000000ULL);
}

static void recount(struct admission *a, uint64_t now_ns)
{
	if (a->counted_ns && now_ns - a->counted_ns < RECOUNT_MS * 1000000ULL)
		return;
	a->counted_ns = now_ns;
	a->active = 0;
	for (size_t i = 0; i <= ADMISSION_CALLERS; i++)
		a->active += is_active(&a->slots[i], now_ns);
}

/* The caller's slot, which is active from now on. */
static size_t slot_of(struct admission *a, uint64_t id, uint64_t now_ns)
{
	size_t found = OTHERS;

	for (size_t i = 0; i < WINDOW; i++) {
		size_t at = (id + i) % ADMISSION_CALLERS;
		struct slot *s = &a->slots[at];

		if (s->id == id && s->last_ns) {
			found = at;
			break;
		}
		if (found == OTHERS && !is_active(s, now_ns))
			found = at;
	}
	if (!is_active(&a->slots[found], now_ns))
		a->active++;
	a->slots[found].id = id;
	a->slots[found].last_ns = now_ns;
	return found;
}

/* Under the lock: whether the caller has its share already. */
static bool over_share(const struct admission *a, const struct slot *s,
		       size_t bytes)
{
	size_t budget = a->options.budget_bytes;

	if (a->active < 2)
		return false;
	if (a->requests >= ADMISSION_REQUESTS / 2 &&
	    s->requests >= ADMISSION_REQUESTS / a->active)
		return true;
	return atomic_load(&a->used) > budget / 2 &&
	       s->bytes + bytes > budget / a->active;
}

static bool take_share(struct admission *a, struct request *r)
{
	uint64_t id = caller_hash(a, &r->caller);
	uint64_t now_ns = env_mono(a->options.env).ns;
	size_t bytes = r->body.len, at;
	bool fits;

	pthread_mutex_lock(&a->lock);
	recount(a, now_ns);
	at = slot_of(a, id, now_ns);
	fits = !over_share(a, &a->slots[at], bytes);
	if (fits) {
		a->requests++;
		a->slots[at].requests++;
		a->slots[at].bytes += bytes;
		r->admission_slot = (unsigned)at + 1;
		r->admission_bytes = bytes;
	}
	pthread_mutex_unlock(&a->lock);
	return fits;
}

bool admission_request(struct admission *a, struct request *r)
{
	enum admission_level refused = level_of(class_of(r));

	assert(!r->admission_slot);
	arrived(a, r);
	if (refused == ADMISSION_LEVELS)
		return true;
	if (admission_level(a) >= refused) {
		refuse_full(a, r);
		return false;
	}
	if (take_share(a, r))
		return true;
	stats_add(&a->options.stats->shed_share, 1);
	refuse_fast(a, r,
		    "this key has more under way than its share while others "
		    "wait: send the same again");
	return false;
}

void admission_done(struct admission *a, struct request *r)
{
	struct slot *s;

	arrived(a, r);
	if (!r->admission_slot)
		return;
	pthread_mutex_lock(&a->lock);
	s = &a->slots[r->admission_slot - 1];
	assert(a->requests && s->requests && s->bytes >= r->admission_bytes);
	a->requests--;
	s->requests--;
	s->bytes -= r->admission_bytes;
	pthread_mutex_unlock(&a->lock);
	r->admission_slot = 0;
}

void admission_stats(struct admission *a, struct admission_stats *out)
{
	out->used_bytes = atomic_load(&a->used);
	out->budget_bytes = a->options.budget_bytes;
	out->level = admission_level(a);
	pthread_mutex_lock(&a->lock);
	recount(a, env_mono(a->options.env).ns);
	out->requests = a->requests;
	out->callers = a->active;
	pthread_mutex_unlock(&a->lock);
}
