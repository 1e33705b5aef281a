#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""50 clients of one sampling rule on the daemon's port, as X-Ray's SDKs call it:
unsigned. They join, report, and leave; after each answer the quotas that have
not expired are summed up. Prints the greatest sum.

  reservoir.py ADDRESS RULE ROUNDS"""
import http.client
import json
import random
import sys
import threading
import time

ADDRESS, RULE, ROUNDS = sys.argv[1], sys.argv[2], int(sys.argv[3])
lock = threading.Lock()
held = {}  # client: quota, when it expires; of those who left as well
greatest = 0
total = 0


def report(connection, client, requests):
    body = json.dumps({"SamplingStatisticsDocuments": [{
        "RuleName": RULE, "ClientID": client, "Timestamp": int(time.time()),
        "RequestCount": requests, "SampledCount": 0, "BorrowCount": 0}]})
    connection.request("POST", "/SamplingTargets", body,
                       {"Content-Type": "application/json"})
    answer = connection.getresponse()
    return json.loads(answer.read())["SamplingTargetDocuments"][0]


def run(seed):
    global greatest, total
    dice = random.Random(seed)
    connection = http.client.HTTPConnection(ADDRESS, timeout=30)
    client = f"{dice.getrandbits(96):024x}"
    for _ in range(ROUNDS):
        if dice.random() < 0.2:  # leaves, and another comes
            client = f"{dice.getrandbits(96):024x}"
        # What it held counts until its answer has arrived.
        target = report(connection, client, dice.randrange(200))
        with lock:
            held[client] = (target["ReservoirQuota"],
                            target["ReservoirQuotaTTL"])
            total = sum(q for q, until in held.values() if until > time.time())
            greatest = max(greatest, total)


threads = [threading.Thread(target=run, args=(i,)) for i in range(50)]
for t in threads:
    t.start()
for t in threads:
    t.join()
print(greatest, total, len(held))
