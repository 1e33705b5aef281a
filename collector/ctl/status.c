/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tally status: at a glance (overview.h), or with --all everything. Then the
 * collector's answer is walked, not known by heart: what a newer one adds is
 * shown too. Objects become sections of aligned "name value"
 * lines, arrays of objects become tables, and a name's last word says the unit
 * (that is the house rule for names), so bytes and seconds read as such.
 */
#include <math.h>

#include "collector/ctl/overview.h"
#include "core/base/arena.h"

enum { DEPTH_MAX = 8, NAME_MAX_BYTES = 256, KEY_ALL = 'a' };

struct options {
	struct program program;
	struct arena arena; /* of column titles */
	bool all;
};

static const struct argp_option option_list[] = {
	{ "all", KEY_ALL, NULL, 0, "Show all that the collector says", 0 },
	{ 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->program;
		return 0;
	case KEY_ALL:
		o->all = true;
		return 0;
	case ARGP_KEY_ARG:
		argp_error(state, "takes no argument");
		return EINVAL;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp argp = {
	.options = option_list,
	.parser = parse,
	.doc = "Shows how the collector is: its health, memory and disk, who "
	       "asks how much, what was refused, and how far behind each view "
	       "is.",
	.children = program_children,
};

/* The unit is the last word of a name, but for a qualifier. */
static bool has_unit(const char *name, const char *unit)
{
	size_t n = strlen(name), u = strlen(unit);

	if (n > 4 &&
	    (!strcmp(name + n - 4, "_max") || !strcmp(name + n - 4, "_min")))
		n -= 4;
	if (n < u || strncmp(name + n - u, unit, u))
		return false;
	/* "per_s" is a rate. */
	if (n >= u + 4 && !strncmp(name + n - u - 4, "per_", 4))
		return false;
	return n == u || name[n - u - 1] == '_' || name[n - u - 1] == '.';
}

static void number(struct buf *out, const char *name, const json_t *value)
{
	double v = json_number_value(value);

	if (has_unit(name, "bytes"))
		term_bytes(out, v);
	else if (has_unit(name, "s") || has_unit(name, "seconds") ||
		 has_unit(name, "uptime"))
		term_seconds(out, v);
	else if (has_unit(name, "ms"))
		term_seconds(out, v / 1e3);
	else if (has_unit(name, "us"))
		term_seconds(out, v / 1e6);
	else if (has_unit(name, "ns"))
		term_seconds(out, v / 1e9);
	else if ((has_unit(name, "time") || has_unit(name, "since") ||
		  has_unit(name, "started") || has_unit(name, "at")) &&
		 v > 1e8)
		term_time(out, v, false);
	else if (json_is_integer(value))
		buf_format(out, "%lld", (long long)json_integer_value(value));
	else
		buf_format(out, "%.6g", v);
}

static void scalar(struct buf *out, const char *name, const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		buf_add(out, json_string_value(value),
			json_string_length(value));
		break;
	case JSON_INTEGER:
	case JSON_REAL:
		number(out, name, value);
		break;
	case JSON_TRUE:
		buf_text(out, "yes");
		break;
	case JSON_FALSE:
		buf_text(out, "no");
		break;
	case JSON_NULL:
		buf_char(out, '-');
		break;
	case JSON_ARRAY:
	case JSON_OBJECT:
		buf_format(out, "(%zu)",
			   json_is_array(value) ? json_array_size(value) :
						  json_object_size(value));
		break;
	}
}

static void cell(struct term_table *table, const char *name,
		 const json_t *value)
{
	struct buf text = BUF_INIT;

	if (value)
		scalar(&text, name, value);
	term_cell(table, TERM_PLAIN, buf_view(&text));
	buf_fini(&text);
}

static void heading(struct program *p, const char *name)
{
	if (p->out.len)
		buf_char(&p->out, '\n');
	term_styled(&p->term, &p->out, TERM_CYAN, sv_from(name));
	buf_char(&p->out, '\n');
}

/* An array of objects; the columns are the names of the first one. */
static bool print_array(struct options *o, const json_t *array)
{
	struct term_column columns[TERM_COLUMNS_MAX] = { 0 };
	const char *keys[TERM_COLUMNS_MAX];
	struct term_table *table;
	const char *key;
	json_t *value;
	size_t count = 0, i;
	const json_t *row;
	bool ok;

	json_object_foreach(json_array_get(array, 0), key, value)
	{
		struct sv title = arena_copy(&o->arena, sv_from(key));

		if (count == TERM_COLUMNS_MAX || !title.ptr)
			break;
		keys[count] = key;
		columns[count].title = title.ptr;
		columns[count].shrink = json_is_string(value);
		columns[count].align = json_is_number(value) ? TERM_RIGHT :
							       TERM_LEFT;
		count++;
	}
	if (!count)
		return true;
	table = term_table_new(columns, count);
	if (!table)
		return false;
	json_array_foreach(array, i, row) for (size_t c = 0; c < count; c++)
		cell(table, keys[c], json_object_get(row, keys[c]));
	ok = term_table_print(&o->program.term, table, &o->program.out);
	term_table_free(table);
	return ok;
}

/* "name value" cells of an object's scalars; what is nested is flattened to
 * "outer.inner". */
static void flatten(struct term_table *table, const char *prefix,
		    const json_t *object, int depth)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
	{
		char name[NAME_MAX_BYTES];

		snprintf(name, sizeof(name), "%s%s%s", prefix,
			 *prefix ? "." : "", key);
		if (json_is_object(value) && depth < DEPTH_MAX) {
			flatten(table, name, value, depth + 1);
		} else {
			term_cell(table, TERM_PLAIN, sv_from(name));
			cell(table, name, value);
		}
	}
}

