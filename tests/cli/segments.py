#!/usr/bin/env python3
"""PutTraceSegments with what clients get wrong, and with what comes late, twice
or in pieces. TAP; the collector at HOST:PORT takes documents up to the second
argument's bytes, and is asked by BatchGetTraces.

  segments.py HOST:PORT BYTES_MAX plan|send|again FOLDER

`again`, after a restart, asks for the same once more.
"""
import http.client
import json
import os
import socket
import sys
import time

HOST, MOST, STEP = sys.argv[1], int(sys.argv[2]), sys.argv[3]
FOLDER = sys.argv[4]


def report(good, name, detail=None):
    print(("ok" if good else "not ok"), "-", name, flush=True)
    if not good:
        print("#", str(detail)[:300])


def call(path, body):
    c = http.client.HTTPConnection(HOST, timeout=30)
    c.request("POST", path, body, {"Content-Type": "application/json"})
    r = c.getresponse()
    text = r.read()
    c.close()
    return r.status, text


def put(documents):
    """Documents as text or bytes, within a body as clients write it."""
    parts = []
    for d in documents:
        if isinstance(d, bytes):
            d = d.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
            parts.append(b'"' + d + b'"')
        else:
            parts.append(json.dumps(d).encode())
    status, text = call("/TraceSegments", b'{"TraceSegmentDocuments":[' +
                        b",".join(parts) + b"]}")
    return status, json.loads(text)


def get(trace_id):
    _, text = call("/Traces", json.dumps({"TraceIds": [trace_id]}))
    traces = json.loads(text)["Traces"]
    return [json.loads(s["Document"]) for s in traces[0]["Segments"]] \
        if traces else []


def wait(trace_id, enough):
    """Its documents, once they are enough; within a second is promised."""
    end = time.monotonic() + 10
    while True:
        found = get(trace_id)
        if enough(found) or time.monotonic() > end:
            return found
        time.sleep(0.02)


now = time.time()
serial = 0


def trace_id(at=now):
    global serial
    serial += 1
    return "1-%08x-%024x" % (int(at), serial)


def segment(trace, **more):
    global serial
    serial += 1
    return {"trace_id": trace, "id": "%016x" % serial, "name": "svc",
            "start_time": now - 2, "end_time": now - 1, **more}


def deep(levels):
    d = {}
    for _ in range(levels):
        d = {"a": d}
    return d


def children(n):
    return [{"id": "%016x" % (1 << 32 | i), "name": "n", "start_time": now,
             "end_time": now} for i in range(n)]


def padded(size):
    d = segment(trace_id(), metadata={"default": {"x": ""}})
    d["metadata"]["default"]["x"] = "x" * (size - len(json.dumps(d)))
    return json.dumps(d)


def text(trace=None, **more):
    return json.dumps(segment(trace or trace_id(), **more))


def without(name):
    d = segment(trace_id())
    del d[name]
    return json.dumps(d)


thousands = segment(trace_id(), subsegments=children(10000))
for c in thousands["subsegments"]:
    c["end_time"] = c["start_time"] = int(now)
