/* SPDX-License-Identifier: Apache-2.0 */
/* One call of the client: its tries, and the pauses between them. */
#include <assert.h>
#include <stdio.h>

#include "core/client/client_impl.h"
#include "core/client/headers.h"
#include "core/client/place.h"
#include "core/client/refusal.h"
#include "core/client/retry.h"

/* --- one try -------------------------------------------------------------------- */

/* All that a call keeps over its tries. */
struct exchange {
	const struct client_call *call;
	struct client_reply *reply;
	struct buf url;
	struct sv target; /* of url: path and query */
	char invocation_id[HEADERS_INVOCATION_ID_LEN + 1];
	struct instant end;
	bool clock_mended;
	CURLcode code; /* of the last try */
	struct diag *diag;
};

static int64_t now_s(const struct client *c)
{
	return env_wall(c->options.env).ns / NS_PER_S + c->clock_offset_s;
}

static int build_headers(struct buf *out, struct client *c,
			 const struct exchange *x)
{
	const struct client_call *call = x->call;
	struct buf token = { .limit = SETTINGS_VALUE_MAX };
	struct headers_input in = {
		.method = sv_from(call->method ? call->method : "GET"),
		.host = c->host,
		.target = x->target,
		.content_type = sv_from(call->content_type),
		.accept = sv_from(call->accept),
		.body = call->body,
		.invocation_id = x->invocation_id,
		.attempt = x->reply->attempts,
		.attempts_max = c->options.attempts_max,
		.now_s = now_s(c),
		.token = sv_from(c->settings->token),
	};
	int e = 0;

	/* Read each time: who rotates tokens puts a new one in its place. */
	if (c->settings->token_file && !c->settings->token) {
		e = settings_read_token(&token, c->options.env,
					c->settings->token_file, x->diag);
		in.token = buf_view(&token);
	}
	if (!e) {
		e = headers_build(out, &in, c->settings);
		if (e)
			diag_set(x->diag, e, "the request cannot be signed: %s",
				 err_text(e));
	}
	if (token.ptr)
		explicit_bzero(token.ptr, token.cap);
	buf_fini(&token);
	return e;
}

static struct curl_slist *make_list(const struct buf *lines)
{
	/* No round trip to ask whether a body may follow. */
	struct curl_slist *list = curl_slist_append(NULL, "Expect:");
	struct curl_slist *more = list;

	for (size_t at = 0; more && at < lines->len;
	     at += strlen(lines->ptr + at) + 1)
		more = curl_slist_append(list, lines->ptr + at);
	if (!more) {
		curl_slist_free_all(list);
		return NULL;
	}
	return list;
}

static void wipe_list(struct curl_slist *list)
{
	for (struct curl_slist *it = list; it; it = it->next)
		explicit_bzero(it->data, strlen(it->data));
	curl_slist_free_all(list);
}

static void set_request(struct client *c, const struct exchange *x)
{
	const struct client_call *call = x->call;
	const char *method = call->method ? call->method : "GET";
	uint64_t now = env_mono(c->options.env).ns;
	uint64_t left_ms =
		x->end.ns > now ? (x->end.ns - now) / (uint64_t)NS_PER_MS : 0;

	if (call->content_type) {
		curl_easy_setopt(c->curl, CURLOPT_POST, 1L);
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS,
				 call->body.ptr ? call->body.ptr : "");
		curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE,
				 (curl_off_t)call->body.len);
	} else {
		curl_easy_setopt(c->curl, CURLOPT_HTTPGET, 1L);
	}
	curl_easy_setopt(c->curl, CURLOPT_CUSTOMREQUEST, method);
	curl_easy_setopt(c->curl, CURLOPT_URL, x->url.ptr);
	curl_easy_setopt(c->curl, CURLOPT_CONNECTTIMEOUT_MS,
			 c->options.connect_timeout_ms);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS,
			 (long)(left_ms ? left_ms : 1));
}

