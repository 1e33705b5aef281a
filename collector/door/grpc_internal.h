/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of gRPC share, and nobody else includes but its tests:
 *
 *   grpc.c          the listener: start, stop, its thread, deadlines
 *   grpc_link.c     a connection: socket, TLS, bytes in and out
 *   grpc_session.c  its frames: nghttp2's callbacks, and floods
 *   grpc_call.c     a call: headers, message, handler
 *   grpc_reply.c    its answer
 *   grpc_carrier.c  the call, as a request
 *   grpc_status.c   what is said of one
 *
 * All but the request of a call that is with the handler belongs to the one
 * thread; a call that is sent comes back to it by the list `sent`.
 */
#ifndef TALLY_COLLECTOR_DOOR_GRPC_INTERNAL_H
#define TALLY_COLLECTOR_DOOR_GRPC_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include <nghttp2/nghttp2.h>

#include "collector/door/address.h"
#include "collector/door/carrier.h"
#include "collector/door/grpc.h"
#include "collector/door/grpc_status.h"
#include "collector/door/tls.h"

enum {
	GRPC_READ_BYTES = 64 << 10,  /* at once */
	GRPC_SLICE_BYTES = 16 << 10, /* between two looks at what it cost */
	GRPC_WRITE_BYTES = 64 << 10,
	GRPC_READS_MAX = 4, /* of one connection before it is another's turn */
	GRPC_PREFIX = 5,    /* before a message: compressed?, length */
};

struct grpc_bucket {
	uint64_t since_ms;
	uint32_t tokens;
};

enum grpc_phase {
	GRPC_HEAD,    /* its headers are still coming */
	GRPC_LENGTH,  /* the message's prefix */
	GRPC_BODY,    /* the message */
	GRPC_WHOLE,   /* the end of the stream */
	GRPC_HANDLER, /* us */
	GRPC_REPLY,   /* the client, to read */
};

struct grpc_header {
	struct sv name, value;
};

/* One call: freed when its stream is closed and no handler has it. */
struct grpc_call {
	struct request request; /* first: a request is its call */
	struct grpc *grpc;
	struct grpc_link *link;       /* NULL: gone */
	struct sockaddr_storage peer; /* the handler may outlive the link */
	int32_t stream;               /* 0: closed */
	enum grpc_phase phase;
	struct grpc_call *next, **back; /* in link's calls */
	struct grpc_call *next_sent;
	struct grpc_header *headers; /* of the request's arena */
	size_t header_count;
	size_t header_bytes; /* also of those that were not kept */
	uint64_t begun_ms;
	uint64_t due_ms;     /* when the phase must be over */
	uint64_t timeout_ms; /* when the client's is over; UINT64_MAX: none */
	bool gzip;           /* its messages may be */
	bool compressed;     /* this one is */
	bool begun;          /* the head hook was called */
	bool handled;        /* the handler was called */
	bool deferred;       /* and said that the reply comes later */
	bool answered;       /* the client has its status */
	uint8_t prefix[GRPC_PREFIX];
	size_t prefix_len;
	size_t length; /* of the message, as announced */
	char length_text[24];
	size_t own_bytes;  /* counted in used: of the call itself */
	size_t body_bytes; /* counted in used: of the message */
	struct buf frame;  /* the reply's message, with its prefix */
	size_t frame_sent;
};

struct grpc_link {
	struct grpc *grpc;
	struct grpc_link *next, **back;
	int fd; /* -1: none, its bytes come by grpc_link_feed */
	uint32_t handle;
	struct sockaddr_storage peer;
	struct tls_set *tls_set;
	gnutls_session_t tls;
	bool shaking; /* the handshake is under way */
	uint32_t interest;
	enum connection_phase phase;
	nghttp2_session *h2;
	bool spoken;   /* a frame has come */
	bool progress; /* a call has been answered since its phase began */
	bool dead;     /* closed when the turn is over */
	bool leaving;  /* it has been told to go */
	struct grpc_call *calls;
	uint32_t call_count;  /* with those whose stream is closed */
	uint32_t with_us;     /* of them, with the handler */
	uint64_t head_due_ms; /* of a list of headers; UINT64_MAX: none */
	uint64_t idle_due_ms; /* UINT64_MAX: it is not idle */
	struct grpc_bucket control, resets;
	struct buf out; /* what the socket did not take */
	size_t out_sent;
};

