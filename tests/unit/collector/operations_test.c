/* SPDX-License-Identifier: Apache-2.0 */
/* The table of operations as a whole: what every row of it, also of those that
 * are added later, has to hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "collector/api/api.h"
#include "collector/door/dispatch.h"
#include "core/codec/json.h"

typedef void handler_fn(struct api *a, struct request *r);

/* The rows once more, as the table's file has them. */
static const struct row {
	enum operation_id id;
	unsigned roles;
	handler_fn *handler;
} rows[] = {
#define OPERATION(id, service, name, method, path, roles, class, max, fn) \
	{ OPERATION_##id, (roles), (fn) },
#define UNBUILT(id, service, name, method, path)
#include "collector/door/operations.def"
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static bool allows(const struct operation *op, enum caller_kind kind,
		   enum key_role role, bool owner)
{
	const struct caller c = { .kind = kind, .role = role, .owner = owner };

	return operation_allows(op, &c);
}

static void roles_are_the_rows(void **state)
{
	static const enum caller_kind kinds[] = { CALLER_LISTENER, CALLER_KEY,
						  CALLER_TOKEN };
	size_t checked = 0;

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const struct operation *op = operation_at(rows[i].id);
		bool everybody = rows[i].roles & ROLE_PUBLIC;

		assert_true(op->built);
		for (int role = KEY_INGEST; role <= KEY_ADMIN; role++)
			for (int owner = 0; owner < 2; owner++)
				assert_int_equal(allows(op, CALLER_NOBODY,
							(enum key_role)role,
							owner),
						 everybody);
		for (size_t k = 0; k < 3; k++)
			for (int owner = 0; owner < 2; owner++) {
				bool mine = owner ||
					    !(rows[i].roles & ROLE_OWNER);
				bool ingest = rows[i].roles & ROLE_INGEST;
				bool read = rows[i].roles & ROLE_READ;

				assert_int_equal(allows(op, kinds[k],
							KEY_INGEST, owner),
						 everybody || (mine && ingest));
				assert_int_equal(allows(op, kinds[k], KEY_READ,
							owner),
						 everybody || (mine && read));
				assert_int_equal(allows(op, kinds[k], KEY_ADMIN,
							owner),
						 everybody || mine);
				checked += 3;
			}
	}
	assert_int_equal(checked, ROWS * 18);
}

static void what_is_not_built_is_for_nobody_else(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *op = operation_at(i);

		assert_int_equal(op->id, i);
		if (op->built)
			continue;
		assert_false(allows(op, CALLER_NOBODY, KEY_ADMIN, true));
		assert_false(allows(op, CALLER_KEY, KEY_INGEST, true));
		assert_false(allows(op, CALLER_KEY, KEY_READ, true));
	}
}

static void what_is_built_has_a_handler(void **state)
{
	size_t built = 0;

	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		assert_non_null(rows[i].handler);
	for (size_t i = 0; i < OPERATION_COUNT; i++)
		built += operation_at(i)->built;
	assert_int_equal(built, ROWS);
}

/* Only what is read, or harmless, may be for everybody. */
static void public_is_health(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].roles & ROLE_PUBLIC)
			assert_int_equal(operation_at(rows[i].id)->class,
					 CLASS_HEALTH);
}

/* The path with an x for what may be anything. */
static void fill_path(const struct operation *op, char path[256])
{
	size_t n = 0;

	for (const char *p = op->path; *p; p++) {
		if (*p == '{')
			p = strchr(p, '}');
		path[n++] = *p == '}' ? 'x' : *p;
		assert_true(n < 255);
	}
	if (n && path[n - 1] == '/')
		path[n++] = 'x';
	path[n] = '\0';
}

static void every_path_leads_to_its_operation(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *op = operation_at(i);
		struct dispatch_head head = { .method = op->method };
		struct dispatch d;
		char path[256];

		if (!op->path)
			continue;
		fill_path(op, path);
		head.query = sv_from(path);
		head.path = sv_cut(&head.query, '?');
		d = dispatch_by_head(&head);
		assert_ptr_equal(d.operation, op);
		assert_ptr_equal(d.service, service_of(op->service));
		assert_int_equal(d.protocol, AWS_REST_JSON);
	}
}

static void rows_are_in_order_of_names(void **state)
{
	size_t all = 0;

	(void)state;
	for (int s = 0; s < SERVICE_COUNT; s++) {
		size_t count;
		const struct operation *own =
			operations_of((enum service_id)s, &count);

		assert_ptr_equal(own, operation_at(all));
		for (size_t i = 0; i < count; i++) {
			assert_int_equal(own[i].service, s);
			assert_true(!i ||
				    strcmp(own[i - 1].name, own[i].name) < 0);
		}
		all += count;
	}
	assert_int_equal(all, OPERATION_COUNT);
}

static void all_can_be_reached(void **state)
{
	(void)state;
	for (size_t i = 0; i < OPERATION_COUNT; i++) {
		const struct operation *op = operation_at(i);
		const struct service *s = service_of(op->service);

		assert_true(strlen(op->name) <= OPERATION_NAME_MAX);
		assert_true(op->path || s->speaks & ~(unsigned)SPEAKS_REST);
		assert_true(op->body_max > 0 && op->body_max <= HTTP_BODY_MAX);
		assert_ptr_equal(operation_find(op->service, sv_from(op->name)),
				 op); /* no name twice */
	}
}

static void table_is_written_as_it_is(void **state)
{
	struct arena arena = { 0 };
	struct buf out = { 0 };
	struct sv text;
	size_t n = 0;

	(void)state;
	operations_write(&out);
	text = buf_view(&out);
	for (; text.len; n++) {
		struct sv line = sv_cut(&text, '\n');
		const struct operation *op = operation_at(n);
		struct json_doc doc;
		struct json root;

		assert_int_equal(json_parse(&doc, &arena, line, NULL), 0);
		root = json_root(&doc);
		assert_true(json_string_is(json_get(root, SV("name")),
					   sv_from(op->name)));
		assert_true(json_is(json_get(root, SV("built")),
				    op->built ? JSON_TRUE : JSON_FALSE));
		assert_true(json_first(json_get(root, SV("protocols"))).doc);
	}
	assert_int_equal(n, OPERATION_COUNT);
	buf_fini(&out);
	arena_fini(&arena);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(roles_are_the_rows),
		cmocka_unit_test(what_is_not_built_is_for_nobody_else),
		cmocka_unit_test(what_is_built_has_a_handler),
		cmocka_unit_test(public_is_health),
		cmocka_unit_test(every_path_leads_to_its_operation),
		cmocka_unit_test(rows_are_in_order_of_names),
		cmocka_unit_test(all_can_be_reached),
		cmocka_unit_test(table_is_written_as_it_is),
	};

	return cmocka_run_group_tests_name("operations", tests, NULL, NULL);
}
