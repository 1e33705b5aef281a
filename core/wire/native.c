/* SPDX-License-Identifier: Apache-2.0 */
#include "core/wire/native.h"

#include <assert.h>

#include "core/wire/check.h"
#include "core/wire/native_pb.h"
#include "core/wire/native_walk.h"

struct decoding {
	struct arena *arena;
	const struct native_walk *walk;
	struct native_batch *out;
	size_t refusals_cap;
	bool no_memory;
};

const char *native_kind_text(enum record_kind kind)
{
	static const char *const texts[] = { "segment", "datum", "log",
					     "usage" };

	assert((unsigned)kind < sizeof(texts) / sizeof(texts[0]));
	return texts[kind];
}

static void refuse(struct decoding *d, enum record_kind kind, size_t index,
		   const struct fault *fault)
{
	struct native_batch *b = d->out;

	if (!fault->code.ptr) {
		d->no_memory = true;
		return;
	}
	if (b->refusal_count == d->refusals_cap) {
		size_t cap = d->refusals_cap ? d->refusals_cap * 2 : 16;
		struct native_refusal *more =
			arena_array(d->arena, cap, sizeof(*more));

		if (!more) {
			d->no_memory = true;
			return;
		}
		if (b->refusal_count)
			memcpy(more, b->refusals,
			       b->refusal_count * sizeof(*more));
		b->refusals = more;
		d->refusals_cap = cap;
	}
	b->refusals[b->refusal_count++] = (struct native_refusal){
		.kind = kind,
		.index = (uint32_t)index,
		.code = fault->code,
		.message = fault->message,
	};
}

static bool nul_free(const struct decoding *d, enum record_kind kind,
		     size_t index, struct fault *fault)
{
	if (!native_walk_nul(d->walk, kind, index))
		return true;
	*fault = (struct fault){ SV("InvalidParameterValue"),
				 SV("a name holds a NUL character") };
	return false;
}

static struct sv bytes_view(ProtobufCBinaryData b)
{
	return sv_make(b.len ? (const char *)b.data : "", b.len);
}

static bool decode_segments(struct decoding *d, const Tally__Wire__Batch *pb)
{
	struct records *r = &d->out->records;

	r->segments =
		arena_array(d->arena, pb->n_segments, sizeof(*r->segments));
	if (!r->segments)
		return false;
	r->segment_count = pb->n_segments;
	for (size_t i = 0; i < pb->n_segments; i++) {
		struct fault fault;

		r->segments[i].document = bytes_view(pb->segments[i]->document);
		if (!segment_record_check(&r->segments[i], d->arena, &fault))
			refuse(d, RECORD_SEGMENT, i, &fault);
	}
	return true;
}

static bool decode_dimensions(struct arena *arena, const Tally__Wire__Datum *pb,
			      struct datum *to)
{
	struct dimension *dims =
		arena_array(arena, pb->n_dimensions, sizeof(*dims));

	if (!dims)
		return false;
	for (size_t i = 0; i < pb->n_dimensions; i++) {
		dims[i].name = sv_from(pb->dimensions[i]->name);
		dims[i].value = sv_from(pb->dimensions[i]->value);
	}
	if (pb->n_dimensions <= DIMENSIONS_MAX)
		dimensions_sort(dims, pb->n_dimensions);
	to->dimensions = dims;
	to->dimension_count = pb->n_dimensions;
	return true;
}

/* counts is only set where there is one for each value, so that even a refused
 * datum is safe to read. */
static bool decode_datum(struct arena *arena, const Tally__Wire__Datum *pb,
			 struct datum *to)
{
	*to = (struct datum){
		.ns = sv_from(pb->namespace_),
		.name = sv_from(pb->name),
		.time_ns = pb->time_ns,
		.unit = pb->unit[0] ? sv_from(pb->unit) : SV("None"),
		.resolution_s = pb->resolution_s ? pb->resolution_s : 60,
		.values = pb->values,
		.value_count = pb->n_values,
		.has_statistics = pb->statistics != NULL,
	};
	if (pb->n_counts && pb->n_counts == pb->n_values)
		to->counts = pb->counts;
	if (pb->statistics) {
		to->sample_count = pb->statistics->sample_count;
		to->sum = pb->statistics->sum;
		to->minimum = pb->statistics->minimum;
		to->maximum = pb->statistics->maximum;
	}
	return decode_dimensions(arena, pb, to);
}

static bool counts_fit(const Tally__Wire__Datum *pb, struct fault *fault)
{
	if (pb->n_counts == 0 || pb->n_counts == pb->n_values)
		return true;
	*fault = (struct fault){ SV("InvalidParameterValue"),
				 SV("counts: must be as many as values") };
	return false;
}

