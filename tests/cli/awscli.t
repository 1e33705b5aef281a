#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Debian's AWS CLI and the X-Ray SDK for Node.js, both as they are: what the
# SDK sends by UDP comes back through batch-get-traces, and what goes in by
# put-trace-segments too; a bad document does not take the good ones along.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh

demo/modules || { echo "Bail out! npm ci failed"; exit 1; }
export AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
aws() {
	timeout 60 /usr/bin/aws --endpoint-url "$TALLY_ENDPOINT" \
		--no-sign-request --output json --no-cli-pager "$@"
}
# same WANTED GOT: JSON equality of the documents in both, by id. WANTED: a
# document a line; GOT: BatchGetTraces' answer.
same() {
	python3 - "$1" "$2" <<'END'
import json, sys
wanted = [json.loads(line) for line in open(sys.argv[1])]
got = [json.loads(s["Document"]) for t in json.load(open(sys.argv[2]))["Traces"]
       for s in t["Segments"]]
by_id = lambda documents: sorted(documents, key=lambda d: d["id"])
if by_id(wanted) != by_id(got):
    print("wanted", json.dumps(by_id(wanted), indent=1))
    print("got", json.dumps(by_id(got), indent=1))
    sys.exit(1)
END
}
# get_traces FILE ID...: until the collector knows them all, at most ten times.
get_traces() {
	file=$1
	shift
	for try in 1 2 3 4 5 6 7 8 9 10; do
		aws xray batch-get-traces --trace-ids "$@" >"$file" || return 1
		grep -q '"Document"' "$file" && return 0
		sleep 0.2
	done
	return 1
}

start_collector
check "the SDK sends a segment" sh -c "AWS_XRAY_DAEMON_ADDRESS=$XRAY \
	AWS_XRAY_CONTEXT_MISSING=IGNORE_ERROR \
	node tests/cli/send_segment.js >'$TMP/sent'"
trace=$(head -n 1 "$TMP/sent")
tail -n +2 "$TMP/sent" >"$TMP/wanted"
check "batch-get-traces finds its trace" get_traces "$TMP/got" "$trace"
check "as it was sent" same "$TMP/wanted" "$TMP/got"
is "$(python3 -c 'import json,sys
t = json.load(open(sys.argv[1]))["Traces"]
print(len(t), t[0]["Id"])' "$TMP/got")" "1 $trace" "under its id"

# --- by HTTP ------------------------------------------------------------------
now=$(date +%s)
hex=$(printf '%08x' "$now")
one="1-$hex-000000000000000000000001"
document() { # ID TRACE
	printf '{"name":"by hand","id":"%s","trace_id":"%s","start_time":%s.25,"end_time":%s.5,"annotations":{"n":1.50}}\n' \
		"$1" "$2" "$now" "$now"
}
document 0000000000000001 "$one" >"$TMP/wanted"
check "put-trace-segments" sh -c '"$@" >"$0"' "$TMP/put" timeout 60 /usr/bin/aws \
	--endpoint-url "$TALLY_ENDPOINT" --no-sign-request --output json xray \
	put-trace-segments --trace-segment-documents "$(cat "$TMP/wanted")"
is "$(python3 -c 'import json,sys
print(json.load(open(sys.argv[1])).get("UnprocessedTraceSegments"))' \
	"$TMP/put")" "[]" "nothing is unprocessed"
check "it is there" get_traces "$TMP/got" "$one"
check "as it was put" same "$TMP/wanted" "$TMP/got"

two="1-$hex-000000000000000000000002"
document 0000000000000002 "$two" >"$TMP/wanted"
document 0000000000000003 "$two" >>"$TMP/wanted"
aws xray put-trace-segments --trace-segment-documents \
	"$(sed -n 1p "$TMP/wanted")" \
	'{"name":"no times","id":"00000000000000bd","trace_id":"'"$two"'"}' \
	'{"not json' \
	"$(sed -n 2p "$TMP/wanted")" >"$TMP/put"
is "$(python3 -c 'import json,sys
for u in json.load(open(sys.argv[1]))["UnprocessedTraceSegments"]:
    print(u.get("Id"), bool(u.get("ErrorCode")), bool(u.get("Message")))' \
	"$TMP/put")" "00000000000000bd True True
None True True" "the bad ones are listed"
check "the good ones are there" get_traces "$TMP/got" "$two"
check "as they were put, and no other" same "$TMP/wanted" "$TMP/got"

aws xray batch-get-traces --trace-ids \
	"1-$hex-00000000000000000000ffff" >"$TMP/got"
is "$(python3 -c 'import json,sys
a = json.load(open(sys.argv[1]))
print(a["Traces"], a["UnprocessedTraceIds"])' "$TMP/got")" \
	"[] ['1-$hex-00000000000000000000ffff']" "an unknown trace is listed"

stop_collector
is "$STATUS" 0 "the collector ends cleanly"
start_collector
check "after a restart it is still there" get_traces "$TMP/got" "$trace"
tail -n +2 "$TMP/sent" >"$TMP/wanted"
check "as it was sent, still" same "$TMP/wanted" "$TMP/got"
plan "$TAP_N"
