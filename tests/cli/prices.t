#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Money end to end: usage goes into a real collector, the statement comes out,
# and a price that is changed in its file changes the statement at once.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh
unset NO_COLOR COLUMNS
export LC_ALL=C.UTF-8

mkdir "$TMP/prices"
cp billing/prices/*.json "$TMP/prices"
start_collector --prices "$TMP/prices"
export TALLY_ENDPOINT="$HTTP"

# send SEQUENCE FIRST COUNT BILLED_MS: a batch of runs of 128 MB; prints the
# status. Fields by core/wire/telemetry.proto.
send() {
	python3 - "$@" <<'PYTHON' >"$TMP/batch"
import calendar, sys, time
sequence, first, count, billed = map(int, sys.argv[1:])
def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])
def number(field, n): return varint(field << 3) + varint(n)
def text(field, s):
    s = s if isinstance(s, bytes) else s.encode()
    return varint(field << 3 | 2) + varint(len(s)) + s
# The start of this month, UTC, so that a re-send has the same bytes.
now = time.gmtime()
start = calendar.timegm((now.tm_year, now.tm_mon, 1, 0, 0, 1)) * 10**9
batch = text(1, "test") + number(2, sequence)
for i in range(first, first + count):
    batch += text(6, text(1, "run-%d" % i) + text(2, "lambda") +
                  number(3, start) + text(4, "f%d" % (i % 2)) +
                  number(5, 128) + number(6, 60) + number(7, 99000) +
                  number(8, billed))
sys.stdout.buffer.write(batch)
PYTHON
	curl -s -o "$TMP/answer" -w '%{http_code}' --data-binary \
		"@$TMP/batch" -H 'Content-Type: application/x-protobuf' \
		"$HTTP/api/v1/batches"
}
# statement EXPRESSION: of the answer as Python
statement() {
	"$BIN/tally-bill" --json >"$TMP/out" 2>"$TMP/err"
	json "$(cat "$TMP/out")" "$1"
}
applied() { [ "$(statement 'sum(f["requests"] for f in d["functions"])')" = "$1" ]; }
list_total() { statement 'd["list_total"]'; }

is "$(statement 'd["total"] + " " + str(len(d["lines"]))')" "0 0" "nothing yet"
is "$(send 1 0 100 100)" 200 "a hundred runs"
check "are in the statement" wait_for 'applied 100' 10
# 100 x (0.0000002 + 0.0125 x 0.0000166667)
is "$(list_total)" 0.000040833375 "at the list price, exactly"
is "$(statement 'd["total"] + " " + d["total_shown"]')" "0 0.00" \
	"and free"
is "$(statement 'd["functions"][0]["cost"]')" 0.0000204166875 \
	"half of it is of each function"
is "$(send 1 0 100 100)" 200 "the same batch again"
is "$(send 2 50 100 100)" 200 "half of it again in another batch"
check "each run counts once" wait_for 'applied 150' 10
is "$(send 3 0 1 101)" 409 "the same id with other content conflicts"
is "$(list_total)" 0.0000612500625 "and has no effect"

"$BIN/tally-bill" request run-7 >"$TMP/out" 2>&1
has "$TMP/out" '^cost +0\.00000040833375$' "cost of one run"

sed -i 's/"0.0000166667"/"1.5"/' "$TMP/prices/lambda-us-east-1.json"
is "$(list_total)" 2.81253 "a changed price changes the statement at once"
sed -i 's/"400000"/"1"/' "$TMP/prices/lambda-free-tier.json"
is "$(statement 'd["total"]')" 1.3125 "and so does the free tier"
sed -i 's/"1.5"/1.5/' "$TMP/prices/lambda-us-east-1.json"
is "$(list_total)" 2.81253 "a bad file changes nothing"
check "and is named with its line" wait_for \
	"grep -q 'lambda-us-east-1.json:[0-9]*: ' '$TMP/collector.log'" 5

kill -9 "$PID"
wait "$PID" 2>/dev/null
cp billing/prices/*.json "$TMP/prices"
start_collector --prices "$TMP/prices"
export TALLY_ENDPOINT="$HTTP"
check "after a kill the runs are there" wait_for 'applied 150' 10
is "$(list_total)" 0.0000612500625 "at the old price again, exactly"
is "$(send 4 0 150 100)" 200 "all of them again"
is "$(statement 'sum(f["requests"] for f in d["functions"])')" 150 \
	"none counts twice"
plan "$TAP_N"
