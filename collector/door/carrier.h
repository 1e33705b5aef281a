/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Carrier: what brought a request and takes its reply away, HTTP/1.1
 * (door/http.c) or gRPC (door/grpc.c). Handlers and the door see a struct
 * request and ask it by the functions of door/http.h; those come here.
 */
#ifndef TALLY_COLLECTOR_DOOR_CARRIER_H
#define TALLY_COLLECTOR_DOOR_CARRIER_H

#include <stdatomic.h>

#include "collector/door/http.h"

enum { REQUEST_ID_SEED = 16 };

/* Where the ids of requests come from. */
struct request_ids {
	uint8_t seed[REQUEST_ID_SEED];
	_Atomic uint64_t made;
};

struct carrier {
	struct sv (*header)(struct request *r, const char *name);
	void (*headers_each)(struct request *r,
			     void (*each)(void *arg, struct sv name,
					  struct sv value),
			     void *arg);
	/* NULL: its requests have no arguments. */
	struct sv (*query)(struct request *r, const char *name);
	void (*query_each)(struct request *r,
			   void (*each)(void *arg, struct sv name,
					struct sv value),
			   void *arg);
	void (*defer)(struct request *r);
	void (*send)(struct request *r);
};

/* ERR_IO: there is nothing random. */
int request_ids_init(struct request_ids *ids) MUST_USE;

#endif
