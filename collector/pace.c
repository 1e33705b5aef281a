/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/pace.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct sample {
	struct instant at;
	uint64_t values[STATS_COUNT];
};

struct pace {
	const struct env *env;
	const struct stats *stats;
	pthread_mutex_t lock;
	size_t count; /* samples taken so far */
	struct sample samples[PACE_SAMPLES];
};

static void take(struct pace *p)
{
	struct sample *s = &p->samples[p->count++ % PACE_SAMPLES];

	s->at = env_mono(p->env);
	stats_copy(p->stats, s->values);
}

int pace_new(struct pace **out, const struct env *env,
	     const struct stats *stats)
{
	struct pace *p = calloc(1, sizeof(*p));

	if (!p)
		return ERR_NOMEM;
	p->env = env;
	p->stats = stats;
	pthread_mutex_init(&p->lock, NULL);
	take(p);
	*out = p;
	return 0;
}

void pace_free(struct pace *p)
{
	if (!p)
		return;
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void pace_tick(struct pace *p)
{
	pthread_mutex_lock(&p->lock);
	if (env_mono(p->env).ns -
		    p->samples[(p->count - 1) % PACE_SAMPLES].at.ns >=
	    PACE_STEP_S * (uint64_t)NS_PER_S)
		take(p);
	pthread_mutex_unlock(&p->lock);
}

double pace_per_s(struct pace *p, size_t i)
{
	uint64_t values[STATS_COUNT];
	const struct sample *oldest;
	double seconds, more;

	assert(i < STATS_COUNT);
	pthread_mutex_lock(&p->lock);
	stats_copy(p->stats, values);
	oldest = &p->samples[p->count < PACE_SAMPLES ? 0 :
						       p->count % PACE_SAMPLES];
	seconds = (double)(env_mono(p->env).ns - oldest->at.ns) /
		  (double)NS_PER_S;
	more = (double)(values[i] - oldest->values[i]);
	pthread_mutex_unlock(&p->lock);
	return seconds > 0 ? more / seconds : 0;
}
