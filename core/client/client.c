/* SPDX-License-Identifier: Apache-2.0 */
#include "core/client/client_impl.h"

#include <assert.h>
#include <stdlib.h>

#include "core/client/place.h"
#include "core/client/refusal.h"

enum { PAUSE_SLICE_MS = 50 };

/* --- the handle ----------------------------------------------------------------- */

bool client_has_token(const struct settings *s)
{
	return s->token || s->token_file;
}

static int check_place(const struct settings *s, const char *endpoint,
		       const struct place *place, struct diag *diag)
{
	if (!place->valid || strlen(endpoint) >= CLIENT_URL_MAX)
		return diag_set(diag, ERR_INVALID,
				"the endpoint is no http:// or https:// URL; "
				"give it as in " SETTINGS_ENDPOINT_DEFAULT);
	/* Who reads it may use it; RFC 6750, 5.3. */
	if (client_has_token(s) && !place->secure && !place->loopback)
		return diag_set(diag, ERR_INVALID,
				"a token goes to https:// or this machine "
				"only, not to %.100s; or use access keys, "
				"whose secret is not sent",
				endpoint);
	return 0;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *user)
{
	size_t n = size * count;
	struct buf *body = user;

	buf_add(body, bytes, n);
	return body->failed ? 0 : n;
}

bool client_is_cancelled(const struct client *c)
{
	return c->options.cancel && atomic_load(c->options.cancel);
}

static int watch(void *user, curl_off_t to_get, curl_off_t got,
		 curl_off_t to_send, curl_off_t sent)
{
	const struct client *c = user;

	if (c->options.progress)
		c->options.progress(c->options.progress_self, (uint64_t)sent,
				    (uint64_t)to_send, (uint64_t)got,
				    (uint64_t)to_get);
	return client_is_cancelled(c);
}

static void pause_in_slices(void *self, uint64_t ms)
{
	const struct client *c = self;

	while (ms && !client_is_cancelled(c)) {
		uint64_t slice = ms < PAUSE_SLICE_MS ? ms : PAUSE_SLICE_MS;
		const struct timespec t = { .tv_nsec =
						    (long)(slice * NS_PER_MS) };

		nanosleep(&t, NULL);
		ms -= slice;
	}
}

static uint64_t roll(void *self)
{
	uint64_t v;

	(void)self;
	return secret_random(&v, sizeof(v)) ? 0 : v;
}

static void set_up_curl(struct client *c, const struct place *place)
{
	const struct settings *s = c->settings;
	CURL *curl = c->curl;

	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	/* A proxy of the environment is not for this machine. */
	if (place->loopback)
		curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L); /* as it was signed */
	curl_easy_setopt(curl, CURLOPT_USERAGENT, "tallyscope/" TALLY_VERSION);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, c->error);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body);
	if (c->options.cancel || c->options.progress) {
		curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
		curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, watch);
		curl_easy_setopt(curl, CURLOPT_XFERINFODATA, c);
	}
	if (s->ca_bundle)
		curl_easy_setopt(curl, CURLOPT_CAINFO, s->ca_bundle);
	if (s->client_cert)
		curl_easy_setopt(curl, CURLOPT_SSLCERT, s->client_cert);
	if (s->client_key)
		curl_easy_setopt(curl, CURLOPT_SSLKEY, s->client_key);
}

static void set_options(struct client *c, const struct client_options *o)
{
	static const struct client_options usual;

	c->options = o ? *o : usual;
	o = &c->options;
	if (!o->answer_max_bytes)
		c->options.answer_max_bytes = CLIENT_ANSWER_MAX;
	if (!o->connect_timeout_ms)
		c->options.connect_timeout_ms = CLIENT_CONNECT_MS;
	if (!o->timeout_ms)
		c->options.timeout_ms = CLIENT_TIMEOUT_MS;
	if (!o->attempts_max)
		c->options.attempts_max = CLIENT_ATTEMPTS_MAX;
	if (!o->env)
		c->options.env = env_posix();
	if (!o->random)
		c->options.random = roll;
	if (!o->pause) {
		c->options.pause = pause_in_slices;
		c->options.self = c;
	}
}

int client_open(struct client **out, const struct settings *settings,
		const struct client_options *options, struct diag *diag)
{
	const char *endpoint = settings->endpoint;
	struct place place;
	struct client *c;
	size_t len;
	int e;

	*out = NULL;
	assert(!settings->key_id || (settings->secret && settings->region));
	if (!endpoint || !*endpoint)
		endpoint = SETTINGS_ENDPOINT_DEFAULT;
	if (curl_global_init(CURL_GLOBAL_DEFAULT))
		return diag_set(diag, ERR_NOMEM, "libcurl does not start");
	place = place_of(endpoint);
	e = check_place(settings, endpoint, &place, diag);
	if (e) {
		curl_global_cleanup();
		return e;
	}
	len = strlen(endpoint);
	while (endpoint[len - 1] == '/')
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
	c->settings = settings;
	place_cut(c->endpoint, &c->host, &c->base);
	set_options(c, options);
	set_up_curl(c, &place);
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

/* --- what the API says ------------------------------------------------------------ */

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

/* What the API says went wrong, and otherwise the bare status: another server
 * on the port, most likely. Of many keys and profiles on a machine, which one it
 * was. */
int client_check(const struct client *c, const struct client_reply *reply,
		 struct diag *diag)
{
	int e = client_err_of_status(reply->status);
	const struct settings *s = c->settings;
	struct refusal refusal;
	size_t len;

	if (!e)
		return 0;
	refusal_read(&refusal, reply->type, buf_view(&reply->body));
	if (!refusal.message[0])
		return diag_set(diag, e,
				"%.120s answered with status %ld and no "
				"reason; is it a tally-collector?",
				c->endpoint, reply->status);
	if (reply->status != 401 && reply->status != 403)
		return diag_set(diag, e, "%s", refusal.message);
	len = strlen(refusal.message);
	if (refusal.message[len - 1] == '.')
		refusal.message[len - 1] = '\0';
	if (client_has_token(s))
		return diag_set(diag, e, "%s (asked with a token)",
				refusal.message);
	if (s->key_id)
		return diag_set(diag, e, "%s (access key %.40s, region %.30s)",
				refusal.message, s->key_id, s->region);
	return diag_set(diag, e,
			"%s; no access key or token was given, see "
			"tallyscope-client(7)",
			refusal.message);
}

/* --- the usual ones --------------------------------------------------------------- */

static int ask(struct client *c, const struct client_call *call,
	       struct buf *body, struct diag *diag)
{
	struct client_reply reply;
	int e = client_exchange(c, call, &reply, diag);

	if (!e)
		e = client_check(c, &reply, diag);
	if (!e)
		buf_sv(body, buf_view(&reply.body));
	if (!e && body->failed)
		e = diag_set(diag, ERR_LIMIT, "no room for the answer");
	client_reply_fini(&reply);
	return e;
}

int client_get(struct client *c, const char *path, struct buf *body,
	       struct diag *diag)
{
	const struct client_call call = { .path = path };

	return ask(c, &call, body, diag);
}

int client_post(struct client *c, const char *path, const char *content_type,
		struct sv send, struct buf *body, struct diag *diag)
{
	const struct client_call call = { .method = "POST",
					  .path = path,
					  .content_type = content_type,
					  .body = send };

	return ask(c, &call, body, diag);
}
