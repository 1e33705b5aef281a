#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# OpenTelemetry's own exporters over HTTP, protobuf and JSON, plain and gzip: what
# they sent comes back complete through Debian's AWS CLI and through our API. And
# what no exporter sends: bodies that are none, wrong types, a full disk's answer.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh

export AWS_DEFAULT_REGION=us-east-1 AWS_EC2_METADATA_DISABLED=true
export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null
export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=only-for-tests-0123456789
aws() {
	timeout 60 /usr/bin/aws --endpoint-url "$HTTP" --output json \
		--no-cli-pager "$@"
}
modules() {
	command -v node >/dev/null && command -v npm >/dev/null &&
		npm_config_fetch_retries=1 npm_config_fetch_retry_mintimeout=1000 \
			demo/modules tests/cli/otlp 2>"$TMP/npm"
}
post() { # PATH TYPE BODY [CURL OPTION ...]: prints status, type and body
	_path=$1 _type=$2 _body=$3
	shift 3
	curl -s -o "$TMP/answer" -w '%{http_code} %{content_type} ' \
		-H "Content-Type: $_type" --data-binary "$_body" "$@" "$HTTP$_path"
	cat "$TMP/answer"
}

start_collector

# --- exporters ----------------------------------------------------------------------
cat >"$TMP/documents.py" <<'END'
"""What is in the documents of `aws xray batch-get-traces`, as one line."""
import json, sys
trace = json.load(open(sys.argv[1]))["Traces"][0]
docs = {d["id"]: d for d in (json.loads(s["Document"]) for s in trace["Segments"])}
root = next(d for d in docs.values() if "parent_id" not in d)
call = next(d for d in docs.values() if d["name"] == "DynamoDB")
steps = [d for d in docs.values() if d["name"].startswith("step ")]
a = root["annotations"]
exception = call["cause"]["exceptions"][0]
print(len(docs), root["name"], root["fault"], root["http"]["response"]["status"],
      root["origin"], root["service"]["version"], a["tenant"], a["tier"], a["ratio"],
      a["vip"], a["text"] == 'ünïcode "quoted" \U0001F600',
      root["metadata"]["default"]["tags"], "|", call["namespace"], call["type"],
      call["parent_id"] == root["id"], call["aws"]["operation"],
      call["aws"]["table_name"], exception["type"], exception["message"],
      len(exception["stack"]) > 0, "|",
      sorted(d["annotations"]["i"] for d in steps) == list(range(40)),
      all(d["parent_id"] == root["id"] for d in steps))
END
cat >"$TMP/spans.py" <<'END'
"""The same of ?format=otlp: the spans as they came."""
import json, sys
data = json.load(open(sys.argv[1]))
spans = [s for r in data["resourceSpans"] for c in r["scopeSpans"] for s in c["spans"]]
root = next(s for s in spans if not s.get("parentSpanId"))
call = next(s for s in spans if s["name"] == "GetItem")
attributes = {x["key"]: x["value"] for x in root["attributes"]}
resources = {json.dumps(r["resource"], sort_keys=True) for r in data["resourceSpans"]}
print(len(spans), len(resources), {c["scope"]["name"] for r in data["resourceSpans"]
      for c in r["scopeSpans"]}, root["kind"], root["name"], attributes["tags"],
      attributes["ratio"], call["status"], call["events"][0]["name"])
END
if modules; then
	for encoding in proto json; do
		for compression in none gzip; do
			how="$encoding, $compression"
			id=$(node tests/cli/otlp/export.js "$HTTP" $encoding $compression \
				2>"$TMP/node")
			is "$? $(cat "$TMP/node")" "0 " "$how: the exporters are content"
			trace=1-$(echo "$id" | cut -c1-8)-$(echo "$id" | cut -c9-32)
			complete() { # the CLI takes a second to start
				[ "$(curl -s "$HTTP/api/v1/traces/$id" |
					grep -o '"document":' | wc -l)" = 42 ] &&
					aws xray batch-get-traces --trace-ids "$trace" >"$TMP/traces"
			}
			check "$how: all of the trace" wait_for complete 10
			is "$(python3 "$TMP/documents.py" "$TMP/traces" 2>&1)" \
				"42 shop-$encoding True 503 AWS::ECS::Container 1.2 acme 3 0.25 True True ['a', 'b'] | aws subsegment True GetItem orders TypeError no such order True | True True" \
				"$how: as segments, complete"
			curl -s "$HTTP/api/v1/traces/$id?format=otlp" >"$TMP/otlp"
			is "$(python3 "$TMP/spans.py" "$TMP/otlp" 2>&1)" \
				"42 1 {'e2e'} 2 GET /orders/:id {'arrayValue': {'values': [{'stringValue': 'a'}, {'stringValue': 'b'}]}} {'doubleValue': 0.25} {'message': 'failed', 'code': 2} exception" \
				"$how: as spans, as they came"
			is "$(json "$(curl -s "$HTTP/api/v1/traces/AWS-$encoding-$compression")" \
				"d['id']")" "$trace" "$how: the request id finds it"
		done
	done
	is "$(json "$(curl -s "$HTTP/api/v1/traces/00-$id-00000000000000ff-01")" "d['id']")" \
		"$trace" "a traceparent finds it"
	is "$(json "$(curl -s "$HTTP/api/v1/traces/Root=$trace;Sampled=1")" "d['id']")" \
		"$trace" "and so does an X-Amzn-Trace-Id"
	logged() {
		curl -s "$HTTP/api/v1/logs?group=shop-json&limit=10" >"$TMP/logs" &&
			grep -q traceId "$TMP/logs"
	}
	check "log lines" wait_for logged 10
	is "$(json "$(cat "$TMP/logs")" "[(m['level'], m['message'], m['attributes'], len(m['traceId']))
		for m in (json.loads(e['message']) for e in d['events'])][-1]")" \
		"('ERROR', {'order': 1, 'why': ['none']}, {'k': 'v'}, 32)" \
		"with level, body, attributes and trace"
	now=$(date +%s)
	point() { # NAME
		curl -s "$HTTP/api/v1/metrics/data?namespace=shop-proto&name=$1&dim.route=/orders&period=3600&start=$((now - 7200))&end=$((now + 3600))" >"$TMP/points"
		grep -q '"sum"' "$TMP/points"
	}
	check "metrics" wait_for "point orders && point latency" 10
	is "$(json "$(cat "$TMP/points")" \
		"[(sum(p[k] for p in d['points']), ) for k in ('count', 'sum')] +
		 [min(p['min'] for p in d['points']), max(p['max'] for p in d['points'])]")" \
		"[(6,), (642,), 1, 300]" "a delta histogram, twice sent, as statistics"
	MODULES=yes
