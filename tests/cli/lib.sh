# Shell tests: TAP, a temporary folder, a collector on free ports. Sourced.
# BIN is the folder of programs; TMP goes away at the end with all processes.
BUILD=${BUILD:-build}
BIN=$PWD/$BUILD/bin
TMP=$(mktemp -d)
DATA=$TMP/data
PID=
TAP_N=0
cleanup() {
	[ -z "$PID" ] || kill -9 "$PID" 2>/dev/null
	wait 2>/dev/null
	rm -rf "$TMP"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

plan() { echo "1..$1"; }
ok() { TAP_N=$((TAP_N + 1)); echo "ok $TAP_N - $1"; }
not_ok() { TAP_N=$((TAP_N + 1)); echo "not ok $TAP_N - $1"; }
skip() { TAP_N=$((TAP_N + 1)); echo "ok $TAP_N - $1 # skip $2"; }
# is GOT WANT NAME
is() {
	if [ "$1" = "$2" ]; then ok "$3"; else
		not_ok "$3"
		printf '# got:  %s\n# want: %s\n' "$1" "$2" | cut -c1-400
	fi
}
# check NAME COMMAND...: the command's status decides
check() {
	_name=$1
	shift
	if "$@" >"$TMP/check" 2>&1; then ok "$_name"; else
		not_ok "$_name"
		sed 's/^/# /' "$TMP/check" | head -40
	fi
}
# has FILE REGEX NAME: a line of the file matches
has() {
	if grep -qE -e "$2" "$1"; then ok "$3"; else
		not_ok "$3"
		echo "# no line like $2 in:"
		sed 's/^/# /' "$1" | head -40
	fi
}
# like GOT REGEX NAME
like() {
	if printf '%s' "$1" | grep -qE -- "$2"; then ok "$3"; else
		not_ok "$3"
		printf '# got: %s\n# not like: %s\n' "$1" "$2" | head -20
	fi
}
unlike() {
	if printf '%s' "$1" | grep -qE -- "$2"; then
		not_ok "$3"
		printf '# got: %s\n# like: %s\n' "$1" "$2" | head -20
	else ok "$3"; fi
}
# json TEXT EXPRESSION: prints a Python expression over the parsed text, d
json() { printf '%s' "$1" | python3 -c "import json,sys
d=json.load(sys.stdin)
print($2)"; }
# wait_for COMMAND SECONDS: until the command succeeds
wait_for() {
	_tries=$(($2 * 20))
	until eval "$1"; do
		_tries=$((_tries - 1))
		[ "$_tries" -gt 0 ] || return 1
		sleep 0.05
	done
}
# start_collector [OPTION ...]: sets PID, HTTP (a URL), XRAY and GRPC
# (address:port). A system call that its filter does not know ends it: see
# collector/confine.def.
start_collector() {
	: >"$TMP/out" # what an earlier one printed is not this one's
	"$BIN/tally-collector" --data "$DATA" --http 127.0.0.1:0 \
		--xray 127.0.0.1:0 --grpc 127.0.0.1:0 --confine=kill "$@" \
		>"$TMP/out" 2>>"$TMP/collector.log" &
	PID=$!
	if ! wait_for "grep -q '^ready' '$TMP/out'" 30; then
		echo "Bail out! the collector did not start"
		tail -5 "$TMP/collector.log" | sed 's/^/# /'
		exit 1
	fi
	HTTP=http://$(sed -n 's/^http //p' "$TMP/out")
	XRAY=$(sed -n 's/^xray //p' "$TMP/out")
	GRPC=$(sed -n 's/^grpc //p' "$TMP/out")
	export TALLY_ENDPOINT=$HTTP
}
stop_collector() {
	kill "$PID"
	wait "$PID"
	STATUS=$?
	PID=
}
# marked VARIABLE=VALUE: processes with it in their environment, but this shell
marked() {
	for _environ in /proc/[0-9]*/environ; do
		tr '\0' '\n' <"$_environ" 2>/dev/null | grep -qxF "$1" || continue
		_pid=${_environ%/environ}
		_pid=${_pid#/proc/}
		[ "$_pid" = $$ ] || [ ! -d "/proc/$_pid" ] ||
			echo "$_pid $(tr '\0' ' ' <"/proc/$_pid/cmdline")"
	done 2>/dev/null
}
