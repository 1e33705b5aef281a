#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# tally-agent with real handlers and a small collector that keeps what it gets.
set -u
cd "$(dirname "$0")/../.."
BUILD="${BUILD:-build}"
agent="$PWD/$BUILD/bin/tally-agent"
here="$PWD/tests/cli/agent"
tmp="$(mktemp -d)"
export XDG_STATE_HOME="$tmp/state"
unset TALLY_ENDPOINT
number=0
# The interpreter itself: a version manager's wrapper costs 100 ms a call.
python="$(python3 -c 'import sys; print(sys.executable)')"
collector=
trap 'kill $collector 2>/dev/null; rm -rf "$tmp"' EXIT

ok() { # ok STATUS NAME [FILE to show when it failed]
	number=$((number + 1))
	if [ "$1" = 0 ]; then
		echo "ok $number - $2"
	else
		echo "not ok $number - $2"
		[ $# -lt 3 ] || sed 's/^/# /' "$3" | head -40
	fi
}
# is NAME CONDITION: a Python expression over the records `r` and the JSON
# answers `a` of the last run.
is() {
	"$python" - "$tmp/records" "$tmp/out" "$2" >"$tmp/why" 2>&1 <<'PY'
import json, sys
def lines(path):
    out = []
    for line in open(path):
        try: out.append(json.loads(line))
        except ValueError: out.append(line)
    return out
records, a = lines(sys.argv[1]), lines(sys.argv[2])
def r(kind): return [x[kind] for x in records if kind in x]
sys.exit(0 if eval("(" + sys.argv[3] + ")") else "false: %r %r" % (a[-3:], records[-5:]))
PY
	ok $? "$1" "$tmp/why"
}
serve() { # serve DIR: starts the collector
	rm -f "$tmp/port"
	"$python" "$here/collector.py" serve "$1" >"$tmp/port" &
	collector=$!
	while ! [ -s "$tmp/port" ]; do sleep 0.05; done
	url="http://127.0.0.1:$(cat "$tmp/port")"
}
# run DIR HANDLER EVENT ARGS...: one run against a fresh folder of batches
run() {
	dir=$1 handler=$2 event=$3
	shift 3
	rm -f "$tmp/got"/*
	printf '%s' "$event" | "$agent" invoke --function f --code "$here/$dir" \
		--handler "$handler" --event - --json --collector "$url" \
		"$@" >"$tmp/out" 2>"$tmp/err"
	status=$?
	"$python" "$here/collector.py" show "$tmp/got" >"$tmp/records"
}
serve "$tmp/got"

run node index.handler '{"mode":"hello"}' --env EnvironmentName=Development
ok $status 'a handler runs' "$tmp/err"
is 'its answer' \
	'a[0]["payload"] == {"statusCode": 200, "body": "\"Hello Ali from Development\""}'
is 'one usage record with the id of the request' \
	'[u["id"] for u in r("usage")] == [a[0]["requestId"]]'
is 'billed is init and duration, rounded up once' \
	'(lambda u: u["billed_ms"] == -(-(u["init_us"] + u["duration_us"]) // 1000)
	== a[0]["billedMs"] and u["init_us"] > 0)(r("usage")[0])'
is 'the service segment, and the function segment below it' \
	'(lambda s: set(s) == {"AWS::Lambda", "AWS::Lambda::Function"} and
	s["AWS::Lambda::Function"]["parent_id"] == s["AWS::Lambda"]["id"] and
	s["AWS::Lambda"]["aws"]["request_id"] == a[0]["requestId"] and
	s["AWS::Lambda"]["trace_id"] == a[0]["traceId"])(
	{x["origin"]: x for x in r("segment")})'
is 'Initialization, Invocation, Overhead of a cold start' \
	'[x["name"] for x in [s for s in r("segment") if "subsegments" in s][0]
	["subsegments"]] == ["Initialization", "Invocation", "Overhead"]'
is 'five metrics by function name' \
	'{d["name"]: d["values"] for d in r("datum")} | {"Duration": 0} ==
	{"Invocations": [1], "Errors": [0], "Throttles": [0], "Duration": 0,
	"ConcurrentExecutions": [1]} and all(d["namespace"] == "AWS/Lambda" and
	d["dimensions"] == [{"name": "FunctionName", "value": "f"}] and
	d["resolution_s"] == 60 for d in r("datum"))'
is 'START, END and REPORT in the log group of the function' \
	'[m["message"].split()[0] for m in r("log")] ==
	["INIT_START", "START", "END", "REPORT"] and
	{m["group"] for m in r("log")} == {"/aws/lambda/f"}'
is 'a stream named after the day' \
	'__import__("re").fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}",
	r("log")[0]["stream"])'
grep -q '^REPORT RequestId: .*Billed Duration: .*Init Duration: ' "$tmp/err"
ok $? 'the REPORT line on stderr' "$tmp/err"

run node index.handler '{"mode":"log"}'
is 'a log line keeps its line end, and its request id' \
	'any(m["message"].endswith("\tINFO\tline one\nline two") and
	m["message"].split("\t")[1] == a[0]["requestId"] for m in r("log"))'
is 'raw bytes on stdout are lines too' \
	'"raw bytes" in [m["message"] for m in r("log")]'
is 'the runtime knows its stream' \
	'a[0]["payload"] == r("log")[0]["stream"]'

run node index.handler '{"mode":"env"}' --memory 256 --region eu-west-1
is 'the environment is what Lambda sets' \
	'(lambda e: e["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256" and
	e["AWS_REGION"] == "eu-west-1" and e["TZ"] == ":UTC" and
	e["_HANDLER"] == "index.handler" and "XDG_STATE_HOME" not in e and
	e["_X_AMZN_TRACE_ID"].startswith("Root=" + a[0]["traceId"]) and
	e["AWS_XRAY_CONTEXT_MISSING"] == "LOG_ERROR")(a[0]["payload"])'

run node index.handler '{"mode":"throw"}'
[ $status = 1 ]
ok $? 'a single failed invocation: status 1'
is 'its error as the payload' \
	'a[0]["functionError"] == "Unhandled" and
	a[0]["payload"]["errorType"] == "TypeError"'
is 'the cause with its stack in the segment' \
	'(lambda s: s["fault"] and s["cause"]["exceptions"][0]["message"] ==
	"boom" and s["cause"]["exceptions"][0]["stack"][0]["line"] > 0)(
	[s for s in r("segment") if "cause" in s][0])'
is 'Errors is 1' \
	'[d["values"] for d in r("datum") if d["name"] == "Errors"] == [[1]]'

run node index.handler '{"mode":"slow"}' --timeout 1
is 'a time-out is reported as Lambda does' \
	'a[0]["status"] == "timeout" and r("usage")[0]["status"] == 2 and
	r("usage")[0]["duration_us"] == 1000000 and any(m["message"].endswith(
	a[0]["requestId"] + " Task timed out after 1.00 seconds")
	for m in r("log")) and "\tStatus: timeout" in r("log")[-1]["message"]'
is 'what it wrote before is there' \
	'any(m["message"].endswith("\tbefore") for m in r("log"))'

run node index.handler '{"mode":"exit"}'
is 'a runtime that exits' \
	'r("usage")[0]["status"] == 1 and a[0]["payload"]["errorMessage"].endswith(
	"Error: Runtime exited with error: exit status 3")'

run node index.handler '{"mode":"memory","mb":400}'
is 'over the memory limit: killed, and told apart' \
	'r("usage")[0]["status"] == 3 and r("usage")[0]["max_memory_mb"] == 128
	and any("signal: killed\nRuntime.ExitError" in m["message"]
	for m in r("log")) and "Runtime.OutOfMemory" in r("log")[-1]["message"]'

for pair in node:index.handler: python:app.handler:python3; do
	dir=${pair%%:*} rest=${pair#*:}
	runtime=${rest#*:}
	run "$dir" "${rest%%:*}" '{"mode":"memory","mb":1}' --memory 1024 \
		--runtime "${runtime:-nodejs}"
	base=$(sed -n 's/.*"maxMemoryMb":\([0-9]*\).*/\1/p' "$tmp/out")
	run "$dir" "${rest%%:*}" '{"mode":"memory","mb":101}' --memory 1024 \
		--runtime "${runtime:-nodejs}"
	is "a $dir handler that touches 100 MB more: $base + 100 +- 5" \
		"abs(a[0][\"maxMemoryMb\"] - $base - 100) <= 5"
done

run node index.handler '{"mode":"big"}'
is 'an answer over 6 MB' \
	'a[0]["payload"]["errorType"] == "Function.ResponseSizeTooLarge"'
run node index.handler '{"mode":"xray"}'
is 'a segment sent by UDP joins the trace, sampling rules are answered' \
	'a[0]["payload"] == 1 and [s["parent_id"] for s in r("segment")
	if s["name"] == "own"] == [s["id"] for s in r("segment")
	if s.get("origin") == "AWS::Lambda::Function"]'
run node index.callback '{}'
is 'a handler with a callback' 'a[0]["payload"] == "called back"'
run node index.never '{}'
is 'a handler that never answers: null' 'a[0]["payload"] is None'
run node index.stream '{}'
is 'a streamed answer' 'a[0]["payload"] == "one two"'
run node index.stream '{"mode":"throw"}'
is 'a stream that breaks' \
	'a[0]["status"] == "error" and "Error Type: Error" in
	r("log")[-1]["message"] and [s for s in r("segment") if "cause" in s][0]
	["cause"]["exceptions"][0]["message"] == "mid-stream"'
run esm index.handler '{"x":1}'
is 'an ES module' 'a[0]["payload"] == {"module": True, "event": {"x": 1}}'
run node index.nope '{}'
is 'an init error: tried again in the invocation, then reported' \
	'a[0]["payload"]["errorType"] == "Runtime.HandlerNotFound" and
	len([m for m in r("log") if m["message"].startswith("INIT_REPORT")]) == 2
	and r("usage")[0]["init_us"] == 0 and r("usage")[0]["status"] == 1'
run esm slowinit.handler '{}'
is 'a module that throws while it is loaded' \
	'a[0]["payload"]["errorMessage"] == "no start today"'

run python app.handler '{}' --runtime python3
is 'a Python handler' \
	'a[0]["payload"]["id"] == a[0]["requestId"] and
	a[0]["payload"]["trace"].startswith("Root=" + a[0]["traceId"])'
is 'its log lines' \
	'"printed" in [m["message"] for m in r("log")] and any(
	m["message"].startswith("[ERROR]\t") and m["message"].endswith(
	"\ttwo\nlines") for m in r("log"))'
