#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tally-trace compare and export against a collector: 400 requests of which
# every fourth is slow, for a reason.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh
unset NO_COLOR COLUMNS
export LC_ALL=C.UTF-8

start_collector
python3 - "$HTTP" <<'END' || exit 1
import json, sys, time, urllib.request
start = int(time.time()) - 200
documents = []
for i in range(400):
    slow = i % 4 == 0
    t, took = start + i / 4, 0.9 if slow else 0.1
    segment = {
        "trace_id": "1-%08x-%024x" % (start, i + 1), "id": "%016x" % (4 * i + 1),
        "name": "shop", "start_time": t, "end_time": t + took,
        "user": "ali" if i // 8 % 2 else "bea",
        "annotations": {"tenant": "acme" if slow or i % 3 == 0 else "zoo", "order": i},
        "http": {"response": {"status": 500 if i % 8 == 0 else 200}},
        "subsegments": [{"id": "%016x" % (4 * i + 2), "namespace": "remote",
                         "name": "stock" if slow else "cache", "start_time": t + 0.01,
                         "end_time": t + took - 0.01 - (0 if slow else 0.07)}]}
    if i % 8 == 0:
        segment.update(fault=True, cause={"exceptions": [
            {"id": "%016x" % (4 * i + 3), "type": "TimeoutError", "message": "late"}]})
    documents.append(json.dumps(segment))
for k in range(0, 400, 50):
    urllib.request.urlopen(urllib.request.Request(
        sys.argv[1] + "/TraceSegments", json.dumps(
            {"TraceSegmentDocuments": documents[k:k + 50]}).encode(),
        {"Content-Type": "application/json"})).read()
END
compare() { "$BIN/tally-trace" compare "$@" >"$TMP/out" 2>"$TMP/err"; }
all_there() {
	compare 'responsetime > 0.5' 'responsetime <= 0.5' &&
		grep -qE '^B +300 ' "$TMP/out"
}
check "slow requests and fast ones" wait_for all_there 10
has "$TMP/out" '^A +100 +900ms +900ms +900ms  responsetime > 0.5$' "how many, and how slow"
has "$TMP/out" '^ *100 % +0 % +service +stock$' "the service that slow ones go through"
has "$TMP/out" '^ *100 % +33 % +annotation +tenant +acme$' "who waits for it"
has "$TMP/out" '^ *50 % +0 % +exception +TimeoutError$' "what some of them end with"
is "$(grep -cE 'order|user|root|service +shop' "$TMP/out")" 0 "and nothing that tells nothing"
has "$TMP/out" '^ *880ms +0 +\+880ms  stock$' "on whose account the critical path is longer"
compare 'fault' 'fault'
has "$TMP/out" '^Nothing that is known' "a set and itself"
compare 'user = "nobody"' 'ok'
has "$TMP/out" '^A +0 +0 +0 +0 ' "a set of none"
has "$TMP/out" '^Nothing to compare: A selects no request' "is told as such"
compare 'fault' 'ok {'
is $? 1 "a bad expression"
has "$TMP/err" 'b: .*at character 4' "says which, and where"
is "$("$BIN/tally-trace" --json compare fault ok | python3 -c '
import json, sys
d = json.load(sys.stdin)
print(d["a"]["traces"], d["b"]["traces"], sorted({p["kind"] for p in d["properties"]}))')" \
	"50 350 ['annotation', 'exception', 'failed', 'http_status', 'service', 'status']" "as JSON"

# --- export --------------------------------------------------------------------------
id=$("$BIN/tally-trace" --json list -n 1 | python3 -c '
import json, sys
print(json.load(sys.stdin)["traces"][0]["id"])')
slow=$("$BIN/tally-trace" --json search fault -n 1 | python3 -c '
import json, sys
print(json.load(sys.stdin)["traces"][0]["id"])')
"$BIN/tally-trace" export "$id" >"$TMP/out"
is "$(json "$(cat "$TMP/out")" "d['trace_id'] == '$id', d['subsegments'][0]['name']")" \
	"True cache" "X-Ray's documents come out as they went in"
# As spans, and those into another collector: the same segments.
"$BIN/tally-trace" export --otlp "$slow" >"$TMP/otlp"
is "$(json "$(cat "$TMP/otlp")" "[(s['name'], s['kind'], s['status'].get('code', 0))
	for r in d['resourceSpans'] for p in r['scopeSpans'] for s in p['spans']]")" \
	"[('shop', 2, 2), ('stock', 3, 0)]" "--otlp: spans"
"$BIN/tally-trace" export 1-00000000-000000000000000000000000 2>"$TMP/err"
is $? 1 "nothing is known"
has "$TMP/err" 'tally-trace: ' "and it says so"
"$BIN/tally-trace" export "$slow" >"$TMP/first"
stop_collector
is "$STATUS" 0 "the collector stops cleanly"

DATA=$TMP/other
start_collector
is "$(curl -s -o "$TMP/answer" -w '%{http_code}' -H 'Content-Type: application/json' \
	--data-binary @"$TMP/otlp" "$HTTP/v1/traces")" 200 "another collector takes them"
again() { "$BIN/tally-trace" export "$slow" >"$TMP/second"; }
check "and has them" wait_for again 10
facts() {
	python3 - "$1" <<'END'
import json, sys
rows = []
def walk(s, parent):
    rows.append((s["name"], s["id"], s.get("parent_id", parent), s.get("namespace"),
                 round(float(s["start_time"]), 6), round(float(s["end_time"]), 6), s.get("fault", False),
                 s.get("http", {}).get("response", {}).get("status"), s.get("user"),
                 {k: v for k, v in s.get("annotations", {}).items()
                  if k in ("tenant", "order")},
                 [(e["type"], e["message"]) for e in s.get("cause", {}).get("exceptions", [])]))
    for sub in s.get("subsegments", []):
        walk(sub, s["id"])
for line in open(sys.argv[1]):
    walk(json.loads(line), None)
print(sorted(rows, key=lambda row: row[1]))
END
}
is "$(facts "$TMP/second")" "$(facts "$TMP/first")" "which are the same segments"
"$BIN/tally-trace" export --otlp "$slow" >"$TMP/otlp2"
is "$(json "$(cat "$TMP/otlp2")" "sorted((s['name'], s['kind'], s['status'].get('code', 0))
	for r in d['resourceSpans'] for p in r['scopeSpans'] for s in p['spans'])")" \
	"[('shop', 2, 2), ('stock', 3, 0)]" "and come out as the spans that they were"
stop_collector
plan "$TAP_N"