thousands = json.dumps(thousands, separators=(",", ":"))
# name, document, X-Ray's ErrorCode or None where it is kept
BAD = [
    ("empty", "", "ParseError"),
    ("no JSON", "{", "ParseError"),
    ("a list", "[]", "ParseError"),
    ("two values", text() + "{}", "ParseError"),
    ("a loose comma", text()[:-1] + ",}", "ParseError"),
    ("a control character", text(name="a\x01b").replace("\\u0001", "\x01"),
     "ParseError"),
    ("not UTF-8", text(user="USER").encode().replace(b"USER", b"\xff\xfe"),
     "ParseError"),
    ("a surrogate as UTF-8",
     text(user="USER").encode().replace(b"USER", b"\xed\xa0\x80"),
     "ParseError"),
    ("too deep", text(metadata=deep(70)), "ParseError"),
    ("deep enough", text(metadata=deep(40)), None),
    ("a subsegment with a number for its own", text(subsegments=[
        {"id": "%016x" % 7, "name": "n", "start_time": 1, "subsegments": 7}]),
     None),
    ("no id", without("id"), "MissingId"),
    ("a short id", text(id="abc"), "InvalidId"),
    ("an id with a letter", text(id="0123456789abcdeg"), "InvalidId"),
    ("a number as id", text(id=5), "InvalidId"),
    ("no trace id", without("trace_id"), "MissingTraceId"),
    ("a trace id of another form", text("2-00000000-" + 24 * "0"),
     "InvalidTraceId"),
    ("a trace id cut short", text("1-00000000-" + 23 * "0"), "InvalidTraceId"),
    ("a W3C trace id", text("%032x" % 77), None),
    ("no name", without("name"), "MissingName"),
    ("a long name", text(name="n" * 201), "InvalidName"),
    ("no start", without("start_time"), "MissingStartTime"),
    ("a start in words", text(start_time="now"), "InvalidStartTime"),
    ("a start before time", text(start_time=-5), "InvalidStartTime"),
    ("a start that no clock has", text(start_time=1e300), "InvalidStartTime"),
    ("no end", without("end_time"), "MissingEndTime"),
    ("a parent of another form", text(parent_id="x"), "InvalidParentId"),
    ("a subsegment alone without parent", text(type="subsegment"),
     "MissingParentId"),
    ("an odd type", text(type="whole"), "InvalidType"),
    ("a nested one without id", text(subsegments=[{"name": "n"}]),
     "InvalidSubsegment"),
    ("an end before the start", text(end_time=now - 60), None),
    ("a year ago", text(trace_id(now - 366 * 86400),
                        start_time=now - 366 * 86400,
                        end_time=now - 366 * 86400 + 1), None),
    ("in a hundred years", text(trace_id(2 ** 32 - 1), start_time=4.9e9,
                                end_time=4.9e9), None),
    ("in 1970", text(trace_id(0), start_time=0, end_time=0), None),
    ("its own parent", text(id="%016x" % 99, parent_id="%016x" % 99), None),
    ("odd kinds of what is optional", text(
        http=[], aws=7, cause={"exceptions": {}}, annotations="none",
        namespace=1, error="yes", subsegments={}), None),
    ("names twice", text()[:-1] + ',"name":7,"id":null}', None),
    ("X-Ray's most bytes", padded(65536), None),
    ("one more", padded(65537), "DocumentTooLarge" if MOST == 65536 else None),
    ("the most bytes", padded(MOST), None),
    ("one byte over them", padded(MOST + 1), "DocumentTooLarge"),
    ("10,000 subsegments", thousands,
     "DocumentTooLarge" if len(thousands) > MOST else None),
]


def same(sent, found):
    return any(f == sent for f in found)


def is_there(document):
    sent = json.loads(document)
    found = wait(sent["trace_id"], lambda f: same(sent, f))
    return same(sent, found), found


def pair(name, first, second, expected):
    """Two documents of one trace, in this order."""
    trace = first["trace_id"]
    put([json.dumps(first)])
    put([json.dumps(second)])
    found = wait(trace, lambda f: len(f) == len(expected) and
                 all(same(e, f) for e in expected))
    report(len(found) == len(expected) and
           all(same(e, found) for e in expected), name, found)
    return trace, expected