run python app.handler '{"mode":"throw"}' --runtime python3
is 'a Python error' \
	'a[0]["payload"]["errorType"] == "ValueError" and
	[s for s in r("segment") if "cause" in s][0]["cause"]["exceptions"][0]
	["message"] == "n\u00f6"'
run provided x '{"a":1}' --runtime provided.al2023 --env TZ=Asia/Kolkata
is 'a bootstrap of its own, in shell' \
	'a[0]["payload"] == {"shell": {"a": 1}, "zone": "Asia/Kolkata"} and
	("got " + a[0]["requestId"]) in [m["message"] for m in r("log")]'

# --- several --------------------------------------------------------------------
rm -f "$tmp/got"/*
"$agent" invoke --function f --code "$here/node" --event-dir "$here/events" \
	--count 30 --concurrency 3 --json --collector "$url" \
	>"$tmp/out" 2>"$tmp/err"
ok $? 'thirty invocations in three sandboxes: status 0' "$tmp/err"
"$python" "$here/collector.py" show "$tmp/got" >"$tmp/records"
is 'thirty ids, none twice' \
	'len({u["id"] for u in r("usage")}) == 30 == len(r("usage"))'
is 'events in turn: a third fails' \
	'sum(u["status"] for u in r("usage")) == 10'
is 'three cold starts, the rest warm' \
	'len([u for u in r("usage") if u["init_us"]]) == 3 ==
	len({m["stream"] for m in r("log")})'
is 'a warm start has no Initialization' \
	'len([s for s in r("segment") if "subsegments" in s and
	s["subsegments"][0]["name"] == "Initialization"]) == 3'
is 'sequence numbers without gaps' \
	'all(sorted(s) == list(range(min(s), min(s) + len(s)))
	for s in r("sequences")[0].values())'
grep -q '^30 invocations in .*: 20 ok, 10 failed' "$tmp/err"
ok $? 'a summary' "$tmp/err"

rm -f "$tmp/got"/*
printf '{"mode":"exit"}' >"$tmp/exit.json"
"$agent" invoke --function f --code "$here/node" --event "$tmp/exit.json" \
	--count 3 --quiet --collector "$url" >"$tmp/out" 2>"$tmp/err"
"$python" "$here/collector.py" show "$tmp/got" >"$tmp/records"
is 'after a crash the next start is cold' \
	'len([u for u in r("usage") if u["init_us"]]) == 3'
is 'quiet shows the first only' 'len(a) == 1'

# --- the collector is away --------------------------------------------------------
kill "$collector"
wait "$collector" 2>/dev/null
run node index.handler '{}' --flush-timeout 0
ok $status 'without a collector it runs' "$tmp/err"
grep -q 'stay in .*spool/0 and are sent by the next run' "$tmp/err"
ok $? 'and says what stays' "$tmp/err"
first=$(sed -n 's/.*"requestId":"\([^"]*\)".*/\1/p' "$tmp/out")
sequence=$(ls "$tmp/state/tallyscope/spool/0" | grep -c batch)
[ "$sequence" -gt 0 ]
ok $? 'in the spool'
serve "$tmp/got"
echo '503 1' >"$tmp/got/answer"
printf '{}' | "$agent" invoke --function f --code "$here/node" --event - \
	--json --collector "$url" --flush-timeout 0 >"$tmp/out" 2>"$tmp/err"
