/* SPDX-License-Identifier: Apache-2.0 */
/* The errand process: what runs behind the fork. Neither function returns. */
#ifndef TALLY_COLLECTOR_ERRAND_PROCESS_H
#define TALLY_COLLECTOR_ERRAND_PROCESS_H

#include <stdnoreturn.h>
#include <sys/types.h>

#include "collector/errand/errand.h"

/* Gives up what it has but `fd`, then keeps one worker running. `collector` is
 * the process id that must be its parent. */
noreturn void errand_supervise(int fd, const struct errand_options *options,
			       pid_t collector);
/* Takes requests from `fd` until its end, then _exit(0). */
noreturn void errand_work(int fd);

#endif
