/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/client.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include <curl/curl.h>
#include <jansson.h>

enum { ERROR_TEXT_MAX = 160 }; /* bytes of what an answer says went wrong */

struct client {
	pthread_mutex_t lock; /* a curl handle is for one thread at a time */
	CURL *curl;
	char *endpoint;
	size_t answer_max_bytes;
};

/* True when text is http(s)://host[...] and nothing that a base cannot have. */
static bool endpoint_is_valid(const char *text)
{
	static const CURLUPart none[] = { CURLUPART_QUERY, CURLUPART_FRAGMENT };
	CURLU *url = curl_url();
	char *part = NULL;
	bool ok = url && !curl_url_set(url, CURLUPART_URL, text, 0) &&
		  !curl_url_get(url, CURLUPART_SCHEME, &part, 0) &&
		  (!strcmp(part, "http") || !strcmp(part, "https"));

	curl_free(part);
	for (size_t i = 0; ok && i < sizeof(none) / sizeof(none[0]); i++) {
		part = NULL;
		ok = curl_url_get(url, none[i], &part, 0) != CURLUE_OK;
		curl_free(part);
	}
	curl_url_cleanup(url);
	return ok;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *user)
{
	size_t n = size * count;
	struct buf *body = user;

	buf_add(body, bytes, n);
	return body->failed ? 0 : n;
}

static int watch(void *user, curl_off_t down_all, curl_off_t down,
		 curl_off_t up_all, curl_off_t up)
{
	const atomic_bool *cancel = user;

	(void)down_all, (void)down, (void)up_all, (void)up;
	return atomic_load(cancel);
}

static void set_options(struct client *c, const struct client_options *o)
{
	CURL *curl = c->curl;

	/* Signals and the environment's proxies are not for a tool that talks
	 * to its own collector from several threads. */
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "tallyscope/" TALLY_VERSION);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	if (o->cancel) {
		curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
		curl_easy_setopt(curl, CURLOPT_XFERINFODATA,
				 (void *)(uintptr_t)o->cancel);
	}
	curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
			 o->connect_timeout_ms ? o->connect_timeout_ms :
						 (long)CLIENT_CONNECT_MS);
	curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS,
			 o->timeout_ms ? o->timeout_ms :
					 (long)CLIENT_TIMEOUT_MS);
}

int client_open(struct client **out, const char *endpoint,
		const struct client_options *options, struct diag *diag)
{
	static const struct client_options usual;
	struct client *c;
	size_t len;

	if (!options)
		options = &usual;
	*out = NULL;
	if (!endpoint || !*endpoint)
		endpoint = getenv(CLIENT_ENDPOINT_VARIABLE);
	if (!endpoint || !*endpoint)
		endpoint = CLIENT_ENDPOINT_DEFAULT;
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return diag_set(diag, ERR_NOMEM, "libcurl does not start");
	len = strlen(endpoint);
	if (len >= CLIENT_URL_MAX || !endpoint_is_valid(endpoint)) {
		curl_global_cleanup();
		return diag_set(diag, ERR_INVALID,
				"the endpoint is no http:// or https:// URL; "
				"give it as in " CLIENT_ENDPOINT_DEFAULT);
	}
	while (len && endpoint[len - 1] == '/')
		len--;
	c = calloc(1, sizeof(*c));
	if (!c || !(c->curl = curl_easy_init()) ||
	    !(c->endpoint = strndup(endpoint, len))) {
		if (c)
			curl_easy_cleanup(c->curl);
		free(c);
		curl_global_cleanup();
		return diag_set(diag, ERR_NOMEM, "out of memory");
	}
	pthread_mutex_init(&c->lock, NULL);
	c->answer_max_bytes = options->answer_max_bytes ?
				      options->answer_max_bytes :
				      CLIENT_ANSWER_MAX;
	set_options(c, options);
	*out = c;
	return 0;
}

void client_close(struct client *c)
{
	if (!c)
		return;
	curl_easy_cleanup(c->curl);
	pthread_mutex_destroy(&c->lock);
	free(c->endpoint);
	free(c);
	curl_global_cleanup();
}

const char *client_endpoint(const struct client *c)
{
	return c->endpoint;
}

int client_err_of_status(long status)
{
	if (status >= 200 && status < 300)
		return 0;
	switch (status) {
	case 404:
		return ERR_NOT_FOUND;
	case 409:
		return ERR_EXISTS;
	case 413:
		return ERR_LIMIT;
	case 429:
	case 503:
		return ERR_BUSY;
	default:
		return status >= 400 && status < 500 ? ERR_INVALID : ERR_IO;
	}
}

/* Copies the first line of text, cut to the room. It may quote foreign bytes,
 * and a diag goes to a terminal. */
static void printable(char *out, size_t room, struct sv text)
{
	size_t n = 0;

	for (; n < text.len && n + 1 < room && text.ptr[n] != '\n'; n++) {
		unsigned char c = (unsigned char)text.ptr[n];

		out[n] = c >= 0x20 && c < 0x7F ? (char)c : '?';
	}
	out[n] = '\0';
}

