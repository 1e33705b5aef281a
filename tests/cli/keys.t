#!/usr/bin/env bash
# tally keys: the file of access keys, made, listed and changed. TAP.
set -u
cd "$(dirname "$0")/../.."
. tests/cli/lib.sh
plan 51

F=$TMP/keys
unset TALLY_KEYS
# keys EXIT ARGUMENT ...: the exit status is as wanted
keys() {
	_want=$1
	shift
	"$BIN/tally" keys "$@" >"$TMP/out" 2>"$TMP/err" </dev/null
	[ $? = "$_want" ]
}
keys_meddled() {
	MEDDLE=$F LD_PRELOAD=$PWD/$BUILD/test/meddle.so \
		"$BIN/tally" keys create never --role read --file "$F" 2>"$TMP/err"
	[ $? = 1 ]
}
sum() { cksum <"$F"; }
secret_of() { sed -n "/^\[$1\]/,/^\[[^$1]/s/^aws_secret_access_key = //p" "$F" | head -1; }

check "no file: list says what to do" keys 1 list --file "$F"
has "$TMP/err" 'tally keys create' "and names the command that makes one"
check "create makes the file" keys 0 create checkout --role ingest --file "$F"
is "$(stat -c %a "$F")" 600 "for its owner alone"
ID=$(sed -n 's/^Access key id  *//p' "$TMP/out")
SECRET=$(sed -n 's/^Secret access key  *//p' "$TMP/out")
like "$ID" '^TALY[A-Z2-7]{16}$' "an id that is none of AWS's"
like "$SECRET" '^[A-Za-z0-9+/]{40}$' "a secret of 40 characters"
is "$(secret_of checkout)" "$SECRET" "which is in the file"
has "$TMP/err" 'kill -HUP' "and how to tell a collector"
unlike "$(cat "$TMP/err")" "$SECRET" "without the secret"

printf '# by hand\n\n# of reader\n[reader]\naws_access_key_id = HANDMADE\naws_secret_access_key = 0123456789abcdef\nrole = read\naccount = 000000000007' >>"$F"
chmod 640 "$F"
check "create with all settings" keys 0 create root --role admin --file "$F" \
	--account 000000000042 --regions us-east-1,eu-west-1 --rate 50 \
	--expires 90d --json
ROOT=$(json "$(cat "$TMP/out")" 'd["aws_access_key_id"]')
ROOT_SECRET=$(json "$(cat "$TMP/out")" 'd["aws_secret_access_key"]')
is "$(secret_of root)" "$ROOT_SECRET" "--json has the secret too"
is "$(stat -c %a "$F")" 640 "the file's mode stays"
has "$F" '^# by hand$' "and what was written by hand"
check "list" keys 0 list --file "$F"
has "$TMP/out" "^root +$ROOT +admin +000000000042 +us-east-1,eu-west-1 +50/s +20" "shows a key's settings"
has "$TMP/out" '^reader +HANDMADE +read +000000000007 +\* +- +never$' "and the usual ones"
{ "$BIN/tally" keys --file "$F"; "$BIN/tally" keys --file "$F" --json; } >"$TMP/both" 2>&1
is "$(grep -cF "$ROOT" "$TMP/both") $(grep -cF -e "$SECRET" -e "$ROOT_SECRET" -e 0123456789abcdef "$TMP/both")" \
	"2 0" "but never a secret"

