#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Searching traces: GetTraceSummaries asked by Debian's AWS CLI and the SDK for
# JavaScript (sdk/summaries.js): every member, pages, sampling, what is refused,
# and the same answers after a restart; the native list with a filter. TAP.
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
start=$(($(date +%s) - 600))
# 600 traces a tenth of a second apart, and one with all there is to tell.
python3 - "$start" "$TMP" <<'END'
import json, sys
start, folder = int(sys.argv[1]), sys.argv[2]
def trace(i, s=start):
    return f"1-{s:08x}-{i:024x}"
calls = []
documents = []
for i in range(600):
    t = start + i // 10
    documents.append(json.dumps({
        "trace_id": trace(i, t), "id": f"{i + 1:016x}", "name": "web",
        "start_time": t + i % 10 / 10, "end_time": t + i % 10 / 10 + .05,
        "http": {"request": {"url": f"http://h/{i}", "method": "GET"},
                 "response": {"status": 404 if i % 100 == 0 else 200}},
        "annotations": {"number": i}}))
documents.append(json.dumps({
    "trace_id": trace(9999), "id": "00000000000000a1", "name": "shop",
    "origin": "AWS::EC2::Instance", "start_time": start + 100,
    "end_time": start + 102, "user": "alice", "resource_arn": "arn:aws:x:shop",
    "http": {"request": {"url": "http://h/buy", "method": "POST",
        "user_agent": "curl", "client_ip": "10.0.0.9"},
        "response": {"status": 500}},
    "aws": {"ec2": {"availability_zone": "eu-1a", "instance_id": "i-1"}},
    "annotations": {"order": "A7", "count": 3, "gift": True},
    "fault": True,
    "subsegments": [{"id": "00000000000000a2", "name": "DynamoDB",
        "namespace": "aws", "start_time": start + 100, "end_time": start + 101.5,
        "fault": True, "aws": {"table_name": "orders"},
        "cause": {"exceptions": [{"id": "00000000000000ee", "type": "Gone",
                                  "message": "no such table"}]}}]}))
documents.append(json.dumps({
    "trace_id": trace(9999), "id": "00000000000000a3", "name": "mail",
    "parent_id": "00000000000000a1", "start_time": start + 102,
    "end_time": start + 105, "user": "bob", "annotations": {"order": "A7"},
    "http": {"response": {"status": 429}}}))
for i in range(0, len(documents), 50):
    with open(f"{folder}/call-{i // 50:02}", "w") as f:
        json.dump({"TraceSegmentDocuments": documents[i:i + 50]}, f)
END
for call in "$TMP"/call-*; do
	curl -sS -X POST -H 'Content-Type: application/json' --data-binary "@$call" \
		"$HTTP/TraceSegments" >>"$TMP/sent"
done
summaries() {
	aws xray get-trace-summaries --start-time "$start" \
		--end-time $((start + 200)) "$@"
}
found() {
	summaries --filter-expression 'service("shop")' >"$TMP/one" &&
		grep -q mail "$TMP/one"
}
check "segments are sent and found" wait_for found 20
# of EXPRESSION: over t, the one trace
of() { json "$(cat "$TMP/one")" "(lambda t: $1)(d['TraceSummaries'][0])"; }
is "$(of '[len(d["TraceSummaries"]), t["Id"][-4:], t["Duration"], t["ResponseTime"], t["Revision"]]')" \
	"[1, '270f', 5, 2, 2]" "id, duration, response time, revision"
is "$(of '[t[k] for k in ("HasFault", "HasError", "HasThrottle", "IsPartial")]')" \
	"[True, False, True, False]" "flags of the root, and of any segment"
is "$(of 't["Http"]')" \
	"{'HttpURL': 'http://h/buy', 'HttpStatus': 500, 'HttpMethod': 'POST', 'UserAgent': 'curl', 'ClientIp': '10.0.0.9'}" \
	"the request"
is "$(of '{k: [(list(v["AnnotationValue"].items()), [s["Name"] for s in v["ServiceIds"]]) for v in a] for k, a in t["Annotations"].items()}')" \
	"{'order': [([('StringValue', 'A7')], ['shop', 'mail'])], 'count': [([('NumberValue', 3)], ['shop'])], 'gift': [([('BooleanValue', True)], ['shop'])]}" \
	"annotations of three kinds, and of which services"
