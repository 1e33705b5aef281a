/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/logs/logs.h"

#include <assert.h>

#include "collector/logs/internal.h"

static bool seal_is_due(const struct logs *l)
{
	return l->head.events > 0 &&
	       (l->head.bytes >= l->options.head_bytes ||
		l->lag_bytes >= LOGS_LAG_BYTES ||
		l->now_ns - l->head_since_ns >= l->options.seal_ns);
}

/* Bytes of journal between two positions, about: the frames between may have
 * been skipped, so their own lengths are not known. */
static uint64_t journal_between(uint64_t from, uint64_t to)
{
	uint64_t files = (to >> 32) - (from >> 32);

	return files ? (files - 1) * JOURNAL_FILE_BYTES + (uint32_t)to :
		       to - from;
}

static int logs_apply(void *self, const struct delivery *d)
{
	struct logs *l = self;
	const struct records *r = d->records;
	uint64_t cost = log_head_cost(r->logs, r->log_count);
	int err = 0;

	/* Before the frame is added: a seal reaches to whole frames, and an
	 * error of the disk leaves the frame for another try. */
	if (seal_is_due(l) || (l->head.events > 0 && r->log_count &&
			       l->head.bytes + cost > l->options.head_bytes))
		err = logs_seal(l);
	if (err)
		return err;
	if (l->head.events)
		l->lag_bytes += journal_between(l->applied, d->frame->next);
	if (r->log_count) {
		if (!l->head.events) {
			l->head_since_ns = d->frame->received.ns;
			l->lag_bytes = 0;
		}
		pthread_mutex_lock(&l->lock);
		err = log_head_add(&l->head, &d->frame->scope, r->logs,
				   r->log_count, l->sequence);
		if (!err)
			l->stats.events += r->log_count;
		pthread_mutex_unlock(&l->lock);
		if (err)
			return err;
		l->sequence += r->log_count;
	}
	l->now_ns = l->received_ns = d->frame->received.ns;
	l->applied = l->view.position = d->frame->next;
	return 0;
}

static int logs_checkpoint(void *self)
{
	struct logs *l = self;
	int err = 0;

	if (seal_is_due(l))
		err = logs_seal(l);
	else if (!l->head.events && l->applied != l->saved)
		err = log_blocks_checkpoint(l, l->applied);
	return err ? err : log_blocks_expire(l);
}

static int logs_tick(void *self, struct wall now)
{
	struct logs *l = self;

	l->now_ns = now.ns;
	retention_tick(&l->retention, now);
	return seal_is_due(l) ? logs_seal(l) : 0;
}

static const struct view_ops logs_ops = {
	.name = "logs",
	.apply = logs_apply,
	.checkpoint = logs_checkpoint,
	.tick = logs_tick,
	.skips = UINT32_C(1) << PROTOCOL_XRAY_UDP |
		 UINT32_C(1) << PROTOCOL_XRAY_SEGMENTS |
		 UINT32_C(1) << PROTOCOL_CATALOGUE |
		 UINT32_C(1) << PROTOCOL_MEASURED |
		 UINT32_C(1) << PROTOCOL_ALARM_CHANGE |
		 UINT32_C(1) << PROTOCOL_CLOUDWATCH,
};

static struct logs_options options_full(const struct logs_options *given)
{
	struct logs_options o = given ? *given : (struct logs_options){ 0 };

	if (!o.head_bytes)
		o.head_bytes = LOGS_HEAD_BYTES;
	if (!o.seal_ns)
		o.seal_ns = LOGS_SEAL_S * NS_PER_S;
	if (!o.retention_ns)
		o.retention_ns = LOGS_RETENTION_DAYS * 86400 * NS_PER_S;
	if (!o.answer_bytes)
		o.answer_bytes = LOGS_ANSWER_BYTES;
	if (!o.blocks_max)
		o.blocks_max = LOGS_BLOCKS_MAX;
	return o;
}

int logs_open(struct logs **out, const struct env *env, const char *dir,
	      const struct logs_options *options, struct diag *diag)
{
	struct logs *l = calloc(1, sizeof(*l));
	int err;

	*out = NULL;
	if (!l)
		return diag_set(diag, ERR_NOMEM, "no memory for the logs");
	l->env = env;
	l->options = options_full(options);
	l->view = (struct view){ .ops = &logs_ops, .self = l };
	pthread_mutex_init(&l->lock, NULL);
	l->dir = strdup(dir);
	err = l->dir ? env_err(env->disk->mkdir(env->disk_self, dir)) :
		       ERR_NOMEM;
	if (err)
		(void)diag_set(diag, err, "%s: %s", dir, err_text(err));
	else
		err = log_blocks_load(l, diag);
	if (err) {
		logs_close(l);
		return err;
	}
	*out = l;
	return 0;
}

void logs_close(struct logs *l)
{
	if (!l)
		return;
	log_blocks_free(l);
	log_head_fini(&l->head);
	pthread_mutex_destroy(&l->lock);
	free(l->dir);
	free(l);
}

struct view *logs_view(struct logs *l)
{
	return &l->view;
}

void logs_stats(struct logs *l, struct logs_stats *out)
{
	pthread_mutex_lock(&l->lock);
	*out = l->stats;
	out->head_events = l->head.events;
	out->head_bytes = l->head.bytes;
	pthread_mutex_unlock(&l->lock);
}
