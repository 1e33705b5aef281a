#!/bin/sh
# The command tally against a fake API (tests/cli/fake_api.py): what it asks,
# what it prints, and how it fails.
set -u
cd "$(dirname "$0")/../.."
BIN=${BUILD:-build}/bin
work=$(mktemp -d)
server=
stop() {
	[ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null
	server=
}
trap 'stop; rm -rf "$work"' EXIT
number=0
# check NAME: the condition before decides
check() {
	result=$?
	number=$((number + 1))
	if [ "$result" = 0 ]; then
		echo "ok $number - $1"
	else
		echo "not ok $number - $1"
		sed 's/^/# out: /' "$work/out" | head -20
		sed 's/^/# err: /' "$work/err" | head -20
	fi
}
# run EXIT ARGUMENT...: true when tally exits so
run() {
	wanted=$1
	shift
	"$BIN/tally" "$@" >"$work/out" 2>"$work/err" </dev/null
	got=$?
	[ "$got" = "$wanted" ] || echo "# exit $got, not $wanted: tally $*"
	[ "$got" = "$wanted" ]
}
said() { grep -qF -- "$1" "$work/out"; }
erred() { grep -qF -- "$1" "$work/err"; }
asked() { grep -qF -- "$1" "$work/port.log"; }
# Nothing below space but newlines, no DEL, in what was printed.
clean() { ! LC_ALL=C tr -d '\n -~\200-\377' <"$work/out" | grep -q .; }

unset NO_COLOR TALLY_ENDPOINT COLUMNS
export LC_ALL=C.UTF-8
python3 tests/cli/fake_api.py "$work/port" &
server=$!
for _ in $(seq 100); do [ -s "$work/port" ] && break; sleep 0.1; done
port=$(cat "$work/port")
export TALLY_ENDPOINT="http://127.0.0.1:$port"

run 2 && erred "Usage: tally COMMAND"
check "no command is a wrong usage"
run 0 help && said "live dashboard"
check "help lists the commands"
run 0 --version && said "tally (Tallyscope) "
check "version"
run 2 statsu && erred "'statsu' is no command" && erred "tally status"
check "a slip is met with a suggestion"
run 2 ../x && erred "is no command"
check "a path is no command"
run 2 "$(printf 'a\033]0;x')" && erred 'a\x1b]0;x'
check "what was typed is shown safely"
run 0 help logs && said "Usage: tally logs" && said -- "--follow"
check "help of a command is its --help"
mkdir "$work/path"
printf '#!/bin/sh\necho "made $1"\n' >"$work/path/tally-thing"
chmod +x "$work/path/tally-thing"
PATH="$work/path:$PATH" run 0 thing it && said "made it"
check "another program on PATH is run"

run 0 status && said "70.0 MiB journal, 50.0 MiB blocks" && said "refuses: read" &&
	said "12 of 16384 connections" && said "certificate to 2027-02-22" &&
	said "native 12/s, xray 0.5/s" && said "caller 1.20k" && said "memory 16, share 1"
check "status is readable"
grep -qE '^ledger +73 +1.25s +reads the journal$' "$work/out" &&
	grep -qE '^traces +0 +0 +disk full$' "$work/out"
check "status shows which view is behind"
[ "$(wc -l <"$work/out")" -le 24 ] && ! grep -qE '^.{81}' "$work/out"
check "status fits 80 by 24"
run 0 status --all && said "shed_kernel" && said "later" && said "1530"
check "status --all shows all, also what a later collector says"
run 0 status --json && python3 -c 'import json,sys; a = json.load(open(sys.argv[1]))
assert a == json.load(open("tests/fixtures/top/status.json"))' "$work/out"
check "status --json is what the collector said"
run 0 health && said ok
check "health"

run 0 logs /aws/lambda/checkout --since 2026-11-22 --filter "a b&c" \
	--request-id id-1 --stream s1 -n 5 && said "payment refused" &&
	asked "/api/v1/logs?group=%2Faws%2Flambda%2Fcheckout&stream=s1&request_id=id-1&contains=a%20b%26c&start=1795305600.000&order=desc&limit=5"
check "logs asks for what was wanted"
clean && said '\x1b[31mred'
check "an escape in a message is shown, not obeyed"
run 0 logs --json && [ "$(wc -l <"$work/out")" = 2 ] &&
	said '"time":1795337990.361,'
check "logs --json is one object a line"
run 0 logs --csv && said "time,group,stream,message" &&
	said "Z,/aws/lambda/checkout," && ! said "$(printf '\033')"
check "logs --csv"
run 2 logs --csv --json && erred "exclude each other"
check "and not with --json"
run 2 logs --since yesterday && erred "--since is a time"
check "a wrong time is a wrong usage"
timeout 3 "$BIN/tally" logs --follow >"$work/out" 2>"$work/err"
[ $? = 124 ] && [ "$(grep -c START "$work/out")" = 1 ] &&
	[ "$(grep -c 'api/v1/logs' "$work/port.log")" -ge 4 ]
check "logs --follow prints each event once"

run 0 metrics list && said "AWS/Lambda  Duration  FunctionName=checkout"
check "metrics list"
run 0 metrics data AWS/Lambda Duration FunctionName=a=b --stat p99 &&
	said "412.5" && said "p99" &&
	asked "namespace=AWS%2FLambda&name=Duration&dim.FunctionName=a%3Db&period=60&stat=p99"
check "metrics data"
run 0 metrics data A B --csv --stat p99 &&
	[ "$(tr -d '\r' <"$work/out")" = "time,sum,count,min,max,avg,p99
2026-11-22T08:58:00Z,412.5,10,30,80.5,41.25,79.9
2026-11-22T08:59:00Z,100,1,100,100,100,100" ]
check "metrics data --csv"
run 0 metrics list --csv && said "AWS/Lambda,Duration,FunctionName=checkout"
check "metrics list --csv"
run 2 metrics list --csv --json
check "CSV and JSON at once"
run 2 metrics data X && erred "NAMESPACE and a NAME"
check "metrics data needs a name"
run 2 metrics data A B --period 90 && erred "--period is a multiple of 60"
check "a period that no step has"
run 0 metrics data A B --graph && said "100 "
check "metrics data --graph"
run 0 alarm && said "AWS/Lambda Errors Sum(60s) >= 1, 2 of 3"
check "alarm list"
run 0 alarm history checkout-errors -n 7 && said "ALARM" &&
	asked "/api/v1/alarms/history?name=checkout-errors&limit=7"
check "alarm history"
run 0 alarm --color always && grep -q "$(printf '\033\\[31m')" "$work/out"
check "colour when asked for"

echo 503 >"$work/port.status"
run 1 status && erred "tally status: the disk is full"
check "the collector's own reason is shown"
run 1 health && erred "disk full"
check "health says why not"
rm "$work/port.status"
stop
run 1 status && erred "cannot reach the collector at http://127.0.0.1:$port" &&
	erred "is tally-collector running?"
check "nobody there is said plainly"
run 1 status -e nonsense:// && erred "the endpoint is no http"
check "a wrong endpoint is said plainly"
run 1 health --json && said '"ok":false'
check "health --json when nobody is there"
echo "1..$number"
