/* SPDX-License-Identifier: Apache-2.0 */
/* Signature Version 4: every refusal, every limit, and the answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/auth/sigv4.h"
#include "tests/unit/core/signing.h"

/* --- refusals ------------------------------------------------------------------------ */

#define SIGNATURE \
	"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define CREDENTIAL "Credential=AKIDEXAMPLE/20261122/us-east-1/logs/aws4_request"
#define HOST "Host: h\nX-Amz-Date: 20261122T095311Z\n"
#define AUTH(c, h)                                                \
	"Authorization: AWS4-HMAC-SHA256 " c ", SignedHeaders=" h \
	", Signature=" SIGNATURE "\n"
#define GET "GET / HTTP/1.1\n"
#define QUERY(credential, date, expires, more)                                \
	"GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" credential \
	"&X-Amz-Date=" date "&X-Amz-Expires=" expires                         \
	"&X-Amz-SignedHeaders=host&X-Amz-Signature=" SIGNATURE more           \
	" HTTP/1.1\nHost: h\n\n"
#define QC "AKIDEXAMPLE%2F20261122%2Fus-east-1%2Flogs%2Faws4_request"
#define QD "20261122T095311Z"

static const struct {
	enum sigv4_refusal why;
	const char *text;
} parse_rows[] = {
	{ SIGV4_OK, GET HOST AUTH(CREDENTIAL, "host;x-amz-date") "\n" },
	{ SIGV4_OK, GET "Host: h\nDate: Sun, 22 Nov 2026 09:53:11 GMT\n" AUTH(
			    CREDENTIAL, "date;host") "\n" },
	{ SIGV4_OK, GET "Host: h\nDate: 20261122T095311Z\n" AUTH(
			    CREDENTIAL, "date;host") "\n" },
	{ SIGV4_OK, /* X-Amz-Date wins over Date */
	  GET HOST "Date: Sun, 22 Nov 2020 09:53:11 GMT\n" AUTH(
		  CREDENTIAL, "host;x-amz-date") "\n" },
	{ SIGV4_OK, QUERY(QC, QD, "604800", "") },
	{ SIGV4_OK, QUERY(QC, QD, "1", "") },
	{ SIGV4_MISSING, GET HOST "\n" },
	{ SIGV4_MISSING, GET HOST "Authorization: Bearer x\n\n" },
	{ SIGV4_MISSING, GET HOST "Authorization:\n\n" },
	{ SIGV4_ALGORITHM, GET HOST "Authorization: AWS4-HMAC-SHA1 x\n\n" },
	{ SIGV4_ALGORITHM,
	  GET HOST "Authorization: AWS4-ECDSA-P256-SHA256 x\n\n" },
	{ SIGV4_ALGORITHM, "GET /?X-Amz-Algorithm=x HTTP/1.1\nHost: h\n\n" },
	{ SIGV4_INCOMPLETE, GET HOST "Authorization: AWS4-HMAC-SHA256\n\n" },
	{ SIGV4_INCOMPLETE,
	  GET HOST "Authorization: AWS4-HMAC-SHA256 " CREDENTIAL "\n\n" },
	{ SIGV4_INCOMPLETE, /* twice */
	  GET HOST AUTH(CREDENTIAL ", " CREDENTIAL, "host;x-amz-date") "\n" },
	{ SIGV4_INCOMPLETE, /* two headers */
	  GET HOST AUTH(CREDENTIAL, "host;x-amz-date")
		  AUTH(CREDENTIAL, "host;x-amz-date") "\n" },
	{ SIGV4_INCOMPLETE, /* unknown part */
	  GET HOST AUTH(CREDENTIAL ", More=1", "host;x-amz-date") "\n" },
	{ SIGV4_INCOMPLETE,
	  GET HOST AUTH("Credential=AKID/20261122/us-east-1/logs",
			"host;x-amz-date") "\n" },
	{ SIGV4_INCOMPLETE,
	  GET HOST AUTH("Credential=AKID/20261122/us-east-1/logs/aws5_request",
			"host;x-amz-date") "\n" },
	{ SIGV4_INCOMPLETE,
	  GET HOST AUTH("Credential=/20261122/us-east-1/logs/aws4_request",
			"host;x-amz-date") "\n" },
	{ SIGV4_INCOMPLETE,
	  GET HOST AUTH("Credential=A/2026112/us-east-1/logs/aws4_request",
			"host;x-amz-date") "\n" },
	{ SIGV4_INCOMPLETE,
	  GET HOST AUTH("Credential=A/20261122/us east/logs/aws4_request",
			"host;x-amz-date") "\n" },
	{ SIGV4_INCOMPLETE,
	  GET HOST AUTH("Credential=A/20261122/r/l/o/aws4_request",
			"host;x-amz-date") "\n" },
	{ SIGV4_INCOMPLETE, GET HOST AUTH(CREDENTIAL, "") "\n" },
	{ SIGV4_INCOMPLETE, GET HOST AUTH(CREDENTIAL, "x-amz-date;host") "\n" },
	{ SIGV4_INCOMPLETE,
	  GET HOST AUTH(CREDENTIAL, "host;host;x-amz-date") "\n" },
	{ SIGV4_INCOMPLETE, GET HOST AUTH(CREDENTIAL, "Host;x-amz-date") "\n" },
	{ SIGV4_INCOMPLETE,
	  GET HOST AUTH(CREDENTIAL, "host;;x-amz-date") "\n" },
	{ SIGV4_INCOMPLETE,
	  GET HOST AUTH(CREDENTIAL, "host:;x-amz-date") "\n" },
	{ SIGV4_INCOMPLETE,
	  GET HOST AUTH(CREDENTIAL, "host;x-amz-date") "X-Amz-Content-"
						       "Sha256: x\nX-"
						       "Amz-Content-"
						       "Sha256: x\n\n" },
	{ SIGV4_INCOMPLETE, /* both ways */
	  "GET /?X-Amz-Algorithm=AWS4-HMAC-SHA256 HTTP/1.1\n" HOST AUTH(
		  CREDENTIAL, "host;x-amz-date") "\n" },
	{ SIGV4_INCOMPLETE, QUERY(QC, QD, "60", "&X-Amz-Date=" QD) },
	{ SIGV4_INCOMPLETE, QUERY(QC, QD, "60", "&X%2dAmz-Date=" QD) },
	{ SIGV4_INCOMPLETE, QUERY(QC "%2F", QD, "60", "") },
	{ SIGV4_INCOMPLETE,
	  "GET x HTTP/1.1\n" HOST AUTH(CREDENTIAL, "host;x-amz-date") "\n" },
	{ SIGV4_INCOMPLETE,
	  "G:T / HTTP/1.1\n" HOST AUTH(CREDENTIAL, "host;x-amz-date") "\n" },
	{ SIGV4_LIMIT, "GET /?a=%2 HTTP/1.1\n" HOST AUTH(
			       CREDENTIAL, "host;x-amz-date") "\n" },
	{ SIGV4_LIMIT, "GET /?a=%gg HTTP/1.1\n" HOST AUTH(
			       CREDENTIAL, "host;x-amz-date") "\n" },
	{ SIGV4_DATE, GET "Host: h\n" AUTH(CREDENTIAL, "host") "\n" },
	{ SIGV4_DATE, GET HOST HOST AUTH(CREDENTIAL, "host;x-amz-date") "\n" },
	{ SIGV4_DATE, GET "Host: h\nX-Amz-Date: 20261122T095360Z\n" AUTH(
			      CREDENTIAL, "host;x-amz-date") "\n" },
	{ SIGV4_DATE, GET "Host: h\nX-Amz-Date: 20260229T095311Z\n" AUTH(
			      CREDENTIAL, "host;x-amz-date") "\n" },
	{ SIGV4_DATE, /* this form only in Date */
	  GET "Host: h\nX-Amz-Date: Sun, 22 Nov 2026 09:53:11 GMT\n" AUTH(
		  CREDENTIAL, "host;x-amz-date") "\n" },
	{ SIGV4_DATE, GET "Host: h\nDate: Sun, 22 Nox 2026 09:53:11 GMT\n" AUTH(
			      CREDENTIAL, "date;host") "\n" },
	{ SIGV4_DATE, QUERY(QC, "20261122", "60", "") },
	{ SIGV4_EXPIRES, QUERY(QC, QD, "604801", "") },
	{ SIGV4_EXPIRES, QUERY(QC, QD, "0", "") },
	{ SIGV4_EXPIRES, QUERY(QC, QD, "-1", "") },
	{ SIGV4_EXPIRES, QUERY(QC, QD, "18446744073709551617", "") },
	{ SIGV4_UNSIGNED_HEADER, GET HOST AUTH(CREDENTIAL, "x-amz-date") "\n" },
	{ SIGV4_UNSIGNED_HEADER, GET HOST AUTH(CREDENTIAL, "host") "\n" },
	{ SIGV4_UNSIGNED_HEADER,
	  GET HOST AUTH(CREDENTIAL, "host;x-amz-date") "x-AMZ-target: x\n\n" },
	{ SIGV4_OK,
	  GET HOST AUTH(CREDENTIAL, "host;x-amz-date") "X-Amz-Security"
						       "-Token: x\n\n" },
	{ SIGV4_STREAMING, GET HOST
	  "X-Amz-Content-Sha256: STREAMING-AWS4-HMAC-SHA256-PAYLOAD\n" AUTH(
		  CREDENTIAL, "host;x-amz-content-sha256;x-amz-date") "\n" },
	{ SIGV4_UNSIGNED_BODY,
	  GET HOST "X-Amz-Content-Sha256: UNSIGNED-PAYLOAD\n" AUTH(
		  CREDENTIAL, "host;x-amz-content-sha256;x-amz-date") "\n" },
	{ SIGV4_UNSIGNED_BODY, GET HOST
	  "X-Amz-Content-Sha256: abc\n" AUTH(CREDENTIAL,
					     "host;x-amz-content-sha256;x-"
					     "amz-date") "\n" },
	{ SIGV4_UNSIGNED_BODY,
	  QUERY(QC, QD, "60", "&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD") },
	{ SIGV4_SCOPE_DATE, GET "Host: h\nX-Amz-Date: 20261123T000000Z\n" AUTH(
				    CREDENTIAL, "host;x-amz-date") "\n" },
	{ SIGV4_SCOPE_DATE, QUERY(QC, "20261123T000000Z", "60", "") },
};

