#!/usr/bin/env bash
# The audit log as people see it: GET /api/v1/audit and tally audit. Who sees
# whose rows is in roles.t, floods and full disks in audit_test. TAP.
set -u
cd "$(dirname "$0")/../.."
. tests/cli/lib.sh
plan 15

tally() { "$BIN/tally" "$@" >"$TMP/said" 2>"$TMP/err"; }
# counts FILE: the sum of the counts of the rows of a reason
counts() { python3 -c 'import json,sys,zlib
total = 0
for line in open(sys.argv[1]):
    row = json.loads(line)
    if "format" in row: continue
    body = line[:line.index(",\"crc\":")]
    assert "%08x" % zlib.crc32(body.encode()) == row["crc"], line
    total += row["count"] if row["outcome"] == sys.argv[2] else 0
print(total)' "$1" "$2"; }

start_collector
check "an audit log that is empty" tally audit
has "$TMP/said" 'nothing was audited' "says so"
curl -s -A "$(printf 'tool\033[31m/1')" "$HTTP/nothing?token=not-to-be-kept" >/dev/null
check "a refusal is there at once" tally audit
has "$TMP/said" 'refusal .* Tallyscope +127\.0\.0\.1 +unknown_operation +1$' "with its address and reason"
unlike "$(cat "$TMP/said")" "$(printf '\033')" "and no escape of a stranger"
tally audit --json
is "$(json "$(cat "$TMP/said")" '(d["rows"][0]["status"],d["rows"][0]["agent"],d["truncated"])')" \
	"(404, 'tool\\x1b[31m/1', False)" "--json is the API's answer"
for i in $(seq 50); do echo "url = $HTTP/nothing$i"; done | curl -s -K - >/dev/null
kill -HUP "$PID"
wait_for 'tally audit --operation ReloadKeys && grep -q "event .*ReloadKeys .*ok" "$TMP/said"' 5
has "$TMP/said" 'event +ReloadKeys +ok +1$' "keys that are read again are a row"
is "$(wc -l <"$TMP/said")" 2 "--operation takes only those"
tally audit --caller nobody
has "$TMP/said" 'nothing was audited' "--caller likewise"
tally audit --limit 1
is "$(wc -l <"$TMP/said")" 3 "--limit 1 is one row, and says that there are more"
check "a time that is none: wrong usage" sh -c "'$BIN/tally' audit --since never 2>/dev/null; [ \$? = 2 ]"
curl -s "$HTTP/api/v1/audit?limit=0" >"$TMP/said"
has "$TMP/said" 'whole number from 1' "the API says what a limit is"
stop_collector
is "$(counts "$DATA/audit/refusals-00000001.jsonl" unknown_operation)" 51 \
	"every refusal is in a count, and every line's CRC holds"
is "$(grep -rl not-to-be-kept "$DATA" "$TMP/collector.log")" "" "a query is nowhere"
start_collector
tally audit --json
is "$(json "$(cat "$TMP/said")" 'sum(r["count"] for r in d["rows"] if r["kind"] == "refusal")')" \
	51 "and so after a restart"
