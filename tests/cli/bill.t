#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tally-bill against a fake API (tests/cli/fake_api.py): what it asks, what it
# prints, and how it fails.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh
unset NO_COLOR TALLY_ENDPOINT COLUMNS
export LC_ALL=C.UTF-8

python3 tests/cli/fake_api.py "$TMP/port" &
PID=$!
wait_for "[ -s '$TMP/port' ]" 10
TALLY_ENDPOINT=http://127.0.0.1:$(cat "$TMP/port")
export TALLY_ENDPOINT
# bill ARGUMENT...: prints the exit status
bill() {
	"$BIN/tally-bill" "$@" >"$TMP/out" 2>"$TMP/err" </dev/null
	echo $?
}
asked() { tail -1 "$TMP/port.log"; }

is "$(bill)" 0 "a statement"
is "$(asked)" /api/v1/statement "without a month it asks for the current one"
has "$TMP/out" '^Statement 2026-11 of account 123456789012 \(provisional' \
	"month, account, provisional"
has "$TMP/out" 'lambda-us-east-1.json 2026-11-22' "the price books"
has "$TMP/out" '^  Lambda-Request +3,000,000 +1,000,000 +2,000,000 +0\.0000002 +0\.40 +0\.4$' \
	"requests, free tier, price, cost, exact cost"
has "$TMP/out" '^  Lambda-GB-Second +6,540,000,000\.125 +400,000 +6,000,000,000 +0\.0000166667 +108,094\.20 +108,094\.200001875$' \
	"GB-seconds at the first tier"
has "$TMP/out" '^ +539,600,000\.125 +0\.000015 +8,094\.000001875$' \
	"and at the second"
has "$TMP/out" '^us-east-1, x86_64$' "region and architecture"
has "$TMP/out" '^mars-1, arm64$' "and the next"
has "$TMP/out" '^  Lambda-Request +7 .* no price *$' "what has no price"
has "$TMP/out" '^Note: no price in the book for Lambda-Request of arm64' \
	"and the note that says so"
has "$TMP/out" '^MyNodeJsLambda1 +3,000,000 +52,320,000,001 .*108,100\.200001875$' \
	"cost of a function"
has "$TMP/out" '^bad\\x1b\]0;x' "a name cannot steer the terminal"
has "$TMP/out" '^Total to pay +USD 108,094\.60  exactly 108,094\.600001875$' \
	"the total, rounded and exact"
is "$(LC_ALL=C tr -d '\n -~' <"$TMP/out" | wc -c)" 0 "plain text only"

is "$(bill --month 2026-10)" 0 "another month"
is "$(asked)" "/api/v1/statement?month=2026-10" "is asked for"
is "$(bill --function MyNodeJsLambda1)" 0 "one function"
is "$(grep -c '^MyNodeJsLambda1 ' "$TMP/out") $(grep -c '^bad' "$TMP/out")" \
	"1 0" "is there alone"
is "$(bill --function nope)" 1 "a function without usage"
has "$TMP/err" '^tally-bill: no usage of function nope in that month; ' \
	"is named, with what to do"
is "$(bill --json)" 0 "as JSON"
is "$(json "$(cat "$TMP/out")" 'd["total"]')" 108094.600001875 "it parses"
is "$(bill --json --function MyNodeJsLambda1)" 0 "a function as JSON"
is "$(json "$(cat "$TMP/out")" 'd["billed_ms"]')" 52320000001 "alone"

is "$(bill --csv)" 0 "as CSV"
# csv EXPRESSION: of the rows r, each a dictionary, read by another's reader
csv() { python3 -c 'import csv, sys
r = list(csv.DictReader(open(sys.argv[1], newline="")))
print(eval(sys.argv[2]))' "$TMP/out" "$1"; }
is "$(csv 'len(r), r[1]["quantity"], r[1]["cost_usd"], r[2]["cost_usd"]')" \
	"(3, '6540000000.125', '108094.200001875', '')" \
	"a row for each usage type, exact"
is "$(csv 'sum(__import__("decimal").Decimal(x["cost_usd"] or 0) for x in r)')" \
	108094.600001875 "they add up to the total"
is "$(bill --csv --function "$(printf 'bad\033]0;x\a')")" 0 "a hostile name as CSV"
is "$(csv 'r[0]["function"] == "bad\ufffd]0;x\ufffd"')" True \
	"cannot steer the terminal there either"
is "$(bill --csv request 8476a536)" 0 "a request as CSV"
is "$(csv 'len(r), r[1]["rate_usd"], r[1]["cost_usd"]')" \
	"(2, '0.0000166667', '0.00000020833375')" "a row for each item"
is "$(bill --csv --json)" 2 "CSV and JSON: usage"

is "$(bill request 8476a536)" 0 "a request"
has "$TMP/out" '^function +MyNodeJsLambda1 \(us-east-1, x86_64\)$' "function"
has "$TMP/out" '^time +2026-11-22T09:00:00\.123Z$' "time"
has "$TMP/out" '^duration +12\.345 ms, initialization 87\.000 ms, billed 100 ms$' \
	"durations"
has "$TMP/out" '^Lambda-GB-Second +0\.0125 +GB-s +0\.0000166667 +0\.00000020833375$' \
	"inputs of the cost"
has "$TMP/out" '^cost +0\.00000040833375$' "the cost"
is "$(bill request 'a/../b?c')" 1 "a request that is not there"
is "$(asked)" "/api/v1/usage/a%2F..%2Fb%3Fc" "was asked for by its escaped id"
has "$TMP/err" '^tally-bill: ' "and it says so"

is "$(bill request)" 2 "request without an id: usage"
is "$(bill request x --month 2026-10)" 2 "request with a month: usage"
is "$(bill statement)" 2 "another word: usage"
is "$(bill --month 2026-1)" 2 "a wrong month: usage"
echo 503 >"$TMP/port.status"
is "$(bill)" 1 "the collector is unwell"
has "$TMP/err" '^tally-bill: .*the disk is full' "what it said"
"$BIN/tally-bill" >/dev/full 2>"$TMP/err"
is "$?" 1 "standard output that takes nothing"
rm -f "$TMP/port.status"
"$BIN/tally-bill" >/dev/full 2>"$TMP/err"
is "$?" 1 "nor then"
has "$TMP/err" 'cannot write all' "is told"
plan "$TAP_N"
