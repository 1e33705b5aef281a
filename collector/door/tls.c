/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/text.h"

struct tls_set {
	_Atomic unsigned holders;
	gnutls_certificate_credentials_t credentials;
	bool asks; /* clients for a certificate */
	int64_t expires_s;
};

struct tls {
	char cert[TLS_PATH_MAX], key[TLS_PATH_MAX], client_ca[TLS_PATH_MAX];
	pthread_mutex_t lock; /* over which set is in force */
	struct tls_set *set;
};

void tls_end(struct tls_set *set)
{
	if (!set || atomic_fetch_sub(&set->holders, 1) > 1)
		return;
	gnutls_certificate_free_credentials(set->credentials);
	free(set);
}

/* --- reading ------------------------------------------------------------------ */

static int read_file(const char *path, struct buf *out, struct diag *diag)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;

	out->limit = TLS_FILE_MAX;
	if (fd < 0)
		return diag_set(diag, ERR_IO, "cannot read %s: %s", path,
				strerror(errno));
	for (;;) {
		char piece[4096];

		n = read(fd, piece, sizeof(piece));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		buf_add(out, piece, (size_t)n);
		explicit_bzero(piece, (size_t)n);
	}
	if (n < 0)
		diag_set(diag, ERR_IO, "cannot read %s: %s", path,
			 strerror(errno));
	close(fd);
	if (n < 0)
		return ERR_IO;
	if (out->failed)
		return diag_set(diag, ERR_LIMIT, "%s is over %d bytes", path,
				TLS_FILE_MAX);
	return 0;
}

static gnutls_datum_t datum(const struct buf *b)
{
	return (gnutls_datum_t){ (unsigned char *)b->ptr, (unsigned)b->len };
}

/* One that is out of its time is served all the same: clients see to it, and
 * a collector that does not start is worse. Returns its end. */
static int64_t look_at_time(const char *path, const gnutls_datum_t *pem)
{
	gnutls_x509_crt_t crt;
	time_t now = time(NULL);
	time_t end = 0;

	if (gnutls_x509_crt_init(&crt) < 0)
		return 0;
	if (!gnutls_x509_crt_import(crt, pem, GNUTLS_X509_FMT_PEM)) {
		end = gnutls_x509_crt_get_expiration_time(crt);
		if (end < now || gnutls_x509_crt_get_activation_time(crt) > now)
			log_warn("tls",
				 "the certificate in %s is not valid now",
				 path);
	}
	gnutls_x509_crt_deinit(crt);
	return end > 0 ? end : 0;
}

/* As with a certificate whose time is over: said, not refused. */
static void look_at_mode(const char *path)
{
	struct stat st;

	if (!stat(path, &st) && st.st_mode & 07)
		log_warn("tls",
			 "%s holds a secret and others may reach it; "
			 "chmod o= %s",
			 path, path);
}

static int read_pair(struct tls *t, struct tls_set *set, struct diag *diag)
{
	struct buf cert = { 0 }, key = { 0 };
	int e = read_file(t->cert, &cert, diag);

	if (!e)
		e = read_file(t->key, &key, diag);
	if (!e) {
		const gnutls_datum_t c = datum(&cert), k = datum(&key);
		int g = gnutls_certificate_set_x509_key_mem2(
			set->credentials, &c, &k, GNUTLS_X509_FMT_PEM, NULL, 0);

		if (g < 0)
			e = diag_set(diag, ERR_INVALID,
				     "%s and %s are no certificate with its "
				     "key, in PEM: %s",
				     t->cert, t->key, gnutls_strerror(g));
		else
			set->expires_s = look_at_time(t->cert, &c);
		look_at_mode(t->key);
	}
	if (key.ptr)
		explicit_bzero(key.ptr, key.len);
	buf_fini(&key);
	buf_fini(&cert);
	return e;
}

static int verify_client(gnutls_session_t session)
{
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT,
	};
	unsigned status = 0;
	int g = gnutls_certificate_verify_peers(session, &purpose, 1, &status);

	return g < 0 || status ? GNUTLS_E_CERTIFICATE_ERROR : 0;
}

