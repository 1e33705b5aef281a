# SPDX-License-Identifier: Apache-2.0
# Sourced by tests/cli/*.t: TAP from shell. BUILD is the folder of this
# flavour; $work a folder of the test's own, deleted at the end; $marker a
# variable that all of its processes carry in their environment.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
bin=$PWD/$BUILD/bin
work=$(mktemp -d "${TMPDIR:-/tmp}/tally-test.XXXXXX")
export TALLY_TEST_MARKER="${work##*.}.$$"
count=0
pids=

# ok NAME COMMAND...: the command's status decides.
ok() {
	name=$1
	shift
	count=$((count + 1))
	if "$@" >"$work/ok.out" 2>&1; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		sed 's/^/# /' "$work/ok.out" | head -40
	fi
}
# is NAME GOT WANTED
is() {
	count=$((count + 1))
	if [ "$2" = "$3" ]; then
		echo "ok $count - $1"
	else
		echo "not ok $count - $1"
		printf '%s\n' "got:    $2" "wanted: $3" | sed 's/^/# /' | head -40
	fi
}
# has NAME FILE PATTERN: a line of the file matches (grep -E).
has() {
	ok "$1" grep -q -E -e "$3" "$2" || :
	[ -z "${TAP_SHOW:-}" ] || cat "$2"
}
skip() {
	count=$((count + 1))
	echo "ok $count - $1 # SKIP $2"
}
# line_of FILE PATTERN SECONDS: the first line that matches, when it is there.
line_of() {
	tries=$(($3 * 20))
	until line=$(grep -m 1 -E "$2" "$1" 2>/dev/null); do
		tries=$((tries - 1))
		[ $tries -gt 0 ] || return 1
		sleep 0.05
	done
	printf '%s\n' "$line"
}
# collector_start DATA [OPTION...]: sets $http, $xray, $TALLY_ENDPOINT.
collector_start() {
	data=$1
	shift
	: >"$work/collector.out"
	"$bin/tally-collector" --data "$data" --http 127.0.0.1:0 \
		--xray 127.0.0.1:0 "$@" \
		>"$work/collector.out" 2>>"$work/collector.err" &
	collector=$!
	pids="$pids $collector"
	line_of "$work/collector.out" '^ready$' 20 >/dev/null || {
		sed 's/^/# /' "$work/collector.err" | tail -5
		echo "Bail out! the collector did not start"
		exit 1
	}
	http=$(sed -n 's/^http //p' "$work/collector.out")
	xray=$(sed -n 's/^xray //p' "$work/collector.out")
	export TALLY_ENDPOINT="http://$http"
}
collector_stop() {
	kill "$collector" && wait "$collector"
}
# marked: processes that carry this test's marker, but for the test itself.
marked() {
	for environ in /proc/[0-9]*/environ; do
		grep -q -a "TALLY_TEST_MARKER=$TALLY_TEST_MARKER" "$environ" \
			2>/dev/null || continue
		pid=${environ#/proc/}
		pid=${pid%/environ}
		case $(cat "/proc/$pid/comm" 2>/dev/null) in
		'' | grep | cat) continue ;;
		esac
		[ "$pid" = $$ ] || echo "$pid $(tr '\0' ' ' <"/proc/$pid/cmdline")"
	done 2>/dev/null
}
finish() {
	trap - EXIT
	for pid in $pids; do kill "$pid" 2>/dev/null; done
	for pid in $pids; do wait "$pid" 2>/dev/null; done
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM
plan() {
	echo "1..$count"
}
