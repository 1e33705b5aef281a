#!/usr/bin/env bash
# What the collector cannot do any more: write or read elsewhere whatever names
# arrive, run programs, be root. strace is the witness. TAP.
set -u
cd "$(dirname "$0")/../.."
. tests/cli/lib.sh
if [ -n "${SAN:-}" ]; then
	echo "1..0 # SKIP a build with sanitizers is not confined"
	exit 0
fi
chmod 755 "$TMP" # for the other user
mkdir "$TMP/conf" "$TMP/outside"
cp -r billing/prices "$TMP/prices"
"$BIN/tally-collector" --data "$TMP/probe" --http 127.0.0.1:0 --xray 127.0.0.1:0 --grpc off \
	--confine=require >"$TMP/out" 2>"$TMP/err" &
PID=$!
wait_for "grep -q '^ready' '$TMP/out' || ! kill -0 $PID 2>/dev/null" 30
if grep -q 'confinement is required' "$TMP/err"; then
	echo "1..0 # SKIP $(grep -o 'confinement is required.*' "$TMP/err")"
	exit 0
fi
plan 36

like "$(cat "$TMP/err")" 'only those it needs' "required, and in force"
errand=$(cut -d' ' -f1 "/proc/$PID/task/$PID/children")
worker=$(cut -d' ' -f1 "/proc/$errand/task/$errand/children")
is "$(cat /proc/"$PID"/task/*/status | grep -c '^Seccomp:.2')" \
	"$(ls "/proc/$PID/task" | wc -l)" "all threads have the filter"
is "$(cat /proc/"$PID"/task/*/status | grep -c '^NoNewPrivs:.1')" \
	"$(ls "/proc/$PID/task" | wc -l)" "and gain nothing by a program"
has "/proc/$worker/status" '^Seccomp:.2' "so has the errand's worker"
has "/proc/$errand/status" '^NoNewPrivs:.1' "its parent gains nothing either"
# Else a kernel that is short of memory forgets the rule that lets it read them.
if [ "$(id -u)" = 0 ]; then
	check "it holds its own numbers" sh -c \
		"ls -l /proc/$PID/fd | grep -q ' -> /proc/$PID\$'"
else
	skip "it holds its own numbers" "only root may see that"
fi
stop_collector
is "$STATUS" 0 "it ends as it should"

# --- settings that are read again ---------------------------------------------
alarms() { # NAME
	echo '{"series_window_seconds":86400,"alarms":[{"name":"'"$1"'",
	"namespace":"N","metric":"M","statistic":"Sum","threshold":1,
	"comparison":"GreaterThanThreshold"}]}'
}
known() { curl -s "$HTTP/api/v1/alarms" | grep -q "\"$1\""; }
alarms first >"$TMP/conf/c.conf"
alarms second >"$TMP/conf/new"
alarms third >"$TMP/outside/c.conf"
start_collector --config "$TMP/conf/c.conf"
mv "$TMP/conf/new" "$TMP/conf/c.conf"
kill -HUP "$PID"
check "a file that took the place of the settings is read" wait_for "known second" 10
ln -sf "$TMP/outside/c.conf" "$TMP/conf/c.conf"
kill -HUP "$PID"
check "one outside is not" wait_for \
	"grep -q 'cannot read .*c.conf: Permission denied' '$TMP/collector.log'" 10
known second && ok "what was in force stays" || not_ok "what was in force stays"
is "$(curl -s "$HTTP/healthz")" ok "and it works on"

# --- RRD files under the filter: 40 minutes of one metric -----------------------
batch=
for minute in $(seq 40); do
	batch="$batch age=$((7200 - 60 * minute)) datum=N,M,$minute,f"
done
python3 tests/cli/batch.py p 1 $batch >"$TMP/batch"
is "$(curl -s -o /dev/null -w '%{http_code}' --data-binary "@$TMP/batch" "$HTTP/api/v1/batches")" \
	200 "metric data are taken"
stop_collector
rm "$TMP/conf/c.conf"
echo '{"series_window_seconds":60}' >"$TMP/conf/c.conf"
start_collector --config "$TMP/conf/c.conf"
check "librrd makes its files" wait_for \
	"find '$DATA/series' -name '*.rrd' | grep -q ." 20
stop_collector
is "$STATUS" 0 "and it ends as it should"

# --- hostile names, with strace as witness ------------------------------------
if ! strace -o /dev/null true 2>/dev/null; then
	for n in 1 2 3 4 5 6; do skip "hostile names" "strace is not allowed"; done