struct grpc {
	struct grpc_options options;
	char address[ADDRESS_TEXT_MAX];
	int listener, epoll, event;
	bool deaf; /* no descriptors: the listener rests until listen_ms */
	uint64_t listen_ms;
	struct connections *connections;
	struct tls *tls;
	struct request_ids ids;
	nghttp2_option *h2_options;
	nghttp2_session_callbacks *callbacks;
	struct grpc_link *links;
	uint64_t now_ms;
	uint64_t due_ms; /* no deadline is earlier */
	unsigned head_ms, body_ms, idle_ms, reader_ms;
	char *in; /* GRPC_READ_BYTES */
	_Atomic size_t own_used;
	_Atomic size_t *used;
	_Atomic bool quiesced, stopping;
	bool told;            /* the connections, to go */
	pthread_mutex_t lock; /* over busy and sent */
	pthread_cond_t idle;
	size_t busy; /* calls with the handler */
	struct grpc_call *sent;
	pthread_t thread;
	bool started;
};

static inline void grpc_count(struct grpc *g, enum grpc_count what)
{
	if (g->options.counts[what])
		atomic_fetch_add_explicit(g->options.counts[what], 1,
					  memory_order_relaxed);
}

/* There is a deadline then. */
static inline void grpc_due(struct grpc *g, uint64_t at_ms)
{
	if (at_ms < g->due_ms)
		g->due_ms = at_ms;
}

/* grpc.c: all but the sockets and the thread. */
int grpc_init(struct grpc *g, const struct grpc_options *options,
	      struct diag *diag) MUST_USE;
void grpc_fini(struct grpc *g); /* there are no links */
void grpc_tick(struct grpc *g); /* now_ms */
/* Ends what is late. */
void grpc_sweep(struct grpc *g);
/* Takes up the replies of calls that were sent. */
void grpc_take_sent(struct grpc *g);
void grpc_busy_begin(struct grpc *g);
void grpc_busy_end(struct grpc *g);

/* grpc_link.c */
/* Takes fd (-1: none), also on an error. NULL: it may not stay, or there is no
 * memory. */
struct grpc_link *grpc_link_new(struct grpc *g, int fd,
				const struct sockaddr_storage *peer);
/* Its calls lose it; those that nobody has are freed. */
void grpc_link_free(struct grpc_link *l);
/* Bytes of the client. */
void grpc_link_feed(struct grpc_link *l, const void *bytes, size_t n);
/* Appends what is to be sent, about GRPC_WRITE_BYTES at most. */
void grpc_link_produce(struct grpc_link *l, struct buf *out);
/* Something has happened: reads, writes, and says in the table what it waits
 * for. */
void grpc_link_turn(struct grpc_link *l, bool readable);
void grpc_link_goaway(struct grpc_link *l, uint32_t code);

/* grpc_session.c */
int grpc_session_global(struct grpc *g) MUST_USE;
int grpc_session_new(struct grpc_link *l) MUST_USE;

/* grpc_call.c */
struct grpc_call *grpc_call_new(struct grpc_link *l, int32_t stream);
void grpc_call_free(struct grpc_call *c);
/* False: it is beyond all reason. */
bool grpc_call_header(struct grpc_call *c, struct sv name, struct sv value);
void grpc_call_head(struct grpc_call *c); /* the list is whole */
void grpc_call_data(struct grpc_call *c, const uint8_t *bytes, size_t n);
void grpc_call_end(struct grpc_call *c);    /* of what the client sends */
void grpc_call_closed(struct grpc_call *c); /* the stream; c may be freed */
void grpc_call_late(struct grpc_call *c);   /* due_ms has come */
void grpc_call_sent(struct grpc_call *c);   /* by request_send */

/* grpc_reply.c: each leaves c answered, or nothing where it is, or its stream
 * is closed. */
void grpc_reply_status(struct grpc_call *c, enum rpc_code status,
		       struct sv text, unsigned retry_after_s);
void grpc_reply_message(struct grpc_call *c); /* the request's reply */
/* For what is no gRPC. */
void grpc_reply_http(struct grpc_call *c, const char *status);

/* grpc_carrier.c */
extern const struct carrier grpc_carrier;
/* As sent; ptr NULL: it was not. */
struct sv grpc_call_sent_header(const struct grpc_call *c, struct sv name);

#endif
