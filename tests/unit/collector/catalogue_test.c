/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "collector/catalogue/catalogue.h"
#include "tests/sim/scratch.h"

static const struct scope ours = { .account = 1, .region = "us-east-1" };
static const struct scope other = { .account = 2, .region = "us-east-1" };
static const struct scope region = { .account = 1, .region = "us-east-12" };

struct fixture {
	char dir[64];
	struct catalogue *c;
	uint64_t position;
	struct arena arena;
	/* What the last change came to, as who waits is told. */
	int err;
	enum catalogue_verdict verdict;
	unsigned told;
};

static void open_it(struct fixture *f)
{
	struct diag diag = { 0 };

	assert_int_equal(catalogue_open(&f->c, env_posix(), f->dir, &diag), 0);
	f->position = catalogue_view(f->c)->position;
}

static void open_again(struct fixture *f)
{
	catalogue_close(f->c);
	open_it(f);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	scratch_make(f->dir, sizeof(f->dir), "catalogue");
	open_it(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	catalogue_close(f->c);
	arena_fini(&f->arena);
	scratch_remove(f->dir);
	free(f);
	return 0;
}

static void on_applied(void *arg, int err, enum catalogue_verdict verdict)
{
	struct fixture *f = arg;

	f->err = err;
	f->verdict = verdict;
	f->told++;
}

/* As the journal and the runner would. */
static int deliver(struct fixture *f, const struct scope *scope, struct sv body,
		   uint64_t position)
{
	struct view *v = catalogue_view(f->c);
	const struct frame frame = {
		.position = position,
		.next = position + 64,
		.protocol = PROTOCOL_CATALOGUE,
		.scope = *scope,
		.received = { (int64_t)position * 1000 },
		.body = body,
	};
	const struct records none = { 0 };
	const struct delivery d = { .frame = &frame, .records = &none };
	int e = v->ops->apply(v->self, &d);

	if (!e)
		v->position = frame.next;
	return e;
}

static enum catalogue_verdict change(struct fixture *f,
				     const struct scope *scope,
				     const struct catalogue_changes *changes)
{
	struct catalogue_waiter w = { .done = on_applied, .arg = f };
	struct buf body = BUF_INIT;
	unsigned told = f->told;

	catalogue_changes_encode(changes, &body);
	w.position = f->position;
	catalogue_expect(f->c, &w);
	assert_int_equal(deliver(f, scope, buf_view(&body), f->position), 0);
	f->position += 64;
	buf_fini(&body);
	assert_int_equal(f->told, told + 1);
	assert_int_equal(f->err, 0);
	return f->verdict;
}

static enum catalogue_verdict put_if(struct fixture *f,
				     const struct scope *scope,
				     const char *name, const char *value,
				     enum catalogue_condition condition,
				     uint64_t revision, uint32_t limit)
{
	const struct catalogue_changes changes = {
		.list = { { .action = CATALOGUE_PUT,
			    .condition = condition,
			    .kind = CATALOGUE_GROUP,
			    .name = sv_from(name),
			    .revision = revision,
			    .limit = limit,
			    .value = sv_from(value) } },
		.count = 1,
	};

	return change(f, scope, &changes);
}

static enum catalogue_verdict put(struct fixture *f, const struct scope *scope,
				  const char *name, const char *value)
{
	return put_if(f, scope, name, value, CATALOGUE_ALWAYS, 0, 0);
}

static enum catalogue_verdict del(struct fixture *f, const struct scope *scope,
				  const char *name,
				  enum catalogue_condition condition)
{
	const struct catalogue_changes changes = {
		.list = { { .action = CATALOGUE_DELETE,
			    .condition = condition,
			    .kind = CATALOGUE_GROUP,
			    .name = sv_from(name) } },
		.count = 1,
	};

	return change(f, scope, &changes);
}

static int get(struct fixture *f, const struct scope *scope, const char *name,
	       struct catalogue_item *item)
{
	return catalogue_get(f->c, scope, CATALOGUE_GROUP, sv_from(name),
			     &f->arena, item);
}

static void assert_value(struct fixture *f, const struct scope *scope,
			 const char *name, const char *value)
{
	struct catalogue_item item;
	int e = get(f, scope, name, &item);

	assert_int_equal(e, value ? 0 : ERR_NOT_FOUND);
	if (value)
		assert_true(sv_eq(item.value, sv_from(value)));
}

static void what_is_put_is_there_for_its_scope_alone(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(put(f, &ours, "a", "mine"), CATALOGUE_DONE);
	assert_int_equal(put(f, &other, "a", "theirs"), CATALOGUE_DONE);
	for (int round = 0; round < 2; round++) {
		struct catalogue_item item;

		assert_value(f, &ours, "a", "mine");
		assert_value(f, &other, "a", "theirs");
		assert_value(f, &region, "a", NULL);
		assert_int_equal(catalogue_get(f->c, &ours, CATALOGUE_TAGS,
					       SV("a"), &f->arena, &item),
				 ERR_NOT_FOUND);
		open_again(f);
	}
	assert_int_equal(del(f, &ours, "a", CATALOGUE_IF_PRESENT),
			 CATALOGUE_DONE);
	assert_value(f, &ours, "a", NULL);
	assert_value(f, &other, "a", "theirs");
}

static void conditions_are_judged_when_applied(void **state)
{
	struct fixture *f = *state;
	struct catalogue_item item;

	assert_int_equal(put_if(f, &ours, "a", "1", CATALOGUE_IF_PRESENT, 0, 0),
			 CATALOGUE_MISSING);
	assert_int_equal(put_if(f, &ours, "a", "1", CATALOGUE_IF_REVISION, 9,
				0),
			 CATALOGUE_CONFLICT);
	assert_value(f, &ours, "a", NULL);
	assert_int_equal(put_if(f, &ours, "a", "1", CATALOGUE_IF_ABSENT, 0, 0),
			 CATALOGUE_DONE);
	assert_int_equal(put_if(f, &ours, "a", "2", CATALOGUE_IF_ABSENT, 0, 0),
			 CATALOGUE_EXISTS);
	assert_int_equal(get(f, &ours, "a", &item), 0);
	assert_int_equal(item.version, 1);
	assert_true(sv_eq(item.value, SV("1")));
	assert_int_equal(put_if(f, &ours, "a", "2", CATALOGUE_IF_REVISION,
				item.revision, 0),
			 CATALOGUE_DONE);
	/* Somebody who read it before. */
	assert_int_equal(put_if(f, &ours, "a", "3", CATALOGUE_IF_REVISION,
				item.revision, 0),
			 CATALOGUE_CONFLICT);
	assert_value(f, &ours, "a", "2");
	assert_int_equal(get(f, &ours, "a", &item), 0);
	assert_int_equal(item.version, 2);
	assert_true(item.modified.ns > item.created.ns);
	/* A new one of the name is no old one. */
	assert_int_equal(del(f, &ours, "a", CATALOGUE_IF_PRESENT),
			 CATALOGUE_DONE);
	assert_int_equal(del(f, &ours, "a", CATALOGUE_IF_PRESENT),
			 CATALOGUE_MISSING);
	assert_int_equal(del(f, &ours, "a", CATALOGUE_ALWAYS), CATALOGUE_DONE);
	assert_int_equal(put(f, &ours, "a", "4"), CATALOGUE_DONE);
	assert_int_equal(put_if(f, &ours, "a", "5", CATALOGUE_IF_REVISION,
				item.revision, 0),
			 CATALOGUE_CONFLICT);
}

static void changes_of_a_frame_go_together(void **state)
{
	struct fixture *f = *state;
	struct catalogue_changes changes = {
		.list = { { .action = CATALOGUE_PUT,
			    .kind = CATALOGUE_GROUP,
			    .name = SV("one"),
			    .value = SV("1") },
			  { .action = CATALOGUE_PUT,
			    .condition = CATALOGUE_IF_ABSENT,
			    .kind = CATALOGUE_GROUP,
			    .name = SV("two"),
			    .value = SV("2") } },
		.count = 2,
	};
	struct catalogue_stats stats;

	assert_int_equal(put(f, &ours, "two", "0"), CATALOGUE_DONE);
	assert_int_equal(change(f, &ours, &changes), CATALOGUE_EXISTS);
	assert_value(f, &ours, "one", NULL);
	assert_value(f, &ours, "two", "0");
	changes.list[1].name = SV("three");
	assert_int_equal(change(f, &ours, &changes), CATALOGUE_DONE);
	assert_value(f, &ours, "one", "1");
	assert_value(f, &ours, "three", "2");
	catalogue_stats(f->c, &stats);
	assert_int_equal(stats.items, 3);
	assert_int_equal(stats.changes, 2);
	assert_int_equal(stats.refused, 1);
}

static void kinds_have_limits_by_scope(void **state)
{
	struct fixture *f = *state;
	char name[8];

	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(put_if(f, &ours, name, "", CATALOGUE_ALWAYS, 0,
					5),
				 CATALOGUE_DONE);
	}
	assert_int_equal(put_if(f, &ours, "n5", "", CATALOGUE_ALWAYS, 0, 5),
			 CATALOGUE_LIMIT);
	/* What is there may be changed, and others have their own. */
	assert_int_equal(put_if(f, &ours, "n0", "x", CATALOGUE_ALWAYS, 0, 5),
			 CATALOGUE_DONE);
	assert_int_equal(put_if(f, &other, "n5", "", CATALOGUE_ALWAYS, 0, 5),
			 CATALOGUE_DONE);
	assert_int_equal(put_if(f, &region, "n5", "", CATALOGUE_ALWAYS, 0, 5),
			 CATALOGUE_DONE);
	assert_int_equal(del(f, &ours, "n1", CATALOGUE_ALWAYS), CATALOGUE_DONE);
	assert_int_equal(put_if(f, &ours, "n5", "", CATALOGUE_ALWAYS, 0, 5),
			 CATALOGUE_DONE);
}