else
	TAP_N=$TAP_N python3 - "$BIN" "$TMP" <<'PY'
import glob, json, os, re, signal, subprocess, sys, time, urllib.request
binary, folder = sys.argv[1:]
count = int(os.environ.get("TAP_N", "0"))
data = folder + "/hostile"


class Collector:
    """One under strace, whose metric data are sealed after a time."""
    def __init__(self, n, window):
        self.trace = f"{folder}/trace{n}"
        with open(folder + "/conf/hostile", "w") as f:
            json.dump({"series_window_seconds": window}, f)
        self.process = subprocess.Popen(
            ["strace", "-f", "-s", "8192", "-o", self.trace, "-e",
             "signal=none", "-e",
             "trace=openat,?open,?creat,mkdirat,?mkdir,renameat,renameat2,"
             "?rename,unlinkat,?unlink,?rmdir,linkat,?link,symlinkat,?symlink,"
             "mknodat,?mknod,truncate,fchmodat,?chmod,fchownat,?chown,execve,"
             "socket,connect,seccomp",
             binary + "/tally-collector", "--config", folder + "/conf/hostile",
             "--data", data, "--http", "127.0.0.1:0", "--xray", "127.0.0.1:0", "--grpc", "off",
             "--confine=kill"], stdout=subprocess.PIPE, text=True,
            stderr=open(folder + "/hostile.log", "a"))
        self.base = "http://" + self.process.stdout.readline().split()[1]
        while self.process.stdout.readline() != "ready\n":
            pass

    def stop(self):
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            os.kill(int(f.read().split()[0]), signal.SIGTERM)
        return self.process.wait(timeout=60)


first = Collector(1, 86400)
names = ["..", "../../../../tmp/escape", "/etc/passwd", "/tmp/escape",
         "..%2f..%2fescape", "%2e%2e/%2e%2e/escape", "a/../../../../escape",
         "a%00b", "a\\u0000b", "\u202e/..", "con\x1b[2J", "x" * 4096, "/" * 255,
         "~/escape", "$(touch escape)", "`id`", "-rf", "\\..\\..\\escape",
         "....//....//escape", ".", "nul/../lock", "../lock", "journal"]
taken = refused = 0


def call(path, body=None, headers={}):
    global taken, refused
    request = urllib.request.Request(first.base + path, body, headers)
    try:
        with urllib.request.urlopen(request, timeout=10) as r:
            r.read()
            taken += 1
    except urllib.error.HTTPError as e:
        refused += 1
    except Exception as e:
        refused += 1


for n, name in enumerate(names):
    text = name.encode("utf-8", "surrogateescape").decode()
    batch = subprocess.run(
        ["python3", "tests/cli/batch.py", text[:200], "1",
         "log=" + text.replace(",", "") + ",s" + text.replace(",", "") + ",line",
         "usage=" + text.replace(",", "") + "," + text.replace(",", "") + ",128,10"]
        + ["age=%d" % 7000] + [a for minute in range(35) for a in (
            "age=%d" % (7000 - 60 * minute),
            "datum=%s,%s,1,%s" % ((text.replace(",", ""),) * 3))],
        capture_output=True).stdout
    call("/api/v1/batches", batch)
    start = time.time() - 1
    segment = json.dumps({"id": "%016x" % (n + 1), "name": text,
                          "trace_id": "1-%08x-%024x" % (int(start), n + 1),
                          "start_time": start, "end_time": start + 0.5,
                          "aws": {"function_arn": text, "request_id": text}})
    call("/TraceSegments", json.dumps({"TraceSegmentDocuments": [segment]}).encode())
    quoted = urllib.parse.quote(text, safe="")
    for path in ("/api/v1/logs?group=" + quoted, "/api/v1/usage/" + quoted,
                 "/api/v1/traces/" + quoted,
                 "/api/v1/metrics/list?namespace=" + quoted,
                 "/" + text.replace(" ", "").encode("ascii", "ignore").decode()
                 .replace("\x1b", "")):
        call(path)
status = first.stop()
second = Collector(2, 60)
end = time.monotonic() + 20
while time.monotonic() < end and not glob.glob(
        data + "/series/**/*.rrd", recursive=True):
    time.sleep(0.05)
status += second.stop()


def ok(good, what, more=()):
    global count
    count += 1
    print("ok" if good else "not ok", count, "-", what)
    for line in list(more)[:10]:
        print("#", line[:300])


def inside(path):
    return os.path.normpath(path).startswith(data + "/") or path == data


ok(status == 0 and taken > 60 and refused > 20,
   f"{len(names)} hostile names: {taken} requests taken, {refused} refused")
