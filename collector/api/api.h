/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The API: the handlers of the operations in door/operations.def, a file for
 * each kind of question. A question reads views and never the door's or
 * ingest's insides; an answer is built in the request's reply.
 */
#ifndef TALLY_COLLECTOR_API_API_H
#define TALLY_COLLECTOR_API_API_H

#include "billing/ledger.h"
#include "billing/pricebook.h"
#include "collector/alarms/alarms.h"
#include "collector/api/retrievals.h"
#include "collector/apply.h"
#include "collector/catalogue/catalogue.h"
#include "collector/door/door.h"
#include "collector/door/grpc.h"
#include "collector/ingest/ingest.h"
#include "collector/logs/logs.h"
#include "collector/memory.h"
#include "collector/pace.h"
#include "collector/series/series.h"
#include "collector/stats.h"
#include "core/codec/json.h"
#include "core/codec/json_write.h"
#include "tracer/reservoir.h"
#include "tracer/traces.h"

enum {
	API_LIMIT_DEFAULT = 100,
	API_LIMIT_MAX = 10000,
	API_TRACE_LOGS_MAX = 1000,
	API_SPARK_MINUTES = 30,
	API_XRAY_IDS_MAX = 100, /* of one BatchGetTraces */
};

struct api {
	struct ingest ingest; /* what the writing calls need */
	struct journal *journal;
	struct apply *apply;
	struct traces *traces;
	struct series *series;
	struct logs *logs;
	struct ledger *ledger;
	struct alarms *alarms;
	struct catalogue *catalogue;
	struct reservoirs *reservoirs; /* under the lock */
	pthread_mutex_t reservoirs_lock;
	struct retrievals *retrievals;
	struct pricebook *prices;
	struct admission *admission;
	const struct memory_plan *memory;
	struct audit *audit;
	struct auth *auth;
	struct grpc *grpc; /* NULL: off */
	struct pace *pace;
	const char *data; /* the folder */
	struct stats *stats;
	const struct env *env;
	struct instant started;
};

/* http_handler_fn for the door: calls the handler of r->operation. arg is the
 * struct api. */
void api_serve(void *arg, struct request *r);

/* {"error":{"code","message"}} with a status; for the native API. */
void api_error(struct request *r, unsigned status, const char *code,
	       const char *message);
/* For an err of a view: 404, 400, 503. what: "trace", ... */
void api_error_of(struct request *r, int err, const char *what);

/* Query arguments. Absent: *out is left. False: an error is in the reply. */
bool api_query_time(struct request *r, const char *name,
		    int64_t *out_ns) MUST_USE;
bool api_query_number(struct request *r, const char *name, uint64_t max,
		      uint64_t *out) MUST_USE;
/* start and end, by default the last `default_s` seconds. */
bool api_query_range(const struct api *a, struct request *r, int64_t default_s,
		     int64_t *start_ns, int64_t *end_ns) MUST_USE;

/* Parts of several answers. */
void api_put_event(struct json_writer *w, const struct log_event *event);
void api_put_dimensions(struct json_writer *w, const struct dimension *list,
			size_t count);

/* --- the calls: each writes r's reply --------------------------------------- */
void api_put_batch(struct api *a, struct request *r);
void api_put_otlp_logs(struct api *a, struct request *r);
void api_put_otlp_metrics(struct api *a, struct request *r);
void api_put_otlp_traces(struct api *a, struct request *r);
void api_put_trace_segments(struct api *a, struct request *r);
void api_trace_get(struct api *a, struct request *r);
void api_trace_list(struct api *a, struct request *r);
void api_map(struct api *a, struct request *r);
void api_distribution(struct api *a, struct request *r);
void api_compare(struct api *a, struct request *r);
void api_xray_batch_get(struct api *a, struct request *r);
void api_xray_trace_summaries(struct api *a, struct request *r);
void api_xray_service_graph(struct api *a, struct request *r);
void api_xray_trace_graph(struct api *a, struct request *r);
void api_xray_time_series(struct api *a, struct request *r);
void api_sampling_rules(struct api *a, struct request *r);
void api_sampling_targets(struct api *a, struct request *r);
void api_xray_create_group(struct api *a, struct request *r);
void api_xray_update_group(struct api *a, struct request *r);
void api_xray_delete_group(struct api *a, struct request *r);
void api_xray_get_group(struct api *a, struct request *r);
void api_xray_get_groups(struct api *a, struct request *r);
void api_xray_tag(struct api *a, struct request *r);
void api_xray_untag(struct api *a, struct request *r);
void api_xray_list_tags(struct api *a, struct request *r);
void api_xray_put_policy(struct api *a, struct request *r);
void api_xray_delete_policy(struct api *a, struct request *r);
void api_xray_list_policies(struct api *a, struct request *r);
void api_xray_put_encryption(struct api *a, struct request *r);
void api_xray_get_encryption(struct api *a, struct request *r);
void api_xray_get_indexing(struct api *a, struct request *r);
void api_xray_update_indexing(struct api *a, struct request *r);
void api_xray_get_destination(struct api *a, struct request *r);
void api_xray_update_destination(struct api *a, struct request *r);
void api_xray_telemetry(struct api *a, struct request *r);
void api_xray_start_retrieval(struct api *a, struct request *r);
void api_xray_list_retrieved(struct api *a, struct request *r);
void api_xray_retrieved_graph(struct api *a, struct request *r);
void api_xray_cancel_retrieval(struct api *a, struct request *r);
void api_xray_insight(struct api *a, struct request *r);
void api_xray_insight_events(struct api *a, struct request *r);
void api_xray_insight_graph(struct api *a, struct request *r);
void api_xray_insight_summaries(struct api *a, struct request *r);
void api_create_sampling_rule(struct api *a, struct request *r);
void api_update_sampling_rule(struct api *a, struct request *r);
void api_delete_sampling_rule(struct api *a, struct request *r);
void api_sampling_summaries(struct api *a, struct request *r);
void api_metrics_list(struct api *a, struct request *r);
void api_metrics_data(struct api *a, struct request *r);
void api_functions(struct api *a, struct request *r);
void api_logs(struct api *a, struct request *r);
void api_alarms(struct api *a, struct request *r);
void api_alarm_history(struct api *a, struct request *r);
void api_usage_get(struct api *a, struct request *r);
void api_statement(struct api *a, struct request *r);
void api_put_metric_data(struct api *a, struct request *r);
void api_list_metrics(struct api *a, struct request *r);
void api_get_metric_statistics(struct api *a, struct request *r);
void api_audit(struct api *a, struct request *r);
void api_status(struct api *a, struct request *r);
void api_health(struct api *a, struct request *r);
void api_prometheus(struct api *a, struct request *r);

#endif