/* Values of a megabyte until it is full; then one is deleted. */
static void all_together_have_a_limit(void **state)
{
	struct fixture *f = *state;
	char *value = malloc(CATALOGUE_VALUE_MAX + 1);
	struct catalogue_stats stats;
	enum catalogue_verdict v = CATALOGUE_DONE;
	char name[8];
	int n = 0;

	assert_non_null(value);
	memset(value, 'v', CATALOGUE_VALUE_MAX);
	value[CATALOGUE_VALUE_MAX] = '\0';
	for (; n < 100 && v == CATALOGUE_DONE; n++) {
		snprintf(name, sizeof(name), "n%d", n);
		v = put(f, &ours, name, value);
	}
	assert_int_equal(v, CATALOGUE_NO_ROOM);
	assert_int_equal(n, CATALOGUE_BYTES_MAX / CATALOGUE_VALUE_MAX);
	assert_int_equal(del(f, &ours, "n7", CATALOGUE_IF_PRESENT),
			 CATALOGUE_DONE);
	assert_int_equal(put(f, &ours, "n7", value), CATALOGUE_DONE);
	open_again(f);
	assert_value(f, &ours, "n7", value);
	catalogue_stats(f->c, &stats);
	assert_int_equal(stats.items, n - 1);
	free(value);
}

