#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""CloudWatch's first operations in every protocol: the same data by each give
the same answers by each. TAP on standard output.

  cloudwatch.py run ADDRESS TABLE    writes, and asks; ends with the plan
  cloudwatch.py again ADDRESS TABLE  after a restart: the same answers

TABLE is what tally-collector --operations prints."""
import calendar
import gzip
import json
import os
import re
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from awsclient import Client, Time, encode  # noqa: E402

PROTOCOLS = ("json-1.0", "rpc-v2-cbor", "query")
MINUTE = int(os.environ["MINUTE"])  # the same for both runs
count = 0


def ok(good, name, *why):
    global count
    count += 1
    print(f"{'ok' if good else 'not ok'} {count} - {name}")
    for line in why if not good else ():
        print("# " + str(line)[:500].replace("\n", "\\n"))
    sys.stdout.flush()


class Caller:
    def __init__(self, address, table):
        self.client = Client(address)
        with open(table, encoding="utf-8") as f:
            rows = [json.loads(line) for line in f]
        self.rows = {r["name"]: r for r in rows if r["service"] == "CloudWatch"}

    def call(self, name, protocol, value, headers=(), zipped=False):
        method, path, head, body = encode(self.rows[name], protocol, value)
        head.update(headers)
        if zipped:
            body = gzip.compress(body)
            head["Content-Encoding"] = "gzip"
        return self.client.send(None, "monitoring", method, path, (), head,
                                body)


def cbor(raw, at=0):
    """(value, place behind it) of what the collector writes."""
    major, low = raw[at] >> 5, raw[at] & 31
    at += 1
    if major == 7:
        if low == 27:
            return struct.unpack_from(">d", raw, at)[0], at + 8
        return {20: False, 21: True, 22: None}[low], at
    if low >= 24:
        size = 1 << (low - 24)
        low = int.from_bytes(raw[at:at + size], "big")
        at += size
    if major in (0, 1):
        return (low if major == 0 else -1 - low), at
    if major in (2, 3):
        return raw[at:at + low].decode(), at + low
    if major == 6:
        return cbor(raw, at)
    out = [] if major == 4 else {}
    for _ in range(low):
        item, at = cbor(raw, at)
        if major == 4:
            out.append(item)
        else:
            out[item], at = cbor(raw, at)
    return out, at


def statistics(protocol, answer):
    """Datapoints as a list of dicts of numbers, from any form."""
    if protocol != "query":
        value = json.loads(answer.body) if protocol.startswith("json") else \
            cbor(answer.body)[0]
        points = value["Datapoints"]
    else:
        points = []
        text = answer.body.decode()
        text = re.sub(r"<ExtendedStatistics>.*?</ExtendedStatistics>",
                      lambda m: "".join(
                          f"<{k}>{v}</{k}>" for k, v in re.findall(
                              r"<key>(.*?)</key><value>(.*?)</value>",
                              m.group(0))), text)
        for member in re.findall(r"<member>(.*?)</member>", text):
            point = dict(re.findall(r"<([\w.]+)>(.*?)</\1>", member))
            when = time.strptime(point["Timestamp"][:19], "%Y-%m-%dT%H:%M:%S")
            point["Timestamp"] = calendar.timegm(when)
            points.append(point)
    out = []
    for point in points:
        point = dict(point)
        point.update(point.pop("ExtendedStatistics", {}))
        out.append({k: float(v) for k, v in point.items()})
    return out


def code(protocol, answer):
    """The code that a client compares, by each protocol."""
    if protocol == "query":
        found = re.search(rb"<Code>(.*?)</Code>", answer.body)
        return found and found.group(1).decode()
    return dict(answer.headers).get("x-amzn-query-error", "").split(";")[0]


def namespace(protocol):
    return "Test/" + protocol


def data(now):
    dims = [{"Name": "Host", "Value": "h1"}, {"Name": "A", "Value": "z"}]
    return [
        {"MetricName": "Value", "Dimensions": dims, "Timestamp": Time(now),
         "Value": 1.5, "Unit": "Milliseconds"},
        {"MetricName": "Value", "Dimensions": dims[::-1],
         "Timestamp": Time(now + 60), "Value": 2.5},
        {"MetricName": "Values", "Timestamp": Time(now),
         "Values": [1.0, 2.0, 3.0], "Counts": [1.0, 1.0, 8.0]},
        {"MetricName": "Set", "Timestamp": Time(now), "StatisticValues": {
            "SampleCount": 4.0, "Sum": 10.0, "Minimum": 1.0, "Maximum": 5.0}},
    ]


def ask(caller, protocol, space, name, dims=(), **more):
    value = {"Namespace": space, "MetricName": name, "Dimensions": list(dims),
             "StartTime": Time(MINUTE - 3600), "EndTime": Time(MINUTE + 3600),
             "Period": 7200}
    if not dims and protocol == "query":
        del value["Dimensions"]
    value.update(more)
    return caller.call("GetMetricStatistics", protocol, value)


ALL = ["Sum", "SampleCount", "Minimum", "Maximum", "Average"]
DIMS = [{"Name": "A", "Value": "z"}, {"Name": "Host", "Value": "h1"}]
EXPECTED = {
    "Value": [{"Timestamp": MINUTE - 3600, "Sum": 4, "SampleCount": 2,
               "Minimum": 1.5, "Maximum": 2.5, "Average": 2}],
    "Values": [{"Timestamp": MINUTE - 3600, "Sum": 27, "SampleCount": 10,
                "Minimum": 1, "Maximum": 3, "Average": 2.7}],
    "Set": [{"Timestamp": MINUTE - 3600, "Sum": 10, "SampleCount": 4,
             "Minimum": 1, "Maximum": 5, "Average": 2.5}],
}


def read_back(caller):
    for written in PROTOCOLS:
        space = namespace(written)
        for protocol in PROTOCOLS:
            got = {}
            for name in EXPECTED:
                dims = DIMS if name == "Value" else ()
                for _ in range(50):
                    answer = ask(caller, protocol, space, name, dims,
                                 Statistics=ALL)
                    got[name] = statistics(protocol, answer)
                    if got[name]:
                        break
                    time.sleep(0.1)
            ok(got == EXPECTED, f"written by {written}, read by {protocol}",
               got, EXPECTED)


def percentiles(caller):
    for protocol in PROTOCOLS:
        space = namespace("json-1.0")
        got = statistics(protocol, ask(caller, protocol, space, "Values",
                                       ExtendedStatistics=["p10", "p99.9"]))
        ok(got == [{"Timestamp": MINUTE - 3600, "p10": 1, "p99.9": 3}],
           f"percentiles by {protocol}", got)
    got = statistics("json-1.0", ask(caller, "json-1.0", space, "Set",
                                     ExtendedStatistics=["p50"]))
    ok(got == [], "a statistic set has none", got)
    points = statistics("json-1.0", ask(
        caller, "json-1.0", space, "Value", DIMS, Period=60,
        Statistics=["Sum"]))
    ok(points == [{"Timestamp": MINUTE, "Sum": 1.5},
                  {"Timestamp": MINUTE + 60, "Sum": 2.5}],
       "minutes, in order", points)


def refusals(caller):
    put = {"Namespace": "Test/no", "MetricData": [
        {"MetricName": "m", "Value": 1.0}]}
    start, end = Time(MINUTE - 86400), Time(MINUTE)
    get = {"Namespace": "n", "MetricName": "m", "StartTime": start,
           "EndTime": end, "Period": 60, "Statistics": ["Sum"]}
    without = dict(get)
    del without["Statistics"]
    cases = [
        ("PutMetricData", dict(put, Namespace="AWS/X"),
         "InvalidParameterValue"),
        ("PutMetricData", {"MetricData": put["MetricData"]},
         "MissingParameter"),
        ("PutMetricData", {"Namespace": "Test/no"}, "MissingParameter"),
        ("PutMetricData", dict(put, MetricData=[
            {"MetricName": "m", "Value": 1.0, "Unit": "Parsec"}]),
         "InvalidParameterValue"),
        ("PutMetricData", dict(put, MetricData=[
            {"MetricName": "m", "Value": 1.0, "Values": [1.0]}]),
         "InvalidParameterCombination"),
        ("PutMetricData", dict(put, MetricData=[
            {"MetricName": "m", "Value": 1.0}] * 1001),
         "InvalidParameterValue"),
        ("ListMetrics", {"NextToken": "x"}, "InvalidParameterValue"),
        ("ListMetrics", {"RecentlyActive": "PT1H"}, "InvalidParameterValue"),
        ("GetMetricStatistics", dict(get, StartTime=end, EndTime=start),
         "InvalidParameterValue"),
        ("GetMetricStatistics", dict(get, StartTime=Time(MINUTE - 86460)),
         "InvalidParameterCombination"),
        ("GetMetricStatistics", dict(get, Period=10), "InvalidParameterValue"),
        ("GetMetricStatistics", dict(get, Period=90), "InvalidParameterValue"),
        ("GetMetricStatistics", without, "InvalidParameterCombination"),
        ("GetMetricStatistics", dict(without, ExtendedStatistics=["tm99"]),
         "InvalidParameterValue"),
        ("GetMetricStatistics", dict(get, StartTime=Time(MINUTE - 20 * 86400),
                                     EndTime=Time(MINUTE - 19.9 * 86400)),
         "InvalidParameterValue"),
        ("DescribeAlarms", {}, "InvalidAction"),
    ]
    for protocol in PROTOCOLS:
        wrong = []
        for name, value, want in cases:
            answer = caller.call(name, protocol, value)
            status = 404 if name == "DescribeAlarms" and \
                protocol == "rpc-v2-cbor" else 400
            if answer.status != status or code(protocol, answer) != want:
                wrong.append((name, want, answer.status, answer.text()))
        ok(not wrong, f"{len(cases)} refusals by {protocol}", *wrong)
        answer = caller.call("GetMetricStatistics", protocol, get)
        ok(answer.status == 200, f"1,440 datapoints may be asked for by "
           f"{protocol}", answer.text())


def zipped(caller):
    big = [{"MetricName": f"m{i:04}", "Value": float(i)} for i in range(1000)]
    for protocol in PROTOCOLS:
        answer = caller.call("PutMetricData", protocol, {
            "Namespace": "Test/zip-" + protocol, "MetricData": big},
            zipped=True)
        ok(answer.status == 200, f"1,000 data, compressed, by {protocol}",
           answer.text())
        # A string of 2 MB travels in 2 KB.
        answer = caller.call("PutMetricData", protocol, {
            "Namespace": "x" * (2 << 20), "MetricData": big[:1]}, zipped=True)
        ok(answer.status == 413, f"2 MB once decompressed are refused by "
           f"{protocol}", answer.text())


def listed(caller, protocol, value):
    """Names of all metrics, page by page; how many pages."""
    names, pages, token = [], 0, None
    while pages < 10:
        value = dict(value, **({"NextToken": token} if token else {}))
        answer = caller.call("ListMetrics", protocol, value)
        pages += 1
        if protocol == "query":
            text = answer.body.decode()
            names += re.findall(r"<MetricName>(.*?)</MetricName>", text)
            found = re.search(r"<NextToken>(.*?)</NextToken>", text)
            token = found and found.group(1)
        else:
            out = json.loads(answer.body) if protocol.startswith("json") \
                else cbor(answer.body)[0]
            names += [m["MetricName"] for m in out["Metrics"]]
            token = out.get("NextToken")
        if not token:
            break
    return names, pages


def lists(caller):
    for protocol in PROTOCOLS:
        space = {"Namespace": "Test/zip-query"}
        for _ in range(50):
            names, pages = listed(caller, protocol, space)
            if len(names) == 1000:
                break
            time.sleep(0.1)
        ok(pages == 2 and sorted(set(names)) == sorted(names) and
           len(names) == 1000, f"1,000 metrics are two pages by {protocol}",
           pages, len(names))
        mine = {"Namespace": namespace("json-1.0")}
        rows = [({}, 3), ({"MetricName": "Set"}, 1),
                ({"Dimensions": [{"Name": "Host"}]}, 1),
                ({"Dimensions": [{"Name": "Host", "Value": "h1"}]}, 1),
                ({"Dimensions": [{"Name": "Host", "Value": "h2"}]}, 0),
                ({"Dimensions": [{"Name": "Host"}, {"Name": "B"}]}, 0),
                ({"RecentlyActive": "PT3H"}, 3),
                ({"OwningAccount": "999999999999"}, 0)]
        wrong = []
        for filters, want in rows:
            names, _ = listed(caller, protocol, dict(mine, **filters))
            if len(names) != want:
                wrong.append((filters, want, names))
        ok(not wrong, f"filters by {protocol}", *wrong)


def retries(caller):
    for protocol in PROTOCOLS:
        value = {"Namespace": "Test/retry", "MetricData": [
            {"MetricName": protocol, "Timestamp": Time(MINUTE),
             "Value": 1.0}]}
        for _ in range(3):
            caller.call("PutMetricData", protocol, value,
                        {"amz-sdk-invocation-id": "one-" + protocol})
        caller.call("PutMetricData", protocol, value,
                    {"amz-sdk-invocation-id": "two-" + protocol})
        once(caller, protocol)


def once(caller, protocol):
    got = None
    for _ in range(30):
        got = statistics("json-1.0", ask(caller, "json-1.0", "Test/retry",
                                         protocol,
                                         Statistics=["SampleCount"]))
        if got and got[0]["SampleCount"] >= 2:
            break
        time.sleep(0.1)
    ok(got and got[0]["SampleCount"] == 2,
       f"two calls and two retries are two data by {protocol}", got)


def by_get(caller):
    answer = caller.client.send(None, "monitoring", "GET", "/", [
        ("Action", "ListMetrics"), ("Version", "2010-08-01"),
        ("Namespace", namespace("query"))])
    ok(answer.status == 200 and b"<MetricName>Set<" in answer.body,
       "ListMetrics by GET", answer.text())


def main():
    caller = Caller(sys.argv[2], sys.argv[3])
    if sys.argv[1] == "run":
        for protocol in PROTOCOLS:
            answer = caller.call("PutMetricData", protocol, {
                "Namespace": namespace(protocol), "MetricData": data(MINUTE)})
            ok(answer.status == 200 and (
                protocol == "query" or answer.body == b""),
               f"PutMetricData by {protocol}", answer.text())
        zipped(caller)
    read_back(caller)
    percentiles(caller)
    lists(caller)
    if sys.argv[1] == "run":
        refusals(caller)
    retries(caller)
    by_get(caller)
    print(f"1..{count}")


main()