/* Two columns, the second to the right, without the head. */
static bool print_pairs(struct options *o, const json_t *object)
{
	static const struct term_column columns[] = {
		{ .title = "" },
		{ .title = "", .align = TERM_RIGHT, .shrink = true },
	};
	struct term_table *table = term_table_new(columns, 2);
	struct buf text = BUF_INIT;
	struct sv rest;
	bool ok;

	if (!table)
		return false;
	flatten(table, "", object, 0);
	ok = term_table_print(&o->program.term, table, &text);
	rest = buf_view(&text);
	(void)sv_cut(&rest, '\n');
	buf_sv(&o->program.out, rest);
	buf_fini(&text);
	term_table_free(table);
	return ok;
}

static bool print_all(struct options *o, const json_t *root)
{
	json_t *plain = json_object();
	const char *key;
	json_t *value;
	bool ok = plain != NULL;

	json_object_foreach((json_t *)root, key,
			    value) if (ok && !json_is_object(value) &&
				       !json_is_array(value))
		ok = !json_object_set(plain, key, value);
	if (ok && json_object_size(plain))
		ok = print_pairs(o, plain);
	json_decref(plain);
	json_object_foreach((json_t *)root, key, value)
	{
		if (!json_is_object(value) && !json_is_array(value))
			continue;
		heading(&o->program, key);
		if (json_is_array(value))
			ok = ok && print_array(o, value);
		else
			ok = ok && print_pairs(o, value);
	}
	return ok;
}

int ctl_status(int argc, char **argv)
{
	struct options o = { .arena = { .limit = 1 << 20 } };
	json_t *root;
	bool ok;

	if (!program_open(&o.program, &argp, argc, argv, &o))
		return PROGRAM_FAILED;
	ok = answer_ask(&o.program, "/api/v1/status", &root);
	if (ok && root)
		ok = o.all ? print_all(&o, root) :
			     ctl_overview(&o.program, root);
	json_decref(root);
	arena_fini(&o.arena);
	return program_close(&o.program, ok ? PROGRAM_OK : PROGRAM_FAILED);
}
