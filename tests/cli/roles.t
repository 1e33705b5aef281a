#!/usr/bin/env bash
# Who may do what, and who sees what: the matrix of tests/cli/roles.py, which
# grows with the table of operations. TAP.
set -u
cd "$(dirname "$0")/../.."
. tests/cli/lib.sh

python3 tests/cli/roles.py make "$TMP"
"$BIN/tally-collector" --operations >"$TMP/table"
start_collector --config "$TMP/config"
python3 tests/cli/roles.py run "$TMP" "${HTTP#http://}" "$PID" "$TMP/table" |
	tee "$TMP/tap" | grep -v '^1\.\.'
TAP_N=$(sed -n 's/^1\.\.//p' "$TMP/tap")
[ -n "$TAP_N" ] || { echo "Bail out! roles.py did not come to its end"; exit 1; }

# What was secret is nowhere: not in the audit log, not in the data, not in
# what was logged.
grep -E '^aws_secret' "$TMP/keys" | sed 's/.* = //' >"$TMP/secrets"
echo token-secret-0123456789abcdef0123456789 >>"$TMP/secrets"
echo eyJ >>"$TMP/secrets" # how every token begins
stop_collector
check "there are secrets to look for, and an audit log" \
	test "$(wc -l <"$TMP/secrets")" -ge 9 -a -s "$DATA/audit/refusals-00000001.jsonl"
is "$(grep -rlaFf "$TMP/secrets" "$DATA" "$TMP/collector.log" "$TMP/out")" "" \
	"no secret and no token is in any file"
has "$DATA/audit/refusals-00000001.jsonl" '"caller":"MARKERB-read".*"outcome":"role"' \
	"a refused role is audited by its name"
has "$DATA/audit/refusals-00000001.jsonl" '"outcome":"unknown_key"' \
	"and a stranger by his address"
tools/operations-table <"$TMP/table" >"$TMP/operations.md"
check "docs/operations.md is of this table (its head says how to make it)" \
	diff docs/operations.md "$TMP/operations.md"
plan "$TAP_N"