def send():
    kept = {}
    good = text()
    for name, document, code in BAD:
        before, behind = text(), text()
        status, answer = put([before, document, behind])
        errors = answer.get("UnprocessedTraceSegments", answer)
        report(status == 200 and [e["ErrorCode"] for e in errors] ==
               ([code] if code else []),
               f"{name}: {code or 'kept'}", (status, answer))
        neighbours = [is_there(before)[0], is_there(behind)[0]]
        there, found = (True, None) if code else is_there(document)
        report(all(neighbours) and there,
               f"{name}: the rest of the call" +
               ("" if code else ", and it,") + " is there", found)
        if not code:
            d = json.loads(document)
            kept.setdefault(d["trace_id"], []).append(d)
    status, answer = put([BAD[6][1], good])
    report("Id" not in answer["UnprocessedTraceSegments"][0] and
           is_there(good)[0], "what cannot be read has no id", answer)

    t = trace_id()
    a, b, c = (segment(t, id="%016x" % i) for i in (0xa, 0xb, 0xc))
    a["parent_id"], b["parent_id"], c["parent_id"] = c["id"], a["id"], b["id"]
    put([json.dumps(d) for d in (a, b, c)])
    found = wait(t, lambda f: len(f) == 3)
    report(len(found) == 3, "three that are each other's parents are kept",
           found)
    kept[t] = [a, b, c]

    t = trace_id()
    begun = segment(t, in_progress=True)
    del begun["end_time"]
    done = {**begun, "end_time": now}
    del done["in_progress"]
    for name, order in (("a segment replaces itself in progress",
                         (begun, done)),):
        t, all_of = pair(name, *order, [done])
        kept[t] = all_of
    t = trace_id()
    begun, done = {**begun, "trace_id": t}, {**done, "trace_id": t}
    t, all_of = pair("also when what was begun comes last", done, begun,
                     [done])
    kept[t] = all_of
    t = trace_id()
    one = segment(t)
    t, all_of = pair("the same document twice is one", one, one, [one])
    kept[t] = all_of
    t = trace_id()
    whole = segment(t)
    piece = segment(t, type="subsegment", parent_id=whole["id"])
    t, all_of = pair("a subsegment may come before its segment", piece, whole,
                     [piece, whole])
    kept[t] = all_of
    t = trace_id()
    call = segment(t, type="subsegment", parent_id="%016x" % 1,
                   in_progress=True)
    del call["end_time"]
    ended = {**call, "end_time": now, "in_progress": False}
    t, all_of = pair("a subsegment alone replaces itself in progress", call,
                     ended, [ended])
    kept[t] = all_of
    large = padded(65000)
    host, port = os.environ["XRAY"].rsplit(":", 1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendto(b'{"format":"json","version":1}\n' + large.encode(),
                 (host, int(port)))
    report(is_there(large)[0], "a datagram of 65,000 bytes is kept")
    with open(FOLDER + "/kept", "w", encoding="utf-8") as f:
        json.dump(kept, f)
    status, _ = call_body(b'{"TraceSegmentDocuments":["' + b'"]')
    report(status == 400, "a body that is cut off is 400", status)
    status, _ = call_body(b'{"TraceSegmentDocuments":[7]}')
    report(status == 400, "a number as document is 400", status)
    status, _ = call_body(json.dumps(
        {"TraceSegmentDocuments": ["{}"] * 1001}).encode())
    report(status == 400, "1,001 documents are 400", status)
    status, _ = call_body(b'{"TraceSegmentDocuments":[]}')
    report(status == 200, "none are fine", status)


def call_body(body):
    return call("/TraceSegments", body)


def view(trace_id):
    c = http.client.HTTPConnection(HOST, timeout=30)
    c.request("GET", "/api/v1/traces/" + trace_id)
    return c.getresponse().status


def graph(trace_id):
    return call("/TraceGraph", json.dumps({"TraceIds": [trace_id]}))[0]


def again():
    with open(FOLDER + "/kept", encoding="utf-8") as f:
        kept = json.load(f)
    wrong = {t: get(t) for t, all_of in kept.items()
             if len(get(t)) != len(all_of) or
             not all(same(d, get(t)) for d in all_of)}
    broken = {t: r for t in kept for r in [(view(t), graph(t))]
              if r != (200, 200)}
    report(not broken, "each can be shown and drawn", broken)
    report(not wrong, f"all {len(kept)} traces are as they were", wrong)


if STEP == "plan":
    print(2 * len(BAD) + 14)  # of both steps
elif STEP == "send":
    send()
else:
    again()
