#!/usr/bin/env bash
# A retry of an SDK's call has no second effect: by amz-sdk-invocation-id, not
# by what the call says. Across a crash, too. TAP.
set -u
cd "$(dirname "$0")/../.."
. tests/cli/lib.sh
plan 10

now=$(date +%s)
document() { # ID
	printf '{\\"trace_id\\":\\"1-%08x-0123456789abcdef01234567\\",\\"id\\":\\"%s\\",\\"name\\":\\"front\\",\\"start_time\\":%s,\\"end_time\\":%s}' \
		"$now" "$1" "$now" "$now.5"
}
# put INVOCATION DOCUMENT: the answer and its status
put() {
	curl -s -w ' %{http_code}' ${1:+-H "amz-sdk-invocation-id: $1"} \
		-d "{\"TraceSegmentDocuments\":[\"$2\"]}" "$HTTP/TraceSegments"
}
stored() { curl -s "$HTTP/metrics" | sed -n 's/^tally_records_stored_total{kind="segment"} //p'; }
known() { curl -s "$HTTP/metrics" | sed -n 's/^tally_duplicates_total{kind="call"} //p'; }

start_collector
one=$(document 0123456789abcde1)
first=$(put call-1 "$one")
is "$first" '{"UnprocessedTraceSegments":[]} 200' "a call is taken"
is "$(put call-1 "$one")" "$first" "its retry gets the same answer"
is "$(stored) $(known)" "1 1" "and has no second effect"
put call-2 "$one" >/dev/null
is "$(stored) $(known)" "2 1" "the same bytes by another call are another call"
put "" "$one" >/dev/null
put "" "$one" >/dev/null
is "$(stored) $(known)" "4 1" "without an id nothing is taken for a retry"
put call-1 "$(document 0123456789abcde2)" >/dev/null
is "$(stored) $(known)" "5 1" "other bytes under a known id are not lost"
put "$(printf 'x%.0s' $(seq 65))" "$one" >/dev/null
is "$(stored) $(known)" "6 1" "an id over the limit is none"

kill -9 "$PID"
wait "$PID" 2>/dev/null
start_collector
is "$(put call-1 "$one")" "$first" "after a crash the retry gets the same answer"
is "$(stored) $(known)" "0 1" "and has no second effect"
id=1-$(printf %08x "$now")-0123456789abcdef01234567
is "$(curl -s "$HTTP/api/v1/traces/$id" | python3 -c 'import json,sys
print(len(json.load(sys.stdin)["segments"]))')" 2 "what came in an envelope is replayed"