static bool decode_data(struct decoding *d, const Tally__Wire__Batch *pb)
{
	struct records *r = &d->out->records;

	r->data = arena_array(d->arena, pb->n_data, sizeof(*r->data));
	if (!r->data)
		return false;
	r->datum_count = pb->n_data;
	for (size_t i = 0; i < pb->n_data; i++) {
		struct fault fault;

		if (!decode_datum(d->arena, pb->data[i], &r->data[i]))
			return false;
		if (!nul_free(d, RECORD_DATUM, i, &fault) ||
		    !counts_fit(pb->data[i], &fault) ||
		    !datum_check(&r->data[i], &fault))
			refuse(d, RECORD_DATUM, i, &fault);
	}
	return true;
}

static bool decode_logs(struct decoding *d, const Tally__Wire__Batch *pb)
{
	struct records *r = &d->out->records;
	size_t n = 0;

	r->log_count = d->walk->counts[MESSAGE_EVENT];
	r->logs = arena_array(d->arena, r->log_count, sizeof(*r->logs));
	if (!r->logs)
		return false;
	for (size_t i = 0; i < pb->n_logs; i++) {
		const Tally__Wire__LogStream *stream = pb->logs[i];
		struct sv group = sv_from(stream->group);
		struct sv name = sv_from(stream->stream);

		for (size_t k = 0; k < stream->n_events; k++, n++) {
			struct fault fault;

			assert(n < r->log_count);
			r->logs[n] = (struct log_event){
				.group = group,
				.stream = name,
				.time_ns = stream->events[k]->time_ns,
				.message =
					bytes_view(stream->events[k]->message),
			};
			if (!nul_free(d, RECORD_LOG, n, &fault) ||
			    !log_event_check(&r->logs[n], &fault))
				refuse(d, RECORD_LOG, n, &fault);
		}
	}
	assert(n == r->log_count);
	return true;
}

static bool decode_usage(struct decoding *d, const Tally__Wire__Batch *pb)
{
	struct records *r = &d->out->records;

	r->usage = arena_array(d->arena, pb->n_usage, sizeof(*r->usage));
	if (!r->usage)
		return false;
	r->usage_count = pb->n_usage;
	for (size_t i = 0; i < pb->n_usage; i++) {
		const Tally__Wire__Usage *u = pb->usage[i];
		struct fault fault;

		r->usage[i] = (struct usage){
			.id = sv_from(u->id),
			.source = sv_from(u->source),
			.time_ns = u->time_ns,
			.resource = sv_from(u->resource),
			.memory_mb = u->memory_mb,
			.max_memory_mb = u->max_memory_mb,
			.duration_us = u->duration_us,
			.billed_ms = u->billed_ms,
			.init_us = u->init_us,
			.architecture = (enum architecture)u->architecture,
			.status = (enum run_status)u->status,
			.trace_id = sv_from(u->trace_id),
		};
		if (!nul_free(d, RECORD_USAGE, i, &fault) ||
		    !usage_check(&r->usage[i], &fault))
			refuse(d, RECORD_USAGE, i, &fault);
	}
	return true;
}

static int decode_records(struct decoding *d, const Tally__Wire__Batch *pb,
			  struct diag *diag)
{
	struct native_batch *out = d->out;

	out->producer = sv_from(pb->producer);
	out->sequence = pb->sequence;
	if (out->producer.len == 0)
		return diag_set(diag, ERR_INVALID, "batch: producer is needed");
	if (d->walk->nul || out->producer.len > PRODUCER_MAX ||
	    !sv_is_utf8(out->producer))
		return diag_set(diag, ERR_INVALID,
				"batch: producer must have 1 to %d bytes of "
				"UTF-8",
				PRODUCER_MAX);
	if (out->sequence == 0)
		return diag_set(diag, ERR_INVALID,
				"batch: sequence counts from 1");
	if (!decode_segments(d, pb) || !decode_data(d, pb) ||
	    !decode_logs(d, pb) || !decode_usage(d, pb) || d->no_memory)
		return diag_set(diag, ERR_NOMEM, "batch: out of memory");
	return 0;
}

int native_decode(struct arena *arena, struct sv body, struct native_batch *out,
		  struct diag *diag)
{
	struct native_walk *walk = arena_new(arena, struct native_walk);
	struct decoding d = { .arena = arena, .walk = walk, .out = out };
	Tally__Wire__Batch *pb;
	int err;

	*out = (struct native_batch){ 0 };
	if (!walk)
		return diag_set(diag, ERR_NOMEM, "batch: out of memory");
	if (body.len > NATIVE_BYTES_MAX)
		return diag_set(diag, ERR_LIMIT, "batch: more than %d bytes",
				NATIVE_BYTES_MAX);
	err = native_walk(walk, MESSAGE_BATCH, body);
	if (err)
		return diag_set(diag, err, "batch: %s", walk->what);
	pb = (Tally__Wire__Batch *)native_pb_unpack(
		&tally__wire__batch__descriptor, arena, body, &err);
	if (!pb)
		return diag_set(diag, err, "batch: %s", err_text(err));
	err = decode_records(&d, pb, diag);
	return err;
}

/* --- times ------------------------------------------------------------------ */

#define NS_PER_HOUR (3600 * NS_PER_S)
#define NS_PER_DAY (24 * NS_PER_HOUR)

