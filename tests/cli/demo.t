#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# demo/run, as a newcomer types it, while another collector is running: what it
# shows, that it ends well, and that it leaves nothing running.
. "$(dirname "$0")/tap.sh"

collector_start "$work/other"
other=$collector
unset TALLY_ENDPOINT
TALLY_DEMO_TEST=$TALLY_TEST_MARKER
export TALLY_DEMO_TEST
start=$(date +%s)
TMPDIR=$work demo/run >"$work/out" 2>"$work/err"
is "demo/run: 0" "$?" 0
[ -s "$work/err" ] && sed 's/^/# /' "$work/err" | tail -20
seconds=$(($(date +%s) - start))
echo "# it took $seconds s"
ok "in less than a minute" test "$seconds" -lt "${DEMO_SECONDS:-60}"

has "the first answer" "$work/out" 'Hello Ali from Development'
has "its REPORT line" "$work/out" '^REPORT RequestId: [0-9a-f-]{36}	Duration: [0-9.]+ ms	Billed Duration: [0-9]+ ms	Memory Size: 128 MB	Max Memory Used: [0-9]+ MB'
request=$(sed -n 's/^REPORT RequestId: \([0-9a-f-]*\).*/\1/p' "$work/out" | head -n 1)
# section TITLE: its lines, up to the next.
section() {
	awk -v title="== $1" 'index($0, "== ") == 1 { on = index($0, title) == 1; next } on' \
		"$work/out"
}
section "Its waterfall" >"$work/waterfall"
has "a waterfall with the request id" "$work/waterfall" "$request"
has "with the platform's segments" "$work/waterfall" 'AWS::Lambda'
has "with the handler's log" "$work/waterfall" 'START RequestId'
has "with a cost greater than 0" "$work/waterfall" '0\.0*[1-9][0-9]*'
has "and the requests it is made from" "$work/waterfall" 'Lambda-Request'
has "and the GB-seconds" "$work/waterfall" 'Lambda-GB-Second'
section "The service map" >"$work/map"
has "the map has the shop's own node" "$work/map" 'shop'
has "and the function that calls it" "$work/map" 'orders'
section "The alarm" >"$work/alarm"
has "the webhook was told of ALARM" "$work/alarm" '"NewStateValue" *: *"ALARM"'
has "and tally alarm says so" "$work/alarm" 'orders-errors.*ALARM|ALARM.*orders-errors'
section "The statement" >"$work/statement"
has "the statement names both functions" "$work/statement" 'MyNodeJsLambda1'
has "orders too" "$work/statement" 'orders'
section "The dashboard" >"$work/dashboard"
has "the line for the dashboard" "$work/dashboard" 'tally-top'

# Every process carries the marker; only this test's collector may be left.
is "no process is left" "$(marked | grep -v "^$other " | grep -v "^$$ ")" ""
ok "the other collector is well" curl -sf "http://$http/healthz"

# The line works: the data it kept, opened again.
data=$(sed -n 's/.*--data \([^ ]*\) &$/\1/p' "$work/dashboard")
kill "$other" && wait "$other"
collector_start "$data"
ok "the same answers from the data it kept" sh -c \
	"'$bin/tally-trace' '$request' | grep -q '$request'"
"$bin/tally" logs --request-id "$request" --since 1h --color never >"$work/lines"
has "and its log" "$work/lines" 'REPORT RequestId'
plan