static void read_reply(struct client *c, struct client_reply *reply)
{
	curl_off_t seconds = 0;
	char *type = NULL;

	curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &reply->status);
	curl_easy_getinfo(c->curl, CURLINFO_RETRY_AFTER, &seconds);
	curl_easy_getinfo(c->curl, CURLINFO_CONTENT_TYPE, &type);
	snprintf(reply->type, sizeof(reply->type), "%s", type ? type : "");
	if (seconds > RETRY_AFTER_MS_MAX / 1000)
		seconds = RETRY_AFTER_MS_MAX / 1000;
	reply->retry_after_ms = seconds > 0 ? (uint64_t)seconds * 1000 : 0;
}

/* An error only where no further try can help. */
static int try_once(struct client *c, struct exchange *x)
{
	struct buf lines = { .limit = HEADERS_BYTES_MAX };
	struct curl_slist *list = NULL;
	int e = build_headers(&lines, c, x);

	buf_reset(&x->reply->body);
	x->reply->body.failed = false;
	x->reply->status = 0;
	x->reply->retry_after_ms = 0;
	c->error[0] = '\0';
	if (!e && !(list = make_list(&lines)))
		e = diag_set(x->diag, ERR_NOMEM, "out of memory");
	if (!e) {
		set_request(c, x);
		curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, list);
		curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, &x->reply->body);
		x->code = curl_easy_perform(c->curl);
		curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, NULL);
		read_reply(c, x->reply);
	}
	wipe_list(list);
	if (lines.ptr)
		explicit_bzero(lines.ptr, lines.cap);
	buf_fini(&lines);
	return e;
}

/* --- and another ---------------------------------------------------------------- */

static bool may_help(const struct exchange *x)
{
	struct refusal refusal;

	switch (x->code) {
	case CURLE_OK:
		break;
	case CURLE_COULDNT_RESOLVE_HOST:
	case CURLE_COULDNT_CONNECT:
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
	case CURLE_PARTIAL_FILE:
		return true;
	default: /* certificates, limits, our time is over */
		return false;
	}
	if (retry_status(x->reply->status))
		return true;
	if (x->reply->status < 400 || x->reply->status >= 500)
		return false;
	refusal_read(&refusal, x->reply->type, buf_view(&x->reply->body));
	return retry_code_is_throttle(sv_from(refusal.code));
}

/* True: the signature was refused, and the collector's clock is another than
 * ours; from now on its own counts. */
static bool mend_clock(struct client *c, struct exchange *x)
{
	struct curl_header *date = NULL;
	struct refusal refusal;
	time_t there;
	int64_t off;

	if (x->clock_mended || x->code != CURLE_OK || !c->settings->key_id ||
	    client_has_token(c->settings) || x->reply->status < 400 ||
	    x->reply->status >= 500)
		return false;
	refusal_read(&refusal, x->reply->type, buf_view(&x->reply->body));
	if (!retry_code_is_signature(sv_from(refusal.code)) ||
	    curl_easy_header(c->curl, "Date", 0, CURLH_HEADER, -1, &date))
		return false;
	there = curl_getdate(date->value, NULL);
	off = (int64_t)there - now_s(c);
	if (there < 0 || (off < CLIENT_SKEW_S && off > -CLIENT_SKEW_S))
		return false;
	c->clock_offset_s += off;
	x->clock_mended = true;
	return true;
}

/* Waits for the next try. False: there is none. */
static bool wait_for_next(struct client *c, const struct exchange *x,
			  unsigned failures)
{
	uint64_t ms;

	if (failures >= c->options.attempts_max || client_is_cancelled(c) ||
	    !may_help(x))
		return false;
	ms = retry_pause_ms(failures, x->reply->retry_after_ms,
			    c->options.random(c->options.self));
	if (env_mono(c->options.env).ns + ms * (uint64_t)NS_PER_MS >= x->end.ns)
		return false;
	c->options.pause(c->options.self, ms);
	return !client_is_cancelled(c);
}

