#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How much may be sent: limits of operations in every protocol and in its form
# of an error, and what is announced and never sent.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh
plan 21

start_collector --memory 256M
FORM=application/x-www-form-urlencoded
head -c 70000 /dev/zero | tr '\0' x >"$TMP/over"
{ printf 'Action=ListMetrics&Version=2010-08-01&Junk='; cat "$TMP/over"; } >"$TMP/form"
{ cat "$TMP/form"; head -c 2000000 /dev/zero | tr '\0' x; } >"$TMP/long"
gzip -c "$TMP/form" >"$TMP/form.gz"
# ask BODY [CURL'S OPTION ...]: its status; head and answer are files
ask() {
	_body=$1
	shift
	curl -s -m 60 -o "$TMP/answer" -D "$TMP/head" -w '%{http_code}' \
		--data-binary "@$_body" "$@"
}

# --- over the limit of one operation ---------------------------------------------
is "$(ask "$TMP/over" -H 'Content-Type: application/x-amz-json-1.0' \
	-H 'X-Amz-Target: GraniteServiceVersion20100801.ListMetrics' "$HTTP/")" \
	413 "JSON: over the limit"
has "$TMP/answer" '"__type":"RequestEntityTooLargeException"' "in JSON's form"
has "$TMP/answer" 'over 64 KiB' "it says the limit"
is "$(ask "$TMP/over" -H 'Content-Type: application/cbor' \
	-H 'smithy-protocol: rpc-v2-cbor' \
	"$HTTP/service/GraniteServiceVersion20100801/operation/ListMetrics")" \
	413 "CBOR: over the limit"
has "$TMP/head" '^smithy-protocol: rpc-v2-cbor' "in CBOR's form"
is "$(ask "$TMP/over" "$HTTP/Traces")" 413 "REST: over the limit"
has "$TMP/head" '^x-amzn-ErrorType: RequestEntityTooLargeException' "in REST's form"
# Its body names the operation.
is "$(ask "$TMP/form" -H "Content-Type: $FORM" "$HTTP/")" 413 "Query: over the limit"
has "$TMP/answer" '<Code>RequestEntityTooLarge</Code>' "in Query's form"
is "$(ask "$TMP/form.gz" -H "Content-Type: $FORM" -H 'Content-Encoding: gzip' \
	"$HTTP/")" 413 "and once it is decompressed"
has "$TMP/answer" '<Code>RequestEntityTooLarge</Code>' "in Query's form"
is "$(ask "$TMP/long" -H "Content-Type: $FORM" "$HTTP/")" 413 \
	"and over the limit of every one"
has "$TMP/answer" '<Code>RequestEntityTooLarge</Code>' "in Query's form"
is "$(ask "$TMP/over" -X GET "$HTTP/api/v1/traces")" 413 "a question has no such body"
has "$TMP/answer" '"error":{"code":"RequestTooLarge"' "in the native form"

# --- announced, and never sent ----------------------------------------------------
# What a head reserves is gone for all others, so a stranger must not reserve.
cat >"$TMP/announce.py" <<'END'
import socket, sys
host, port = sys.argv[1].rsplit(":", 1)
held = []
for n in range(20):
    for path in sys.argv[2:]:
        c = socket.create_connection((host, int(port)), 20)
        c.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n"
                  f"Content-Length: 8388608\r\n\r\n".encode())
        held.append(c)
print("held", flush=True)
sys.stdin.read()
END
mkfifo "$TMP/go"
n=0
for path in /healthz /api/v1/status "/?Action=PutMetricData"; do
	python3 "$TMP/announce.py" "${HTTP#http://}" "$path" <"$TMP/go" >"$TMP/held" &
	exec 3>"$TMP/go"
	check "20 bodies are announced with GET $path" wait_for "grep -q held '$TMP/held'" 20
	n=$((n + 1))
	python3 tests/cli/batch.py limits $n log=/g,s,hello >"$TMP/b"
	is "$(ask "$TMP/b" "$HTTP/api/v1/batches")" 200 "and others write"
	exec 3>&-
done