static void lists_go_on_where_they_ended(void **state)
{
	struct fixture *f = *state;
	struct catalogue_item *items;
	struct sv after = SV("");
	size_t count, seen = 0;
	bool more = true;
	char name[8];

	for (int i = 99; i >= 0; i--) {
		snprintf(name, sizeof(name), "n%02d", i);
		put(f, &ours, name, name);
	}
	put(f, &other, "n50", "theirs");
	put(f, &region, "n50", "elsewhere");
	while (more) {
		assert_int_equal(catalogue_list(f->c, &ours, CATALOGUE_GROUP,
						after, 7, &f->arena, &items,
						&count, &more),
				 0);
		for (size_t i = 0; i < count; i++, seen++) {
			snprintf(name, sizeof(name), "n%02zu", seen);
			assert_true(sv_eq(items[i].name, sv_from(name)));
			assert_true(sv_eq(items[i].value, sv_from(name)));
		}
		assert_true(count > 0);
		after = items[count - 1].name;
	}
	assert_int_equal(seen, 100);
	assert_int_equal(catalogue_list(f->c, &ours, CATALOGUE_TAGS, SV(""), 7,
					&f->arena, &items, &count, &more),
			 0);
	assert_int_equal(count, 0);
}

static void names_may_be_long(void **state)
{
	struct fixture *f = *state;
	struct catalogue_item *items;
	char name[CATALOGUE_NAME_MAX + 1];
	struct sv after = SV("");
	size_t count, seen = 0;
	bool more = true;

	memset(name, 'n', CATALOGUE_NAME_MAX);
	name[CATALOGUE_NAME_MAX] = '\0';
	for (int c = 'a'; c < 'd'; c++) {
		name[CATALOGUE_NAME_MAX - 1] = (char)c;
		assert_int_equal(put(f, &ours, name, &name[2040]),
				 CATALOGUE_DONE);
	}
	for (int c = 'a'; c < 'd'; c++) {
		name[CATALOGUE_NAME_MAX - 1] = (char)c;
		assert_value(f, &ours, name, &name[2040]);
	}
	while (more) {
		assert_int_equal(catalogue_list(f->c, &ours, CATALOGUE_GROUP,
						after, 1, &f->arena, &items,
						&count, &more),
				 0);
		seen += count;
		after = items[0].name;
	}
	assert_int_equal(seen, 3);
}

