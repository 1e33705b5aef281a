/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/auth/keys.h"

#define ID "aws_access_key_id = AKIDEXAMPLE\n"
#define SECRET \
	"aws_secret_access_key = wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\n"
#define REST "role = read\naccount = 123456789012\n"
#define FIVE(x) x x x x x

static void test_good(void **state)
{
	static const char text[] =
		"# who may ask\n"
		"; and this is one too\r\n"
		"\n"
		"[ checkout ]\r\n"
		"aws_access_key_id=AKIDEXAMPLE\r\n"
		"aws_secret_access_key = a+b/c=d=#;[]wJalrXUtn\n"
		"  role =  ingest\t\n"
		"account = 000000000001\n"
		"regions = us-east-1 ,eu-west-1\n"
		"rate = 1000\n"
		"expires = 20270101T000000Z\n"
		"[admin]\n"
		"role = admin\n"
		"account = 123456789012\n"
		"aws_secret_access_key = 0123456789abcdef\n"
		"regions = *\n"
		"aws_access_key_id = AKIDEXAMPLF";
	struct keys_table *t;
	const struct key *k;

	(void)state;
	assert_int_equal(keys_parse(&t, sv_from(text), NULL), 0);
	assert_int_equal(keys_count(t), 2);
	k = keys_find(t, SV("AKIDEXAMPLE"));
	assert_ptr_equal(k, keys_at(t, 0));
	assert_true(k->known);
	assert_true(sv_eq(k->name, SV("checkout")));
	assert_true(sv_eq(k->id, SV("AKIDEXAMPLE")));
	assert_true(sv_eq(k->secret, SV("a+b/c=d=#;[]wJalrXUtn")));
	assert_int_equal(k->role, KEY_INGEST);
	assert_int_equal(k->account, 1);
	assert_int_equal(k->rate, 1000);
	assert_true(key_in_region(k, SV("eu-west-1")));
	assert_true(key_in_region(k, SV("us-east-1")));
	assert_false(key_in_region(k, SV("eu-west-2")));
	assert_false(key_in_region(k, SV("*")));
	assert_false(key_in_region(k, SV("")));
	assert_false(key_expired(k, 1798761599));
	assert_true(key_expired(k, 1798761600));
	k = keys_find(t, SV("AKIDEXAMPLF"));
	assert_int_equal(k->role, KEY_ADMIN);
	assert_true(key_in_region(k, SV("anywhere")));
	assert_int_equal(k->rate, 0);
	assert_false(key_expired(k, INT64_MAX));
	assert_string_equal(key_role_name(k->role), "admin");
	keys_table_free(t);
}

static void test_bad(void **state)
{
	static const struct {
		int e, line;
		const char *text;
	} rows[] = {
		{ ERR_SYNTAX, 1, ID },
		{ ERR_SYNTAX, 1, "[a\n" ID SECRET REST },
		{ ERR_SYNTAX, 2, "[a]\nrole\n" },
		{ ERR_SYNTAX, 2, "[a]\nwJalrXUtnFEMI/K7MDENG+bPxRfiCY\n" },
		{ ERR_INVALID, 1, "[]\n" ID SECRET REST },
		{ ERR_INVALID, 1, "[a b]\n" ID SECRET REST },
		{ ERR_INVALID, 1, "[\xc3\xa9]\n" ID SECRET REST },
		{ ERR_INVALID, 1,
		  "[" FIVE("abcdefghijklm") "]\n" ID SECRET REST },
		{ ERR_INVALID, 1, "[a]\n" },
		{ ERR_INVALID, 1, "[a]\n" SECRET REST },
		{ ERR_INVALID, 1, "[a]\n" ID REST },
		{ ERR_INVALID, 1, "[a]\n" ID SECRET "role = read\n" },
		{ ERR_INVALID, 2,
		  "\n[a]\n" ID SECRET "account = 123456789012\n\n[b]\n" },
		{ ERR_INVALID, 2, "[a]\nregion = us-east-1\n" },
		{ ERR_INVALID, 2, "[a]\nRole = read\n" },
		{ ERR_INVALID, 2, "[a]\naws_access_key_id = short\n" },
		{ ERR_INVALID, 2, "[a]\naws_access_key_id = AKID/EXAMPLE\n" },
		{ ERR_INVALID, 2, "[a]\naws_access_key_id =\n" },
		{ ERR_INVALID, 2, "[a]\naws_secret_access_key = short\n" },
		{ ERR_INVALID, 2,
		  "[a]\naws_secret_access_key = 0123456789 abcdef\n" },
		{ ERR_INVALID, 2, "[a]\nrole = root\n" },
		{ ERR_INVALID, 2, "[a]\nrole = \n" },
		{ ERR_INVALID, 2, "[a]\naccount = 12345678901\n" },
		{ ERR_INVALID, 2, "[a]\naccount = 12345678901x\n" },
		{ ERR_INVALID, 2, "[a]\nregions =\n" },
		{ ERR_INVALID, 2, "[a]\nregions = us-east-1,\n" },
		{ ERR_INVALID, 2, "[a]\nregions = us-east-1,*\n" },
		{ ERR_INVALID, 2, "[a]\nregions = ../x\n" },
		{ ERR_INVALID, 2, "[a]\nregions = abcdefghijklmnopqrstuvwx\n" },
		{ ERR_LIMIT, 2,
		  "[a]\nregions = a,a,a" FIVE(",a,a,a,a,a,a") "\n" },
		{ ERR_INVALID, 2, "[a]\nrate = 1000001\n" },
		{ ERR_INVALID, 2, "[a]\nrate = -1\n" },
		{ ERR_INVALID, 2, "[a]\nrate = 1.5\n" },
		{ ERR_INVALID, 2, "[a]\nexpires = 2027-01-01\n" },
		{ ERR_INVALID, 2, "[a]\nexpires = 20270230T000000Z\n" },
		{ ERR_EXISTS, 6, "[a]\n" ID SECRET REST "role = read\n" },
		{ ERR_EXISTS, 6, "[a]\n" ID SECRET REST "[a]\n" },
		{ ERR_EXISTS, 0,
		  "[a]\n" ID SECRET REST "[b]\n" ID SECRET REST },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct keys_table *t;
		struct diag d = { 0 };
		int e = keys_parse(&t, sv_from(rows[i].text), &d);

		if (e != rows[i].e || d.err != e || d.line != rows[i].line)
			fail_msg("row %zu: %d line %d: %s", i, e, d.line,
				 d.text);
		assert_true(d.text[0]);
		/* No secret is told. */
		assert_null(strstr(d.text, "wJalr"));
		assert_null(strstr(d.text, "0123456789"));
	}
}

