#!/usr/bin/env bash
# The collector as a program: start, answers, restart, refusals. TAP.
set -u
cd "$(dirname "$0")/../.."
. tests/cli/lib.sh
plan 34

start_collector
is "$(curl -s "$HTTP/healthz")" ok "healthz says ok"
like "$(curl -s "$HTTP/metrics")" 'tally_requests_total\{protocol="native"\} 0' \
	"/metrics counts by protocol"

# Without keys loopback is the fence; a web page in this machine's browser is
# behind it, and must not be able to use it.
status() { curl -s -o /dev/null -w '%{http_code}' "$@"; }
port=${HTTP##*:}
is "$(status -H 'Origin: http://example.com' -d '{}' "$HTTP/TraceSegments")" 403 \
	"a web page may not write"
is "$(status -H 'Origin: null' "$HTTP/api/v1/traces")" 403 "nor one without a name"
is "$(status -H "Host: rebound.example:$port" "$HTTP/api/v1/traces")" 403 \
	"nor read by a name that it points here"
is "$(status -H "Host: rebound.example:$port" "$HTTP/healthz")" 200 "health is for all"
for host in "localhost:$port" "[::1]:$port" 127.0.0.1; do
	is "$(status -H "Host: $host" "$HTTP/api/v1/traces")" 200 "as $host it is reached"
done

now=$(date +%s)
id=1-$(printf %08x "$now")-0123456789abcdef01234567
doc="{\\\"trace_id\\\":\\\"$id\\\",\\\"id\\\":\\\"0123456789abcdef\\\",\\\"name\\\":\\\"front\\\",\\\"start_time\\\":$now.25,\\\"end_time\\\":$now.75}"
bad='{\"id\":\"0123456789abcde0\"}'
put="{\"TraceSegmentDocuments\":[\"$doc\",\"$bad\",\"not json\"]}"
answer=$(curl -s -d "$put" "$HTTP/TraceSegments")
like "$answer" '"Id":"0123456789abcde0"' "a bad segment among good ones is named"
is "$(json "$answer" 'len(d["UnprocessedTraceSegments"])')" 2 "only the bad ones are"
wait_for "curl -sf $HTTP/api/v1/traces/$id >/dev/null" 1 &&
	ok "the good one is found within a second" || not_ok "the good one is found within a second"
trace=$(curl -s "$HTTP/api/v1/traces/$id")
is "$(json "$trace" 'd["segments"][0]["document"]["end_time"]')" "$now.75" \
	"its document comes back as it was"
before=$(curl -s -d "{\"TraceIds\":[\"$id\",\"1-00000000-000000000000000000000000\"]}" "$HTTP/Traces")
is "$(json "$before" 'd["UnprocessedTraceIds"]')" \
	"['1-00000000-000000000000000000000000']" "an unknown trace id is named"

is "$(curl -s -o /dev/null -w '%{http_code}' "$HTTP/nothing")" 404 "an unknown path is 404"
like "$(curl -s -d '{}' "$HTTP/NoSuchOperation")" UnknownOperation "an unknown operation gets AWS's form"
is "$(curl -s -o /dev/null -w '%{http_code}' -d '{' "$HTTP/TraceSegments")" 400 "broken JSON is 400"
is "$(curl -s -o /dev/null -w '%{http_code}' -d 'xx' "$HTTP/api/v1/batches")" 400 "a broken batch is 400"
for t in 2900-01-01T00:00:00Z 0001-01-01T00:00:00Z 2026-01-01T00:00:00.5e300Z -1; do
	is "$(curl -s -o /dev/null -w '%{http_code}' "$HTTP/api/v1/traces?start=$t")" 400 \
		"a time that no record can have is 400: $t"
done
head -c 9000000 /dev/zero >"$TMP/large"
is "$(curl -s -o /dev/null -w '%{http_code}' -H 'Expect:' --data-binary "@$TMP/large" "$HTTP/api/v1/batches")" \
	413 "a body over 8 MiB is 413"
is "$(curl -s -o /dev/null -w '%{http_code}' -H 'Expect: 100-continue' --data-binary "@$TMP/large" "$HTTP/api/v1/batches")" \
	413 "and so where the client asked first"
like "$(curl -s -d '{}' "http://$XRAY/GetSamplingRules")" '"RuleName":"Default"' \
	"sampling rules on the daemon's TCP port"
is "$(curl -s -o /dev/null -w '%{http_code}' "http://$XRAY/api/v1/status")" 404 \
	"and nothing else there"

# A second collector on the same folder, and other ways to be refused.
"$BIN/tally-collector" --data "$DATA" --http 127.0.0.1:0 --xray 127.0.0.1:0 --grpc off >/dev/null 2>"$TMP/err"
is "$?" 1 "a second collector on the folder ends with 1"
like "$(cat "$TMP/err")" 'another collector uses' "and says why"
"$BIN/tally-collector" --data "$TMP/x" --http 0.0.0.0:0 >/dev/null 2>"$TMP/err"
is "$?" 2 "an address that is not loopback ends with 2"
"$BIN/tally-collector" --data "$TMP/x" --account 12 >/dev/null 2>"$TMP/err"
is "$?" 2 "a bad account ends with 2"

kill -HUP "$PID"
is "$(curl -s "$HTTP/healthz")" ok "SIGHUP leaves it running"
stop_collector
is "$STATUS" 0 "SIGTERM ends it with 0"
start_collector
after=$(curl -s -d "{\"TraceIds\":[\"$id\",\"1-00000000-000000000000000000000000\"]}" "$HTTP/Traces")
is "$after" "$before" "started again it answers the same"
kill -9 "$PID"; wait "$PID" 2>/dev/null
start_collector
after=$(curl -s -d "{\"TraceIds\":[\"$id\",\"1-00000000-000000000000000000000000\"]}" "$HTTP/Traces")
is "$after" "$before" "and so after kill -9"
