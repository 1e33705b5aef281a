/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/bench/spans.h"

#include <assert.h>
#include <math.h>

#include "core/codec/protobuf.h"

#define MS 1000000

static uint64_t next(struct bench *b)
{
	uint64_t z = b->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static uint64_t draw(struct bench *b, uint64_t n)
{
	b->bits += log2((double)n);
	return next(b) % n;
}

/* Of weights that sum up to 100. */
static unsigned draw_weighted(struct bench *b, const uint8_t *weights)
{
	uint64_t at = next(b) % 100;
	unsigned i = 0;

	while (at >= weights[i])
		at -= weights[i++];
	b->bits += log2(100.0 / weights[i]);
	return i;
}

static void draw_id(struct bench *b, uint8_t *id, size_t size)
{
	b->bits += 8 * (double)size;
	for (size_t i = 0; i < size; i += 8)
		put_le64(id + i, next(b));
}

/* 0.1 ms to 0.5 s, each octave as likely as the next. */
static int64_t draw_duration(struct bench *b)
{
	unsigned octave = (unsigned)draw(b, 12);

	return (int64_t)((uint64_t)(100000 << octave) +
			 draw(b, (uint64_t)100000 << octave));
}

void bench_init(struct bench *b, uint64_t seed, int64_t now_ns)
{
	*b = (struct bench){ .random = seed, .now_ns = now_ns };
}

/* --- what services there are ------------------------------------------------------- */

static const char *const nouns[] = { "orders",   "payments", "carts", "users",
				     "invoices", "search",   "stock", "mail",
				     "ratings",  "coupons" };
static const char *const methods[] = { "GET",    "POST", "GET",
				       "DELETE", "PUT",  "GET" };
static const char *const paths[] = { "/{id}", "",      "",
				     "/{id}", "/{id}", "/{id}/items" };
static const char *const zones[] = { "eu-west-1a", "eu-west-1b", "eu-west-1c" };
static const char *const tiers[] = { "free", "basic", "pro", "enterprise" };
static const char *const countries[] = { "DE", "FR", "GB", "US", "BR", "IN",
					 "JP", "CN", "ES", "IT", "PL", "SE" };
static const uint16_t statuses[] = { 200, 201, 404, 429, 500 };
static const uint8_t status_weights[] = { 84, 9, 4, 2, 1 };

static const char *noun_of(unsigned service)
{
	return nouns[service % 10];
}

static void put_service(struct buf *out, unsigned service)
{
	buf_format(out, "%s-%s", noun_of(service),
		   (const char *[]){ "api", "worker", "store", "edge",
				     "sync" }[service / 10]);
}

static void put_route(struct buf *out, unsigned service, unsigned operation)
{
	buf_format(out, "/v1/%s%s", noun_of(service), paths[operation]);
}

/* --- spans ---------------------------------------------------------------------------- */

struct bench_span {
	uint8_t trace_id[16], id[8], parent_id[8];
	uint8_t has_parent;
	unsigned service, operation;
	int64_t start_ns, end_ns;
};

static size_t pair_open(struct buf *out, uint32_t number, const char *key,
			size_t *value)
{
	size_t mark = protobuf_open(out, number);

	protobuf_put_bytes(out, 1, sv_from(key));
	*value = protobuf_open(out, 2);
	return mark;
}

static void put_pair(struct buf *out, uint32_t number, const char *key,
		     struct sv text)
{
	size_t value, mark = pair_open(out, number, key, &value);

	protobuf_put_bytes(out, 1, text);
	protobuf_close(out, value);
	protobuf_close(out, mark);
}

static void put_count(struct buf *out, const char *key, uint64_t n)
{
	size_t value, mark = pair_open(out, 9, key, &value);

	protobuf_put_u64(out, 3, n);
	protobuf_close(out, value);
	protobuf_close(out, mark);
}

/* text's end from `from` on, put and taken away again. */
static void put_pair_of(struct buf *out, const char *key, struct buf *text)
{
	put_pair(out, 9, key, buf_view(text));
	buf_reset(text);
}

static void put_uuid(struct buf *text, const uint8_t id[16])
{
	char hex[32];

	hex_from(hex, id, 16);
	buf_format(text, "%.8s-%.4s-%.4s-%.4s-%.12s", hex, hex + 8, hex + 12,
		   hex + 16, hex + 20);
}

static void put_attributes(struct bench *b, const struct bench_span *s,
			   struct buf *out)
{
	struct buf text = BUF_INIT;
	uint8_t invocation[16];

	draw_id(b, invocation, sizeof(invocation));
	put_uuid(&text, invocation);
	put_pair_of(out, "faas.invocation_id", &text);
	put_pair(out, 9, "http.request.method", sv_from(methods[s->operation]));
	put_route(&text, s->service, s->operation);
	put_pair_of(out, "http.route", &text);
	put_count(out, "http.response.status_code",
		  statuses[draw_weighted(b, status_weights)]);
	buf_format(&text, "%s.internal", noun_of(s->service));
	put_pair_of(out, "server.address", &text);
	put_pair(out, 9, "cloud.availability_zone", sv_from(zones[draw(b, 3)]));
	put_pair(out, 9, "user.tier", sv_from(tiers[draw(b, 4)]));
	put_pair(out, 9, "user.country", sv_from(countries[draw(b, 12)]));
	put_count(out, "db.rows", draw(b, 256));
	put_count(out, "http.response.body.size", draw(b, 8192));
	buf_fini(&text);
}

static void put_span(struct bench *b, const struct bench_span *s,
		     struct buf *out)
{
	struct buf text = BUF_INIT;
	size_t mark = protobuf_open(out, 2), status;

	protobuf_put_bytes(out, 1, sv_make((const char *)s->trace_id, 16));
	protobuf_put_bytes(out, 2, sv_make((const char *)s->id, 8));
	if (s->has_parent)
		protobuf_put_bytes(out, 4,
				   sv_make((const char *)s->parent_id, 8));
	buf_format(&text, "%s ", methods[s->operation]);
	put_route(&text, s->service, s->operation);
	protobuf_put_bytes(out, 5, buf_view(&text));
	protobuf_put_u64(out, 6, s->has_parent ? 3 : 2);
	protobuf_put_fixed64(out, 7, (uint64_t)s->start_ns);
	protobuf_put_fixed64(out, 8, (uint64_t)s->end_ns);
	put_attributes(b, s, out);
	status = protobuf_open(out, 15);
	protobuf_close(out, status);
	protobuf_close(out, mark);
	buf_fini(&text);
}

static void put_resource(struct buf *out, unsigned service)
{
	struct buf text = BUF_INIT;
	size_t mark = protobuf_open(out, 1);

	put_service(&text, service);
	put_pair(out, 1, "service.name", buf_view(&text));
	buf_text(&text, "-7d9f8b6c5-x2x4z");
	put_pair(out, 1, "host.name", buf_view(&text));
	put_pair(out, 1, "telemetry.sdk.language", SV("nodejs"));
	put_pair(out, 1, "telemetry.sdk.name", SV("opentelemetry"));
	put_pair(out, 1, "telemetry.sdk.version", SV("1.30.1"));
	protobuf_close(out, mark);
	buf_fini(&text);
}

static void draw_trace(struct bench *b, struct bench_span *spans)
{
	draw_id(b, spans[0].trace_id, 16);
	b->now_ns += (int64_t)draw(b, 2 * MS);
	for (unsigned i = 0; i < BENCH_TRACE_SPANS; i++) {
		struct bench_span *s = &spans[i];
		const struct bench_span *parent;

		draw_id(b, s->id, 8);
		s->service = (unsigned)draw(b, BENCH_SERVICES);
		s->operation = (unsigned)draw(b, BENCH_OPERATIONS);
		s->has_parent = i > 0;
		s->start_ns = b->now_ns;
		if (i) {
			parent = &spans[draw(b, i)];
			memcpy(s->trace_id, spans[0].trace_id, 16);
			memcpy(s->parent_id, parent->id, 8);
			s->start_ns =
				parent->start_ns +
				(int64_t)draw(b, (uint64_t)(parent->end_ns -
							    parent->start_ns));
		}
		s->end_ns = s->start_ns + draw_duration(b);
	}
	b->spans += BENCH_TRACE_SPANS;
}

void bench_request(struct bench *b, unsigned traces, struct buf *out)
{
	static const size_t size = sizeof(struct bench_span);
	struct bench_span *spans;
	struct buf memory = BUF_INIT;
	unsigned count = traces * BENCH_TRACE_SPANS;

	assert(traces <= BENCH_TRACES_MAX);
	spans = (struct bench_span *)(void *)buf_grow(&memory, count * size);
	assert(spans);
	for (unsigned i = 0; i < traces; i++)
		draw_trace(b, spans + (size_t)i * BENCH_TRACE_SPANS);
	for (unsigned service = 0; service < BENCH_SERVICES; service++) {
		size_t resource = protobuf_open(out, 1), scope, name;

		put_resource(out, service);
		scope = protobuf_open(out, 2);
		name = protobuf_open(out, 1);
		protobuf_put_bytes(out, 1,
				   SV("@opentelemetry/instrumentation-http"));
		protobuf_put_bytes(out, 2, SV("0.57.1"));
		protobuf_close(out, name);
		for (unsigned i = 0; i < count; i++)
			if (spans[i].service == service)
				put_span(b, &spans[i], out);
		protobuf_close(out, scope);
		protobuf_close(out, resource);
	}
	buf_fini(&memory);
}

/* --- segments ---------------------------------------------------------------------------- */

static void put_hex(struct bench *b, struct buf *out, size_t size)
{
	uint8_t id[16];
	char hex[32];

	draw_id(b, id, 16);
	b->bits -= 8 * (double)(16 - size);
	hex_from(hex, id, size);
	buf_add(out, hex, 2 * size);
}

static void put_time(struct buf *out, int64_t us)
{
	buf_format(out, "%lld.%06lld", (long long)(us / 1000000),
		   (long long)(us % 1000000));
	while (out->ptr[out->len - 1] == '0')
		out->len--; /* as JSON.stringify prints it */
	if (out->ptr[out->len - 1] == '.')
		out->len--;
}

static int64_t put_call(struct bench *b, struct buf *out, int64_t us)
{
	static const char *const operations[] = { "GetItem", "PutItem", "Query",
						  "UpdateItem" };
	uint8_t request[16];

	us += (int64_t)draw(b, 2000);
	buf_text(out, "{\"id\":\"");
	put_hex(b, out, 8);
	buf_text(out, "\",\"name\":\"DynamoDB\",\"start_time\":");
	put_time(out, us);
	us += 500 + (int64_t)draw(b, 8192);
	buf_text(out, ",\"end_time\":");
	put_time(out, us);
	buf_format(out,
		   ",\"namespace\":\"aws\",\"aws\":{\"operation\":\"%s\","
		   "\"region\":\"eu-west-1\",\"request_id\":\"",
		   operations[draw(b, 4)]);
	draw_id(b, request, sizeof(request));
	put_uuid(out, request);
	buf_format(out,
		   "\",\"table_name\":\"%s-prod\"},\"http\":{"
		   "\"response\":{\"status\":200,\"content_length\":%u}}}",
		   nouns[draw(b, 10)], 64 + (unsigned)draw(b, 2048));
	return us;
}

void bench_segment(struct bench *b, struct buf *out)
{
	unsigned service = (unsigned)draw(b, BENCH_SERVICES);
	unsigned operation = (unsigned)draw(b, BENCH_OPERATIONS);
	int64_t us;

	b->now_ns += (int64_t)draw(b, 2 * MS);
	us = b->now_ns / 1000;
	buf_format(out, "{\"trace_id\":\"1-%08llx-",
		   (unsigned long long)(us / 1000000));
	put_hex(b, out, 12);
	buf_text(out, "\",\"id\":\"");
	put_hex(b, out, 8);
	buf_text(out, "\",\"name\":\"");
	put_service(out, service);
	buf_text(out, "\",\"start_time\":");
	put_time(out, us);
	buf_text(out, ",\"subsegments\":[");
	us = put_call(b, out, us);
	buf_char(out, ',');
	us = put_call(b, out, us) + (int64_t)draw(b, 500);
	buf_text(out, "],\"end_time\":");
	put_time(out, us);
	buf_format(out,
		   ",\"http\":{\"request\":{\"method\":\"%s\",\"url\":"
		   "\"https://%s.example.com",
		   methods[operation], noun_of(service));
	put_route(out, service, operation);
	buf_format(out,
		   "\",\"user_agent\":\"okhttp/4.12.0\",\"client_ip\":"
		   "\"10.0.%u.%u\"},\"response\":{\"status\":%u,"
		   "\"content_length\":%u}},"
		   "\"annotations\":{\"tier\":\"%s\","
		   "\"country\":\"%s\",\"items\":%u},\"aws\":{\"xray\":{"
		   "\"sdk\":\"X-Ray for Node.js\",\"sdk_version\":\"3.10.3\","
		   "\"package\":\"aws-xray-sdk\"}}}",
		   (unsigned)draw(b, 4), (unsigned)draw(b, 64),
		   statuses[draw_weighted(b, status_weights)],
		   64 + (unsigned)draw(b, 8192), tiers[draw(b, 4)],
		   countries[draw(b, 12)], (unsigned)draw(b, 32));
	b->segments++;
}
