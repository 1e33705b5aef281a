/* SPDX-License-Identifier: Apache-2.0 */
/* Parts that stand in several answers, written once. */
#include "collector/api/api.h"

void api_put_event(struct json_writer *w, const struct log_event *event)
{
	json_open_object(w);
	json_key(w, "time");
	json_put_seconds(w, event->time_ns);
	json_key(w, "group");
	json_put_sv(w, event->group);
	json_key(w, "stream");
	json_put_sv(w, event->stream);
	json_key(w, "message");
	json_put_sv(w, event->message);
	json_close_object(w);
}

void api_put_dimensions(struct json_writer *w, const struct dimension *list,
			size_t count)
{
	struct buf key = { 0 };

	json_open_object(w);
	for (size_t i = 0; i < count; i++) {
		buf_reset(&key);
		buf_sv(&key, list[i].name);
		json_key(w, key.failed || !key.ptr ? "" : key.ptr);
		json_put_sv(w, list[i].value);
	}
	json_close_object(w);
	buf_fini(&key);
}