is "$(of '[(u["UserName"], [s["Name"] for s in u["ServiceIds"]]) for u in t["Users"]]')" \
	"[('alice', ['shop']), ('bob', ['mail'])]" "users"
is "$(of 'sorted((s["Name"], s.get("Type"), s["Names"], s["AccountId"]) for s in t["ServiceIds"])')" \
	"[('mail', None, ['mail'], '123456789012'), ('orders', 'AWS::DynamoDB::Table', ['orders'], '123456789012'), ('shop', 'AWS::EC2::Instance', ['shop'], '123456789012')]" \
	"services"
is "$(of '[t["ResourceARNs"], t["InstanceIds"], t["AvailabilityZones"], t["EntryPoint"]["Name"]]')" \
	"[[{'ARN': 'arn:aws:x:shop'}], [{'Id': 'i-1'}], [{'Name': 'eu-1a'}], 'shop']" \
	"resources, instances, zones, and where it began"
is "$(of '[(c["ClientImpacting"], [(s["Name"], s["Inferred"], [(e["Name"], e["Remote"], [x["Message"] for x in e["Exceptions"]]) for e in s["EntityPath"]]) for s in c["Services"]]) for c in t["FaultRootCauses"]]')" \
	"[(True, [('shop', False, [('shop', False, []), ('DynamoDB', True, ['no such table'])]), ('orders', True, [('orders', False, ['no such table'])])])]" \
	"the root cause of its fault"
is "$(of '[[[(e["Name"], e["Coverage"]) for e in s["EntityPath"]] for s in c["Services"]] for c in t["ResponseTimeRootCauses"]]')" \
	"[[[('shop', 1), ('DynamoDB', 0.75)], [('orders', 0.75)]]]" \
	"and of its response time"
is "$(of '[[s["Name"] for s in c["Services"]] for c in t["ErrorRootCauses"]]')" \
	"[['shop', 'mail']]" "and of its error"

# --- pages ------------------------------------------------------------------------
all=$(summaries)
is "$(json "$all" "(len(d['TraceSummaries']), len({t['Id'] for t in d['TraceSummaries']}),
	(lambda ids: ids == sorted(ids, reverse=True))([t['Id'][:10] for t in
	d['TraceSummaries'] if 'web' == t['EntryPoint']['Name']]))")" \
	"(601, 601, True)" "the CLI goes through all pages: each once, newest first"
post() {
	curl -sS -X POST -H 'Content-Type: application/json' "$HTTP/$1" -d "$2"
}
page() {
	post TraceSummaries "{\"StartTime\":$start,\"EndTime\":$((start + 200))$1}"
}
first=$(page "")
token=$(json "$first" "d['NextToken']")
is "$(json "$first" "(len(d['TraceSummaries']), d['TracesProcessedCount'])")" \
	"(250, 250)" "a page is bounded"
second=$(page ",\"NextToken\":\"$token\"")
is "$(page ",\"NextToken\":\"$token\"")" "$second" "and the same each time"
is "$(json "$second" "d['ApproximateTime'] < $(json "$first" "d['ApproximateTime']")")" \
	True "time goes on from page to page"
is "$(json "$(page ',"FilterExpression":"error"')" \
	"(len(d['TraceSummaries']), d['TracesProcessedCount'], 'NextToken' in d)")" \
	"(6, 601, False)" "what does not match is processed, too"
like "$(page ",\"NextToken\":\"$token\",\"FilterExpression\":\"ok\"")" \
	'NextToken is not one that' "a token of another question"

# --- time ranges, sampling ----------------------------------------------------------
within() { # TYPE FROM TO
	json "$(post TraceSummaries "{\"TimeRangeType\":\"$1\",\"StartTime\":$2,
		\"EndTime\":$3,\"FilterExpression\":\"service(shop)\"}")" \
		"[(t['Id'][-4:], t.get('MatchedEventTime', $start) - $start)
		for t in d['TraceSummaries']]"
}
is "$(within TraceId "$start" $((start + 1))) $(within TraceId $((start + 1)) $((start + 200)))" \
	"[('270f', 0)] []" "by the time in the id"
