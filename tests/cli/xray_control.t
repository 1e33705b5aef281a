#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# X-Ray's control plane with real clients: Debian's AWS CLI and the SDK for
# JavaScript (sdk/control.js), errors by their names; what was acknowledged is
# there after kill -9; calls at once; 50 clients of one reservoir.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh

export AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
aws() {
	timeout 60 /usr/bin/aws --endpoint-url "$HTTP" --no-sign-request \
		--output json --no-cli-pager xray "$@" 2>&1
}
post() { curl -s -d "$2" "$HTTP/$1"; } # PATH BODY

# --- the AWS CLI --------------------------------------------------------------
start_collector
out=$(aws create-group --group-name cli --filter-expression 'service("api")' \
	--tags Key=team,Value=a)
arn=$(json "$out" 'd["Group"]["GroupARN"]')
like "$arn" '^arn:aws:xray:us-east-1:123456789012:group/cli/[A-Z2-7]{26}$' \
	"aws xray create-group"
is "$(json "$(aws get-groups)" '[g["GroupName"] for g in d["Groups"]]')" \
	"['Default', 'cli']" "get-groups"
like "$(aws create-group --group-name cli)" '\(InvalidRequestException\) .*CreateGroup' \
	"create-group again"
is "$(aws tag-resource --resource-arn "$arn" --tags Key=b,Value=c)" "" "tag-resource"
is "$(json "$(aws list-tags-for-resource --resource-arn "$arn")" \
	'[t["Key"] + "=" + t["Value"] for t in d["Tags"]]')" "['team=a', 'b=c']" \
	"list-tags-for-resource"
out=$(aws create-sampling-rule --sampling-rule '{"RuleName":"cli","ResourceARN":"*",
	"Priority":9,"FixedRate":0.25,"ReservoirSize":20,"ServiceName":"web-*",
	"ServiceType":"*","Host":"*","HTTPMethod":"GET","URLPath":"/a/*","Version":1}')
is "$(json "$out" 'd["SamplingRuleRecord"]["SamplingRule"]["ServiceName"]')" 'web-*' \
	"create-sampling-rule"
is "$(json "$(aws get-sampling-rules)" \
	'[r["SamplingRule"]["RuleName"] for r in d["SamplingRuleRecords"]]')" \
	"['cli', 'Default']" "get-sampling-rules"
like "$(aws delete-sampling-rule --rule-name Default)" '\(InvalidRequestException\)' \
	"delete-sampling-rule Default"
is "$(json "$(aws put-encryption-config --type NONE)" 'd["EncryptionConfig"]["Status"]')" \
	ACTIVE "put-encryption-config"
like "$(aws tag-resource --resource-arn "${arn}x" --tags Key=b,Value=c)" \
	'\(ResourceNotFoundException\)' "tag-resource of nothing"

# --- 50 clients of the rule's 20 a second -------------------------------------------
python3 tests/cli/reservoir.py "$XRAY" cli 10 >"$TMP/reservoir"
read -r greatest total clients <"$TMP/reservoir"
check "50 clients, coming and going: never over 20 (it was $greatest)" \
	test "$greatest" -le 20 -a "$clients" -gt 100
check "and most of it is given out ($total)" test "$total" -ge 10
is "$(json "$(post SamplingTargets '{"SamplingStatisticsDocuments":[]}')" \
	'd["LastRuleModification"]')" \
	"$(json "$(curl -s -d '{}' "http://$XRAY/GetSamplingRules")" \
	'max(r["ModifiedAt"] for r in d["SamplingRuleRecords"])')" \
	"the last modification is the rule's"
json "$(curl -s -X POST "http://$XRAY/GetSamplingRules")" 'len(d["SamplingRuleRecords"])' \
	>"$TMP/rules"
has "$TMP/rules" '^2$' "OpenTelemetry's call without a body"

# --- kill -9 ------------------------------------------------------------------------
lost=
for i in 1 2 3 4 5; do
	for k in 1 2 3; do
		out=$(post CreateGroup "{\"GroupName\":\"kill-$i-$k\"}")
		case $out in *GroupARN*) ;; *) lost="$lost refused:$out" ;; esac
	done
	kill -9 "$PID"
	wait "$PID" 2>/dev/null
	start_collector
	names=$(post Groups '{}')
	for k in 1 2 3; do
		case $names in *"\"kill-$i-$k\""*) ;; *) lost="$lost $i-$k" ;; esac
	done
	out=$(post DeleteGroup "{\"GroupName\":\"kill-$i-1\"}")
	[ "$out" = "{}" ] || lost="$lost delete:$out"
done
is "$lost" "" "what was acknowledged is there after kill -9"
is "$(json "$(post Groups '{}')" 'len(d["Groups"])')" 12 "and what was deleted is not"
is "$(json "$(post ListTagsForResource "{\"ResourceARN\":\"$arn\"}")" 'len(d["Tags"])')" 2 \
	"tags are there"
out=$(curl -s -d '{"SamplingStatisticsDocuments":[{"RuleName":"cli","ClientID":"0123456789abcdef01234567",
	"Timestamp":1,"RequestCount":5,"SampledCount":5}]}' "http://$XRAY/SamplingTargets")
is "$(json "$out" 'sorted(d["SamplingTargetDocuments"][0])')" \
	"['FixedRate', 'Interval', 'RuleName']" \
	"no quota yet after a restart: clients of before may hold them"
stop_collector
is "$STATUS" 0 "the collector ends cleanly"

# --- the SDK for JavaScript -----------------------------------------------------------
DATA=$TMP/sdk-data
start_collector
if command -v node >/dev/null && demo/modules tests/cli/sdk 2>"$TMP/npm"; then
	node tests/cli/sdk/control.js "$HTTP" >"$TMP/sdk" 2>&1
	status=$?
	while IFS= read -r line; do
		case $line in
		"ok - "*) ok "${line#ok - }" ;;
		"not ok - "*) not_ok "${line#not ok - }" ;;
		*) echo "# $line" ;;
		esac
	done <"$TMP/sdk"
	is "$status $(grep -c '^ok - ' "$TMP/sdk")" "0 103" "all of that was tried"
	node tests/cli/sdk/control.js --race "$HTTP" >"$TMP/race" 2>&1
	sed 's/^\(not ok\|ok\) - /# \1 /; s/^# #/#/' "$TMP/race"
	is "$(grep -c '^ok - ' "$TMP/race")" 4 "calls at the same time"
else
	skip "the SDK for JavaScript" "there is no npm"
fi
has_counter() { curl -s "$HTTP/metrics" | grep -q "$1"; }
check "telemetry of daemons is counted" \
	has_counter 'tally_daemon_telemetry_total{kind="segments-received"} 3$'
stop_collector
is "$STATUS" 0 "and ends cleanly again"
plan "$TAP_N"
