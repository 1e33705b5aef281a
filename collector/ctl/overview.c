/* SPDX-License-Identifier: Apache-2.0 */
/* What tally status shows at a glance: one line each for what a person looks
 * at first, then the views, on 80 columns and 24 lines. */
#include "collector/ctl/overview.h"

enum { LABEL_WIDTH = 10, LINE_WIDTH = 80 };

/* "memory    " and what follows goes behind it. */
static void label(struct program *p, const char *name)
{
	char text[16];

	snprintf(text, sizeof(text), "%-*s", LABEL_WIDTH, name);
	term_styled(&p->term, &p->out, TERM_CYAN, sv_from(text));
}

/* One of a list that goes on below itself. *column: where the line is. */
static void item(struct program *p, int *column, struct sv text)
{
	int width = term_safe_width(text);

	if (*column > LABEL_WIDTH && *column + 2 + width > LINE_WIDTH) {
		buf_format(&p->out, ",\n%*s", LABEL_WIDTH, "");
		*column = LABEL_WIDTH;
	} else if (*column > LABEL_WIDTH) {
		buf_text(&p->out, ", ");
		*column += 2;
	}
	term_safe(&p->out, text);
	*column += width;
}

static void end_list(struct program *p, int column)
{
	buf_text(&p->out, column > LABEL_WIDTH ? "\n" : "none\n");
}

static void bytes(struct buf *out, const json_t *object, const char *key)
{
	term_bytes(out, answer_number(object, key));
}

static void put_head(struct program *p, const json_t *root)
{
	struct sv health = answer_text(root, "health");
	bool well = sv_eq(health, SV("ok"));

	label(p, "collector");
	buf_text(&p->out, "version ");
	term_safe(&p->out, answer_text(root, "version"));
	buf_text(&p->out, ", account ");
	term_safe(&p->out, answer_text(root, "account"));
	buf_text(&p->out, ", ");
	term_safe(&p->out, answer_text(root, "region"));
	buf_text(&p->out, ", up ");
	term_seconds(&p->out, answer_number(root, "uptime_s"));
	buf_char(&p->out, '\n');
	label(p, "health");
	term_styled(&p->term, &p->out, well ? TERM_GREEN : TERM_RED, health);
	buf_char(&p->out, '\n');
}

static void put_memory(struct program *p, const json_t *memory)
{
	struct sv level = answer_text(memory, "refusing");

	label(p, "memory");
	bytes(&p->out, memory, "resident_bytes");
	buf_text(&p->out, " of ");
	bytes(&p->out, memory, "max_bytes");
	buf_text(&p->out, "; under way ");
	bytes(&p->out, memory, "load_bytes");
	buf_text(&p->out, " of ");
	bytes(&p->out, memory, "load_bytes_max");
	if (level.len && !sv_eq(level, SV("none"))) {
		buf_text(&p->out, "; refuses: ");
		term_styled(&p->term, &p->out, TERM_RED, level);
	}
	buf_char(&p->out, '\n');
}

static void put_disk(struct program *p, const json_t *root)
{
	static const char *const stores[] = { "traces", "series", "logs" };
	const json_t *journal = answer_object(root, "journal");
	double stored = 0;

	for (size_t i = 0; i < sizeof(stores) / sizeof(stores[0]); i++)
		stored += answer_number(answer_object(root, stores[i]),
					"block_bytes");
	label(p, "disk");
	bytes(&p->out, journal, "disk_bytes");
	buf_text(&p->out, " journal, ");
	term_bytes(&p->out, stored);
	buf_text(&p->out, " blocks, ");
	bytes(&p->out, answer_object(root, "disk"), "free_bytes");
	buf_format(&p->out, " free; %lld frames wait",
		   (long long)answer_integer(journal, "waiting_frames"));
	if (answer_bool(journal, "full"))
		term_styled(&p->term, &p->out, TERM_RED, SV("; it is full"));
	buf_char(&p->out, '\n');
}

static void put_when(struct program *p, const json_t *door, const char *before,
		     const char *key, bool day)
{
	double at = answer_number(door, key);
	struct buf text = BUF_INIT;
	struct sv rest;

	if (at <= 0)
		return;
	buf_text(&p->out, before);
	term_time(&text, at, false);
	rest = buf_view(&text);
	buf_sv(&p->out, day ? sv_cut(&rest, 'T') : rest);
	buf_fini(&text);
}

