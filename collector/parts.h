/* SPDX-License-Identifier: Apache-2.0 */
/* What the collector is made of: open.c puts it together, judge.c has its
 * alarms judged, collector.c runs it and takes it apart. Private to these. */
#ifndef TALLY_COLLECTOR_PARTS_H
#define TALLY_COLLECTOR_PARTS_H

#include "collector/alarms/webhook.h"
#include "collector/api/api.h"
#include "collector/collector.h"
#include "collector/door/grpc.h"
#include "collector/errand/errand.h"
#include "collector/ingest/xray_udp.h"
#include "collector/insights/watch.h"

struct collector {
	const struct env *env;
	struct config *config;
	struct stats stats;
	struct api api; /* holds the parts, as questions need them */
	struct producers *producers;
	struct invocations *invocations;
	struct user user; /* whom it becomes; no name: nobody else */
	struct errand *errand;
	struct webhook *webhook;
	struct auth *auth;
	struct memory_plan memory;
	struct admission *admission;
	struct rates *rates;
	struct readers *readers;
	struct work work;
	bool has_work;
	struct audit *audit;
	struct watch *watch;
	struct door door;        /* of http */
	struct door daemon_door; /* of daemon */
	struct http *http;
	struct http *daemon; /* the X-Ray daemon's TCP port */
	struct grpc *grpc;   /* NULL: off */
	struct xray_udp *udp;
	char prices[1024]; /* folder of the price books */
	int lock_fd;       /* on DATA/lock: one collector a folder */
	int notify_fd;     /* systemd's, or -1 */
	int signal_fd;
	int timer_fd;
};

/* Judges every alarm of the configuration now; what changes goes through the
 * journal and then to its webhook. */
void collector_judge_alarms(struct collector *c);

#endif
