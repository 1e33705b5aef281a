/* SPDX-License-Identifier: Apache-2.0 */
#include "core/codec/ini.h"

void ini_init(struct ini *ini, struct sv text, size_t line_max_bytes)
{
	*ini = (struct ini){
		.rest = text,
		.line_max_bytes = line_max_bytes ? line_max_bytes :
						   INI_LINE_MAX,
	};
}

static void read_line(struct ini_line *out, struct sv line)
{
	*out = (struct ini_line){ .kind = INI_SETTING };
	if (line.ptr[0] == '[') {
		if (!sv_ends(line, SV("]"))) {
			out->kind = INI_BAD_SECTION;
			return;
		}
		out->kind = INI_SECTION;
		out->name = sv_trim(sv_make(line.ptr + 1, line.len - 2));
		return;
	}
	out->name = sv_trim(sv_cut(&line, '='));
	if (!line.ptr)
		out->kind = INI_BAD_SETTING;
	else
		out->value = sv_trim(line);
}

int ini_next(struct ini *ini, struct ini_line *out)
{
	while (ini->rest.ptr) {
		struct sv line = sv_cut(&ini->rest, '\n');
		struct sv bare = sv_trim(line);

		ini->line++;
		if (line.len > ini->line_max_bytes)
			return ERR_LIMIT;
		if (bare.len == 0 || bare.ptr[0] == '#' || bare.ptr[0] == ';')
			continue;
		read_line(out, bare);
		out->indent = (size_t)(bare.ptr - line.ptr);
		return 1;
	}
	return 0;
}
