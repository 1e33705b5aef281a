#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# How much may be sent: limits of operations in every protocol and in its form
# of an error, and what is announced and never sent.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh
plan 26

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
    for method, path in [sys.argv[2:]]:
        c = socket.create_connection((host, int(port)), 20)
        c.sendall(f"{method} {path} HTTP/1.1\r\nHost: x\r\n"
                  f"Content-Length: 8388608\r\n\r\n".encode())
        held.append(c)
print("held", flush=True)
sys.stdin.read()
END
mkfifo "$TMP/go"
n=0
for path in /healthz /api/v1/status "/?Action=PutMetricData"; do
	python3 "$TMP/announce.py" "${HTTP#http://}" GET "$path" <"$TMP/go" >"$TMP/held" &
	exec 3>"$TMP/go"
	check "20 bodies are announced with GET $path" wait_for "grep -q held '$TMP/held'" 20
	n=$((n + 1))
	python3 tests/cli/batch.py limits $n log=/g,s,hello >"$TMP/b"
	is "$(ask "$TMP/b" "$HTTP/api/v1/batches")" 200 "and others write"
	exec 3>&-
done
stop_collector

# Ids of keys are no secrets: who knows one announces in its name, and harms
# that one alone.
SECRET=only-for-tests-0123456789-0123456789
for id in VICTIM-KEY OTHER-KEY; do
	printf '[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n' $id $id $SECRET
	printf 'role = admin\naccount = 123456789012\n'
done >"$TMP/keys"
chmod 600 "$TMP/keys"
cat >"$TMP/claim.py" <<'END'
import socket, sys
sys.path.insert(0, "tests/cli")
import sigv4
host, port = sys.argv[1].rsplit(":", 1)
url = f"http://{sys.argv[1]}/api/v1/batches"
held = []
for n in range(20):
    headers = sigv4.sign("POST", url, "VICTIM-KEY", "a guess")
    if n % 2:
        headers["Transfer-Encoding"] = "chunked"
    else:
        headers["Content-Length"] = "8388608"
    c = socket.create_connection((host, int(port)), 20)
    c.sendall(("POST /api/v1/batches HTTP/1.1\r\n" + "".join(
        f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n").encode())
    if n % 2:
        try:
            c.sendall(b"800000\r\n" + bytes((8 << 20) - 1))
        except OSError:
            pass
    held.append(c)
print("held", flush=True)
sys.stdin.read()
END
start_collector --memory 256M --keys "$TMP/keys"
python3 "$TMP/claim.py" "${HTTP#http://}" <"$TMP/go" >"$TMP/held" &
exec 3>"$TMP/go"
check "20 bodies are announced in the name of one key" \
	wait_for "grep -q held '$TMP/held'" 60
# call KEY METHOD PATH [OPTION ...]: the status of a signed call
call() {
	_key=$1
	shift
	python3 tests/cli/sigv4.py --key "$_key" --secret "$SECRET" "$@" |
		sed -n '1s/ .*//p'
}
is "$(call OTHER-KEY GET "$HTTP/api/v1/status")" 200 "another one asks"
is "$(call VICTIM-KEY GET "$HTTP/api/v1/status")" 200 "and so does that one itself"
exec 3>&-

# Nor do those near the X-Ray port, which needs no keys, take the place of others.
python3 "$TMP/announce.py" "$XRAY" POST /TraceSegments <"$TMP/go" >"$TMP/held" &
exec 3>"$TMP/go"
check "20 bodies are announced on the X-Ray port" wait_for "grep -q held '$TMP/held'" 20
is "$(call OTHER-KEY GET "$HTTP/api/v1/status")" 200 "others ask"
exec 3>&-