before=$(sum)
check "the same name again is refused" keys 1 create root --role read --file "$F"
has "$TMP/err" 'has a key of the name root; revoke it first' "and said"
check "an account that is none is refused" keys 2 create x --role read --account 7 --file "$F"
check "a role that is none is refused" keys 2 create x --role god --file "$F"
has "$TMP/err" '--role is ingest, read or admin' "and said"
check "no role: wrong usage" keys 2 create x --file "$F"
check "a name of two lines: wrong usage" keys 2 create "$(printf 'x]\nrole=admin')" --role read --file "$F"
check "a time that is over: wrong usage" keys 2 create x --role read --expires 2020-01-01 --file "$F"
check "no collector is asked: no --endpoint" keys 2 list --endpoint http://127.0.0.1:1 --file "$F"
check "nor whose keys it knows" env AWS_PROFILE=nobody "$BIN/tally" keys --file "$F"
check "list takes no settings" keys 2 list --role read --file "$F"
check "what is not there cannot be revoked" keys 1 revoke nobody --file "$F"
is "$(sum)" "$before" "and the file is as it was"
"$BIN/tally" keys create lost --role read --file "$F" >/dev/full 2>"$TMP/err"
has "$TMP/err" 'revoke the key' "a secret that nobody saw: it says so"

check "revoke by name" keys 0 revoke reader --file "$F"
check "revoke by id" keys 0 revoke "$ROOT" --file "$F"
check "revoke the lost one" keys 0 revoke lost --file "$F"
is "$(grep -c -e reader] -e HANDMADE -e "$ROOT" "$F")" 0 "all of their sections is gone"
has "$F" '^# of reader$' "comments stay"
is "$(secret_of checkout)" "$SECRET" "and so do the other keys"

ln -s keys "$TMP/link"
check "through a link" env TALLY_KEYS="$TMP/link" "$BIN/tally" keys create linked --role read
check "the link is one still, and the file has the key" \
	test -L "$TMP/link" -a -n "$(secret_of linked)"
chmod 644 "$F"
check "a file that others may read is refused" keys 1 create x --role read --file "$F"
has "$TMP/err" 'chmod o=' "and it says how to mend it"
chmod 600 "$F"

for i in 1 2 3 4 5 6 7 8; do
	"$BIN/tally" keys create "many$i" --role read --file "$F" >"$TMP/many$i" 2>&1 &
	many[i]=$!
done
wait "${many[@]}"
is "$(grep -c '^\[many' "$F")" 8 "eight at once: eight keys"
flock "$F" sleep 0.4 &
holder=$!
sleep 0.1
check "who holds the file is waited for" keys 0 revoke many8 --file "$F"
wait "$holder"
if [ -z "${SAN:-}" ]; then
	check "an edit while it writes is seen" keys_meddled
	has "$TMP/err" 'was edited meanwhile; nothing is changed' "and said"
	is "$(grep -c 'by another hand' "$F") $(grep -c '^\[never\]' "$F")" "1 0" \
		"and kept"
else
	for i in 1 2 3; do skip "an edit while it writes" "no preloading"; done
fi
is "$(ls "$TMP" | grep -c '^keys\.new')" 0 "nothing is left beside the file"

# With a collector: a key is good once it was told, and no more when revoked.
start_collector --keys "$F"
ask() {
	python3 -c 'import sys; sys.path.insert(0, "tests/cli")
from awsclient import Client
print(Client(sys.argv[1]).send(("key", *sys.argv[2:4]), "tallyscope", "GET", "/api/v1/traces").status)' \
		"${HTTP#http://}" "$1" "$2"
}
keys 0 create live --role read --file "$F" --json --pid "$PID"
LIVE=$(json "$(cat "$TMP/out")" 'd["aws_access_key_id"]')
LIVE_SECRET=$(json "$(cat "$TMP/out")" 'd["aws_secret_access_key"]')
wait_for '[ "$(ask "$LIVE" "$LIVE_SECRET")" = 200 ]' 10
is "$(ask "$LIVE" "$LIVE_SECRET")" 200 "a new key, and a collector that was told: 200"
check "revoke and tell" keys 0 revoke live --file "$F" --pid "$PID"
wait_for '[ "$(ask "$LIVE" "$LIVE_SECRET")" = 403 ]' 10
is "$(ask "$LIVE" "$LIVE_SECRET")" 403 "revoked: 403"
stop_collector
is "$(grep -rlF -e "$LIVE_SECRET" -e "$SECRET" "$DATA" "$TMP/collector.log")" "" \
	"no secret is in the data or the log"
