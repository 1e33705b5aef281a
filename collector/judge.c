/* SPDX-License-Identifier: Apache-2.0 */
/* Alarms: judged, their changes journalled, and then told. */
#include <stdlib.h>

#include "collector/parts.h"
#include "core/base/log.h"

/* A proposed change on its way through the journal. */
struct alarm_submission {
	struct submission submission;
	struct collector *collector;
};

static void alarm_durable(struct submission *s, int err)
{
	struct collector *c = ((struct alarm_submission *)s)->collector;
	struct message *m = s->message;
	struct alarm_definition definition;
	struct alarm_change change;
	struct buf body = { 0 };

	if (alarm_change_decode(m->frame.body, &m->arena, &change))
		return;
	if (err) {
		alarms_change_failed(c->api.alarms, &m->frame.scope,
				     change.name);
		return;
	}
	log_info("alarms", "%.*s: %s -> %s", SV_ARG(change.name),
		 alarm_state_name(change.from), alarm_state_name(change.to));
	if (!alarms_find(c->api.alarms, change.name, &m->arena, &definition) ||
	    !definition.webhook.len)
		return;
	alarm_webhook_body(&definition, &m->frame.scope, &change, &body);
	if (body.failed ||
	    webhook_post(c->webhook, definition.webhook, buf_view(&body)))
		log_error("alarms",
			  "%.*s: too many webhooks wait, this one is "
			  "not sent",
			  SV_ARG(change.name));
	buf_fini(&body);
}

static int alarm_changed(void *arg, const struct scope *scope,
			 const struct alarm_change *change)
{
	struct collector *c = arg;
	struct message *m = message_new(c->api.apply);
	struct alarm_submission *s = calloc(1, sizeof(*s));

	if (!m || !s) {
		message_unref(m);
		free(s);
		return ERR_NOMEM;
	}
	alarm_change_encode(change, &m->body);
	m->frame = (struct frame){
		.protocol = PROTOCOL_ALARM_CHANGE,
		.decoder = 1,
		.scope = *scope,
		.received = env_wall(c->env),
		.body = buf_view(&m->body),
	};
	if (!message_account(c->api.apply, m) || m->body.failed) {
		message_unref(m);
		free(s);
		return ERR_BUSY;
	}
	s->collector = c;
	s->submission = (struct submission){ .ingest = &c->api.ingest,
					     .message = m,
					     .reply = alarm_durable };
	ingest_submit(&s->submission);
	return 0;
}

void collector_judge_alarms(struct collector *c)
{
	int e = alarms_evaluate(c->api.alarms, c->api.series, &c->config->scope,
				env_wall(c->env), alarm_changed, c);

	if (e)
		log_warn("alarms", "not all could be judged: %s", err_text(e));
}
