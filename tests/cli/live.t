#!/bin/sh
# tally and tally-top against the real collector with a real function: what an
# invocation leaves behind is seen in each command, and the dashboard survives
# a collector that is killed and started again on its data.
set -u
cd "$(dirname "$0")/../.."
if ! command -v tmux >/dev/null; then
	echo "1..0 # SKIP tmux is not there"
	exit 0
fi
BIN=$(cd "${BUILD:-build}/bin" && pwd)
work=$(mktemp -d)
collector=
tm() { tmux -L "tally-live-$$" -f /dev/null "$@" 2>>"$work/tmux"; }
finish() {
	[ -z "$collector" ] || { kill "$collector" && wait "$collector"; } 2>/dev/null
	tm kill-server
	rm -rf "$work"
}
trap finish EXIT
unset NO_COLOR TALLY_ENDPOINT COLUMNS TMUX
export LC_ALL=C.UTF-8
number=0
# check NAME: the condition before decides
check() {
	result=$?
	number=$((number + 1))
	if [ "$result" = 0 ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		sed 's/^/# /' "$work/out" | head -30
	fi
}
# start PORT (0: any): the collector, on the data that is there
start() {
	: >"$work/ready"
	"$BIN/tally-collector" --data "$work/data" --http "127.0.0.1:$1" \
		--xray 127.0.0.1:0 --grpc off --prices billing/prices \
		>"$work/ready" 2>>"$work/collector.log" &
	collector=$!
	for _ in $(seq 100); do
		grep -q '^ready' "$work/ready" && break
		sleep 0.1
	done
	port=$(sed -n 's/^http .*://p' "$work/ready")
}
run() { "$BIN/$@" >"$work/out" 2>&1 </dev/null; }
said() { grep -qF -- "$1" "$work/out"; }
# until_said TEXT COMMAND...: within ten seconds it prints TEXT
until_said() {
	text=$1
	shift
	for _ in $(seq 50); do
		run "$@" && said "$text" && return 0
		sleep 0.2
	done
	return 1
}
sees() {
	for _ in $(seq 100); do
		tm capture-pane -p >"$work/out"
		grep -qF -- "$1" "$work/out" && return 0
		sleep 0.1
	done
	return 1
}

mkdir -p "$work/data" "$work/code"
cat >"$work/code/index.py" <<'END'
def handler(event, context):
    print("order \x1b[31m%s" % event.get("order"))
    if event.get("order") == "bad":
        raise ValueError("no such order")
    return {"ok": True}
END
echo '{"order":"good"}' >"$work/good.json"
echo '{"order":"bad"}' >"$work/bad.json"
start 0
export TALLY_ENDPOINT="http://127.0.0.1:$port"
invoke() {
	"$BIN/tally-agent" --runtime python3 --code "$work/code" \
		--function orders --spool "$work/spool" -q \
		--event "$work/$1.json" --count "$2" invoke >"$work/agent" 2>&1
}

run tally health && said ok
check "a new collector is healthy"
run tally-top --once && said "no function has run"
check "and has nothing to show"
invoke good 4
invoke bad 1
until_said "orders" tally-top --once && said "ERRORS" && said '$0.0000'
check "a function that ran is in tally-top"
until_said "order \\x1b[31mgood" tally logs /aws/lambda/orders
check "its log lines are in tally logs, and safe"
id=$(sed -n 's/.*START RequestId: \([0-9a-f-]*\).*/\1/p' "$work/out" | tail -1)
[ -n "$id" ] && run tally logs --request-id "$id" && said "START RequestId: $id" &&
	[ "$(grep -c START "$work/out")" = 1 ]
check "one request's lines alone"
run tally logs --filter "no such order" && said "no such order" &&
	! said "good"
check "lines with a text in them alone"
run tally logs -n 1 --json && [ "$(grep -c "^{" "$work/out")" = 1 ] &&
	said "there are older ones"
check "a limit"
until_said "FunctionName=orders" tally metrics list AWS/Lambda
check "its metrics are listed"
run tally metrics data AWS/Lambda Invocations FunctionName=orders --json &&
	python3 -c 'import json, sys
assert sum(p["sum"] for p in json.load(open(sys.argv[1]))["points"]) == 5' \
		"$work/out"
check "and counted"
run tally metrics data AWS/Lambda Invocations &&
	said "exactly these dimensions" && run tally metrics list Nowhere &&
	said "no such metric" && run tally logs --since 3w --until 2w &&
	said "no such log event in this time" &&
	run tally logs --request-id never && said "no such log event is stored"
check "nothing to show is said to be nothing"
run tally-bill --month 2020-01 && said "No usage" && ! said "Prices:" &&
	run tally alarm history never && said "no change of an alarm of this name"
check "nor are there prices and changes of nothing"
! run tally metrics data A B --stat p101 && said "stat must be one of" &&
	curl -s "$TALLY_ENDPOINT/api/v1/metrics/data?namespace=A&name=B&period=90" |
	grep -q "period must be a multiple of 60"
check "what is wrong with a question is said"
run tally alarm && run tally alarm history && run tally status --all &&
	said "journal" && said "usage_stored"
check "alarms and status"
run tally status && said "under way" && ! said "refuses" && ! said "why" &&
	run tally status --json && said '"refusing":"none"'
check "where nothing is refused status speaks of none"
run tally trace "$id" && said "orders"
check "tally trace runs tally-trace"
"$BIN/tally" logs --follow --since now >"$work/follow" 2>&1 &
follow=$!
sleep 1.2
invoke good 1
for _ in $(seq 50); do
	grep -q REPORT "$work/follow" && break
	sleep 0.2
done
kill "$follow"
wait "$follow" 2>/dev/null
sort "$work/follow" | uniq -d >"$work/out"
[ "$(grep -c "START RequestId" "$work/follow")" = 1 ] && ! grep -q . "$work/out"
check "logs --follow sees a new invocation, once"

tm new-session -d -x 100 -y 30 "'$BIN/tally-top' --interval 0.3; echo ended; sleep 60"
sees "orders" && tm send-keys Enter && sees "fault"
check "the dashboard lists the function's traces"
tm send-keys Enter && sees "Invocation" && sees "Logs" && sees "REPORT" &&
	sees 'Cost $0.00'
check "and a waterfall with logs and cost"
kill -9 "$collector"
wait "$collector" 2>/dev/null
sees "no answer since" && sees "Invocation"
check "the collector is killed: said, and the old picture stays"
start "$port"
for _ in $(seq 100); do
	sees "? help" && ! said "no answer" && break
	sleep 0.1
done
! said "no answer" && tm send-keys Left Left && sees "orders"
check "it comes back with its data"
tm send-keys q && sees "ended"
check "and the dashboard ends"
echo "1..$number"