bad, writes, rrds, sockets, programs = [], 0, 0, [], 0
for run in (first, second):
    main = sealed = None
    for line in open(run.trace, encoding="latin-1"):
        m = re.match(r"(\d+) +(\w+)\((.*)", line)
        if not m:
            continue
        thread, name, rest = m.groups()
        main = main or thread
        if name == "seccomp":
            sealed = sealed or (thread == main and "SET_MODE" in rest)
            continue
        if name == "execve":
            programs += 1
            continue
        if name in ("socket", "connect"):
            if sealed:
                sockets.append(line.strip())
            continue
        paths = re.findall(r'"((?:[^"\\]|\\.)*)"', rest)
        if name in ("openat", "open") and (
                not re.search(r"O_WRONLY|O_RDWR|O_CREAT", rest) or
                paths[0] == "/dev/null"):
            continue
        writes += 1
        rrds += ".rrd" in rest
        bad += [line.strip() for path in paths if not inside(path)]
ok(writes > 40 and rrds > 0,
   f"{writes} calls that write by name were seen, {rrds} of RRD files")
ok(not bad, "all of them below the data folder", bad)
ok(sealed and not sockets, "no socket was made after the start", sockets)
ok(programs == 2, "no program was run")
strange = [os.path.join(d, f) for d, ds, fs in os.walk(data) for f in ds + fs
           if not re.fullmatch(r"[a-z0-9][a-z0-9._-]{0,63}", f)]
ok(not strange, "no name that arrived is the name of a file", strange)
PY
	TAP_N=$((TAP_N + 6))
fi

# --- words of the command line ---------------------------------------------------
run() { "$BIN/tally-collector" --data "$TMP/x" --http 127.0.0.1:0 "$@" >/dev/null 2>"$TMP/err"; }
run --confine=sometimes
is "$?" 2 "a word that --confine does not know ends with 2"
run --user no-such-user-here
is "$?" 1 "so does a user that is not there, with 1"
like "$(cat "$TMP/err")" "no user 'no-such-user-here'" "and says so"
run --user root
is "$?" 2 "root is no user to become"
: >"$TMP/collector.log"
DATA=$TMP/off
start_collector --confine=off
has "$TMP/collector.log" 'nothing is confined: it is off' "off is off, and said"
has "/proc/$PID/status" '^Seccomp:.0' "really"
stop_collector

# --- another user -------------------------------------------------------------
if [ "$(id -u)" != 0 ]; then
	for n in 1 2 3 4 5 6 7 8 9 10; do skip "--user" "needs root"; done
	exit 0
fi
DATA=$TMP/theirs
: >"$TMP/collector.log"
start_collector --user nobody --prices "$TMP/prices"
errand=$(cut -d' ' -f1 "/proc/$PID/task/$PID/children")
worker=$(cut -d' ' -f1 "/proc/$errand/task/$errand/children")
for name in PID errand worker; do
	like "$(tr '\t' ' ' <"/proc/${!name}/status" | grep -E '^(Uid|CapEff|CapPrm)' | tr '\n' ' ')" \
		"^Uid: $(id -u nobody) $(id -u nobody) $(id -u nobody) $(id -u nobody) CapPrm: 0+ CapEff: 0+ $" \
		"$name is nobody, without capabilities"
done
is "$(find "$DATA" ! -user nobody)" "" "all it made is nobody's"
python3 tests/cli/batch.py p 1 usage=r,f,128,10 >"$TMP/batch"
is "$(curl -s -o /dev/null -w '%{http_code}' --data-binary "@$TMP/batch" "$HTTP/api/v1/batches")" \
	200 "it stores"
stop_collector
is "$STATUS" 0 "and ends"
grep -q 'runs as root' "$TMP/collector.log" && not_ok "no warning" || ok "no warning"
mkdir "$TMP/roots"
"$BIN/tally-collector" --data "$TMP/roots" --http 127.0.0.1:0 --xray 127.0.0.1:0 --grpc off \
	--user nobody --prices "$TMP/prices" >/dev/null 2>"$TMP/err"
is "$?" 1 "a folder of root's is refused"
like "$(cat "$TMP/err")" 'cannot be written by user .nobody.: chown -R nobody /' "and said to be"
cp "$BIN/tally-collector" "$TMP/tally-collector"
setpriv --reuid="$(id -u nobody)" --regid="$(id -g nobody)" --clear-groups \
	"$TMP/tally-collector" --data "$DATA" --user daemon >/dev/null 2>"$TMP/err"
is "$?" 2 "who is not root cannot become another"
