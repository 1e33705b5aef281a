#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Real clients with keys: Debian's AWS CLI and the SDK for JavaScript in JSON,
# CBOR and Query (sdk/calls.js), X-Ray's and pre-signed calls, retries, and TLS
# with a CA of our own.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh

SECRET=only-for-tests-0123456789-0123456789
key() { # ID ROLE [REGIONS]
	printf '[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n' \
		"$1" "$1" "$SECRET"
	printf 'role = %s\naccount = 123456789012\nregions = %s\n\n' "$2" "${3:-*}"
}
umask 077
{ key ADMIN-KEY admin; key INGEST-KEY ingest; key REGIONAL admin eu-west-1; } \
	>"$TMP/keys"
umask 022

openssl req -x509 -newkey rsa:2048 -nodes -keyout "$TMP/ca.key" -out "$TMP/ca.pem" \
	-subj /CN=ours -days 9 2>"$TMP/openssl.log"
openssl req -new -newkey rsa:2048 -nodes -keyout "$TMP/tls.key" -subj /CN=collector \
	2>>"$TMP/openssl.log" >"$TMP/tls.csr"
echo 'subjectAltName=IP:127.0.0.1' >"$TMP/tls.ext"
openssl x509 -req -in "$TMP/tls.csr" -CA "$TMP/ca.pem" -CAkey "$TMP/ca.key" \
	-CAcreateserial -days 9 -extfile "$TMP/tls.ext" -out "$TMP/tls.pem" \
	2>>"$TMP/openssl.log"

export AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export AWS_ACCESS_KEY_ID=ADMIN-KEY AWS_SECRET_ACCESS_KEY=$SECRET
aws() {
	timeout 60 /usr/bin/aws --endpoint-url "$HTTP" --output json \
		--no-cli-pager "$@"
}
modules() {
	command -v node >/dev/null && command -v npm >/dev/null &&
		npm_config_fetch_retries=1 npm_config_fetch_retry_mintimeout=1000 \
			demo/modules tests/cli/sdk 2>"$TMP/npm"
}
sdk() { node tests/cli/sdk/calls.js "$@" ADMIN-KEY "$SECRET"; }

# --- the SDK for JavaScript ---------------------------------------------------------
start_collector --keys "$TMP/keys"
if modules; then
	sdk "$HTTP" >"$TMP/sdk" 2>&1
	status=$?
	while IFS= read -r line; do
		case $line in
		"ok - "*) ok "${line#ok - }" ;;
		"not ok - "*) not_ok "${line#not ok - }" ;;
		*) printf '%s\n' "# ${line#\# }" ;;
		esac
	done <"$TMP/sdk"
	is "$status $(grep -c '^ok - ' "$TMP/sdk")" "0 61" "all of that was tried"
	MODULES=yes
else
	tail -n 3 "$TMP/npm" 2>/dev/null | sed 's/^/# /'
	skip "the SDK for JavaScript" "node, npm or its packages cannot be had"
	MODULES=
fi

# --- Debian's AWS CLI: CloudWatch by Query ------------------------------------------
now=$(($(date +%s) / 60 * 60))
iso() { date -u -d "@$1" +%Y-%m-%dT%H:%M:%SZ; }
python3 - "$now" >"$TMP/data.json" <<'END'
import json, sys
print(json.dumps([{"MetricName": "cli", "Value": i, "Timestamp": int(sys.argv[1]),
                   "Dimensions": [{"Name": "of", "Value": "a & b + c"}]}
                  for i in range(200)]))
END
check "aws cloudwatch put-metric-data, 200 of them" aws cloudwatch put-metric-data \
	--namespace CLI/x --metric-data "file://$TMP/data.json"
listed() {
	aws cloudwatch list-metrics --namespace CLI/x >"$TMP/list" &&
		grep -q '"cli"' "$TMP/list"
}
check "list-metrics" wait_for listed 1
is "$(json "$(cat "$TMP/list")" "[(m['Namespace'], m['MetricName'], m['Dimensions'])
	for m in d['Metrics']]")" \
	"[('CLI/x', 'cli', [{'Name': 'of', 'Value': 'a & b + c'}])]" "finds it"
is "$(json "$(aws cloudwatch get-metric-statistics --namespace CLI/x --metric-name cli \
	--dimensions 'Name=of,Value=a & b + c' --period 60 --statistics Sum SampleCount \
	--start-time "$(iso $((now - 60)))" --end-time "$(iso $((now + 120)))")" \
	"[(p['SampleCount'], p['Sum']) for p in d['Datapoints']]")" \
	"[(200.0, 19900.0)]" "get-metric-statistics"
trace=$(printf '1-%08x-00000000000000000000c11a' "$now")
document='{"name":"cli","id":"00000000000c11a0","trace_id":"'$trace'","start_time":'$now',"end_time":'$now'.5}'
is "$(json "$(aws xray put-trace-segments --trace-segment-documents "$document")" d)" \
	"{'UnprocessedTraceSegments': []}" "aws xray put-trace-segments"
traced() {
	aws xray batch-get-traces --trace-ids "$trace" >"$TMP/traces" &&
		grep -q '"Document"' "$TMP/traces"
}
check "batch-get-traces" wait_for traced 1
is "$(json "$(cat "$TMP/traces")" \
	"d['Traces'][0]['Segments'][0]['Document']")" "$document" "as it was put"
like "$(AWS_SECRET_ACCESS_KEY=wrong-0123456789 aws cloudwatch list-metrics 2>&1)" \
	'\(SignatureDoesNotMatch\).*ListMetrics' "a wrong secret, by Query"
like "$(AWS_SECRET_ACCESS_KEY=wrong-0123456789 aws xray get-sampling-rules 2>&1)" \
	'\(InvalidSignatureException\).*GetSamplingRules' "by REST"
like "$(AWS_ACCESS_KEY_ID=NOBODY-AT-ALL aws cloudwatch list-metrics 2>&1)" \
	'\(InvalidClientTokenId\).*ListMetrics' "an unknown key"
like "$(aws cloudwatch list-dashboards 2>&1)" '\(InvalidAction\).*ListDashboards' \
	"an operation that is not there"
like "$(aws logs describe-log-groups 2>&1)" \
	'\(UnknownOperationException\).*DescribeLogGroups' "nor in another service"
stop_collector

# --- TLS with a CA of our own -------------------------------------------------------
start_collector --keys "$TMP/keys" --tls-cert "$TMP/tls.pem" --tls-key "$TMP/tls.key"
HTTP=https://${HTTP#http://}
check "aws --ca-bundle, with a session token as well" env AWS_SESSION_TOKEN=any \
	timeout 60 /usr/bin/aws --endpoint-url "$HTTP" --ca-bundle "$TMP/ca.pem" \
	cloudwatch list-metrics
like "$(AWS_MAX_ATTEMPTS=1 aws cloudwatch list-metrics 2>&1)" 'CERTIFICATE_VERIFY_FAILED|SSL validation' \
	"without it the CLI refuses"
if [ "$MODULES" ]; then
	is "$(NODE_EXTRA_CA_CERTS=$TMP/ca.pem sdk --one "$HTTP")" 200 \
		"the SDK with NODE_EXTRA_CA_CERTS"
	like "$(sdk --one "$HTTP")" 'UNABLE_TO_VERIFY_LEAF_SIGNATURE|SELF_SIGNED' \
		"without it the SDK refuses"
fi
plan "$TAP_N"
