#!/usr/bin/env bash
# A full disk: new writes are refused with 503, what is stored is served, and
# the collector recovers by itself. On a small tmpfs, so it needs root. TAP.
set -u
cd "$(dirname "$0")/../.."
. tests/cli/lib.sh
mkdir -p "$DATA"
if ! mount -t tmpfs -o size=24m tmpfs "$DATA" 2>/dev/null; then
	echo "1..0 # SKIP needs root to mount a small file system"
	exit 0
fi
trap '[ -z "$PID" ] || kill -9 "$PID"; umount -l "$DATA"; cleanup' EXIT
plan 11

post() { # PRODUCER SEQUENCE ID: STATUS
	python3 tests/cli/batch.py "$1" "$2" "usage=$3,f,128,10" >"$TMP/batch"
	STATUS=$(curl -s -o /dev/null -D "$TMP/head" -w '%{http_code}' \
		--data-binary "@$TMP/batch" "$HTTP/api/v1/batches")
}
start_collector
post p 1 first
is "$STATUS" 200 "with room it stores"
dd if=/dev/zero of="$DATA/filler" bs=64k 2>/dev/null
# A file that is there already has room for some frames.
n=1
while [ "$STATUS" = 200 ] && [ "$n" -lt 400 ]; do
	n=$((n + 1))
	python3 tests/cli/batch.py p "$n" "usage=r-$n,f,128,10" \
		"log=g,s,$(head -c 60000 /dev/zero | tr '\0' x)" >"$TMP/batch"
	STATUS=$(curl -s -o /dev/null -D "$TMP/head" -w '%{http_code}' \
		--data-binary "@$TMP/batch" "$HTTP/api/v1/batches")
done
is "$STATUS" 503 "full: 503"
like "$(cat "$TMP/head")" 'Retry-After: [0-9]+' "with Retry-After"
span='{"resourceSpans":[{"scopeSpans":[{"spans":[{"name":"s","startTimeUnixNano":"1",
"traceId":"581cf771a006649127e371903a2de979","spanId":"99c3afe0ca06e8a7"}]}]}]}'
like "$(curl -s -i -H 'Content-Type: application/json' -d "$span" "$HTTP/v1/traces" | tr -d '\r')" \
	'^HTTP/1.1 503' "a span as well"
like "$(curl -s -i -H 'Content-Type: application/json' -d "$span" "$HTTP/v1/traces" |
	tr -d '\r' | tr '\n' ' ')" 'Retry-After: 1 .*\{"code":14,"message":"the collector.s disk is full' \
	"in the form of OTLP, to be sent again"
is "$(curl -s -o /dev/null -w '%{http_code}' "$HTTP/healthz")" 503 "healthz says so"
is "$(curl -s -o /dev/null -w '%{http_code}' "$HTTP/api/v1/usage/first")" 200 \
	"what is stored is served"
like "$(curl -s "$HTTP/metrics")" 'tally_shed_total\{reason="disk-full"\} [1-9]' "and counted"
rm "$DATA/filler"
again() { post q "$n" "q-$n"; [ "$STATUS" = 200 ]; }
wait_for again 3
is "$STATUS" 200 "with room again it stores by itself"
stop_collector
start_collector
is "$(curl -s -o /dev/null -w '%{http_code}' "$HTTP/api/v1/usage/q-$n")" 200 \
	"what was acknowledged then is there after a restart"
is "$(curl -s -o /dev/null -w '%{http_code}' "$HTTP/api/v1/usage/r-$n")" 404 \
	"what was refused is not"
stop_collector
