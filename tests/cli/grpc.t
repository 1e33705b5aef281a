#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# OTLP over gRPC by OpenTelemetry's own exporters (grpc/client.js): what they
# sent comes back, by tokens and by TLS, and what they should not send is told
# so. Hostile clients: tests/unit/collector/grpc_hostile_test.c.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh

TRACES=/opentelemetry.proto.collector.trace.v1.TraceService/Export
client() { timeout 60 node --no-warnings tests/cli/grpc/client.js "$@" 2>&1; }
counter() { # tally_... of /metrics
	curl -s "$HTTP/metrics" | sed -n "s/^$1 //p"
}

start_collector --grpc off
is "$GRPC" "" "--grpc off: no such line"
stop_collector
printf '{"grpc":"off"}' >"$TMP/conf"
"$BIN/tally-collector" --data "$TMP/x" --config "$TMP/conf" --http 127.0.0.1:0 \
	--xray 127.0.0.1:0 --grpc 0.0.0.0:0 2>"$TMP/err"
is $? 2 "beyond loopback it needs keys, and options win over the file"
has "$TMP/err" '0.0.0.0:0 is not a loopback address' "and says so"

if ! command -v node >/dev/null || ! command -v npm >/dev/null ||
	! npm_config_fetch_retries=1 npm_config_fetch_retry_mintimeout=1000 \
		demo/modules tests/cli/grpc 2>"$TMP/npm"; then
	tail -n 3 "$TMP/npm" 2>/dev/null | sed 's/^/# /'
	skip "OpenTelemetry's exporters" "node, npm or its packages cannot be had"
	plan "$TAP_N"
	exit 0
fi

# --- without keys -------------------------------------------------------------------
start_collector
client export "$GRPC" >"$TMP/export"
for kind in none gzip; do
	trace=$(sed -n "s/^traces $kind 0 //p" "$TMP/export")
	like "$trace" '^[0-9a-f]{32}$' "spans are exported, $kind"
	found() {
		curl -s "$HTTP/api/v1/traces/$trace" >"$TMP/trace" &&
			grep -q "grpc-$kind" "$TMP/trace"
	}
	check "and found by their trace id" wait_for found 10
	is "$(json "$(cat "$TMP/trace")" "len(d['segments']), 'order.id' in str(d),
		'ä € 𝄞' in json.dumps(d, ensure_ascii=False), 'out of stock' in str(d)")" \
		"4 True True True" "all four, with attributes and the exception"
done
has "$TMP/export" "^metrics gzip 0\$" "metrics are exported"
listed() {
	is_listed=$(json "$(curl -s "$HTTP/api/v1/metrics/list")" \
		"sorted(m['name'] for m in d['metrics'])")
	[ "$is_listed" = "['latency', 'orders']" ]
}
check "and listed: a counter and a histogram" wait_for listed 10
has "$TMP/export" "^logs none 0\$" "log records are exported"
logged() { curl -s "$HTTP/api/v1/logs" | grep -q 'a line'; }
check "and found" wait_for logged 10
is "$(client many "$GRPC" 200)" "many 200 " "200 exports at once"
is "$(client call "$GRPC" "$TRACES" "")" "call 0 " "an empty export"
# A trace id of zeros among the good, as protobuf: rejected with a reason.
partial=$(client call "$GRPC" "$TRACES" "$(python3 - <<'END'
def field(n, b): return bytes([n << 3 | 2, len(b)]) + b
def span(trace, name): return field(2, field(1, trace) + field(2, b"\1" * 8) +
    field(5, name) + b"\x39" + b"\1" * 8 + b"\x41" + b"\2" * 8)
print(field(1, field(2, span(bytes(16), b"bad") + span(b"\7" * 16, b"good"))).hex())
END
)")
like "$partial" '^call 0 0a[0-9a-f]{2}0801' "one of two spans is rejected"
like "$(client call "$GRPC" "$TRACES" ff)" '^call 3 .*protobuf' \
	"no protobuf: INVALID_ARGUMENT"
