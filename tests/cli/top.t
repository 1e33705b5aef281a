#!/bin/sh
# tally-top on a real terminal (tmux) against a fake API (fake_api.py): what is
# seen, keys, a small and a resized terminal, and a collector that goes away
# and comes back. Then --once and --json.
set -u
cd "$(dirname "$0")/../.."
if ! command -v tmux >/dev/null; then
	echo "1..0 # SKIP tmux is not there"
	exit 0
fi
BIN=$(cd "${BUILD:-build}/bin" && pwd)
work=$(mktemp -d)
server=
tm() { tmux -L "tally-test-$$" -f /dev/null "$@" 2>>"$work/tmux"; }
stop() {
	[ -z "$server" ] || { kill "$server" && wait "$server"; } 2>/dev/null
	server=
}
trap 'stop; tm kill-server; rm -rf "$work"' EXIT
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
		tm capture-pane -p | sed 's/^/# /'
	fi
}
start() {
	python3 tests/cli/fake_api.py "$work/port" "$@" 2>"$work/server" &
	server=$!
	for _ in $(seq 100); do
		[ -s "$work/port" ] && break
		sleep 0.1
	done
}
# sees TEXT: within ten seconds the screen shows it
sees() {
	for _ in $(seq 100); do
		tm capture-pane -p >"$work/screen"
		grep -qF -- "$1" "$work/screen" && return 0
		sleep 0.1
	done
	return 1
}
lacks() { ! grep -qF -- "$1" "$work/screen"; }
lines() { grep -c . "$work/screen"; }

start 0
port=$(cat "$work/port")
tm new-session -d -x 80 -y 24 "'$BIN/tally-top' --interval 0.3 \
	--endpoint http://127.0.0.1:$port; echo \"it ended with \$?\"; sleep 60"

sees "checkout" && sees "ALARM checkout-errors" && sees "▼INVOC" &&
	sees '$0.0183' && sees "without data"
check "functions and alarms are shown"
grep -qF '日本語-\x1b]0;owned\a' "$work/screen" &&
	[ "$(tm display-message -p '#{pane_title}')" != owned ]
check "an escape in a name is shown, not obeyed"
tm send-keys n && sees "FUNCTION▲"
check "n sorts by name"
tm send-keys e && sees "▼ERRORS" &&
	[ "$(grep -nF 'checkout ' "$work/screen" | tail -1 | cut -d: -f1)" -lt \
	  "$(grep -nF 'nightly' "$work/screen" | cut -d: -f1)" ]
check "e sorts by errors"
tm send-keys r && sees "▲ERRORS"
check "r reverses"
tm send-keys '?' && sees "sort by median duration"
check "? lists the keys"
tm send-keys '?' && sees "▲ERRORS"
check "? again goes back"
tm send-keys a && sees "INSUFFICIENT_DATA" && sees "queue-age"
check "a lists the alarms"
tm send-keys Escape && sees "▲ERRORS"
check "escape goes back"
tm send-keys m && sees "→ payments.example.com" && tm send-keys Left &&
	sees "▲ERRORS"
check "m shows the service map"
tm send-keys e G g Enter && sees "1-6b02d3f0-0123456789abcdef01234567" &&
	sees "checkout" && grep -qF 'traces?function=checkout&' "$work/port.log"
check "enter shows the traces of a function"
tm send-keys Enter && sees "Invocation" && sees "payments.example.com" &&
	sees "Logs" && sees 'Cost $0.000000670834'
check "enter shows a waterfall with logs and cost"
tm resize-window -x 40 -y 10 && sees "Initializat" && sees "fau…" &&
	lacks "Cost"
check "it follows the terminal to a small one"
tm send-keys G && sees "list price"
check "what does not fit scrolls"
tm resize-window -x 12 -y 3 && sees "too small"
check "a terminal that is too small is told so"
tm resize-window -x 200 -y 50 && sees "Lambda-GB-Second  0.02825 GB-s"
check "and to a large one"
tm send-keys Escape Escape
tm resize-window -x 80 -y 24 && sees "▼ERRORS"
check "back at the functions"

stop
sees "no answer since" && sees "checkout" && sees "data of"
check "a collector that is gone is said, the data stays"
tm send-keys j j k && sees "▼ERRORS"
check "keys go on working meanwhile"
start "$port"
for _ in $(seq 100); do
	sees "? help" && lacks "no answer" && break
	sleep 0.1
done
lacks "no answer" && sees "? help"
check "it goes on when the collector is back"
echo 500 >"$work/port.status"
sees "no answer since" && sees "the disk is full"
check "a collector that is unwell is shown with its reason"
rm "$work/port.status"
tm send-keys q && sees "it ended with 0"
check "q ends it"
lacks "▼ERRORS"
check "and gives the terminal back"
tm respawn-pane -k "'$BIN/tally-top' --endpoint http://127.0.0.1:$port; \
	echo \"it ended with \$?\"; sleep 60"
sees "checkout" && tm send-keys C-c && sees "it ended with 0"
check "ctrl-C ends it too"
tm respawn-pane -k "TERM=nonsense '$BIN/tally-top' \
	--endpoint http://127.0.0.1:$port; echo \"it ended with \$?\"; sleep 60"
sees "it ended with 1" && sees '"nonsense" is unknown'
check "an unknown terminal is said plainly"

export TALLY_ENDPOINT="http://127.0.0.1:$port"
"$BIN/tally-top" --once >"$work/screen" 2>&1 </dev/null &&
	[ "$(lines)" = 10 ] && grep -qF "▼INVOC" "$work/screen" &&
	! LC_ALL=C grep -q "$(printf '\033')" "$work/screen"
check "--once prints a plain frame"
"$BIN/tally-top" --once --sort cost --reverse >"$work/screen" &&
	sed -n 5p "$work/screen" | grep -q '^idle'
check "--once sorts"
LC_ALL=C "$BIN/tally-top" --once >"$work/screen" &&
	! LC_ALL=C grep -q '[^ -~]' "$work/screen"
check "--once is ASCII where the locale is"
"$BIN/tally-top" --json | python3 -c 'import json, sys
a = json.load(sys.stdin)
assert len(a["functions"]) == 6 and len(a["alarms"]) == 3, a'
check "--json"
"$BIN/tally-top" </dev/null >"$work/screen" 2>&1
[ $? = 1 ] && grep -qF "use --once" "$work/screen"
check "without a terminal it says what to do"
"$BIN/tally-top" --interval 0 2>"$work/screen"
[ $? = 2 ]
check "a wrong interval is a wrong usage"
stop
"$BIN/tally-top" --once >/dev/null 2>"$work/screen"
[ $? = 1 ] && grep -qF "cannot reach the collector at" "$work/screen"
check "--once without a collector says so"
echo "1..$number"
