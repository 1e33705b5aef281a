/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/datagram.h"

#include "core/codec/json.h"

static bool header_holds(struct sv header)
{
	struct arena arena = { .limit = 64 << 10 };
	struct json_doc doc;
	int64_t version = 0;
	bool ok = !json_parse(&doc, &arena, header, NULL);

	if (ok) {
		struct json root = json_root(&doc);

		ok = json_string_is(json_get(root, SV("format")), SV("json")) &&
		     json_to_i64(json_get(root, SV("version")), &version) &&
		     version == 1;
	}
	arena_fini(&arena);
	return ok;
}

struct sv datagram_document(struct sv datagram)
{
	/* What every SDK sends, to the byte, needs no parser. */
	static const struct sv usual[] = {
		SV_INIT("{\"format\":\"json\",\"version\":1}"),
		SV_INIT("{\"format\": \"json\", \"version\": 1}"),
	};
	struct sv header = sv_cut(&datagram, '\n');
	struct sv document = sv_trim(datagram);

	if (!document.len || header.len > DATAGRAM_HEADER_MAX ||
	    (!sv_eq(header, usual[0]) && !sv_eq(header, usual[1]) &&
	     !header_holds(header)))
		return (struct sv){ NULL, 0 };
	return document;
}
