/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checkpoint's image, varints and texts:
 *   n { scope | name | reason | state | since }
 *   n { scope | name | reason | from | to | time }
 */
#include "collector/alarms/state.h"
#include "collector/series/rows.h"

static void put_text(struct buf *out, const char *text)
{
	put_varint(out, strlen(text));
	buf_text(out, text);
}

static void put_scope(struct buf *out, const struct scope *scope)
{
	put_varint(out, scope->account);
	put_text(out, scope->region);
}

void alarms_image_write(const struct alarms *a, struct buf *out)
{
	put_varint(out, a->current_count);
	for (size_t i = 0; i < a->current_count; i++) {
		const struct alarm_current *c = &a->current[i];

		put_scope(out, &c->scope);
		put_text(out, c->name);
		put_text(out, c->reason);
		put_varint(out, c->state);
		put_varint(out, (uint64_t)c->since_ns);
	}
	put_varint(out, a->history_count);
	for (size_t i = 0; i < a->history_count; i++) {
		const struct alarm_past *p =
			&a->history[(a->history_first + i) % a->history_cap];

		put_scope(out, &p->scope);
		put_text(out, p->name);
		put_text(out, p->reason);
		put_varint(out, p->from);
		put_varint(out, p->to);
		put_varint(out, (uint64_t)p->time_ns);
	}
}

/* --- reading ------------------------------------------------------------------ */

static bool get_text(struct sv *s, size_t max, struct sv *out)
{
	uint64_t n;

	if (!get_varint(s, &n) || n > max || n > s->len)
		return false;
	*out = sv_make(s->ptr, (size_t)n);
	s->ptr += n;
	s->len -= (size_t)n;
	return true;
}

static bool get_scope(struct sv *s, struct scope *scope)
{
	struct sv region;

	*scope = (struct scope){ 0 };
	if (!get_varint(s, &scope->account) ||
	    !get_text(s, REGION_MAX - 1, &region))
		return false;
	memcpy(scope->region, region.ptr, region.len);
	return true;
}

static bool get_state(struct sv *s, enum alarm_state *out)
{
	uint64_t v;

	if (!get_varint(s, &v) || v > ALARM_INSUFFICIENT_DATA)
		return false;
	*out = (enum alarm_state)v;
	return true;
}

static int read_current(struct alarms *a, struct sv *s)
{
	struct alarm_current *c;
	struct sv name, reason;
	enum alarm_state state;
	struct scope scope;
	uint64_t since;
	char *copy;

	if (!get_scope(s, &scope) || !get_text(s, ALARM_NAME_MAX, &name) ||
	    !get_text(s, ALARM_REASON_MAX, &reason) || !get_state(s, &state) ||
	    !get_varint(s, &since))
		return ERR_CORRUPT;
	if (!alarms_defined(a, name))
		return 0;
	copy = strndup(reason.ptr, reason.len);
	c = copy ? alarms_current_add(a, &scope, name) : NULL;
	if (!c) {
		free(copy);
		return ERR_NOMEM;
	}
	free(c->reason);
	c->reason = copy;
	c->state = state;
	c->since_ns = (int64_t)since;
	return 0;
}

static int read_past(struct alarms *a, struct sv *s)
{
	struct alarm_change c = { 0 };
	struct scope scope;
	uint64_t time;

	if (!get_scope(s, &scope) || !get_text(s, ALARM_NAME_MAX, &c.name) ||
	    !get_text(s, ALARM_REASON_MAX, &c.reason) ||
	    !get_state(s, &c.from) || !get_state(s, &c.to) ||
	    !get_varint(s, &time))
		return ERR_CORRUPT;
	c.time_ns = (int64_t)time;
	return alarms_history_add(a, &scope, &c);
}

int alarms_image_read(struct alarms *a, struct sv image)
{
	uint64_t n;
	int e = 0;

	if (!get_varint(&image, &n))
		return ERR_CORRUPT;
	for (uint64_t i = 0; i < n && !e; i++)
		e = read_current(a, &image);
	if (!e && !get_varint(&image, &n))
		e = ERR_CORRUPT;
	for (uint64_t i = 0; i < n && !e; i++)
		e = read_past(a, &image);
	if (!e && image.len)
		e = ERR_CORRUPT;
	return e;
}
