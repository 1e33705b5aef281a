/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/door/address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "collector/door/network.h"
#include "core/base/text.h"

union any_address {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static int parse(const char *text, union any_address *a, socklen_t *len,
		 struct diag *diag)
{
	const char *colon = strrchr(text, ':');
	char host[ADDRESS_TEXT_MAX];
	size_t n = colon ? (size_t)(colon - text) : 0;
	uint64_t port = 0;

	memset(a, 0, sizeof(*a));
	if (!colon || !sv_to_u64(sv_from(colon + 1), &port) || port > 65535 ||
	    n == 0 || n >= sizeof(host))
		return diag_set(diag, ERR_INVALID,
				"'%s' is not ADDRESS:PORT; for example "
				"127.0.0.1:4318",
				text);
	memcpy(host, text, n);
	host[n] = '\0';
	if (!strcmp(host, "localhost"))
		memcpy(host, "127.0.0.1", sizeof("127.0.0.1"));
	if (host[0] == '[' && host[n - 1] == ']') {
		host[n - 1] = '\0';
		if (inet_pton(AF_INET6, host + 1, &a->v6.sin6_addr) == 1) {
			a->v6.sin6_family = AF_INET6;
			a->v6.sin6_port = htons((uint16_t)port);
			*len = sizeof(a->v6);
			return 0;
		}
	} else if (inet_pton(AF_INET, host, &a->v4.sin_addr) == 1) {
		a->v4.sin_family = AF_INET;
		a->v4.sin_port = htons((uint16_t)port);
		*len = sizeof(a->v4);
		return 0;
	}
	return diag_set(diag, ERR_INVALID,
			"'%s' is not an IP address with a port; for example "
			"127.0.0.1:4318",
			text);
}

static void print(int fd, char bound[ADDRESS_TEXT_MAX])
{
	union any_address a = { 0 };
	socklen_t len = sizeof(a);
	char host[INET6_ADDRSTRLEN] = "";

	getsockname(fd, &a.sa, &len);
	if (a.sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &a.v4.sin_addr, host, sizeof(host));
		snprintf(bound, ADDRESS_TEXT_MAX, "%s:%u", host,
			 ntohs(a.v4.sin_port));
	} else {
		inet_ntop(AF_INET6, &a.v6.sin6_addr, host, sizeof(host));
		snprintf(bound, ADDRESS_TEXT_MAX, "[%s]:%u", host,
			 ntohs(a.v6.sin6_port));
	}
}

int address_listen(const char *address, int type, const char *loopback_only,
		   char bound[ADDRESS_TEXT_MAX], struct diag *diag)
{
	union any_address a;
	socklen_t len = 0;
	int one = 1;
	int fd;
	int e = parse(address, &a, &len, diag);

	if (e)
		return e;
	if (loopback_only && !address_is_loopback(&a.sa))
		return diag_set(diag, ERR_INVALID,
				"%s is not a loopback address, and %s", address,
				loopback_only);
	fd = socket(a.sa.sa_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return diag_set(diag, ERR_IO, "cannot make a socket: %s",
				strerror(errno));
	if (type == SOCK_STREAM)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, &a.sa, len) < 0 ||
	    (type == SOCK_STREAM && listen(fd, SOMAXCONN) < 0)) {
		e = errno;
		close(fd);
		return diag_set(diag, ERR_IO,
				"cannot listen on %s: %s; is another collector "
				"running? choose another port, or 0 for a free "
				"one",
				address, strerror(e));
	}
	print(fd, bound);
	return fd;
}