/* What to look at. "Empty reply from server" is said of a port with TLS. */
static const char *hint(const struct client *c, CURLcode code)
{
	bool secure = place_of(c->endpoint).secure;

	switch (code) {
	case CURLE_SSL_CONNECT_ERROR:
		return c->settings->client_cert ?
			       "are client_cert and client_key a certificate "
			       "and its key?" :
			       "does it speak TLS? otherwise http://";
	case CURLE_SEND_ERROR:
	case CURLE_RECV_ERROR:
	case CURLE_GOT_NOTHING:
		return secure ? "does it want a client certificate, of its CA?"
				" see tallyscope-client(7)" :
				"does it speak TLS? then https://";
	default:
		return "is tally-collector running?";
	}
}

static int unreached(const struct client *c, CURLcode code, struct diag *diag)
{
	const char *why = c->error[0] ? c->error : curl_easy_strerror(code);

	if (client_is_cancelled(c))
		return diag_set(diag, ERR_CLOSED, "the call was ended");
	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return diag_set(diag, ERR_TIMEOUT,
				"the collector at %.120s did not answer in "
				"time; try again or look at its load",
				c->endpoint);
	case CURLE_OUT_OF_MEMORY:
		return diag_set(diag, ERR_NOMEM, "out of memory");
	case CURLE_SSL_CACERT_BADFILE:
		return diag_set(diag, ERR_CLOSED,
				"the CA certificates in %.150s cannot be read",
				c->settings->ca_bundle ?
					c->settings->ca_bundle :
					"the system's file");
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_CERTPROBLEM:
		return diag_set(diag, ERR_CLOSED,
				"the collector at %.80s cannot be trusted: "
				"%.80s; is ca_bundle its CA?",
				c->endpoint, why);
	default:
		return diag_set(diag, ERR_CLOSED,
				"cannot reach the collector at %.80s: %.80s; "
				"%s",
				c->endpoint, why, hint(c, code));
	}
}

static int exchange(struct client *c, struct exchange *x)
{
	unsigned failures = 0;

	for (;;) {
		int e;

		x->reply->attempts++;
		e = try_once(c, x);
		if (e)
			return e;
		if (mend_clock(c, x))
			continue;
		if (!wait_for_next(c, x, ++failures))
			break;
	}
	if (x->reply->body.failed)
		return diag_set(x->diag, ERR_LIMIT,
				"the answer is larger than %zu bytes; "
				"ask for less by time or limit",
				c->options.answer_max_bytes);
	return x->code == CURLE_OK ? 0 : unreached(c, x->code, x->diag);
}

int client_exchange(struct client *c, const struct client_call *call,
		    struct client_reply *reply, struct diag *diag)
{
	struct exchange x = {
		.call = call,
		.reply = reply,
		.url = { .limit = CLIENT_URL_MAX },
		.diag = diag,
	};
	uint8_t random[16];
	int e;

	assert(call->path[0] == '/');
	assert(call->content_type || !call->body.len);
	*reply = (struct client_reply){
		.body = { .limit = c->options.answer_max_bytes },
	};
	if (!place_is_graphic(call->path) || strchr(call->path, '#'))
		return diag_set(diag, ERR_INVALID,
				"a byte in the path that must be escaped");
	buf_text(&x.url, c->endpoint);
	buf_text(&x.url, call->path);
	if (x.url.failed) {
		buf_fini(&x.url);
		return diag_set(diag, ERR_LIMIT, "the query is too long");
	}
	x.target = sv_from(x.url.ptr + strlen(c->endpoint) - c->base.len);
	e = secret_random(random, sizeof(random));
	if (e) {
		buf_fini(&x.url);
		return diag_set(diag, e, "no random numbers");
	}
	headers_invocation_id(x.invocation_id, random);
	pthread_mutex_lock(&c->lock);
	x.end.ns = env_mono(c->options.env).ns +
		   (uint64_t)c->options.timeout_ms * (uint64_t)NS_PER_MS;
	e = exchange(c, &x);
	pthread_mutex_unlock(&c->lock);
	buf_fini(&x.url);
	return e;
}

void client_reply_fini(struct client_reply *reply)
{
	buf_fini(&reply->body);
}
