/* SPDX-License-Identifier: Apache-2.0 */
/* Tells systemd how the service is (sd_notify(3)'s datagram), where it asked
 * for that by $NOTIFY_SOCKET. Nothing happens otherwise. */
#ifndef TALLY_COLLECTOR_NOTIFY_H
#define TALLY_COLLECTOR_NOTIFY_H

void notify_systemd(const char *state); /* "READY=1" */

#endif
