/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/config.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdlib.h>

#include "collector/config_read.h"
#include "collector/memory.h"

void config_init(struct config *c)
{
	*c = (struct config){
		.http = "127.0.0.1:4318",
		.xray = "127.0.0.1:2000",
		.grpc = "127.0.0.1:4317",
		.scope = { .account = 123456789012, .region = "us-east-1" },
	};
}

void config_fini(struct config *c)
{
	arena_fini(&c->arena);
}

int config_set_account(struct config *c, struct sv text, struct diag *diag)
{
	uint64_t v;

	if (text.len != 12 || !sv_to_u64(text, &v))
		return diag_set(diag, ERR_INVALID,
				"account '%.*s' is not twelve digits",
				SV_ARG(text));
	c->scope.account = v;
	return 0;
}

int config_set_region(struct config *c, struct sv text, struct diag *diag)
{
	bool ok = text.len > 0 && text.len < REGION_MAX;

	for (size_t i = 0; ok && i < text.len; i++)
		ok = islower((unsigned char)text.ptr[i]) ||
		     isdigit((unsigned char)text.ptr[i]) || text.ptr[i] == '-';
	if (!ok)
		return diag_set(diag, ERR_INVALID,
				"region '%.*s' is not a region's name; for "
				"example us-east-1",
				SV_ARG(text));
	memset(c->scope.region, 0, sizeof(c->scope.region));
	memcpy(c->scope.region, text.ptr, text.len);
	return 0;
}

int config_set_confine(struct config *c, struct sv text, struct diag *diag)
{
	if (confine_mode_from(text, &c->confine))
		return 0;
	return diag_set(diag, ERR_INVALID,
			"confine is auto, require, kill or off, not '%.*s'",
			SV_ARG(text));
}

/* A text member into a fixed field; absent: left as it is. */
static int read_text(struct json object, const char *name, char *out,
		     size_t cap, struct diag *diag)
{
	struct arena arena = { .limit = 64 << 10 };
	struct json v = json_get(object, sv_from(name));
	struct sv text;
	int e = 0;

	if (!v.doc)
		return 0;
	text = json_string(v, &arena);
	if (!text.ptr || text.len >= cap)
		e = diag_set(diag, ERR_INVALID,
			     "\"%s\" must be a text of less than %zu bytes",
			     name, cap);
	else if (text.len)
		memcpy(out, text.ptr, text.len);
	if (!e)
		out[text.len] = '\0';
	arena_fini(&arena);
	return e;
}

/* --- who may ask ---------------------------------------------------------------- */

static int read_tokens(struct config *c, struct json root, struct diag *diag)
{
	struct json tokens = json_get(root, SV("tokens"));
	int e;

	if (!tokens.doc)
		return 0;
	e = read_text(tokens, "jwks", c->jwks, sizeof(c->jwks), diag);
	if (!e)
		e = read_text(tokens, "issuer", c->issuer, sizeof(c->issuer),
			      diag);
	if (!e)
		e = read_text(tokens, "audience", c->audience,
			      sizeof(c->audience), diag);
	if (!e && (!c->jwks[0] || !c->issuer[0] || !c->audience[0]))
		e = diag_set(diag, ERR_INVALID,
			     "\"tokens\" must be an object of \"jwks\", "
			     "\"issuer\" and \"audience\"");
	return e;
}

static int read_tls(struct config *c, struct json root, struct diag *diag)
{
	struct json tls = json_get(root, SV("tls"));
	int e;

	if (!tls.doc)
		return 0;
	e = read_text(tls, "certificate", c->tls_cert, sizeof(c->tls_cert),
		      diag);
	if (!e)
		e = read_text(tls, "key", c->tls_key, sizeof(c->tls_key), diag);
	if (!e)
		e = read_text(tls, "client_ca", c->tls_client_ca,
			      sizeof(c->tls_client_ca), diag);
	if (!e && (!c->tls_cert[0] || !c->tls_key[0]))
		e = diag_set(diag, ERR_INVALID,
			     "\"tls\" must be an object of \"certificate\", "
			     "\"key\" and, where clients must show one, "
			     "\"client_ca\"");
	return e;
}

static int read_networks(struct config *c, struct json root, struct diag *diag)
{
	struct json list = json_get(root, SV("xray_networks"));
	int e = 0;

	if (!list.doc)
		return 0;
	if (!json_is(list, JSON_ARRAY))
		return diag_set(
			diag, ERR_INVALID,
			"\"xray_networks\" must be a list of texts such "
			"as 10.1.0.0/16");
	c->xray_networks.count = 0;
	for (struct json it = json_first(list); it.doc && !e;
	     it = json_next(list, it))
		e = networks_add(&c->xray_networks, json_string(it, &c->arena),
				 diag);
	return e;
}

static int read_memory(struct config *c, struct json root, struct diag *diag)
{
	struct json v = json_get(root, SV("memory_max_bytes"));
	int64_t n;

	if (!v.doc)
		return 0;
	if (!json_to_i64(v, &n) || n < (int64_t)MEMORY_MIN ||
	    n > (int64_t)MEMORY_MAX)
		return diag_set(diag, ERR_INVALID,
				"\"memory_max_bytes\" must be a whole number "
				"from %llu to %llu",
				(unsigned long long)MEMORY_MIN,
				(unsigned long long)MEMORY_MAX);
	c->memory_max_bytes = (uint64_t)n;
	return 0;
}