else
	tail -n 3 "$TMP/npm" 2>/dev/null | sed 's/^/# /'
	skip "OpenTelemetry's exporters" "node, npm or their packages cannot be had"
	MODULES=
fi

# --- what no exporter sends ---------------------------------------------------------
is "$(post /v1/traces application/json '{}')" "200 application/json {}" "nothing at all"
is "$(post /v1/traces 'Application/JSON; charset=utf-8' '{}')" \
	"200 application/json {}" "a type with its parameters"
is "$(post /v1/traces application/json '{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"x"}]}]}]}')" \
	'200 application/json {"partialSuccess":{"rejectedSpans":"1","errorMessage":"1 spans refused: 1 without a valid trace id"}}' \
	"a span without ids is refused alone"
like "$(post /v1/traces application/json '{')" '^400 application/json \{"code":3,"message":"' \
	"half a body: Status in JSON"
like "$(post /v1/logs application/x-protobuf 'x' | od -An -c | tr -d ' \n')" \
	'^400application/x-protobuf\\b003022>thebodyisnotaprotobufmessage' \
	"no protobuf: Status in protobuf"
like "$(post /v1/traces text/plain '')" '^415 ' "a type that is none of the two"
like "$(post /v1/traces application/json 'xx' -H 'Content-Encoding: gzip')" \
	'^400 application/json \{"code":3,' "gzip that is none"
like "$(curl -s -w ' %{http_code}' "$HTTP/v1/traces")" ' 405$' "GET is no way to send"
python3 - >"$TMP/deep.json" <<'END'
value = '{"arrayValue":{"values":[' * 200 + ']}}' * 200
print('{"resourceSpans":[{"resource":{"attributes":[{"key":"k","value":' + value + '}]}}]}')
END
like "$(post /v1/traces application/json "@$TMP/deep.json")" '^400 application/json' \
	"JSON nested too deep"
python3 - >"$TMP/deep.bin" <<'END'
import sys


def field(number, data):
    n, length = len(data), b""
    while n >= 128:
        length += bytes([n & 127 | 128])
        n >>= 7
    return bytes([number << 3 | 2]) + length + bytes([n]) + data


value = b""
for _ in range(10000):
    value = field(5, field(1, value)) # an array, a value in it
span = (field(1, b"0123456789abcdef") + field(2, b"12345678") +
        b"\x39" + b"\x01" * 8 + field(9, field(2, value)))
good = field(1, b"0123456789abcdef") + field(2, b"87654321") + b"\x39" + b"\x01" * 8
sys.stdout.buffer.write(field(1, field(2, field(2, span) + field(2, good))))
END
like "$(post /v1/traces application/x-protobuf "@$TMP/deep.bin" | tr -d '\000-\037')" \
	"^200 .*1 spans refused: 1 with attributes nested over 12 deep$" \
	"protobuf nested 10,000 deep is refused, what is beside it is not"
stop_collector
is "$STATUS" 0 "and the collector ends well"

# --- after a restart ------------------------------------------------
start_collector --memory 128M
if [ "$MODULES" ]; then
	check "a trace is there after a restart" wait_for complete 10
	is "$(python3 "$TMP/documents.py" "$TMP/traces" 2>&1 | cut -d' ' -f1-4)" \
		"42 shop-json True 503" "complete"
fi
# What a body is read to may take 48 times its size: bounded as well.
python3 -c 'print("{\"resourceSpans\":[" + "{}," * 2500000 + "{}]}")' >"$TMP/wide.json"
like "$(post /v1/traces application/json "@$TMP/wide.json")" \
	'^400 application/json .*takes more memory than one may' "a body of nothing, 7 MB"
is "$(post /v1/traces application/json '{}')" "200 application/json {}" \
	"and the next one is taken"
plan "$TAP_N"