/* What the API says in {"error":{"code","message"}}, the line of a plain text
 * answer (as /healthz gives), and otherwise the bare status: another server on
 * the port, most likely. */
static int refused(const struct client *c, long status, struct sv body,
		   struct diag *diag)
{
	json_t *root = json_loadb(body.ptr, body.len, 0, NULL);
	const char *text = json_string_value(
		json_object_get(json_object_get(root, "error"), "message"));
	int err = client_err_of_status(status);
	char line[ERROR_TEXT_MAX] = "";
	char *type = NULL;

	curl_easy_getinfo(c->curl, CURLINFO_CONTENT_TYPE, &type);
	if (text)
		printable(line, sizeof(line), sv_from(text));
	else if (type && sv_starts(sv_from(type), SV("text/plain")))
		printable(line, sizeof(line), body);
	json_decref(root);
	if (line[0])
		return diag_set(diag, err, "%s", line);
	return diag_set(diag, err,
			"%.120s answered with status %ld and no reason; "
			"is it a tally-collector?",
			c->endpoint, status);
}

static int unreached(const struct client *c, CURLcode code, struct diag *diag)
{
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return diag_set(diag, ERR_TIMEOUT,
				"the collector at %.120s did not answer in "
				"time; try again or look at its load",
				c->endpoint);
	case CURLE_OUT_OF_MEMORY:
		return diag_set(diag, ERR_NOMEM, "out of memory");
	default:
		return diag_set(diag, ERR_CLOSED,
				"cannot reach the collector at %.100s: %s; "
				"is tally-collector running?",
				c->endpoint, curl_easy_strerror(code));
	}
}

/* Under the lock, the method being set already. */
static int perform(struct client *c, const char *path, struct buf *body,
		   struct diag *diag)
{
	struct buf url = { .limit = CLIENT_URL_MAX };
	struct buf answer = { .limit = c->answer_max_bytes };
	long status = 0;
	CURLcode code;
	int err = 0;

	buf_text(&url, c->endpoint);
	buf_text(&url, path);
	if (url.failed) {
		buf_fini(&url);
		return diag_set(diag, ERR_LIMIT, "the query is too long");
	}
	curl_easy_setopt(c->curl, CURLOPT_URL, url.ptr);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &answer);
	code = curl_easy_perform(c->curl);
	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &status);
	if (answer.failed)
		err = diag_set(diag, ERR_LIMIT,
			       "the answer is larger than %zu bytes; "
			       "ask for less by time or limit",
			       c->answer_max_bytes);
	else if (code != CURLE_OK)
		err = unreached(c, code, diag);
	else if (client_err_of_status(status))
		err = refused(c, status, buf_view(&answer), diag);
	else
		buf_sv(body, buf_view(&answer));
	if (!err && body->failed)
		err = diag_set(diag, ERR_LIMIT, "no room for the answer");
	buf_fini(&answer);
	buf_fini(&url);
	return err;
}

int client_get(struct client *c, const char *path, struct buf *body,
	       struct diag *diag)
{
	int err;

	assert(path[0] == '/');
	pthread_mutex_lock(&c->lock);
	curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, NULL);
	err = perform(c, path, body, diag);
	pthread_mutex_unlock(&c->lock);
	return err;
}

int client_post(struct client *c, const char *path, const char *content_type,
		struct sv send, struct buf *body, struct diag *diag)
{
	struct buf header = { .limit = CLIENT_URL_MAX };
	struct curl_slist *headers = NULL;
	int err;

	assert(path[0] == '/');
	buf_format(&header, "Content-Type: %s", content_type);
	if (!header.failed)
		headers = curl_slist_append(NULL, header.ptr);
	buf_fini(&header);
	if (!headers)
		return diag_set(diag, ERR_NOMEM, "out of memory");
	pthread_mutex_lock(&c->lock);
	curl_easy_setopt(c->curl, CURLOPT_POST, 1L);
	curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, send.ptr ? send.ptr : "");
	curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE,
			 (curl_off_t)send.len);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	err = perform(c, path, body, diag);
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, NULL);
	pthread_mutex_unlock(&c->lock);
	curl_slist_free_all(headers);
	return err;
}

static bool is_unreserved(unsigned char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' ||
	       c == '~';
}

void client_escape(struct buf *out, struct sv text)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];

		if (!is_unreserved(c)) {
			buf_char(out, '%');
			buf_char(out, digits[c >> 4]);
			c = (unsigned char)digits[c & 15];
		}
		buf_char(out, (char)c);
	}
}

void client_query(struct buf *out, const char *name, const char *value)
{
	if (!value || !*value)
		return;
	buf_char(out, out->len && memchr(out->ptr, '?', out->len) ? '&' : '?');
	buf_text(out, name);
	buf_char(out, '=');
	client_escape(out, sv_from(value));
}

void client_query_number(struct buf *out, const char *name, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRId64, value);
	client_query(out, name, text);
}