/* The position goes with the change: what a restart is given again is behind
 * it, and what it is not given is there. */
static void a_position_is_stored_with_each_change(void **state)
{
	struct fixture *f = *state;
	struct view *v;
	uint64_t position;

	put(f, &ours, "a", "1");
	put(f, &ours, "a", "2");
	position = f->position;
	open_again(f);
	v = catalogue_view(f->c);
	assert_int_equal(v->position, position);
	assert_int_equal(v->durable, position);
	assert_false(catalogue_is_new(f->c));
	/* What passed by is stored at the next checkpoint. */
	v->position = position + 1000;
	assert_int_equal(v->ops->checkpoint(v->self), 0);
	assert_int_equal(v->durable, position + 1000);
	open_again(f);
	assert_int_equal(catalogue_view(f->c)->position, position + 1000);
}

static void a_retry_is_made_once(void **state)
{
	struct fixture *f = *state;
	struct catalogue_changes changes = {
		.call = SV("11111111-2222-3333-4444-555555555555"),
		.list = { { .action = CATALOGUE_PUT,
			    .condition = CATALOGUE_IF_ABSENT,
			    .kind = CATALOGUE_GROUP,
			    .name = SV("a"),
			    .value = SV("1") } },
		.count = 1,
	};
	char call[24];

	assert_int_equal(change(f, &ours, &changes), CATALOGUE_DONE);
	changes.list[0].value = SV("made anew");
	assert_int_equal(change(f, &ours, &changes), CATALOGUE_DONE);
	open_again(f);
	assert_int_equal(change(f, &ours, &changes), CATALOGUE_DONE);
	assert_value(f, &ours, "a", "1");
	/* Of another account, or another call, it is none. */
	assert_int_equal(change(f, &other, &changes), CATALOGUE_DONE);
	assert_value(f, &other, "a", "made anew");
	changes.call = SV("another");
	assert_int_equal(change(f, &ours, &changes), CATALOGUE_EXISTS);
	/* The last 1,024 are known. */
	changes.list[0].condition = CATALOGUE_ALWAYS;
	for (int i = 0; i < CATALOGUE_CALLS_MAX - 1; i++) {
		snprintf(call, sizeof(call), "%d", i);
		changes.call = sv_from(call);
		assert_int_equal(change(f, &ours, &changes), CATALOGUE_DONE);
		if (i == 0)
			changes.list[0].name = SV("b");
	}
	changes.list[0].condition = CATALOGUE_IF_ABSENT;
	changes.list[0].name = SV("a");
	changes.call = SV("0");
	assert_int_equal(change(f, &ours, &changes), CATALOGUE_DONE);
	changes.call = SV("11111111-2222-3333-4444-555555555555");
	assert_int_equal(change(f, &ours, &changes), CATALOGUE_EXISTS);
}

/* --- what is damaged ------------------------------------------------------------- */