static void test_parse(void **state)
{
	static struct recording r;

	(void)state;
	for (size_t i = 0; i < sizeof(parse_rows) / sizeof(parse_rows[0]);
	     i++) {
		struct sigv4_claim c;
		enum sigv4_refusal why;

		assert_true(recording_copy(&r, parse_rows[i].text,
					   strlen(parse_rows[i].text)));
		why = sigv4_parse(&c, &r.request, NULL);
		if (why != parse_rows[i].why)
			fail_msg("row %zu: %s", i, sigv4_refusal_name(why));
		if (why == SIGV4_OK) {
			assert_int_equal(c.time_s, NOW);
			assert_true(sv_eq(c.tag, SV("AKIDEXAMPLE/20261122/"
						    "us-east-1/logs")));
			assert_true(sv_eq(c.region, SV("us-east-1")));
		}
	}
}

static void test_limits(void **state)
{
	static struct sigv4_header headers[SIGV4_HEADERS_MAX + 1];
	static char text[SIGV4_PATH_BYTES_MAX + SIGV4_QUERY_BYTES_MAX];
	struct sigv4_claim c;
	struct made m;

	(void)state;
	make(&m, &signed_rows[0], false);
	/* headers */
	for (size_t i = 0; i < SIGV4_HEADERS_MAX + 1; i++)
		headers[i] = i < m.request.header_count ?
				     m.headers[i] :
				     (struct sigv4_header){ SV("a"), SV("b") };
	m.request.headers = headers;
	m.request.header_count = SIGV4_HEADERS_MAX;
	assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_OK);
	m.request.header_count++;
	assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_LIMIT);
	m.request.header_count = 5;
	/* parts and bytes of a path */
	memset(text, '/', sizeof(text));
	m.request.path = sv_make(text, SIGV4_SEGMENTS_MAX);
	assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_OK); /* is "/" */
	m.request.path.len++;
	assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_LIMIT);
	memset(text + 1, 'x', sizeof(text) - 1);
	m.request.path.len = SIGV4_PATH_BYTES_MAX;
	assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_MISMATCH);
	m.request.path.len++;
	assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_LIMIT);
	m.request.path.len = 1;
	/* parameters and bytes of a query */
	for (size_t i = 0; i < SIGV4_PARAMS_MAX + 1; i++)
		memcpy(text + 1 + 2 * i, "a&", 2);
	m.request.query = sv_make(text + 1, 2 * SIGV4_PARAMS_MAX);
	assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_MISMATCH);
	m.request.query.len += 2;
	assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_LIMIT);
	memset(text + 1, '&', sizeof(text) - 1);
	m.request.query.len = SIGV4_QUERY_BYTES_MAX;
	assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_OK); /* is "" */
	m.request.query.len++;
	assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_LIMIT);
	m.request.query.len = 0;
	/* Authorization */
	m.request.path = SV("/");
	memset(text, ' ', sizeof(text));
	memcpy(text, "AWS4-HMAC-SHA256", 16);
	text[SIGV4_AUTHORIZATION_MAX] = 'x';
	headers[4].value = sv_make(text, SIGV4_AUTHORIZATION_MAX + 1);
	assert_int_equal(sigv4_parse(&c, &m.request, NULL), SIGV4_LIMIT);
	buf_fini(&m.text);
	/* signed headers */
	buf_text(&m.text, "AWS4-HMAC-SHA256 " CREDENTIAL
			  ", Signature=" SIGNATURE ", SignedHeaders=a");
	for (int i = 0; i < SIGV4_SIGNED_MAX; i++)
		buf_format(&m.text, ";b%02d", i);
	headers[4].value = buf_view(&m.text);
	assert_int_equal(sigv4_parse(&c, &m.request, NULL), SIGV4_LIMIT);
	headers[4].value.len -= 4;
	assert_int_equal(sigv4_parse(&c, &m.request, NULL),
			 SIGV4_UNSIGNED_HEADER);
	buf_fini(&m.text);
}

