/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of a segment document by number, private to segment.c: an object's
 * are found in one pass over its nodes, each by the length of its name and one
 * comparison. Of a repeated name the first counts.
 */
#ifndef TALLY_TRACER_SEGMENT_MEMBERS_H
#define TALLY_TRACER_SEGMENT_MEMBERS_H

#include <stdbool.h>
#include <string.h>

#include "core/codec/json.h"

enum member {
	M_ID,
	M_TRACE_ID,
	M_PARENT_ID,
	M_NAME,
	M_START_TIME,
	M_END_TIME,
	M_IN_PROGRESS,
	M_TYPE,
	M_NAMESPACE,
	M_ORIGIN,
	M_AWS,
	M_HTTP,
	M_CAUSE,
	M_ERROR,
	M_FAULT,
	M_THROTTLE,
	M_TRACED,
	M_SUBSEGMENTS,
	M_LINKS,
	MEMBERS,
};

enum aws_member {
	A_REQUEST_ID,
	A_OPERATION,
	A_ACCOUNT,
	A_RESOURCE, /* and all behind: what an SDK call was about */
	AWS_MEMBERS = A_RESOURCE + 7,
};

enum http_member { H_REQUEST, H_RESPONSE, HTTP_MEMBERS };
enum exception_member { E_TYPE, E_MESSAGE, EXCEPTION_MEMBERS };

#define IS(text, member)                           \
	if (!memcmp(name, text, sizeof(text) - 1)) \
	return member

static inline unsigned segment_member(const char *name, size_t len)
{
	switch (len) {
	case 2:
		IS("id", M_ID);
		break;
	case 3:
		IS("aws", M_AWS);
		break;
	case 4:
		IS("name", M_NAME);
		IS("http", M_HTTP);
		IS("type", M_TYPE);
		break;
	case 5:
		IS("error", M_ERROR);
		IS("fault", M_FAULT);
		IS("cause", M_CAUSE);
		IS("links", M_LINKS);
		break;
	case 6:
		IS("origin", M_ORIGIN);
		IS("traced", M_TRACED);
		break;
	case 8:
		IS("trace_id", M_TRACE_ID);
		IS("end_time", M_END_TIME);
		IS("throttle", M_THROTTLE);
		break;
	case 9:
		IS("parent_id", M_PARENT_ID);
		IS("namespace", M_NAMESPACE);
		break;
	case 10:
		IS("start_time", M_START_TIME);
		break;
	case 11:
		IS("in_progress", M_IN_PROGRESS);
		IS("subsegments", M_SUBSEGMENTS);
		break;
	default:
		break;
	}
	return MEMBERS;
}

#define KEY(text) SV_INIT(text)
static const struct sv aws_keys[AWS_MEMBERS] = {
	[A_REQUEST_ID] = KEY("request_id"),
	[A_OPERATION] = KEY("operation"),
	[A_ACCOUNT] = KEY("account_id"),
	[A_RESOURCE] = KEY("table_name"),
	KEY("queue_url"),
	KEY("function_name"),
	KEY("bucket_name"),
	KEY("topic_arn"),
	KEY("stream_name"),
	KEY("state_machine_arn"),
};

static inline unsigned aws_member(const char *name, size_t len)
{
	for (unsigned i = 0; i < AWS_MEMBERS; i++)
		if (aws_keys[i].len == len &&
		    !memcmp(name, aws_keys[i].ptr, len))
			return i;
	return AWS_MEMBERS;
}

static inline unsigned http_member(const char *name, size_t len)
{
	if (len == 7)
		IS("request", H_REQUEST);
	if (len == 8)
		IS("response", H_RESPONSE);
	return HTTP_MEMBERS;
}

static inline unsigned exception_member(const char *name, size_t len)
{
	if (len == 4)
		IS("type", E_TYPE);
	if (len == 7)
		IS("message", E_MESSAGE);
	return EXCEPTION_MEMBERS;
}

typedef unsigned member_fn(const char *name, size_t len);

/* Finds the members of an object; what is no object has none. Inline, so that
 * `member` is as well. False: no memory for a name with an escape. */
static inline __attribute__((always_inline)) bool
read_members(struct json object, member_fn *member, unsigned count,
	     struct arena *arena, struct json *out)
{
	const struct json_node *nodes;
	uint32_t at, end;

	for (unsigned i = 0; i < count; i++)
		out[i].doc = NULL;
	if (!json_is(object, JSON_OBJECT))
		return true;
	nodes = object.doc->nodes;
	end = nodes[object.index].next;
	/* A name's value is behind it. */
	for (at = object.index + 1; at < end; at = nodes[at + 1].next) {
		struct sv name = sv_make(object.doc->text.ptr + nodes[at].at,
					 nodes[at].len);
		unsigned i;

		if (nodes[at].escaped) {
			name = json_string((struct json){ object.doc, at },
					   arena);
			if (!name.ptr)
				return false;
		}
		i = member(name.ptr, name.len);
		if (i < count && !out[i].doc)
			out[i] = (struct json){ object.doc, at + 1 };
	}
	return true;
}

#endif
