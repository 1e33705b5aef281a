/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clocks of different hosts: a service that was called cannot have begun before
 * its caller called, nor ended after the caller had its answer. Where a segment
 * says so all the same, its host's clock is off, and the segment with its
 * subsegments is moved: into the middle of the call, as if the way there took
 * as long as the way back (which is what NTP assumes), or, where it is longer
 * than the call, to the call's start. The least that is mended is
 * SKEW_LEAST_NS; what is below it may as well be rounding.
 *
 * What was not waited for may end after its caller, and messages are received
 * long after they were sent: late is only what ended after a call that has an
 * answer with a status. Pure.
 */
#ifndef TALLY_TRACER_SKEW_H
#define TALLY_TRACER_SKEW_H

#include "tracer/assemble.h"

enum { SKEW_LEAST_NS = 1000000 };

/* Moves the times of the trace's spans, and sets its start and end anew.
 * shift_ns[i] is what was added to those of span i: as many as there are
 * spans. Returns how many segments were moved. */
size_t skew_correct(struct assembly *trace, int64_t *shift_ns);

#endif