static void add_key(struct buf *b, int i)
{
	buf_format(b,
		   "[key-%d]\naws_access_key_id = AKID%08d\n"
		   "aws_secret_access_key = secret-of-number-%08d\n"
		   "role = ingest\naccount = %012d\n",
		   i, i, i, i);
}

static void test_limits(void **state)
{
	static char line[KEYS_LINE_MAX + 2];
	struct buf b = BUF_INIT;
	struct keys_table *t;
	struct diag d;

	(void)state;
	for (int i = 0; i < KEYS_MAX; i++)
		add_key(&b, i);
	assert_int_equal(keys_parse(&t, buf_view(&b), NULL), 0);
	assert_int_equal(keys_count(t), KEYS_MAX);
	for (int i = 0; i < KEYS_MAX; i++) {
		char id[16];

		snprintf(id, sizeof(id), "AKID%08d", i);
		assert_ptr_equal(keys_find(t, sv_from(id)),
				 keys_at(t, (size_t)i));
		id[11] = 'x';
		assert_false(keys_find(t, sv_from(id))->known);
	}
	keys_table_free(t);
	add_key(&b, KEYS_MAX);
	assert_int_equal(keys_parse(&t, buf_view(&b), &d), ERR_LIMIT);
	assert_int_equal(d.line, KEYS_MAX * 5 + 1);
	while (b.len <= KEYS_FILE_MAX)
		buf_char(&b, '\n');
	assert_int_equal(keys_parse(&t, buf_view(&b), &d), ERR_LIMIT);
	buf_fini(&b);
	memset(line, '#', sizeof(line));
	assert_int_equal(keys_parse(&t, sv_make(line, KEYS_LINE_MAX), &d), 0);
	keys_table_free(t);
	assert_int_equal(keys_parse(&t, sv_make(line, KEYS_LINE_MAX + 1), &d),
			 ERR_LIMIT);
}

static void test_unknown(void **state)
{
	static char long_id[SIGV4_KEY_ID_MAX + 1];
	const struct key *k;
	struct keys_table *t, *other;

	(void)state;
	assert_int_equal(keys_parse(&t, SV(""), NULL), 0);
	k = keys_find(t, SV("AKIDEXAMPLE"));
	assert_false(k->known);
	assert_int_equal(k->secret.len, 40);
	assert_ptr_equal(keys_find(t, SV("")), k);
	assert_int_equal(keys_parse(&other, SV("[a]\n" ID SECRET REST), NULL),
			 0);
	assert_false(keys_find(other, SV(""))->known);
	assert_false(keys_find(other, SV("AKIDEXAMPL"))->known);
	assert_false(keys_find(other, SV("AKIDEXAMPLE\0"))->known);
	assert_false(
		keys_find(other, sv_make(long_id, sizeof(long_id)))->known);
	assert_true(keys_find(other, SV("AKIDEXAMPLE"))->known);
	/* Nobody can sign for the decoy: its secret is random. */
	assert_false(sv_eq(keys_find(other, SV("x"))->secret, k->secret));
	keys_table_free(t);
	keys_table_free(other);
}

/* --- the file ------------------------------------------------------------------ */