rm "$tmp/got/answer"
printf '{}' | "$agent" invoke --function f --code "$here/node" --event - \
	--json --collector "$url" >"$tmp/out" 2>"$tmp/err"
"$python" "$here/collector.py" show "$tmp/got" >"$tmp/records"
is 'later runs send what earlier ones left, first, and once' \
	"[u[\"id\"] for u in r(\"usage\")][0] == \"$first\" and
	[u[\"id\"] for u in r(\"usage\")][2] == a[0][\"requestId\"] and
	len(r(\"usage\")) == 3"
set -- "$tmp/got"/*.refused
same=1
for f in "$tmp/got"/*.batch; do cmp -s "$1" "$f" && same=0; done
ok $same 'a batch answered 503 is sent again with the same bytes'
ls "$tmp/state/tallyscope/spool/0" | grep -q '\.batch$'
[ $? = 1 ]
ok $? 'the spool is empty'
echo '400' >"$tmp/got/answer"
printf '{}' | "$agent" invoke --function f --code "$here/node" --event - \
	--collector "$url" >"$tmp/out" 2>"$tmp/err"
grep -q 'refuses batch .* for good' "$tmp/err" &&
	ls "$tmp/state/tallyscope/spool/0/refused" | grep -q batch
ok $? 'a batch that is never taken is put aside, with a warning' "$tmp/err"
# 409 that names no record: the sequence is known with other bytes, or too old
# (a spool from a backup): nothing was stored, so nothing may be thrown away.
echo '409' >"$tmp/got/answer"
kept=$(ls "$tmp/state/tallyscope/spool/0/refused" | grep -c batch)
printf '{}' | "$agent" invoke --function f --code "$here/node" --event - \
	--collector "$url" >"$tmp/out" 2>"$tmp/err"
[ "$(ls "$tmp/state/tallyscope/spool/0/refused" | grep -c batch)" -gt "$kept" ]
ok $? 'a batch that was not stored at all is put aside too' "$tmp/err"
kept=$(ls "$tmp/state/tallyscope/spool/0/refused" | grep -c batch)
echo '409 named' >"$tmp/got/answer"
printf '{}' | "$agent" invoke --function f --code "$here/node" --event - \
	--collector "$url" >"$tmp/out" 2>"$tmp/err"
[ "$(ls "$tmp/state/tallyscope/spool/0/refused" | grep -c batch)" = "$kept" ] &&
	! ls "$tmp/state/tallyscope/spool/0" | grep -q '\.batch$'
ok $? 'one of which some records conflict is done' "$tmp/err"
rm "$tmp/got/answer"
kill "$collector"
wait "$collector" 2>/dev/null
"$agent" invoke --function f --code "$here/node" --spool "$tmp/small" \
	--spool-bytes 8M --count 1 --flush-timeout 0 --collector "$url" \
	>"$tmp/out" 2>"$tmp/err"
head -c 5000000 /dev/zero >"$tmp/small/0/00000000000000000099.batch"
"$agent" invoke --function f --code "$here/node" --spool "$tmp/small" \
	--spool-bytes 8M --flush-timeout 0 --collector "$url" \
	>"$tmp/out" 2>"$tmp/err"
[ $? = 1 ] && grep -q 'is full' "$tmp/err" && ! [ -s "$tmp/out" ]
ok $? 'a full spool: no invocation, and why' "$tmp/err"

# --- nothing stays ------------------------------------------------------------------
mark="tally-agent-test-$$"
alive() { grep -lz "^MARK=$mark\$" /proc/[0-9]*/environ 2>/dev/null; }
printf '{"mode":"child"}' | "$agent" invoke --function f --code "$here/node" \
	--event - --env "MARK=$mark" --flush-timeout 0 >"$tmp/out" 2>"$tmp/err"
[ -z "$(alive)" ]
ok $? 'a detached child of a handler dies with the sandbox'
for signal in INT TERM KILL; do
	printf '{"mode":"slow"}' >"$tmp/slow.json"
	"$agent" invoke --function f --code "$here/node" --timeout 60 \
		--event "$tmp/slow.json" --env "MARK=$mark" --flush-timeout 0 \
		--concurrency 2 --count 2 >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	for i in $(seq 100); do
		[ "$(alive | wc -l)" = 2 ] && break
		sleep 0.05
	done
	sleep 0.3
	kill -$signal $pid
	wait $pid 2>/dev/null
	status=$?
	for i in $(seq 20); do
		[ -z "$(alive)" ] && break
		sleep 0.05
	done
	[ -z "$(alive)" ]
	ok $? "SIG$signal: no process is left" "$tmp/err"
done

# --- the command line -----------------------------------------------------------------
"$agent" --version | grep -q '^tally-agent (Tallyscope) 0\.'
ok $? '--version'
"$agent" --help >/dev/null
ok $? '--help'
for bad in '' 'run' 'invoke' 'invoke --function a/b' 'invoke --function f --memory 127' \
	'invoke --function f --timeout 901' 'invoke --function f --runtime cobol'; do
	"$agent" $bad >"$tmp/out" 2>"$tmp/err"
	status=$?
	[ $status = 2 ] || { [ "$bad" = 'invoke --function a/b' ] && [ $status = 1 ]; }
	ok $? "a mistake: '$bad'" "$tmp/err"
done
"$agent" invoke --function f --code "$here/node" --env AWS_REGION=x \
	>"$tmp/out" 2>"$tmp/err"
[ $? = 1 ] && grep -q 'keeps this name' "$tmp/err"
ok $? 'a reserved variable is refused' "$tmp/err"
ldd "$agent" | grep -qE 'librrd|ncurses'
[ $? = 1 ]
ok $? 'linked with neither librrd nor ncurses'
echo "1..$number"
