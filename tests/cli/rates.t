#!/bin/sh
# How often a key may ask, and that one key's flood leaves the other alone.
. tests/cli/lib.sh
plan 8

"$BIN/tally" keys create slow --role ingest --rate 5 --file "$TMP/keys" --json \
	>"$TMP/slow" 2>"$TMP/err"
"$BIN/tally" keys create other --role admin --file "$TMP/keys" --json \
	>"$TMP/other" 2>"$TMP/err"
start_collector --keys "$TMP/keys"

# 60 segments at once by the slow key, and after each one by the other.
cat >"$TMP/ask.py" <<'EOF'
import json
import sys
import time
sys.path.insert(0, "tests/cli")
from awsclient import Client

address, folder = sys.argv[1:]
keys = {}
for name in ("slow", "other"):
    with open(f"{folder}/{name}", encoding="utf-8") as f:
        d = json.load(f)
    keys[name] = ("key", d["aws_access_key_id"], d["aws_secret_access_key"])
clients = {name: Client(address) for name in keys}
seen = {name: [] for name in keys}
body = b'{"TraceSegmentDocuments":[]}'
began = time.monotonic()


def post(name):
    answer = clients[name].send(keys[name], "xray", "POST", "/TraceSegments",
                                (), {"Content-Type": "application/json"}, body)
    seen[name].append(answer)


for _ in range(60):
    post("slow")
    post("other")
allowed = 10 + 5 * (time.monotonic() - began)
slow = [a.status for a in seen["slow"]]
print("taken", slow.count(200) >= 10, slow.count(200) <= allowed + 1)
print("rest", set(slow) <= {200, 429} and slow.count(429) > 0)
print("other", all(a.status == 200 for a in seen["other"]))
refused = [a for a in seen["slow"] if a.status == 429][0]
names = {k.lower(): v for k, v in refused.headers}
print("after", names.get("retry-after"))
print("type", names.get("x-amzn-errortype"))
time.sleep(0.5)
post("slow")
print("again", seen["slow"][-1].status)
answer = clients["other"].send(keys["other"], "tallyscope", "GET", "/metrics")
text = answer.body.decode()
line = [x for x in text.splitlines() if 'reason="rate"' in x][0]
print("count", int(line.split()[-1]) == slow.count(429))
line = [x for x in text.splitlines() if 'reason="share"' in x][0]
print("share", line.split()[-1])
EOF
python3 "$TMP/ask.py" "${HTTP#http://}" "$TMP" >"$TMP/told" 2>"$TMP/err" ||
	sed 's/^/# /' "$TMP/err"
has "$TMP/told" '^taken True True$' "a second's worth at once, then its rate"
has "$TMP/told" '^rest True$' "the rest is refused"
has "$TMP/told" '^other True$' "another key is not"
has "$TMP/told" '^after 1$' "with Retry-After"
has "$TMP/told" '^type ThrottledException$' "by the name that SDKs repeat"
has "$TMP/told" '^again 200$' "later it may again"
has "$TMP/told" '^count True$' "each is counted"
has "$TMP/told" '^share 0$' "and none for its share"
