/* SPDX-License-Identifier: Apache-2.0 */
/* Any request: nothing of it is accepted. And one that our signer signs is
 * accepted, until its body is another. */
#include "core/auth/sigv4.h"
#include "tests/unit/core/recording.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(struct recording *r)
{
	const struct sigv4_credentials cred = { SV(RECORDED_KEY),
						SV(RECORDED_SECRET), SV("r"),
						SV("s") };
	struct sigv4_header *last = &r->headers[r->request.header_count];
	struct sigv4_request *q = &r->request;
	uint8_t hash[SIGV4_HASH_SIZE];
	struct buf b = BUF_INIT;

	last[0] = (struct sigv4_header){ SV("host"), SV("h") };
	last[1] = (struct sigv4_header){ SV("X-Amz-Date"),
					 SV("20261122T095311Z") };
	q->header_count += 2;
	sigv4_hash(hash, r->body);
	if (!sigv4_sign(&b, q, &cred, hash)) {
		last[2] = (struct sigv4_header){ SV("authorization"),
						 buf_view(&b) };
		q->header_count++;
		if (!recording_verify(r, NULL, 0, NULL)) {
			r->body = buf_view(&b);
			assert(recording_verify(r, NULL, 0, NULL));
		}
	}
	buf_fini(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct recording r;

	if (recording_copy(&r, data, size)) {
		assert(recording_verify(&r, NULL, 0, NULL));
		round_trip(&r);
	}
	return 0;
}
