#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Debian's AWS CLI and the X-Ray SDK for Node.js, both as they are: what the
# SDK sends by UDP comes back through batch-get-traces, and what goes in by
# put-trace-segments too; a bad document does not take the good ones along.
. "$(dirname "$0")/tap.sh"

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

collector_start "$work/data"
ok "the SDK sends a segment" sh -c "AWS_XRAY_DAEMON_ADDRESS=$xray \
	AWS_XRAY_CONTEXT_MISSING=IGNORE_ERROR \
	node tests/cli/send_segment.js >'$work/sent'"
trace=$(head -n 1 "$work/sent")
tail -n +2 "$work/sent" >"$work/wanted"
ok "batch-get-traces finds its trace" get_traces "$work/got" "$trace"
ok "as it was sent" same "$work/wanted" "$work/got"
is "under its id" "$(python3 -c 'import json,sys
t = json.load(open(sys.argv[1]))["Traces"]
print(len(t), t[0]["Id"])' "$work/got")" "1 $trace"

# --- by HTTP ------------------------------------------------------------------
now=$(date +%s)
hex=$(printf '%08x' "$now")
one="1-$hex-000000000000000000000001"
document() { # ID TRACE
	printf '{"name":"by hand","id":"%s","trace_id":"%s","start_time":%s.25,"end_time":%s.5,"annotations":{"n":1.50}}\n' \
		"$1" "$2" "$now" "$now"
}
document 0000000000000001 "$one" >"$work/wanted"
ok "put-trace-segments" sh -c '"$@" >"$0"' "$work/put" timeout 60 /usr/bin/aws \
	--endpoint-url "$TALLY_ENDPOINT" --no-sign-request --output json xray \
	put-trace-segments --trace-segment-documents "$(cat "$work/wanted")"
is "nothing is unprocessed" \
	"$(python3 -c 'import json,sys
print(json.load(open(sys.argv[1])).get("UnprocessedTraceSegments"))' \
	"$work/put")" "[]"
ok "it is there" get_traces "$work/got" "$one"
ok "as it was put" same "$work/wanted" "$work/got"

two="1-$hex-000000000000000000000002"
document 0000000000000002 "$two" >"$work/wanted"
document 0000000000000003 "$two" >>"$work/wanted"
aws xray put-trace-segments --trace-segment-documents \
	"$(sed -n 1p "$work/wanted")" \
	'{"name":"no times","id":"00000000000000bd","trace_id":"'"$two"'"}' \
	'{"not json' \
	"$(sed -n 2p "$work/wanted")" >"$work/put"
is "the bad ones are listed" \
	"$(python3 -c 'import json,sys
for u in json.load(open(sys.argv[1]))["UnprocessedTraceSegments"]:
    print(u.get("Id"), bool(u.get("ErrorCode")), bool(u.get("Message")))' \
	"$work/put")" "00000000000000bd True True
None True True"
ok "the good ones are there" get_traces "$work/got" "$two"
ok "as they were put, and no other" same "$work/wanted" "$work/got"

aws xray batch-get-traces --trace-ids \
	"1-$hex-00000000000000000000ffff" >"$work/got"
is "an unknown trace is listed" "$(python3 -c 'import json,sys
a = json.load(open(sys.argv[1]))
print(a["Traces"], a["UnprocessedTraceIds"])' "$work/got")" \
	"[] ['1-$hex-00000000000000000000ffff']"

collector_stop
collector_start "$work/data"
ok "after a restart it is still there" get_traces "$work/got" "$trace"
tail -n +2 "$work/sent" >"$work/wanted"
ok "as it was sent, still" same "$work/wanted" "$work/got"
plan
