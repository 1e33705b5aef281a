/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TLS: the certificate, its key and, where clients must show one too, the CA of
 * theirs, by GnuTLS. The three are read together into a set and replaced
 * together; each connection holds the set it began with until it is closed, so
 * that a set goes when the last handshake that might use it has gone, and a
 * change under load fails none.
 *
 * TLS 1.2 is the least. A client's certificate is verified in the handshake:
 * signed by the CA, in its time, and for clients where it says what for.
 */
#ifndef TALLY_COLLECTOR_DOOR_TLS_H
#define TALLY_COLLECTOR_DOOR_TLS_H

#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>

#include "core/base/err.h"

/* The client's order of groups: another would cost it one more round trip. */
#define TLS_PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

enum { TLS_FILE_MAX = 1 << 20, TLS_PATH_MAX = 512 };

struct tls;
struct tls_set;

/* PEM files: a certificate with those of its chain behind it, its key, and CAs
 * (NULL or "": clients need no certificate). diag says which is bad, and how. */
int tls_open(struct tls **out, const char *cert, const char *key,
	     const char *client_ca, struct diag *diag) MUST_USE;
void tls_close(struct tls *t);
/* Reads the files again. On an error the set in force stays. */
int tls_reload(struct tls *t, struct diag *diag) MUST_USE;
/* When the certificate in force ends, in seconds since 1970. */
int64_t tls_expires_s(struct tls *t);

/* The session, whose handshake has not begun, uses the set in force. NULL: no
 * memory. */
struct tls_set *tls_begin(struct tls *t, void *session) MUST_USE;
/* After the session's end. NULL is allowed. */
void tls_end(struct tls_set *set);

/* gnutls_certificate_retrieve_function2, for MHD, which wants to be told where
 * certificates come from at its start. Has none: tls_begin's are used. */
int tls_no_certificate(gnutls_session_t session,
		       const gnutls_datum_t *request_ca, int request_ca_count,
		       const gnutls_pk_algorithm_t *algorithms,
		       int algorithm_count, gnutls_pcert_st **certificate,
		       unsigned *certificate_count, gnutls_privkey_t *key);

#endif
