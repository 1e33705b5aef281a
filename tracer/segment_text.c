/* SPDX-License-Identifier: Apache-2.0 */
/* What segments say in words: refusals, ids, states. */
#include <assert.h>

#include "tracer/segment.h"

static const struct {
	const char *code;
	const char *text;
} refusals[SEGMENT_REFUSALS] = {
	[SEGMENT_OK] = { "", "accepted" },
	[SEGMENT_TOO_LARGE] = { "DocumentTooLarge",
				"the document is larger than is taken: 64 KB, "
				"if segment_bytes_max does not say otherwise" },
	[SEGMENT_NOT_JSON] = { "ParseError",
			       "the document is not a JSON object" },
	[SEGMENT_NO_ID] = { "MissingId", "id is missing" },
	[SEGMENT_BAD_ID] = { "InvalidId", "id is not 16 hex digits" },
	[SEGMENT_NO_TRACE_ID] = { "MissingTraceId", "trace_id is missing" },
	[SEGMENT_BAD_TRACE_ID] = { "InvalidTraceId",
				   "trace_id is neither 1-8hex-24hex nor 32 "
				   "hex digits" },
	[SEGMENT_NO_NAME] = { "MissingName", "name is missing or empty" },
	[SEGMENT_BAD_NAME] = { "InvalidName",
			       "name is over 200 characters or has a "
			       "character that is not allowed" },
	[SEGMENT_NO_START_TIME] = { "MissingStartTime",
				    "start_time is missing" },
	[SEGMENT_BAD_START_TIME] = { "InvalidStartTime",
				     "start_time is not a number of seconds" },
	[SEGMENT_BAD_END_TIME] = { "InvalidEndTime",
				   "end_time is not a number of seconds" },
	[SEGMENT_NO_END_TIME] = { "MissingEndTime",
				  "end_time is missing and in_progress is not "
				  "true" },
	[SEGMENT_BAD_TYPE] = { "InvalidType",
			       "type is there and not \"subsegment\"" },
	[SEGMENT_NO_PARENT_ID] = { "MissingParentId",
				   "a subsegment sent alone has no "
				   "parent_id" },
	[SEGMENT_BAD_PARENT_ID] = { "InvalidParentId",
				    "parent_id is not 16 hex digits" },
	[SEGMENT_BAD_SUBSEGMENT] = { "InvalidSubsegment",
				     "a nested subsegment lacks a valid id, "
				     "name or start_time" },
	[SEGMENT_NO_MEMORY] = { "InternalFailure",
				"no memory at the moment; send it again" },
};

const char *segment_refusal_code(enum segment_refusal refusal)
{
	assert(refusal < SEGMENT_REFUSALS);
	return refusals[refusal].code;
}

const char *segment_refusal_text(enum segment_refusal refusal)
{
	assert(refusal < SEGMENT_REFUSALS);
	return refusals[refusal].text;
}

const char *segment_status_text(enum segment_status status)
{
	static const char *const texts[] = { "ok", "error", "throttle",
					     "fault" };

	assert(status <= SEGMENT_STATUS_FAULT);
	return texts[status];
}

bool trace_id_parse(struct sv text, uint8_t id[TRACE_ID_SIZE])
{
	if (text.len == 2 * TRACE_ID_SIZE)
		return sv_to_hex(text, id, TRACE_ID_SIZE);
	return text.len == TRACE_ID_TEXT && text.ptr[0] == '1' &&
	       text.ptr[1] == '-' && text.ptr[10] == '-' &&
	       sv_to_hex(sv_make(text.ptr + 2, 8), id, 4) &&
	       sv_to_hex(sv_make(text.ptr + 11, 24), id + 4, 12);
}

void trace_id_text(const uint8_t id[TRACE_ID_SIZE],
		   char text[TRACE_ID_TEXT + 1])
{
	text[0] = '1';
	text[1] = '-';
	hex_from(text + 2, id, 4);
	text[10] = '-';
	hex_from(text + 11, id + 4, 12);
	text[TRACE_ID_TEXT] = '\0';
}

void segment_id_text(const uint8_t id[SEGMENT_ID_SIZE],
		     char text[SEGMENT_ID_TEXT + 1])
{
	hex_from(text, id, SEGMENT_ID_SIZE);
	text[SEGMENT_ID_TEXT] = '\0';
}
