#!/usr/bin/env bash
# The errand process: webhooks go by it, it is replaced when it crashes, and
# it ends with the collector. TAP.
set -u
cd "$(dirname "$0")/../.."
. tests/cli/lib.sh
plan 16

children() { cat "/proc/$1/task/$1/children" 2>/dev/null; }
first() { children "$1" | cut -d' ' -f1; }
# Sets PARENT and WORKER, when there are both.
find_errand() {
	PARENT=$(first "$PID")
	WORKER=$(first "${PARENT:-0}")
	[ -n "$PARENT" ] && [ -n "$WORKER" ]
}
alive() { kill -0 "$1" 2>/dev/null && ! grep -q '^State:.*Z' "/proc/$1/status"; }
counts() { curl -s "$HTTP/metrics" | grep -qF "$1"; }

# Has a port at once, and takes posts from when $TMP/listen is there.
python3 - "$TMP" <<'PY' &
import os, socket, sys, time
from http.server import BaseHTTPRequestHandler, HTTPServer
folder = sys.argv[1]

class Hook(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        with open(folder + "/posts", "ab") as f:
            f.write(body + b"\n")
        self.send_response(204)
        self.end_headers()
    def log_message(self, *args):
        pass

server = HTTPServer(("127.0.0.1", 0), Hook, bind_and_activate=False)
server.server_bind()
with open(folder + "/port.new", "w") as f:
    f.write(str(server.server_address[1]))
os.rename(folder + "/port.new", folder + "/port")
while not os.path.exists(folder + "/listen"):
    time.sleep(0.02)
server.server_activate()
server.serve_forever()
PY
HOOK=$!
trap 'kill $HOOK; cleanup' EXIT
wait_for "[ -s '$TMP/port' ]" 10
alarm() { # NAME: its first judgement, a second after a start, is a change
	printf '{"name":"%s","namespace":"N","metric":"M","statistic":"Sum",
	"comparison":"GreaterThanThreshold","threshold":1,
	"treat_missing_data":"notBreaching",
	"webhook":"http://127.0.0.1:%s/hook"}' "$1" "$(cat "$TMP/port")"
}

# Nobody takes the post yet, and the worker dies: it is delivered after all.
echo "{\"alarms\":[$(alarm one)]}" >"$TMP/conf"
start_collector --config "$TMP/conf"
find_errand && ok "the collector has an errand process with a worker" ||
	not_ok "the collector has an errand process with a worker"
wait_for "curl -s '$HTTP/api/v1/alarms' | grep -q '\"OK\"'" 10
kill -9 "$WORKER"
check "a crash of the worker is counted" \
	wait_for "counts 'tally_errand_total{event=\"restarted\"} 1'" 10
has "$TMP/collector.log" 'errand process crashed and was started again' "and logged"
old=$WORKER
check "there is a new worker" wait_for "find_errand && [ '$old' != \$WORKER ]" 10
: >"$TMP/listen"
check "the post that failed meanwhile is delivered" \
	wait_for "grep -q '\"AlarmName\" *: *\"one\"' '$TMP/posts'" 20
check "and counted" wait_for "counts 'tally_webhooks_total{result=\"sent\"} 1'" 5
is "$(grep -c . "$TMP/posts")" 1 "once"

# What the terminal and systemd send to all is for the collector alone.
kill -TERM "$WORKER"; kill -INT "$PARENT"; kill -HUP "$WORKER"
sleep 0.1
alive "$WORKER" && alive "$PARENT" && ok "signals for all do not end it" ||
	not_ok "signals for all do not end it"

# Both gone, for good: said, counted, and nothing else suffers.
kill -9 "$PARENT"
check "the loss of the errand process is counted" \
	wait_for "counts 'tally_errand_total{event=\"lost\"} 1'" 10
has "$TMP/collector.log" 'errand process is gone' "and logged"
is "$(curl -s "$HTTP/healthz")" ok "the collector works on"
check "its worker ended with it" wait_for "! alive $WORKER" 10
stop_collector
is "$STATUS" 0 "and ends as it should"

# It does not outlive the collector.
start_collector
wait_for find_errand 10
kill -9 "$PID"; wait "$PID" 2>/dev/null
check "kill -9 of the collector ends it" \
	wait_for "! alive $PARENT && ! alive $WORKER" 10
start_collector
wait_for find_errand 10
stop_collector
check "a clean end does" wait_for "! alive $PARENT && ! alive $WORKER" 10
# What waits at the end is tried once more.
echo "{\"alarms\":[$(alarm two)]}" >"$TMP/conf"
start_collector --config "$TMP/conf"
wait_for "curl -s '$HTTP/api/v1/alarms' | grep -q '\"OK\"'" 10
stop_collector
has "$TMP/posts" '"AlarmName" *: *"two"' "what waited was sent before the end"