/* A text longer than the claim has room for, in a pre-signed query. */
static void test_query_text_limit(void **state)
{
	struct buf b = BUF_INIT;
	struct made m;

	(void)state;
	make(&m, &signed_rows[0], true);
	buf_sv(&b, m.request.query);
	buf_text(&b, "&X-Amz-Security-Token=");
	for (int i = 0; i < SIGV4_AUTHORIZATION_MAX; i++)
		buf_char(&b, 't');
	m.request.query = buf_view(&b);
	assert_int_equal(judge(&m, NOW, NULL, NULL), SIGV4_LIMIT);
	buf_fini(&b);
	buf_fini(&m.text);
}

/* --- answers ----------------------------------------------------------------------------- */

static void test_answers(void **state)
{
	static const struct {
		enum sigv4_refusal why;
		enum sigv4_dialect dialect;
		const char *code;
		int status;
	} rows[] = {
		{ SIGV4_MISSING, SIGV4_QUERY, "MissingAuthenticationToken",
		  403 },
		{ SIGV4_MISSING, SIGV4_JSON,
		  "MissingAuthenticationTokenException", 400 },
		{ SIGV4_INCOMPLETE, SIGV4_QUERY, "IncompleteSignature", 400 },
		{ SIGV4_UNKNOWN_KEY, SIGV4_QUERY, "InvalidClientTokenId", 403 },
		{ SIGV4_UNKNOWN_KEY, SIGV4_JSON, "UnrecognizedClientException",
		  400 },
		{ SIGV4_UNKNOWN_KEY, SIGV4_REST_JSON,
		  "UnrecognizedClientException", 403 },
		{ SIGV4_MISMATCH, SIGV4_QUERY, "SignatureDoesNotMatch", 403 },
		{ SIGV4_MISMATCH, SIGV4_JSON, "InvalidSignatureException",
		  400 },
		{ SIGV4_EXPIRED, SIGV4_REST_JSON, "InvalidSignatureException",
		  403 },
		{ SIGV4_EXPIRED_KEY, SIGV4_QUERY, "ExpiredToken", 403 },
		{ SIGV4_STREAMING, SIGV4_QUERY, "NotImplemented", 501 },
	};
	char text[SIGV4_MESSAGE_MAX];
	struct sigv4_claim c = { .time = "20261122T095311Z", .time_s = NOW };

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct sigv4_error e =
			sigv4_error(rows[i].why, rows[i].dialect);

		assert_string_equal(e.code, rows[i].code);
		assert_int_equal(e.status, rows[i].status);
	}
	for (int why = SIGV4_OK + 1; why < SIGV4_REFUSAL_COUNT; why++)
		assert_true(*sigv4_message(text, (enum sigv4_refusal)why, NULL,
					   NOW));
	assert_string_equal(
		sigv4_message(text, SIGV4_EXPIRED, &c, NOW + 1000),
		"Signature expired: 20261122T095311Z is now earlier than "
		"20261122T095451Z (20261122T100951Z - 15 min.)");
	assert_string_equal(
		sigv4_message(text, SIGV4_EARLY, &c, NOW - 1000),
		"Signature not yet current: 20261122T095311Z is still later "
		"than 20261122T095131Z (20261122T093631Z + 15 min.)");
	c.presigned = true;
	c.expires_s = 60;
	assert_string_equal(
		sigv4_message(text, SIGV4_EXPIRED, &c, NOW + 61),
		"Signature expired: 20261122T095411Z is now earlier than "
		"20261122T095412Z");
	assert_string_equal(sigv4_refusal_name(SIGV4_UNKNOWN_KEY),
			    "UNKNOWN_KEY");
}

static void test_dates(void **state)
{
	static const struct {
		int64_t time_s;
		const char *text;
	} rows[] = {
		{ 0, "19700101T000000Z" },
		{ 951782399, "20000228T235959Z" },
		{ 951782400, "20000229T000000Z" },
		{ 951868800, "20000301T000000Z" },
		{ 4107542399, "21000228T235959Z" },
		{ 4107542400, "21000301T000000Z" },
		{ 1798761599, "20261231T235959Z" },
		{ 253402300799, "99991231T235959Z" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char text[SIGV4_DATE_LEN + 1];

		sigv4_date(text, rows[i].time_s);
		assert_string_equal(text, rows[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_query_text_limit),
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_dates),
	};

	return cmocka_run_group_tests_name("sigv4_parse", tests, NULL, NULL);
}
