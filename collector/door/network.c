/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/network.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const uint8_t mapped[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

bool address_bytes(const struct sockaddr *a, uint8_t out[16])
{
	if (a->sa_family == AF_INET) {
		const struct sockaddr_in *v4 = (const void *)a;

		memcpy(out, mapped, sizeof(mapped));
		memcpy(out + sizeof(mapped), &v4->sin_addr, 4);
		return true;
	}
	if (a->sa_family == AF_INET6) {
		const struct sockaddr_in6 *v6 = (const void *)a;

		memcpy(out, &v6->sin6_addr, 16);
		return true;
	}
	return false;
}

static bool in_network(const struct network *n, const uint8_t a[16])
{
	size_t whole = n->bits / 8;
	unsigned rest = n->bits % 8;

	if (memcmp(n->address, a, whole))
		return false;
	return !rest || ((n->address[whole] ^ a[whole]) >> (8 - rest)) == 0;
}

/* All bits behind the length are zero, as whoever wrote it meant. */
static bool is_clean(const struct network *n)
{
	for (unsigned i = n->bits; i < 128; i++)
		if (n->address[i / 8] & (0x80u >> (i % 8)))
			return false;
	return true;
}

int networks_add(struct networks *n, struct sv text, struct diag *diag)
{
	struct network *network = &n->list[n->count];
	struct sv rest = text;
	struct sv host = sv_cut(&rest, '/');
	char name[NETWORK_TEXT_MAX] = "";
	uint64_t bits = 128;
	unsigned longest = 128;

	if (n->count == NETWORKS_MAX)
		return diag_set(diag, ERR_LIMIT, "more than %d networks",
				(int)NETWORKS_MAX);
	if (host.len && host.len < sizeof(name))
		memcpy(name, host.ptr, host.len);
	memcpy(network->address, mapped, sizeof(mapped));
	if (inet_pton(AF_INET, name, network->address + sizeof(mapped)) == 1)
		longest = 32;
	else if (inet_pton(AF_INET6, name, network->address) != 1)
		longest = 0;
	bits = longest;
	if (!longest || (host.len < text.len &&
			 (!sv_to_u64(rest, &bits) || bits > longest)))
		return diag_set(diag, ERR_INVALID,
				"'%.*s' is no network; for example 10.1.0.0/16 "
				"or fd00::/8",
				SV_ARG(text));
	network->bits = (uint8_t)(bits + (128 - longest));
	if (!is_clean(network))
		return diag_set(diag, ERR_INVALID,
				"'%.*s' has bits set behind its length",
				SV_ARG(text));
	n->count++;
	return 0;
}

bool address_is_loopback(const struct sockaddr *a)
{
	static const uint8_t one[16] = { [15] = 1 };
	uint8_t b[16];

	if (!address_bytes(a, b))
		return false;
	return !memcmp(b, one, sizeof(one)) ||
	       (!memcmp(b, mapped, sizeof(mapped)) && b[12] == 127);
}

bool networks_have(const struct networks *n, const struct sockaddr *a)
{
	uint8_t b[16];

	if (address_is_loopback(a))
		return true;
	if (!address_bytes(a, b))
		return false;
	for (size_t i = 0; i < n->count; i++)
		if (in_network(&n->list[i], b))
			return true;
	return false;
}