/* Overwrites the first occurrence of text in the file. */
static void damage(struct fixture *f, const char *text, const char *with)
{
	char path[128], *bytes, *at;
	size_t size;
	FILE *file;

	catalogue_close(f->c);
	snprintf(path, sizeof(path), "%s/data.mdb", f->dir);
	file = fopen(path, "r+");
	assert_non_null(file);
	fseek(file, 0, SEEK_END);
	size = (size_t)ftell(file);
	bytes = malloc(size);
	rewind(file);
	assert_int_equal(fread(bytes, 1, size, file), size);
	while ((at = text ? memmem(bytes, size, text, strlen(text)) : bytes)) {
		memcpy(at, with, strlen(with));
		if (!text)
			break;
	}
	rewind(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fclose(file);
	free(bytes);
	open_it(f);
}

static void a_damaged_item_hides_itself_alone(void **state)
{
	struct fixture *f = *state;
	struct catalogue_item *items, item;
	struct catalogue_stats stats;
	size_t count;
	bool more;

	put(f, &ours, "a", "first");
	put(f, &ours, "b", "SECOND-VALUE");
	put(f, &ours, "c", "third");
	damage(f, "SECOND-VALUE", "second-value");
	assert_int_equal(get(f, &ours, "b", &item), ERR_NOT_FOUND);
	assert_value(f, &ours, "a", "first");
	assert_int_equal(catalogue_list(f->c, &ours, CATALOGUE_GROUP, SV(""), 9,
					&f->arena, &items, &count, &more),
			 0);
	assert_int_equal(count, 2);
	catalogue_stats(f->c, &stats);
	assert_int_equal(stats.damaged_items, 2); /* each time it was met */
	assert_int_equal(stats.items, 3);
	/* It may be made anew, and counts once. */
	assert_int_equal(del(f, &ours, "b", CATALOGUE_IF_PRESENT),
			 CATALOGUE_MISSING);
	assert_int_equal(put_if(f, &ours, "b", "new", CATALOGUE_IF_ABSENT, 0,
				3),
			 CATALOGUE_DONE);
	assert_value(f, &ours, "b", "new");
	catalogue_stats(f->c, &stats);
	assert_int_equal(stats.items, 3);
}

static void a_damaged_file_is_set_aside(void **state)
{
	struct fixture *f = *state;
	char junk[8193];

	put(f, &ours, "a", "first");
	memset(junk, 'x', sizeof(junk) - 1);
	junk[sizeof(junk) - 1] = '\0';
	damage(f, NULL, junk);
	assert_value(f, &ours, "a", NULL);
	assert_int_equal(put(f, &ours, "a", "again"), CATALOGUE_DONE);
	scratch_remove_files(f->dir, "damaged");
}

static void a_damaged_frame_changes_nothing(void **state)
{
	struct fixture *f = *state;
	struct catalogue_waiter w = { .done = on_applied, .arg = f };
	struct catalogue_changes changes = {
		.call = SV("call"),
		.list = { { .action = CATALOGUE_DELETE,
			    .kind = CATALOGUE_GROUP,
			    .name = SV("name") },
			  { .action = CATALOGUE_PUT,
			    .condition = CATALOGUE_IF_REVISION,
			    .kind = CATALOGUE_TAGS,
			    .name = SV("other"),
			    .revision = 7,
			    .limit = 5,
			    .value = SV("value") } },
		.count = 2,
	};
	struct catalogue_changes out;
	struct catalogue_stats stats;
	struct buf body = BUF_INIT;

	catalogue_changes_encode(&changes, &body);
	assert_int_equal(catalogue_changes_decode(buf_view(&body), &out), 0);
	assert_int_equal(out.count, 2);
	assert_true(sv_eq(out.call, changes.call));
	assert_int_equal(out.list[1].revision, 7);
	assert_int_equal(out.list[1].limit, 5);
	assert_true(sv_eq(out.list[1].name, SV("other")));
	assert_true(sv_eq(out.list[1].value, SV("value")));
	for (size_t n = 0; n < body.len; n++)
		assert_int_equal(catalogue_changes_decode(sv_make(body.ptr, n),
							  &out),
				 ERR_CORRUPT);
	buf_char(&body, 'x');
	assert_int_equal(catalogue_changes_decode(buf_view(&body), &out),
			 ERR_CORRUPT);
	w.position = f->position;
	catalogue_expect(f->c, &w);
	assert_int_equal(deliver(f, &ours, buf_view(&body), f->position), 0);
	assert_int_equal(f->told, 1);
	assert_int_equal(f->err, ERR_CORRUPT);
	catalogue_stats(f->c, &stats);
	assert_int_equal(stats.damaged_changes, 1);
	buf_fini(&body);
}

/* A view that is behind reads a frame from the journal as soon as it is
 * durable, which may be before its sender is told so. */
static void who_asks_late_is_told_what_it_came_to(void **state)
{
	struct fixture *f = *state;
	struct catalogue_waiter w[3];
	struct buf body = BUF_INIT;
	uint64_t first;

	for (int i = 0; i < 3; i++) {
		const struct catalogue_changes changes = {
			.list = { { .action = CATALOGUE_PUT,
				    .condition = CATALOGUE_IF_ABSENT,
				    .kind = CATALOGUE_GROUP,
				    .name = i < 2 ? SV("a") : SV("b"),
				    .value = SV("1") } },
			.count = 1,
		};

		buf_reset(&body);
		catalogue_changes_encode(&changes, &body);
		assert_int_equal(deliver(f, &ours, buf_view(&body),
					 f->position + 64 * (uint64_t)i),
				 0);
	}
	for (int i = 0; i < 3; i++) {
		w[i] = (struct catalogue_waiter){ .position = f->position +
							      64 * (uint64_t)i,
						  .done = on_applied,
						  .arg = f };
		catalogue_expect(f->c, &w[i]);
		assert_int_equal(f->told, i + 1);
		assert_int_equal(f->err, 0);
		assert_int_equal(f->verdict,
				 i == 1 ? CATALOGUE_EXISTS : CATALOGUE_DONE);
	}
	first = f->position;
	/* One that is too long ago to be remembered is told to ask again. */
	f->position += 3 * 64;
	for (int i = 0; i < 64; i++, f->position += 64)
		assert_int_equal(
			deliver(f, &ours, buf_view(&body), f->position), 0);
	w[0].position = first;
	catalogue_expect(f->c, &w[0]);
	assert_int_equal(f->told, 4);
	assert_int_equal(f->err, ERR_BUSY);
	buf_fini(&body);
}

/* --- kill -9 --------------------------------------------------------------------- */

/* Puts "key N" = N for ever, and tells each N once it is applied. */
static void child_main(struct fixture *f, int fd)
{
	for (uint32_t n = 0;; n++) {
		char name[16];

		snprintf(name, sizeof(name), "k%u", n % 50);
		put(f, &ours, name, name);
		if (write(fd, &f->position, sizeof(f->position)) !=
		    (ssize_t)sizeof(f->position))
			_exit(1);
	}
}

static void what_was_told_survives_a_kill(void **state)
{
	struct fixture *f = *state;

	for (int round = 0; round < 10; round++) {
		uint64_t position = 0, last = f->position;
		struct catalogue_item item;
		int fds[2];
		pid_t pid;

		catalogue_close(f->c);
		assert_int_equal(pipe(fds), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (!pid) {
			open_it(f);
			child_main(f, fds[1]);
		}
		close(fds[1]);
		for (int n = 0; n <= round * 3; n++)
			assert_int_equal(read(fds[0], &position,
					      sizeof(position)),
					 sizeof(position));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		while (read(fds[0], &position, sizeof(position)) ==
		       (ssize_t)sizeof(position))
			continue;
		close(fds[0]);
		open_it(f);
		assert_true(position > last);
		/* At the last that was told, or the one behind it. */
		assert_in_range(f->position, position, position + 64);
		assert_int_equal(get(f, &ours, "k0", &item), 0);
		assert_true(sv_eq(item.value, SV("k0")));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		TEST(what_is_put_is_there_for_its_scope_alone),
		TEST(conditions_are_judged_when_applied),
		TEST(changes_of_a_frame_go_together),
		TEST(kinds_have_limits_by_scope),
		TEST(all_together_have_a_limit),
		TEST(lists_go_on_where_they_ended),
		TEST(names_may_be_long),
		TEST(a_position_is_stored_with_each_change),
		TEST(a_retry_is_made_once),
		TEST(a_damaged_item_hides_itself_alone),
		TEST(a_damaged_file_is_set_aside),
		TEST(a_damaged_frame_changes_nothing),
		TEST(who_asks_late_is_told_what_it_came_to),
		TEST(what_was_told_survives_a_kill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
