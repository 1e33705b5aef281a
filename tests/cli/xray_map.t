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
s = {(x["Name"], x.get("Type", "")): x for x in d["Services"]}
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

is "$(of '[[h["Value"], h["Count"]] for h in client["Edges"][0]["ResponseTimeHistogram"]]')" \
	"[[0.003, 1], [0.07, 1], [0.1, 2]]" "and its histogram"
is "$(of '[server["DurationHistogram"], client.get("SummaryStatistics"), client["Edges"][0]["Aliases"], client["Edges"][0].get("EdgeType")] == [server["ResponseTimeHistogram"], None, [], None]')" \
	True "durations are response times where nothing works on"
is "$(of "server['StartTime'][:10] <= server['EndTime'][:10]")" True "and times"

# --- messages ---------------------------------------------------------------------
# A function that got two of them from a queue, in another trace than that of
# their sender, whom it names by links.
python3 - "$hex" "$minute" >"$TMP/documents" <<'END'
import json, sys
start = int(sys.argv[2]) + 10
arn = "arn:aws:sqs:us-east-1:123456789012:jobs"
print(json.dumps({"TraceSegmentDocuments": [json.dumps({
    "trace_id": f"1-{sys.argv[1]}-{99:024x}", "id": f"{99:016x}",
    "name": "worker", "origin": "AWS::Lambda::Function",
    "start_time": start, "end_time": start + 1,
    "subsegments": [{"id": f"{100:016x}", "name": "later",
                     "start_time": start, "end_time": start + 2.5}],
    "links": [{"trace_id": f"1-{sys.argv[1]}-{7:024x}", "id": f"{7:016x}",
               "attributes": {"event_source_arn": arn, "SentTimestamp":
                              str((start - age) * 1000)}} for age in (2, 5)]})]}))
END
check "a segment with links" aws xray put-trace-segments \
	--cli-input-json "file://$TMP/documents"
worker="1-$hex-$(printf '%024x' 99)"
wait_for "aws xray get-trace-graph --trace-ids $worker >'$TMP/graph' && grep -q worker '$TMP/graph'" 10
is "$(of '[[e["EdgeType"], e["SummaryStatistics"]["OkCount"], [[h["Value"], h["Count"]] for h in e["ReceivedEventAgeHistogram"]], "ResponseTimeHistogram" in e] for e in s["jobs", "AWS::SQS::Queue"]["Edges"]]')" \
	"[['link', 2, [[2, 1], [5, 1]], False]]" "is an edge of its own kind, with ages"
is "$(of '[s["worker", "AWS::Lambda::Function"][k][0]["Value"] for k in ("ResponseTimeHistogram", "DurationHistogram")]')" \
	"[1, 2.5]" "a duration goes on when the response has left"
is "$(of 'sorted(n for n, t in s)')" "['jobs', 'worker', 'worker']" \
	"the map of a trace has no other's"

# --- time series --------------------------------------------------------------------
series() {
	aws xray get-time-series-service-statistics --start-time "$minute" \
		--end-time $((minute + 120)) "$@" >"$TMP/series" &&
		python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))["TimeSeriesServiceStatistics"]
print(eval(sys.argv[2]))' "$TMP/series" "$SHOW"
}
SHOW='[[p["EdgeSummaryStatistics"]["TotalCount"], sum(h["Count"] for h in p["ResponseTimeHistogram"]), "ServiceSummaryStatistics" in p] for p in d]'
is "$(series)" "[[5, 5, False], [0, 0, False]]" \
	"without a selector: the requests, minute by minute"
SHOW='[[p["ServiceSummaryStatistics"]["OkCount"], p["ServiceSummaryStatistics"]["ErrorStatistics"]["OtherCount"], "EdgeSummaryStatistics" in p] for p in d]'
is "$(series --entity-selector-expression 'service("scorekeep")')" \
	"[[3, 1, False], [0, 0, False]]" "a service's own"
is "$(series --entity-selector-expression 'id(name: "games", type: "AWS::DynamoDB::Table")')" \
	"[[3, 0, False], [0, 0, False]]" "by its id"
SHOW='[sum(p["ServiceSummaryStatistics"]["TotalCount"] for p in d), set(p["Timestamp"][14:19] for p in d) <= set(f"{m:02}:00" for m in range(0, 60, 5))]'
is "$(series --entity-selector-expression 'service("scorekeep")' --period 300)" \
	"[4, True]" "by five minutes"
SHOW='[p["EdgeSummaryStatistics"]["TotalCount"] for p in d]'
is "$(series --entity-selector-expression 'edge("scorekeep", id(type: "AWS::DynamoDB::Table"))')" \
	"[3, 0]" "an edge's"
SHOW='[p["ServiceForecastStatistics"] for p in d]'
is "$(series --entity-selector-expression 'id(name: "scorekeep")' --forecast-statistics)" \
	"[{'FaultCountHigh': 0, 'FaultCountLow': 0}, {'FaultCountHigh': 0, 'FaultCountLow': 0}]" \
	"with a forecast of faults"

# --- groups --------------------------------------------------------------------------
check "a group" aws xray create-group --group-name failing \
	--filter-expression 'error OR fault'
graph --group-name failing >"$TMP/graph"
is "$(of '[server["SummaryStatistics"]["TotalCount"], server["SummaryStatistics"]["ErrorStatistics"]["OtherCount"], len(s)]')" \
	"[1, 1, 2]" "has the map of its traces"
