#!/bin/sh
# tally-trace against a fake API (tests/cli/fake_api.py): what it asks, what it
# prints, how it fails. TAP.
set -u
cd "$(dirname "$0")/../.."
. tests/cli/lib.sh
plan 60
unset NO_COLOR TALLY_ENDPOINT COLUMNS
export LC_ALL=C.UTF-8
# run EXIT NAME ARGUMENT...: how tally-trace ends
run() {
	wanted=$1 name=$2
	shift 2
	"$BIN/tally-trace" "$@" >"$TMP/out" 2>"$TMP/err" </dev/null
	is "$?" "$wanted" "$name"
}
asked() { tail -1 "$TMP/port.log"; }
# Nothing below space but newlines, no DEL, in what was printed.
clean() { ! LC_ALL=C tr -d '\n -~\200-\377' <"$TMP/out" | grep -q .; }

FAKE_API=trace python3 tests/cli/fake_api.py "$TMP/port" &
PID=$!
wait_for "[ -s '$TMP/port' ]" 10
export TALLY_ENDPOINT="http://127.0.0.1:$(cat "$TMP/port")"

COLUMNS=110 run 0 "a trace by its id" 1-6b02d3f0-0123456789abcdef01234567
is "$(sed -n 3,12p "$TMP/out")" "$(cat tests/fixtures/trace/waterfall_110.txt)" \
	"the waterfall is a tree with bars"
is "$(sed -n '/^Critical path/,/^$/p' "$TMP/out" | head -3)" "Critical path (•)
     125ms   51 %  payments.example.com
    52.0ms   21 %  Initialization" "whose time the critical path is"
has "$TMP/out" 'Logs /aws/lambda/checkout' "log lines have their group"
has "$TMP/out" '^    .x1b.31mred' "control bytes of a message are shown, not sent"
check "and nothing else slips through" clean
has "$TMP/out" '128 MB .71 MB used., billed 226 ms .ran 173.210 ms, init 52.000 ms., x86_64' \
	"the inputs of the cost"
has "$TMP/out" 'Lambda-GB-Second +0.02825 +GB-s +0.0000166667 +1 +0.000000470834' \
	"quantity, rate and cost of each item, exact"
has "$TMP/out" 'total 0.000000670834 USD, list price' "the total, exact"
has "$TMP/out" '^  checkout: PaymentError: card declined$' "an exception with where it was"
is "$(grep -c 'PaymentError' "$TMP/out")" 2 "once there and once in the waterfall"
has "$TMP/out" '^      at charge ./var/task/index.js:12.$' "and its stack"
has "$TMP/out" '^  Invocation  order=17  user=ali.x1b.31m  retry=false$' "annotations, safe to print"
COLUMNS=44 run 0 "a narrow terminal" 1-6b02d3f0-0123456789abcdef01234567
is "$(sed -n 4,10p "$TMP/out" | awk '{ if (length($0) > 44) print }')" "" "keeps its width"
LC_ALL=C run 0 "without UTF-8" 1-6b02d3f0-0123456789abcdef01234567
check "all is ASCII" sh -c "! LC_ALL=C grep -q '[^ -~]' '$TMP/out'"
has "$TMP/out" '^   .- Invocation +(AWS.* )?173ms +17.0ms \* fault' "and the mark of the path"
run 0 "clocks that disagree" 1-6b02d3f0-0000000000000000089abcde
has "$TMP/out" '^ +its clock is 550ms behind: moved' "are told"
is "$(grep -c 'its clock' "$TMP/out")" 1 "once a host"
has "$TMP/out" '^ +40.0ms +20 %  front' "and the times are as they must have been"
run 0 "with colour" --color=always 1-6b02d3f0-0123456789abcdef01234567
has "$TMP/out" "$(printf '\033\\[31mfault')" "a fault is red"

run 0 "a request without a trace" 8476a536
has "$TMP/out" 'total 0.00000040833375 USD' "has a cost all the same"
run 1 "an unknown id ends with 1" "no$(printf '\033')such/id"
has "$TMP/err" 'nothing is known under no.x1bsuch/id; .tally-trace list' "and says what to do"
is "$(asked)" "/api/v1/usage/no%1Bsuch%2Fid" "the id is escaped"

run 0 "the map" map
has "$TMP/out" '^checkout +AWS::Lambda::Function +38 +0 +0 +2 +250ms +400ms' "nodes with counts and times"
has "$TMP/out" '^      └─ payments.x1b.2J .remote.  38 calls, 2 throttle' "edges as a tree, safe to print"
has "$TMP/out" 'ping  2 calls, mean 200ms, p99 300ms, see above' "a circle of calls ends"
run 0 "the map in Graphviz's language" map --dot
has "$TMP/out" 'label="checkout.nAWS::Lambda::Function.n40 × 250ms, 2 fault", color="#c62828"' \
	"nodes with their numbers, red where they fail"
has "$TMP/out" 'label="payments.\[2J.nremote' "what controls a terminal is gone"
run 0 "the map as a picture" map --svg "$TMP/map.svg"
has "$TMP/map.svg" '>checkout</text>' "with its nodes"
check "and nothing printed" [ ! -s "$TMP/out" ]
run 0 "as pixels, to standard output" map --png -
is "$(head -c 8 "$TMP/out" | od -An -tx1)" " 89 50 4e 47 0d 0a 1a 0a" "is a PNG"
run 1 "into a folder that is not there" map --svg "$TMP/none/map.svg"
has "$TMP/err" 'none/map.svg: No such file' "says which"
(PATH=/nonexistent; export PATH; "$BIN/tally-trace" map --svg "$TMP/map.svg") \
	>"$TMP/out" 2>"$TMP/err"
has "$TMP/err" 'cannot run Graphviz.*--dot' "without dot it says what to do"
run 2 "one picture at a time" map --svg a --png b
run 2 "only of the map" list --dot
run 0 "the list" list --since 2h --function checkout --limit 2
like "$(asked)" '/api/v1/traces\?start=[0-9.]+&end=[0-9.]+&function=checkout&limit=2' "asks what was wanted"
run 0 "a search" search 'service("a b") { fault } AND duration > 1' --since 2h
like "$(asked)" 'filter=service%28%22a%20b%22%29%20%7B%20fault%20%7D%20AND%20duration%20%3E%201&limit=50' \
	"hands the expression on"
has "$TMP/out" 'checkout +1-6b02d3f0-0123456789abcdef01234567' "prints what it finds"
run 2 "a search for nothing is a wrong usage" search
timeout 3 "$BIN/tally-trace" search fault -f >"$TMP/out" 2>"$TMP/err"
is "$? $(wc -l <"$TMP/out") $(tail -1 "$TMP/out" | cut -c1-80)" \
	"124 3 2026-11-22T08:59:50.123Z    245ms fault    checkout                 1-6b02d3f0-0" \
	"--follow prints each once, the newest last"
check "and asks again" [ "$(grep -c 'filter=fault' "$TMP/port.log")" -ge 2 ]
run 2 "--follow with an end" list -f --until 1h
run 0 "the collector's answer" --json map
is "$(json "$(cat "$TMP/out")" 'd["nodes"][4]["name"] == "payments\x1b[2J"')" True "is JSON"
run 2 "no argument is a wrong usage"
run 2 "a slip in a time too" map --since yesterday
echo 503 >"$TMP/port.status"
run 1 "a collector that is unwell" map