like "$(client call "$GRPC" /a.B/C "")" '^call 12 .*grpc-accept-encoding' \
	"no such method: UNIMPLEMENTED"
like "$(ZEROS=9000000 client call "$GRPC" "$TRACES" "")" '^call 8 .*8 MiB' \
	"9 MB: RESOURCE_EXHAUSTED"
is "$(counter 'tally_refused_total{reason="too-large"}')" 1 "and counted"
like "$(GZIP=1 ZEROS=6000000 client call "$GRPC" "$TRACES" "")" \
	'^call 8 .*decompressed' "6 MB in 6 KB of gzip: RESOURCE_EXHAUSTED"
printf 'GET / HTTP/1.1\r\nHost: x\r\n\r\n' |
	timeout 10 python3 -c 'import socket, sys
s = socket.create_connection(sys.argv[1].rsplit(":", 1))
s.sendall(sys.stdin.buffer.read())
while s.recv(4096): pass' "$GRPC" 2>"$TMP/err"
is "$(counter 'tally_grpc_total{event="protocol"}')" 1 "HTTP/1.1 is closed, and counted"
like "$(json "$(curl -s "$HTTP/api/v1/status")" "d['door']['grpc_connections_max']")" \
	'^[1-9]' "the status tells how many may come"
stop_collector
is "$STATUS" 0 "it stops cleanly"

# --- tokens ---------------------------------------------------------------------------
python3 tests/cli/auth.py make "$TMP"
python3 - "$TMP" >"$TMP/tokens" <<'END'
import sys
sys.path.insert(0, "tests/cli")
import auth, jwt
for role in ("ingest", "read"):
    print(role, jwt.token(sys.argv[1], "ES256", "ec",
                          auth.claims(tallyscope_role=role)))
END
token() { sed -n "s/^$1 //p" "$TMP/tokens"; }
start_collector --config "$TMP/conf"
is "$(client call "$GRPC" "$TRACES" "" "$(token ingest)")" "call 0 " \
	"a token of the role ingest"
like "$(client call "$GRPC" "$TRACES" "" "$(token read)")" '^call 7 .*role read' \
	"of the role read: PERMISSION_DENIED"
like "$(client call "$GRPC" "$TRACES" "")" '^call 16 .*Bearer' \
	"without one: UNAUTHENTICATED"
like "$(client call "$GRPC" "$TRACES" "" "$(token ingest)x")" '^call 16 ' \
	"one with a wrong signature"
like "$(client call "$GRPC" /a.B/C "" "$(token ingest)")" '^call 12 ' \
	"who is known is told what there is not"
like "$(client call "$GRPC" /a.B/C "")" '^call 16 ' "and nobody else"
has "$DATA"/audit/refusals* '"reason":"role"|"outcome":"role"' "refusals are audited"
stop_collector

# --- TLS ------------------------------------------------------------------------------
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$TMP/tls.key" -out "$TMP/tls.pem" \
	-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -days 9 2>/dev/null
start_collector --tls-cert "$TMP/tls.pem" --tls-key "$TMP/tls.key"
is "$(TLS_CA=$TMP/tls.pem client export "$GRPC" | cut -d ' ' -f 1-3 | head -2)" \
	"traces none 0
traces gzip 0" "exporters by TLS"
is "$(TLS_CA=$TMP/tls.pem client many "$GRPC" 100)" "many 100 " "100 at once"
like "$(client call "$GRPC" "$TRACES" "")" '^call 14 ' "none in clear"
: | timeout 10 openssl s_client -connect "$GRPC" -alpn http/1.1 >"$TMP/s" 2>&1
has "$TMP/s" 'no application protocol|No ALPN' "none without h2"
stop_collector
is "$STATUS" 0 "it stops cleanly"
plan "$TAP_N"