SHOW='[p["EdgeSummaryStatistics"]["TotalCount"] for p in d]'
is "$(series --group-name failing)" "[1, 0]" "and their series"

# --- the native API ----------------------------------------------------------------------
one=$(curl -sf "$HTTP/api/v1/traces/$worker")
is "$(json "$one" '[[s["name"], s["self"], s["critical"], s["on_critical_path"]] for s in d["spans"]]')" \
	"[['worker', 0, 0, True], ['later', 2.5, 1, True]]" \
	"a trace has its self times and its critical path"
one=$(curl -sf "$HTTP/api/v1/distribution?start=$minute&filter=service(%22scorekeep%22)")
is "$(json "$one" '[d["traces"]["traces"], d["traces"]["p50"], d["traces"]["response_times"]]')" \
	"[4, 0.07, [[0.003, 1], [0.07, 1], [0.1, 2]]]" "the distribution of a set"
one=$(curl -sf "$HTTP/api/v1/map?start=$minute&end=$((minute + 60))")
is "$(json "$one" '[[e["total"], e["p99"]] for e in d["edges"] if e["link"]]')" \
	"[[2, 5]]" "the map has links too"

# --- pages ----------------------------------------------------------------------------
python3 - "$hex" "$minute" "$TMP" <<'END'
import json, sys
start = int(sys.argv[2])
for part in range(9):
    documents = [json.dumps({
        "trace_id": f"1-{sys.argv[1]}-{1000:024x}", "id": f"{1000 + i:016x}",
        "parent_id": f"{999 + i:016x}" if i else f"{1:016x}",
        "name": f"service-{i:03}", "start_time": start, "end_time": start + 1})
        for i in range(part * 50, part * 50 + 50)]
    with open(f"{sys.argv[3]}/part{part}", "w") as f:
        json.dump({"TraceSegmentDocuments": documents}, f)
END
for part in 0 1 2 3 4 5 6 7 8; do
	curl -sf "$HTTP/TraceSegments" -H 'Content-Type: application/json' \
		-d "@$TMP/part$part" >"$TMP/answer" || not_ok "part $part"
done
wait_for "graph >'$TMP/graph' && grep -q service-449 '$TMP/graph'" 10
is "$(of '[len([n for n, t in s if n.startswith("service-")]), sum(len(x["Edges"]) for x in d["Services"]), len(set(x["ReferenceId"] for x in d["Services"])) == len(d["Services"]), all(e["ReferenceId"] in set(x["ReferenceId"] for x in d["Services"]) for x in d["Services"] for e in x["Edges"])]')" \
	"[450, 453, True, True]" "a map of three pages is put together by the CLI"
one=$(graph --no-paginate)
is "$(json "$one" 'len(d["Services"])')" 200 "a page has 200 services"
token=$(json "$one" 'd["NextToken"]')
cp "$TMP/graph" "$TMP/before"
if demo/modules tests/cli/sdk 2>"$TMP/npm"; then
	is "$(node tests/cli/sdk/map.js "$HTTP" "$minute" 2>&1)" \
		"3 pages 456 services 453 edges; InvalidRequestException" \
		"the SDK for JavaScript walks the pages; another's token is refused"
else
	skip "the SDK for JavaScript walks the pages" "no npm registry"
fi

# --- restart ---------------------------------------------------------------------------
stop_collector
start_collector
wait_for "graph >'$TMP/graph' && cmp -s '$TMP/graph' '$TMP/before'" 10
check "after a restart the map is the same" cmp "$TMP/graph" "$TMP/before"

# --- what is refused --------------------------------------------------------------------
# refused NAME REGEX COMMAND...
refused() {
	_name=$1
	_regex=$2
	shift 2
	if timeout 60 /usr/bin/aws --endpoint-url "$HTTP" --no-sign-request xray \
		"$@" >"$TMP/answer" 2>"$TMP/err"; then
		not_ok "$_name is refused"
	else
		has "$TMP/err" "InvalidRequestException.*$_regex" "$_name is refused"
	fi
}
refused "a window of over 6 hours" "6 hours" \
	get-service-graph --start-time 1000 --end-time 30000
refused "an end before the start" "EndTime must be after" \
	get-service-graph --start-time 1000 --end-time 1000
refused "a group that is not there" "Group not found" \
	get-service-graph --start-time 1000 --end-time 2000 --group-name nobody
refused "an id that is none" "no trace id" get-trace-graph --trace-ids x
refused "a token of another question" "NextToken" get-service-graph \
	--no-paginate --start-time 1000 --end-time 2000 --next-token "$token"
refused "a token that nobody gave out" "NextToken" batch-get-traces \
	--no-paginate --trace-ids 1-00000001-000000000000000000000001 \
	--next-token none
refused "a period of 61 seconds" "60 or 300" get-time-series-service-statistics \
	--start-time 1000 --end-time 2000 --period 61
refused "a selector with a keyword" "EntitySelectorExpression.*alone" \
	get-time-series-service-statistics --start-time 1000 --end-time 2000 \
	--entity-selector-expression 'service("a") AND fault'
refused "a block in a selector" "no block" get-time-series-service-statistics \
	--start-time 1000 --end-time 2000 \
	--entity-selector-expression 'service("a") { fault }'
refused "a forecast without one id" "id\(\) of one" \
	get-time-series-service-statistics --start-time 1000 --end-time 2000 \
	--entity-selector-expression 'service()' --forecast-statistics
stop_collector
plan $TAP_N
