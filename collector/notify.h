/* SPDX-License-Identifier: Apache-2.0 */
/* Tells systemd how the service is (sd_notify(3)'s datagram), where it asked
 * for that by $NOTIFY_SOCKET. The socket is opened at the start: later the
 * collector may not make one. */
#ifndef TALLY_COLLECTOR_NOTIFY_H
#define TALLY_COLLECTOR_NOTIFY_H

/* -1: nobody asked, or cannot be reached. The caller closes it. */
int notify_open(void);
void notify_send(int fd, const char *state); /* "READY=1"; fd -1: nothing */

#endif