static void write_file(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void test_file(void **state)
{
	char dir[] = "/tmp/keys_test.XXXXXX", path[64];
	const struct keys_table *old;
	const struct key *k;
	struct keys *keys;
	struct diag d;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/keys", dir);
	assert_int_equal(keys_open(&keys, path, &d), ERR_NOT_FOUND);
	assert_int_equal(keys_open(&keys, dir, &d), ERR_INVALID);
	write_file(path, "[a]\n" ID SECRET REST, 0644);
	assert_int_equal(keys_open(&keys, path, &d), ERR_INVALID);
	assert_non_null(strstr(d.text, "chmod"));
	write_file(path, "[a]\n" ID SECRET REST, 0640);
	assert_int_equal(keys_open(&keys, path, &d), 0);

	old = keys_borrow(keys);
	k = keys_find(old, SV("AKIDEXAMPLE"));
	assert_true(k->known);
	/* A file with a mistake changes nothing. */
	write_file(path, "[a]\n" ID SECRET, 0600);
	assert_int_equal(keys_reload(keys, &d), ERR_INVALID);
	assert_int_equal(d.line, 1);
	assert_ptr_equal(keys_borrow(keys), old);
	keys_return(keys, old);
	/* The key is gone; who holds the old keys still has it. */
	write_file(path, "", 0600);
	assert_int_equal(keys_reload(keys, &d), 0);
	assert_true(keys_find(old, SV("AKIDEXAMPLE"))->known);
	assert_int_equal(k->secret.len, 40);
	keys_return(keys, old);
	old = keys_borrow(keys);
	assert_false(keys_find(old, SV("AKIDEXAMPLE"))->known);
	keys_return(keys, old);
	keys_close(keys);
	unlink(path);
	rmdir(dir);
}

struct race {
	struct keys *keys;
	atomic_bool stop;
};

/* Either file, whole: the secret that goes with the account. */
static void *look(void *arg)
{
	struct race *race = arg;

	while (!atomic_load(&race->stop)) {
		const struct keys_table *t = keys_borrow(race->keys);
		const struct key *k = keys_find(t, SV("AKIDEXAMPLE"));
		bool ok = k->known &&
			  sv_eq(k->secret, k->account == 1 ?
						   SV("secret-of-the-first-") :
						   SV("secret-of-the-second"));

		keys_return(race->keys, t);
		if (!ok)
			return "torn";
	}
	return NULL;
}

static void test_reload_race(void **state)
{
	static const char *const files[] = {
		"[a]\n" ID "aws_secret_access_key = secret-of-the-first-\n"
		"role = read\naccount = 000000000001\n",
		"[a]\n" ID "aws_secret_access_key = secret-of-the-second\n"
		"role = read\naccount = 000000000002\n",
	};
	char dir[] = "/tmp/keys_test.XXXXXX", path[64];
	struct race race = { 0 };
	pthread_t threads[2];
	void *failed;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/keys", dir);
	write_file(path, files[0], 0600);
	assert_int_equal(keys_open(&race.keys, path, NULL), 0);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, look, &race),
				 0);
	for (int i = 0; i < 20; i++) {
		write_file(path, files[i & 1], 0600);
		assert_int_equal(keys_reload(race.keys, NULL), 0);
	}
	atomic_store(&race.stop, true);
	for (int i = 0; i < 2; i++) {
		pthread_join(threads[i], &failed);
		assert_null(failed);
	}
	keys_close(race.keys);
	unlink(path);
	rmdir(dir);
}

/* The line of this process's smaps that begins with name, for address p. */
static bool smaps_has(const void *p, const char *name, const char *what)
{
	char line[512];
	bool here = false, found = false;
	FILE *f = fopen("/proc/self/smaps", "r");

	assert_non_null(f);
	while (fgets(line, sizeof(line), f)) {
		char *end;
		uintptr_t from = strtoul(line, &end, 16);

		if (*end == '-')
			here = (uintptr_t)p >= from &&
			       (uintptr_t)p < strtoul(end + 1, NULL, 16);
		else if (here && !strncmp(line, name, strlen(name)))
			found |= strstr(line, what) != NULL;
	}
	fclose(f);
	return found;
}

static void test_memory(void **state)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct keys_table *t;
	const struct key *k;

	(void)state;
	assert_true(page != MAP_FAILED);
	assert_int_equal(keys_parse(&t, SV("[a]\n" ID SECRET REST), NULL), 0);
	k = keys_at(t, 0);
	assert_true(smaps_has(k->secret.ptr, "VmFlags:", " dd"));
	/* Sanitizers make mlock do nothing, and then there is no flag. */
	if (keys_locked(t) && !mlock(page, 4096) &&
	    smaps_has(page, "VmFlags:", " lo"))
		assert_true(smaps_has(k->secret.ptr, "VmFlags:", " lo"));
	keys_table_free(t);
	munmap(page, 4096);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_reload_race),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("keys", tests, NULL, NULL);
}