static int read_segment_bytes(struct config *c, struct json root,
			      struct diag *diag)
{
	struct json v = json_get(root, SV("segment_bytes_max"));
	int64_t n;

	if (!v.doc)
		return 0;
	if (!json_to_i64(v, &n) || n < SEGMENT_BYTES_MAX ||
	    n > SEGMENT_BYTES_MOST)
		return diag_set(diag, ERR_INVALID,
				"\"segment_bytes_max\" must be a whole number "
				"from %d to %d",
				(int)SEGMENT_BYTES_MAX,
				(int)SEGMENT_BYTES_MOST);
	c->segment_bytes_max = (uint64_t)n;
	return 0;
}

/* --- the whole ------------------------------------------------------------------ */

static int check_names(struct json root, struct diag *diag)
{
	static const char *const known[] = { "account",
					     "region",
					     "http",
					     "xray",
					     "grpc",
					     "prices",
					     "data",
					     "alarms",
					     "series_window_seconds",
					     "keys",
					     "tokens",
					     "xray_networks",
					     "user",
					     "confine",
					     "tls",
					     "late_sampling",
					     "trace_days",
					     "memory_max_bytes",
					     "segment_bytes_max" };

	for (struct json key = json_first(root); key.doc;
	     key = json_next(root, key)) {
		bool ok = false;

		for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
			ok |= json_string_is(key, sv_from(known[i]));
		if (!ok)
			return diag_set(diag, ERR_INVALID,
					"%.*s is no setting; see "
					"tallyscope.conf(5)",
					SV_ARG(json_raw(key)));
	}
	return 0;
}

int config_parse(struct config *c, struct sv text, struct diag *diag)
{
	struct json_doc doc;
	struct json root, v;
	int e = json_parse(&doc, &c->arena, text, diag);

	if (e)
		return e;
	root = json_root(&doc);
	if (!json_is(root, JSON_OBJECT))
		return diag_set(diag, ERR_INVALID,
				"the configuration must be one JSON object");
	e = check_names(root, diag);
	if (!e)
		e = read_text(root, "http", c->http, sizeof(c->http), diag);
	if (!e)
		e = read_text(root, "xray", c->xray, sizeof(c->xray), diag);
	if (!e)
		e = read_text(root, "grpc", c->grpc, sizeof(c->grpc), diag);
	if (!e)
		e = read_text(root, "prices", c->prices, sizeof(c->prices),
			      diag);
	if (!e)
		e = read_text(root, "data", c->data, sizeof(c->data), diag);
	if (!e)
		e = read_text(root, "keys", c->keys, sizeof(c->keys), diag);
	if (!e)
		e = read_tokens(c, root, diag);
	if (!e)
		e = read_tls(c, root, diag);
	if (!e)
		e = read_networks(c, root, diag);
	if (!e)
		e = read_text(root, "user", c->user, sizeof(c->user), diag);
	v = json_get(root, SV("confine"));
	if (!e && v.doc)
		e = config_set_confine(c, json_string(v, &c->arena), diag);
	v = json_get(root, SV("account"));
	if (!e && v.doc)
		e = config_set_account(c, json_string(v, &c->arena), diag);
	v = json_get(root, SV("region"));
	if (!e && v.doc)
		e = config_set_region(c, json_string(v, &c->arena), diag);
	v = json_get(root, SV("series_window_seconds"));
	if (!e && v.doc &&
	    (!json_to_i64(v, &c->series_window_s) || c->series_window_s < 60 ||
	     c->series_window_s > 86400))
		e = diag_set(diag, ERR_INVALID,
			     "\"series_window_seconds\" "
			     "must be a whole number from 60 to 86400");
	if (!e)
		e = read_memory(c, root, diag);
	if (!e)
		e = read_segment_bytes(c, root, diag);
	if (!e)
		e = config_read_late(c, root, diag);
	if (!e)
		e = config_read_days(c, root, diag);
	return e ? e : config_read_alarms(c, root, diag);
}

int config_read(struct config *c, const struct env *env, const char *path,
		struct diag *diag)
{
	int fd = env->disk->open(env->disk_self, path, O_RDONLY);
	struct buf text = { .limit = CONFIG_BYTES_MAX };
	int64_t size, got = -1;
	char *p;
	int e;

	c->path = path;
	if (fd < 0)
		return diag_set(diag, env_err(fd), "cannot read %s: %s", path,
				strerror(-fd));
	size = env->disk->size(env->disk_self, fd);
	p = size >= 0 ? buf_grow(&text, (size_t)size) : NULL;
	if (p)
		got = env->disk->pread(env->disk_self, fd, p, (size_t)size, 0);
	env->disk->close(env->disk_self, fd);
	if (got < 0) {
		e = diag_set(diag, ERR_IO,
			     "%s cannot be read, or is over %d "
			     "bytes",
			     path, (int)CONFIG_BYTES_MAX);
	} else {
		struct sv copy = arena_copy(&c->arena, sv_make(p, (size_t)got));
		struct diag inner = { 0 };

		e = copy.ptr ? config_parse(c, copy, &inner) : ERR_NOMEM;
		if (e)
			diag_set(diag, e, "%.100s: %s", path, inner.text);
	}
	buf_fini(&text);
	return e;
}
