/* SPDX-License-Identifier: Apache-2.0 */
/* TLS's handshake has the head's deadline, waits without work, and does not
 * keep the listener from stopping. What TLS does for requests: tests/cli/tls.t. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <gnutls/x509.h>
#include <stdatomic.h>
#include <stdio.h>

#include "collector/door/http.h"
#include "tests/unit/collector/talk.h"

enum { LIMIT_MS = 300, LONG_MS = 600000, MANY = 40 };

struct files {
	char folder[64], cert[96], key[96];
};

static void write_file(const char *path, const gnutls_datum_t *d)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(d->data, 1, d->size, f), d->size);
	fclose(f);
}

/* A certificate that signs itself. */
static int make_files(void **state)
{
	static const char name[] = "CN=localhost";
	struct files *f = calloc(1, sizeof(*f));
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_datum_t pem;

	assert_non_null(f);
	memcpy(f->folder, "/tmp/http_tls.XXXXXX", 21);
	assert_non_null(mkdtemp(f->folder));
	snprintf(f->cert, sizeof(f->cert), "%s/cert", f->folder);
	snprintf(f->key, sizeof(f->key), "%s/key", f->folder);
	gnutls_x509_privkey_init(&key);
	gnutls_x509_crt_init(&crt);
	assert_int_equal(
		gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, 256, 0), 0);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, "1", 1);
	gnutls_x509_crt_set_dn(crt, name, NULL);
	gnutls_x509_crt_set_activation_time(crt, time(NULL) - 60);
	gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 3600);
	gnutls_x509_crt_set_key(crt, key);
	assert_int_equal(
		gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
	assert_int_equal(
		gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), 0);
	write_file(f->cert, &pem);
	gnutls_free(pem.data);
	assert_int_equal(
		gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), 0);
	write_file(f->key, &pem);
	gnutls_free(pem.data);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
	*state = f;
	return 0;
}

static int remove_files(void **state)
{
	struct files *f = *state;

	unlink(f->cert);
	unlink(f->key);
	rmdir(f->folder);
	free(f);
	return 0;
}

static void answer(void *arg, struct request *r)
{
	(void)arg;
	assert_true(r->tls);
	buf_text(&r->reply, "here");
}

static struct http *start(const struct files *f, unsigned head_ms,
			  _Atomic uint64_t *ended)
{
	struct http_options options = { .address = "127.0.0.1:0",
					.handler = answer,
					.tls_cert = f->cert,
					.tls_key = f->key,
					.connections.head_ms = head_ms };
	struct diag diag = { 0 };
	struct http *h;

	options.connections.ended[CONNECTION_END_HEAD] = ended;
	assert_int_equal(http_start(&h, &options, &diag), 0);
	return h;
}

/* The process's own time: a client that is waited for costs none. */
static uint64_t cpu_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* What it costs to have so many clients that say little until they are closed
 * after head_ms. */
static uint64_t cost_of_slow_ms(const struct files *f, unsigned head_ms)
{
	_Atomic uint64_t ended = 0;
	struct http *h = start(f, head_ms, &ended);
	uint64_t begin = cpu_ms();
	int fds[MANY];

	for (int i = 0; i < MANY; i++) {
		fds[i] = talk_connect(http_address(h));
		if (i % 2)
			assert_true(talk_try(fds[i], "\x16\x03\x01\x02", 4));
	}
	for (int i = 0; i < MANY; i++) {
		talk_expect_end(fds[i]);
		close(fds[i]);
	}
	assert_int_equal(ended, MANY);
	http_stop(h);
	return cpu_ms() - begin;
}

static void test_slow_handshakes(void **state)
{
	uint64_t shorter = cost_of_slow_ms(*state, LIMIT_MS);

	/* Waiting longer costs no more. */
	assert_true(cost_of_slow_ms(*state, 5 * LIMIT_MS) <
		    shorter + LIMIT_MS / 2);
}

static void test_stop_in_handshake(void **state)
{
	struct http *h = start(*state, LONG_MS, NULL);
	int fds[MANY];

	for (int i = 0; i < MANY; i++) {
		fds[i] = talk_connect(http_address(h));
		assert_true(talk_try(fds[i], "\x16\x03\x01", 3));
	}
	while (http_connections(h) < MANY)
		usleep(1000);
	http_stop(h);
	for (int i = 0; i < MANY; i++) {
		talk_expect_end(fds[i]);
		close(fds[i]);
	}
}

static void test_no_tls(void **state)
{
	_Atomic uint64_t ended = 0;
	struct http *h = start(*state, LONG_MS, &ended);
	int fd = talk_connect(http_address(h));

	talk_send(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n");
	talk_expect_end(fd);
	assert_int_equal(ended, 0);
	close(fd);
	http_stop(h);
}

/* A request in pieces, each a record, with pauses between. */
static void test_request(void **state)
{
	static const char *const pieces[] = { "GET / HT", "TP/1.1\r\nHost: x",
					      "\r\n\r\n" };
	struct http *h = start(*state, LONG_MS, NULL);
	gnutls_certificate_credentials_t credentials;
	gnutls_session_t session;
	int fd = talk_connect(http_address(h));
	char text[1024] = "";
	ssize_t n;

	gnutls_certificate_allocate_credentials(&credentials);
	gnutls_init(&session, GNUTLS_CLIENT);
	gnutls_set_default_priority(session);
	gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, credentials);
	gnutls_transport_set_int(session, fd);
	assert_int_equal(gnutls_handshake(session), 0);
	for (int times = 0; times < 2; times++) {
		for (size_t i = 0; i < 3; i++) {
			usleep(20000);
			assert_true(gnutls_record_send(session, pieces[i],
						       strlen(pieces[i])) > 0);
		}
		do
			n = gnutls_record_recv(session, text, sizeof(text) - 1);
		while (n == GNUTLS_E_AGAIN); /* a ticket */
		assert_true(n > 0);
		assert_non_null(strstr(text, " 200 "));
	}
	gnutls_deinit(session);
	gnutls_certificate_free_credentials(credentials);
	close(fd);
	http_stop(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_handshakes),
		cmocka_unit_test(test_stop_in_handshake),
		cmocka_unit_test(test_no_tls),
		cmocka_unit_test(test_request),
	};

	return cmocka_run_group_tests_name("http_tls", tests, make_files,
					   remove_files);
}
