#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Groups' metrics and insights: what a quarter of an hour of traces comes to
# after a start, which looks at it again: exactly once, whoever is killed.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh

post() { curl -s -d "$2" "$HTTP/$1"; } # PATH BODY
group() {
	post CreateGroup "{\"GroupName\":\"$1\",\"FilterExpression\":\"service(\\\"$2\\\")\",
		\"InsightsConfiguration\":{\"InsightsEnabled\":$3}}" >"$TMP/group-$1"
}
summaries() {
	post InsightSummaries "{\"GroupName\":\"$1\",\"StartTime\":$((last - 86400)),
		\"EndTime\":$((last + 86400))}"
}
# of FIELD...: of the one insight of a group
of() { json "$(summaries "$1")" "[i$2 for i in d['InsightSummaries']]"; }
# metric NAME GROUP: how many minutes have it, and its sum
metric() {
	curl -s "$HTTP/api/v1/metrics/data?namespace=AWS/XRay&name=$1&dim.GroupName=$2&start=$((last - 3600))&end=$((last + 3600))" |
		python3 -c 'import json,sys
p = json.load(sys.stdin)["points"]
print(len(p), sum(x["sum"] for x in p), sum(x["count"] for x in p))'
}

start_collector
group shop front true
group old legacy true
group quiet front false
last=$(python3 tests/cli/insights.py "$HTTP")
like "$last" '^[0-9]+$' "traces of a quarter of an hour"
kill -9 "$PID"
wait "$PID" 2>/dev/null
start_collector
# Until the last minute is judged: four bad ones of the shop's.
wait_for 'summaries shop | grep -q "\"TotalCount\":80" && summaries old | grep -q CLOSED' 30

is "$(metric ApproximateTraceCount shop)" "14 280 14" \
	"a group's traces by the minute"
is "$(metric ApproximateFaultCount shop)" "14 40 14" "and its faults"
is "$(metric ApproximateTraceCount quiet)" "14 280 14" \
	"of a group without insights too"
is "$(metric ApproximateTraceCount Default)" "0 0 0" "not of Default, which has none"

is "$(of shop '["State"]') $(of shop '["StartTime"]')" "['ACTIVE'] [$((last - 180))]" \
	"an incident began with the first bad minute"
is "$(of shop '["ClientRequestImpactStatistics"]')" \
	"[{'FaultCount': 40, 'OkCount': 40, 'TotalCount': 80}]" "80 traces, half of them faults"
is "$(of shop '["RootCauseServiceId"]["Name"]')" "['db']" "they came from db"
is "$(of shop '["RootCauseServiceRequestImpactStatistics"]["FaultCount"]')" "[40]" \
	"which failed as often"
is "$(of old '["State"]') $(of old '["StartTime"]') $(of old '["EndTime"]')" \
	"['CLOSED'] [$((last - 480))] [$((last - 300))]" "one that ended with the last bad minute"
is "$(of quiet '')" "[]" "none of a group without insights"

id=$(json "$(summaries shop)" 'd["InsightSummaries"][0]["InsightId"]')
like "$id" '^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$' "its id"
is "$(json "$(post Insight "{\"InsightId\":\"$id\"}")" \
	'(d["Insight"]["GroupName"], d["Insight"]["Categories"], "LastUpdateTime" in d["Insight"])')" \
	"('shop', ['FAULT'], False)" "GetInsight"
old=$(json "$(summaries old)" 'd["InsightSummaries"][0]["InsightId"]')
events=$(post InsightEvents "{\"InsightId\":\"$old\"}")
is "$(json "$events" '[e["Summary"][:12] for e in d["InsightEvents"]]')" \
	"['Faults are a', 'Faults began']" "GetInsightEvents, newest first"
page=$(post InsightEvents "{\"InsightId\":\"$old\",\"MaxResults\":1}")
token=$(json "$page" 'd["NextToken"]')
is "$(json "$(post InsightEvents "{\"InsightId\":\"$old\",\"MaxResults\":1,\"NextToken\":\"$token\"}")" \
	'[e["Summary"][:12] for e in d["InsightEvents"]], "NextToken" in d')" \
	"['Faults began'] False" "page by page"
graph=$(post InsightImpactGraph "{\"InsightId\":\"$id\",\"StartTime\":$((last - 180)),\"EndTime\":$((last + 60))}")
is "$(json "$graph" 'sorted(s["Name"] for s in d["Services"] if s.get("Type") != "client")')" \
	"['db', 'front', 'legacy']" "GetInsightImpactGraph: who leads to db"
is "$(json "$(post Insight '{"InsightId":"00000000-0000-4000-8000-000000000000"}')" \
	'd["__type"], d["message"]')" "InvalidRequestException Insight not found" \
	"an insight that is not there"
is "$(json "$(post InsightSummaries "{\"StartTime\":1,\"EndTime\":2}")" 'd["__type"]')" \
	InvalidRequestException "summaries of no group"

# --- once more --------------------------------------------------------------------
before="$(metric ApproximateTraceCount shop) $(of shop '["ClientRequestImpactStatistics"]') $(of old '')"
kill -9 "$PID"
wait "$PID" 2>/dev/null
start_collector
group extra db false
sleep 2
is "$(metric ApproximateTraceCount shop) $(of shop '["ClientRequestImpactStatistics"]') $(of old '')" \
	"$before" "a start counts nothing twice"
is "$(json "$(post DeleteGroup '{"GroupName":"shop"}')" 'd')" "{}" "the group is deleted"
stop_collector
is "$STATUS" 0 "the collector ends cleanly"
plan "$TAP_N"
