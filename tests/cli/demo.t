#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# demo/run, as a newcomer types it, while another collector is running: what it
# shows, that it ends well, and that it leaves nothing running.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh

start_collector
unset TALLY_ENDPOINT
export TALLY_DEMO_MARKER="$$.$(date +%s)" # inherited by all that demo/run starts
start=$(date +%s)
TMPDIR=$TMP demo/run >"$TMP/demo" 2>"$TMP/demo.err"
is "$?" 0 "demo/run: 0"
[ -s "$TMP/demo.err" ] && sed 's/^/# /' "$TMP/demo.err" | tail -20
seconds=$(($(date +%s) - start))
echo "# it took $seconds s"
limit=60
[ -z "${SAN:-}" ] || limit=240 # sanitizers take their time
check "in less than $limit s" test "$seconds" -lt $limit

has "$TMP/demo" 'Hello Ali from Development' "the first answer"
has "$TMP/demo" \
	'^REPORT RequestId: [0-9a-f-]{36}	Duration: [0-9.]+ ms	Billed Duration: [0-9]+ ms	Memory Size: 128 MB	Max Memory Used: [0-9]+ MB' \
	"its REPORT line"
request=$(sed -n 's/^REPORT RequestId: \([0-9a-f-]*\).*/\1/p' "$TMP/demo" | head -n 1)
# section TITLE: its lines, up to the next.
section() {
	awk -v title="== $1" 'index($0, "== ") == 1 { on = index($0, title) == 1; next } on' \
		"$TMP/demo"
}
section "Its waterfall" >"$TMP/waterfall"
has "$TMP/waterfall" "$request" "a waterfall with the request id"
has "$TMP/waterfall" 'AWS::Lambda' "with the platform's segments"
has "$TMP/waterfall" 'START RequestId' "with the handler's log"
has "$TMP/waterfall" '0\.0*[1-9][0-9]*' "with a cost greater than 0"
has "$TMP/waterfall" 'Lambda-Request' "and the requests it is made from"
has "$TMP/waterfall" 'Lambda-GB-Second' "and the GB-seconds"
section "The service map" >"$TMP/map"
has "$TMP/map" 'shop' "the map has the shop's own node"
has "$TMP/map" 'orders' "and the function that calls it"
section "The alarm" >"$TMP/alarm"
has "$TMP/alarm" '"NewStateValue" *: *"ALARM"' "the webhook was told of ALARM"
has "$TMP/alarm" 'orders-errors.*ALARM|ALARM.*orders-errors' "and tally alarm says so"
section "The statement" >"$TMP/statement"
has "$TMP/statement" 'MyNodeJsLambda1' "the statement names both functions"
has "$TMP/statement" 'orders' "orders too"
section "The dashboard" >"$TMP/dashboard"
has "$TMP/dashboard" 'tally-top' "the line for the dashboard"

is "$(marked "TALLY_DEMO_MARKER=$TALLY_DEMO_MARKER")" "" "no process is left"
is "$(curl -s "$HTTP/healthz")" ok "the other collector is well"

# Told to end in the middle, it ends all it started.
export TALLY_DEMO_MARKER="$$.again"
TMPDIR=$TMP demo/run >"$TMP/again" 2>&1 &
again=$!
wait_for "grep -q '^== Its REPORT' '$TMP/again'" 20
kill "$again"
wait "$again"
is "$?" 143 "ended by a signal"
is "$(marked "TALLY_DEMO_MARKER=$TALLY_DEMO_MARKER")" "" "no process is left then"

# The line works: the data it kept, opened again.
stop_collector
DATA=$(sed -n 's/.*--data \([^ ]*\) &$/\1/p' "$TMP/dashboard")
start_collector
check "the same answers from the data it kept" sh -c \
	"'$BIN/tally-trace' '$request' | grep -q '$request'"
"$BIN/tally" logs --request-id "$request" --since 1h --color never >"$TMP/lines"
has "$TMP/lines" 'REPORT RequestId' "and its log"
plan "$TAP_N"