is "$(within Event $((start + 101)) $((start + 103)))" "[('270f', 102.0)]" \
	"by what happened then"
is "$(within Service $((start + 101)) $((start + 102)))" "[]" \
	"by a segment's end, which is exclusive"
is "$(within Service $((start + 104)) $((start + 106)))" "[('270f', 105.0)]" \
	"or inside"
count() { json "$(page ",$1")" "len(d['TraceSummaries'])"; }
half='"Sampling":true,"SamplingStrategy":{"Name":"FixedRate","Value":0.25}'
some=$(count "$half")
check "FixedRate takes a share ($some)" test "$some" -gt 75 -a "$some" -lt 225
is "$(count "$half")" "$some" "the same each time"
is "$(count '"Sampling":true,"SamplingStrategy":{"Name":"PartialScan","Value":0.75}')" \
	100 "PartialScan looks at the latest part"
is "$(json "$(page ',"Sampling":true')" \
	"(len(d['TraceSummaries']), 'NextToken' in d)")" "(250, False)" "or at one page"

# --- what is refused ----------------------------------------------------------------
like "$(summaries --filter-expression 'ok AND fualt' 2>&1)" \
	'InvalidRequestException.*at character 8: expected a keyword, found fualt' \
	"a bad expression: where, and what was expected"
like "$(page ',"FilterExpression":"group.name = nobody"')" 'no such group' \
	"a group that is not there"
like "$(post TraceSummaries '{"StartTime":20,"EndTime":10}')" \
	'EndTime must be after' "an end before the start"
like "$(page ',"TimeRangeType":"Never"')" 'InvalidRequestException' \
	"a time range of no type"
like "$(page ',"Sampling":true,"SamplingStrategy":{"Name":"FixedRate","Value":2}')" \
	'Value must be above 0' "a share over 1"

# --- groups -----------------------------------------------------------------------
like "$(post CreateGroup '{"GroupName":"missing","FilterExpression":"http.status = 404"}')" \
	'GroupARN' "a group is made"
is "$(count '"FilterExpression":"group.name = missing AND annotation.number < 250"')" \
	3 "its expression stands for its name"
like "$(post CreateGroup '{"GroupName":"bad","FilterExpression":"ok AND"}')" \
	'InvalidRequestException.*at character 7' "a group with a bad expression"

# --- the native list ----------------------------------------------------------------
native() {
	curl -sS -G "$HTTP/api/v1/traces" -d start="$start" -d end=$((start + 200)) "$@"
}
rows="(len(d['traces']), d['truncated'], d['processed'])"
is "$(json "$(native --data-urlencode 'filter=service(shop) {fault}')" "$rows")" \
	"(1, False, 601)" "the native list with a filter"
list=$(native -d filter=error -d limit=4)
is "$(json "$list" "$rows[:2]")" "(4, True)" "is full"
is "$(json "$(native -d filter=error -d limit=4 -d next="$(json "$list" "d['next']")")" \
	"$rows[:2]")" "(2, False)" "and goes on"
like "$(native -d 'filter=duration')" '"InvalidParameterValue".*at character 9' \
	"or says what is wrong"
like "$(native -d filter=ok -d next="$(json "$list" "d['next']")")" 'next is not' \
	"and whose next it is not"

# --- the SDK for JavaScript ---------------------------------------------------------
if command -v node >/dev/null && command -v npm >/dev/null &&
	npm_config_fetch_retries=1 npm_config_fetch_retry_mintimeout=1000 \
		demo/modules tests/cli/sdk 2>"$TMP/npm"; then
	is "$(node tests/cli/sdk/summaries.js "$HTTP" "$start" 2>&1)" \
		"601 601 3 true 3.5 InvalidRequestException" \
		"the SDK's paginator, and its types"
else
	skip "the SDK for JavaScript" "node, npm or its packages cannot be had"
fi

# --- after a restart ----------------------------------------------------------------
stop_collector
start_collector
check "is there again" wait_for found 20
is "$(summaries)" "$all" "all answers are the same"
plan "$TAP_N"
