#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# CloudWatch: PutMetricData, ListMetrics and GetMetricStatistics by JSON, CBOR
# and Query (tests/cli/cloudwatch.py), across a crash too, and by Debian's AWS
# CLI, which speaks Query and reads XML. TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh

export AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
cloudwatch() {
	timeout 60 /usr/bin/aws --endpoint-url "$HTTP" --no-sign-request \
		--output json --no-cli-pager cloudwatch "$@"
}
# run MODE: the script's lines, numbered on
run() {
	python3 tests/cli/cloudwatch.py "$1" "${HTTP#http://}" "$TMP/table" \
		>"$TMP/tap" || { echo "Bail out! cloudwatch.py $1"; exit 1; }
	while read -r line; do
		case $line in
		ok*) ok "$1: ${line#* - }" ;;
		"not ok"*) not_ok "$1: ${line#* - }" ;;
		1..*) ;;
		*) echo "$line" ;;
		esac
	done <"$TMP/tap"
}

"$BIN/tally-collector" --operations >"$TMP/table"
MINUTE=$(($(date +%s) / 60 * 60 - 600))
export MINUTE
start_collector
run run

counter() { curl -s "$HTTP/metrics" | sed -n "s/^tally_records_$1_total{kind=\"datum\"} //p"; }
duplicates=$(curl -s "$HTTP/metrics" | sed -n 's/^tally_duplicates_total{kind="call"} //p')
is "$duplicates" 6 "retries are counted"
is "$(counter received)" "$(($(counter stored) + duplicates))" \
	"what was received is stored, or known already"

# --- the CLI --------------------------------------------------------------------
for value in 1 2 3; do
	cloudwatch put-metric-data --namespace "My App" --metric-name Latency \
		--dimensions Host=h1 --value $value --unit Milliseconds \
		--timestamp "$MINUTE" || not_ok "put-metric-data"
done
cloudwatch list-metrics --namespace "My App" --dimensions Name=Host >"$TMP/list"
is "$(json "$(cat "$TMP/list")" 'd["Metrics"]')" \
	"[{'Namespace': 'My App', 'MetricName': 'Latency', 'Dimensions': [{'Name': 'Host', 'Value': 'h1'}]}]" \
	"the AWS CLI lists what it has put"
cloudwatch get-metric-statistics --namespace "My App" --metric-name Latency \
	--dimensions Name=Host,Value=h1 --start-time $((MINUTE - 60)) \
	--end-time $((MINUTE + 120)) --period 60 \
	--statistics Sum Average Minimum Maximum SampleCount >"$TMP/get"
is "$(json "$(cat "$TMP/get")" \
	'[[p[k] for k in ("Sum", "Average", "Minimum", "Maximum", "SampleCount")] for p in d["Datapoints"]]')" \
	"[[6.0, 2.0, 1.0, 3.0, 3.0]]" "and gets its statistics"
cloudwatch put-metric-data --namespace AWS/X --metric-name m --value 1 \
	2>"$TMP/error"
has "$TMP/error" "\(InvalidParameterValue\) when calling the PutMetricData" \
	"and is refused with CloudWatch's code"
cloudwatch describe-alarms 2>"$TMP/error"
has "$TMP/error" "\(InvalidAction\) when calling the DescribeAlarms" \
	"also what is not built"

# --- a crash: what was answered is there, and retries are known --------------------
kill -9 "$PID"
wait "$PID" 2>/dev/null
start_collector
run again
stop_collector
is "$STATUS" 0 "the collector ends cleanly"
plan "$TAP_N"