static void put_door(struct program *p, const json_t *door)
{
	int64_t grpc_max = answer_integer(door, "grpc_connections_max");

	label(p, "door");
	buf_format(&p->out, "%lld of %lld connections",
		   (long long)answer_integer(door, "connections"),
		   (long long)answer_integer(door, "connections_max"));
	if (grpc_max > 0)
		buf_format(&p->out, ", %lld of %lld of gRPC",
			   (long long)answer_integer(door, "grpc_connections"),
			   (long long)grpc_max);
	buf_format(&p->out, ", %lld requests",
		   (long long)answer_integer(door, "requests"));
	put_when(p, door, "; certificate to ", "certificate_ends_at", true);
	buf_char(&p->out, '\n');
	label(p, "keys");
	if (answer_bool(door, "needs_keys"))
		buf_format(&p->out, "%lld",
			   (long long)answer_integer(door, "keys"));
	else
		term_styled(&p->term, &p->out, TERM_YELLOW,
			    SV("none: whoever reaches the port is admin"));
	put_when(p, door, ", read ", "keys_read_at", false);
	buf_char(&p->out, '\n');
}

static void put_requests(struct program *p, const json_t *requests)
{
	int column = LABEL_WIDTH;
	const json_t *row;
	size_t i;

	label(p, "requests");
	json_array_foreach(requests, i, row)
	{
		double per_s = answer_number(row, "per_s");
		struct buf text = BUF_INIT;

		if (!answer_integer(row, "total"))
			continue;
		buf_sv(&text, answer_text(row, "protocol"));
		buf_char(&text, ' ');
		if (per_s > 0 && per_s < 10)
			buf_format(&text, "%.1f", per_s);
		else
			term_count(&text, per_s);
		buf_text(&text, "/s");
		item(p, &column, buf_view(&text));
		buf_fini(&text);
	}
	end_list(p, column);
}

static bool has_counts(const json_t *counts)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)counts, key, value)
	{
		if (json_number_value(value) > 0)
			return true;
	}
	return false;
}

/* Names and counts of those that are not zero. */
static void put_counts(struct program *p, const char *name,
		       const json_t *counts)
{
	int column = LABEL_WIDTH;
	const char *key;
	json_t *value;

	label(p, name);
	json_object_foreach((json_t *)counts, key, value)
	{
		double n = json_number_value(value);
		struct buf text = BUF_INIT;

		if (n <= 0)
			continue;
		buf_format(&text, "%s ", key);
		term_count(&text, n);
		item(p, &column, buf_view(&text));
		buf_fini(&text);
	}
	end_list(p, column);
}

static bool put_views(struct program *p, const json_t *views)
{
	static const struct term_column columns[] = {
		{ .title = "VIEW" },
		{ .title = "FRAMES BEHIND", .align = TERM_RIGHT },
		{ .title = "TIME BEHIND", .align = TERM_RIGHT },
		{ .title = "STATE", .shrink = true },
	};
	struct term_table *table =
		term_table_new(columns, sizeof(columns) / sizeof(columns[0]));
	const json_t *view;
	size_t i;
	bool ok;

	if (!table)
		return false;
	json_array_foreach(views, i, view)
	{
		struct sv error = answer_text(view, "error");
		struct buf lag = BUF_INIT;

		term_seconds(&lag, answer_number(view, "lag_s"));
		term_cell(table, TERM_PLAIN, answer_text(view, "name"));
		term_cellf(table, TERM_PLAIN, "%lld",
			   (long long)answer_integer(view, "lag_frames"));
		term_cell(table, TERM_PLAIN, buf_view(&lag));
		if (error.len)
			term_cell(table, TERM_RED, error);
		else if (answer_bool(view, "behind"))
			term_cell(table, TERM_YELLOW, SV("reads the journal"));
		else
			term_cell(table, TERM_GREEN, SV("ok"));
		buf_fini(&lag);
	}
	buf_char(&p->out, '\n');
	ok = term_table_print(&p->term, table, &p->out);
	term_table_free(table);
	return ok;
}

bool ctl_overview(struct program *p, const json_t *root)
{
	put_head(p, root);
	if (!answer_object(root, "journal"))
		return true; /* another account's: no more is told */
	put_memory(p, answer_object(root, "memory"));
	put_disk(p, root);
	put_door(p, answer_object(root, "door"));
	put_requests(p, answer_array(root, "requests"));
	put_counts(p, "refused", answer_object(root, "refused"));
	put_counts(p, "shed", answer_object(root, "shed_requests"));
	if (has_counts(answer_object(root, "shed")))
		put_counts(p, "why", answer_object(root, "shed"));
	return put_views(p, answer_array(root, "views"));
}
