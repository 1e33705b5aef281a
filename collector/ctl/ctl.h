/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ctl: the control commands of tally. Each is an argp program of its own
 * (`tally logs --help`), started by main.c with argv[0] = "tally logs", and
 * reaches the collector only through the client (core/client/program.h).
 */
#ifndef TALLY_COLLECTOR_CTL_CTL_H
#define TALLY_COLLECTOR_CTL_CTL_H

#include "core/client/answer.h"
#include "core/client/program.h"

/* One a command: main of it. */
int ctl_status(int argc, char **argv);
int ctl_health(int argc, char **argv);
int ctl_logs(int argc, char **argv);
int ctl_metrics(int argc, char **argv);
int ctl_alarm(int argc, char **argv);
int ctl_audit(int argc, char **argv);
int ctl_keys(int argc, char **argv);

#endif