static int read_client_ca(struct tls *t, struct tls_set *set, struct diag *diag)
{
	struct buf pem = { 0 };
	int e;

	if (!t->client_ca[0])
		return 0;
	e = read_file(t->client_ca, &pem, diag);
	if (!e) {
		const gnutls_datum_t d = datum(&pem);
		int n = gnutls_certificate_set_x509_trust_mem(
			set->credentials, &d, GNUTLS_X509_FMT_PEM);

		if (n <= 0)
			e = diag_set(diag, ERR_INVALID,
				     "%s has no certificate in PEM: %s",
				     t->client_ca,
				     n ? gnutls_strerror(n) : "it is empty");
	}
	gnutls_certificate_set_verify_function(set->credentials, verify_client);
	set->asks = true;
	buf_fini(&pem);
	return e;
}

static int read_set(struct tls *t, struct tls_set **out, struct diag *diag)
{
	struct tls_set *set = calloc(1, sizeof(*set));
	int e;

	if (!set)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	set->holders = 1;
	if (gnutls_certificate_allocate_credentials(&set->credentials) < 0) {
		free(set);
		return diag_set(diag, ERR_NOMEM, "out of memory");
	}
	e = read_pair(t, set, diag);
	if (!e)
		e = read_client_ca(t, set, diag);
	if (e) {
		tls_end(set);
		return e;
	}
	*out = set;
	return 0;
}

/* --- the set in force --------------------------------------------------------- */

static int set_path(char out[TLS_PATH_MAX], const char *path, struct diag *diag)
{
	size_t len = path ? strlen(path) : 0;

	if (len >= TLS_PATH_MAX)
		return diag_set(diag, ERR_LIMIT, "a path is over %d bytes",
				TLS_PATH_MAX - 1);
	if (len)
		memcpy(out, path, len + 1);
	return 0;
}

int tls_open(struct tls **out, const char *cert, const char *key,
	     const char *client_ca, struct diag *diag)
{
	struct tls *t = calloc(1, sizeof(*t));
	int e;

	if (!t)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	pthread_mutex_init(&t->lock, NULL);
	e = set_path(t->cert, cert, diag);
	if (!e)
		e = set_path(t->key, key, diag);
	if (!e)
		e = set_path(t->client_ca, client_ca, diag);
	if (!e && !t->key[0])
		e = diag_set(diag, ERR_INVALID,
			     "the certificate %s needs its key: --tls-key",
			     t->cert);
	if (!e)
		e = read_set(t, &t->set, diag);
	if (e) {
		tls_close(t);
		return e;
	}
	*out = t;
	return 0;
}

void tls_close(struct tls *t)
{
	if (!t)
		return;
	tls_end(t->set);
	pthread_mutex_destroy(&t->lock);
	free(t);
}

int tls_reload(struct tls *t, struct diag *diag)
{
	struct tls_set *fresh = NULL, *old;
	int e = read_set(t, &fresh, diag);

	if (e)
		return e;
	pthread_mutex_lock(&t->lock);
	old = t->set;
	t->set = fresh;
	pthread_mutex_unlock(&t->lock);
	tls_end(old);
	return 0;
}

int64_t tls_expires_s(struct tls *t)
{
	int64_t s;

	pthread_mutex_lock(&t->lock);
	s = t->set->expires_s;
	pthread_mutex_unlock(&t->lock);
	return s;
}

struct tls_set *tls_begin(struct tls *t, void *session)
{
	struct tls_set *set;

	pthread_mutex_lock(&t->lock);
	set = t->set;
	atomic_fetch_add(&set->holders, 1);
	pthread_mutex_unlock(&t->lock);
	if (gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE,
				   set->credentials) < 0) {
		tls_end(set);
		return NULL;
	}
	if (set->asks)
		gnutls_certificate_server_set_request(session,
						      GNUTLS_CERT_REQUIRE);
	return set;
}

int tls_no_certificate(gnutls_session_t session,
		       const gnutls_datum_t *request_ca, int request_ca_count,
		       const gnutls_pk_algorithm_t *algorithms,
		       int algorithm_count, gnutls_pcert_st **certificate,
		       unsigned *certificate_count, gnutls_privkey_t *key)
{
	(void)session;
	(void)request_ca;
	(void)request_ca_count;
	(void)algorithms;
	(void)algorithm_count;
	(void)certificate;
	(void)certificate_count;
	(void)key;
	return -1;
}
