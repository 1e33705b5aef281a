#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Traces of a quarter of an hour: 20 a minute, of front and of legacy, which
both call db; in some minutes half of them fail there.

  insights.py ENDPOINT    prints the last minute that is counted by now, as
                          seconds since 1970"""
import json
import sys
import time
import urllib.request

LAST = (int(time.time()) - 60) // 60 - 1
# How many minutes before the last: in which half of the traces fail.
BAD = {"front": (3, 2, 1, 0), "legacy": (8, 7, 6)}
MINUTES, TRACES = 14, 20


def documents():
    n = 0
    for service, bad in BAD.items():
        for ago in range(MINUTES):
            for i in range(TRACES):
                n += 1
                start = (LAST - ago) * 60 + 2 * i
                trace = f"1-{start:08x}-{n:024x}"
                fault = ago in bad and i % 2 == 0
                status = {"http": {"response": {"status": 500}}, "fault": True
                          } if fault else {}
                yield dict(status, **{
                    "trace_id": trace, "id": f"{n:016x}", "name": service,
                    "start_time": start, "end_time": start + 0.5,
                    "subsegments": [dict(status, **{
                        "id": f"{n + (1 << 32):016x}", "name": "db",
                        "namespace": "remote", "start_time": start,
                        "end_time": start + 0.4})]})
                yield dict(status, **{
                    "trace_id": trace, "id": f"{n + (2 << 32):016x}",
                    "parent_id": f"{n + (1 << 32):016x}", "name": "db",
                    "start_time": start, "end_time": start + 0.3})


def put(batch):
    body = json.dumps({"TraceSegmentDocuments": [json.dumps(d) for d in batch]})
    with urllib.request.urlopen(urllib.request.Request(
            sys.argv[1] + "/TraceSegments", body.encode(),
            {"Content-Type": "application/json"})) as answer:
        assert not json.load(answer)["UnprocessedTraceSegments"]


waiting = []
for document in documents():
    waiting.append(document)
    if len(waiting) == 200:
        put(waiting)
        waiting = []
if waiting:
    put(waiting)
print(LAST * 60)