static bool time_fits(int64_t time_ns, int64_t now_ns, int days_max,
		      struct fault *fault)
{
	*fault = (struct fault){ .code = SV("InvalidParameterValue") };
	if (time_ns > now_ns &&
	    time_ns - now_ns > NATIVE_AHEAD_HOURS_MAX * NS_PER_HOUR)
		fault->message = SV("time_ns: more than 2 hours ahead");
	else if (time_ns < now_ns && now_ns - time_ns > days_max * NS_PER_DAY)
		fault->message = days_max == NATIVE_AGE_DAYS_MAX ?
					 SV("time_ns: older than 14 days") :
					 SV("time_ns: older than 35 days");
	return fault->message.ptr == NULL;
}

/* Takes over the refusals of records before the one named, and its own. True:
 * it is refused already. */
static bool carry(struct decoding *d, const struct native_refusal *old,
		  size_t count, size_t *at, uint32_t key)
{
	for (; *at < count; (*at)++) {
		const struct native_refusal *r = &old[*at];
		struct fault fault = { r->code, r->message };
		uint32_t its = native_key(r->kind, r->index);

		if (its > key)
			return false;
		refuse(d, r->kind, r->index, &fault);
		if (its == key) {
			(*at)++;
			return true;
		}
	}
	return false;
}

int native_check_times(struct arena *arena, struct native_batch *batch,
		       struct wall received)
{
	const struct native_refusal *old = batch->refusals;
	const struct records *r = &batch->records;
	struct decoding d = { .arena = arena, .out = batch };
	size_t count = batch->refusal_count, at = 0;
	struct fault fault;

	/* Times are within 1970 to 2100; a clock that is not must not make
	 * the differences overflow. */
	if (received.ns < 0)
		received.ns = 0;
	if (received.ns > RECORD_TIME_NS_MAX)
		received.ns = RECORD_TIME_NS_MAX;
	batch->refusals = NULL;
	batch->refusal_count = 0;
	for (size_t i = 0; i < r->datum_count; i++)
		if (!carry(&d, old, count, &at,
			   native_key(RECORD_DATUM, (uint32_t)i)) &&
		    !time_fits(r->data[i].time_ns, received.ns,
			       NATIVE_AGE_DAYS_MAX, &fault))
			refuse(&d, RECORD_DATUM, i, &fault);
	for (size_t i = 0; i < r->log_count; i++)
		if (!carry(&d, old, count, &at,
			   native_key(RECORD_LOG, (uint32_t)i)) &&
		    !time_fits(r->logs[i].time_ns, received.ns,
			       NATIVE_AGE_DAYS_MAX, &fault))
			refuse(&d, RECORD_LOG, i, &fault);
	for (size_t i = 0; i < r->usage_count; i++)
		if (!carry(&d, old, count, &at,
			   native_key(RECORD_USAGE, (uint32_t)i)) &&
		    !time_fits(r->usage[i].time_ns, received.ns,
			       NATIVE_USAGE_AGE_DAYS_MAX, &fault))
			refuse(&d, RECORD_USAGE, i, &fault);
	carry(&d, old, count, &at, UINT32_MAX);
	return d.no_memory ? ERR_NOMEM : 0;
}

/* --- refused records ---------------------------------------------------------- */

uint32_t *native_refused_keys(struct arena *arena,
			      const struct native_batch *batch)
{
	uint32_t *keys =
		arena_array(arena, batch->refusal_count, sizeof(*keys));

	for (size_t i = 0; keys && i < batch->refusal_count; i++)
		keys[i] = native_key(batch->refusals[i].kind,
				     batch->refusals[i].index);
	return keys;
}

/* Takes the refused ones out of a list of count items of size bytes; *at goes
 * on behind this kind's keys. Returns how many are left. */
static size_t without(void *list, size_t count, size_t size,
		      enum record_kind kind, const uint32_t *refused, size_t n,
		      size_t *at)
{
	char *items = list;
	size_t kept = 0;

	while (*at < n && refused[*at] < native_key(kind, 0))
		(*at)++;
	if (*at == n || refused[*at] >> 24 != (uint32_t)kind)
		return count;
	for (size_t i = 0; i < count; i++) {
		uint32_t key = native_key(kind, (uint32_t)i);

		while (*at < n && refused[*at] < key)
			(*at)++;
		if (*at < n && refused[*at] == key)
			continue;
		if (kept != i)
			memcpy(items + kept * size, items + i * size, size);
		kept++;
	}
	return kept;
}

void native_apply_refused(struct records *r, const uint32_t *refused, size_t n)
{
	size_t at = 0;

	r->segment_count = without(r->segments, r->segment_count,
				   sizeof(*r->segments), RECORD_SEGMENT,
				   refused, n, &at);
	r->datum_count = without(r->data, r->datum_count, sizeof(*r->data),
				 RECORD_DATUM, refused, n, &at);
	r->log_count = without(r->logs, r->log_count, sizeof(*r->logs),
			       RECORD_LOG, refused, n, &at);
	r->usage_count = without(r->usage, r->usage_count, sizeof(*r->usage),
				 RECORD_USAGE, refused, n, &at);
}
