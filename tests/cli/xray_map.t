#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# X-Ray's questions about the service map, asked by Debian's AWS CLI: services,
# edges, statistics, and what is refused. TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh

export AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
aws() {
	timeout 60 /usr/bin/aws --endpoint-url "$TALLY_ENDPOINT" \
		--no-sign-request --output json --no-cli-pager "$@"
}

start_collector
minute=$(($(date +%s) / 60 * 60 - 120))
hex=$(printf '%08x' "$minute")
# Four requests to one service, one of which failed: the manual's example.
python3 - "$hex" "$minute" >"$TMP/documents" <<'END'
import json, sys
start = int(sys.argv[2])
documents = []
for i, (took, status) in enumerate(((.1, 200), (.1, 200), (.07, 200), (.003, 404))):
    documents.append(json.dumps({
        "trace_id": f"1-{sys.argv[1]}-{i:024x}", "id": f"{i + 1:016x}",
        "name": "scorekeep", "origin": "AWS::EC2::Instance",
        "start_time": start + i, "end_time": start + i + took,
        "http": {"response": {"status": status}},
        "subsegments": [{
            "id": f"{i + 17:016x}", "name": "DynamoDB", "namespace": "aws",
            "start_time": start + i, "end_time": start + i + .001,
            "aws": {"table_name": "games"}}] if i < 3 else []}))
print(json.dumps({"TraceSegmentDocuments": documents}))
END
check "segments are sent" aws xray put-trace-segments \
	--cli-input-json "file://$TMP/documents"
graph() {
	aws xray get-service-graph --start-time "$minute" \
		--end-time $((minute + 60)) "$@"
}
wait_for "graph >'$TMP/graph' && grep -q games '$TMP/graph'" 10
# of EXPRESSION: over the services, s by (name, type)
of() {
	python3 - "$TMP/graph" "$1" <<'END'
import json, sys
d = json.load(open(sys.argv[1]))
s = {(x["Name"], x["Type"]): x for x in d["Services"]}
client = s.get(("scorekeep", "client"))
server = s.get(("scorekeep", "AWS::EC2::Instance"))
table = s.get(("games", "AWS::DynamoDB::Table"))
print(eval(sys.argv[2]))
END
}
is "$(of '[len(s), client["State"], server["State"], table["State"]]')" \
	"[3, 'unknown', 'active', 'unknown']" "client, service, and what it called"
is "$(of '[server["Root"], client.get("Root"), server["Names"], server["AccountId"]]')" \
	"[True, False, ['scorekeep'], '123456789012']" "names, root and account"
is "$(of 'client["Edges"][0]["SummaryStatistics"]')" \
	"{'OkCount': 3, 'ErrorStatistics': {'ThrottleCount': 0, 'OtherCount': 1, 'TotalCount': 1}, 'FaultStatistics': {'OtherCount': 0, 'TotalCount': 0}, 'TotalCount': 4, 'TotalResponseTime': 0.273}" \
	"the manual's example: an edge's statistics"
is "$(of 'client["Edges"][0]["ReferenceId"] == server["ReferenceId"] and server["Edges"][0]["ReferenceId"] == table["ReferenceId"]')" \
	True "edges lead to services"

check "a window of over 6 hours is refused" sh -c "
	! timeout 60 /usr/bin/aws --endpoint-url '$TALLY_ENDPOINT' --no-sign-request \
	xray get-service-graph --start-time 1000 --end-time 30000 2>'$TMP/err'"
has "$TMP/err" 'InvalidRequestException.*6 hours' "with X-Ray's error"
stop_collector
plan $TAP_N
