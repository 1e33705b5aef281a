#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Who may ask: signatures and tokens, right and wrong, in every protocol
# (auth.py); keys that are read again; listeners beyond loopback.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh

SECRET=only-for-tests-0123456789-0123456789
python3 tests/cli/auth.py make "$TMP" || { echo "Bail out! no keys"; exit 1; }
# A whole start that must fail: prints its status and what it says.
start_fails() {
	timeout 20 "$BIN/tally-collector" --data "$TMP/none" "$@" \
		2>&1 >"$TMP/none.out"
	echo "status $?"
}
# call KEY [OPTION ...]: status and code of a signed call of the native API
call() {
	_key=$1
	shift
	python3 tests/cli/sigv4.py --key "$_key" --secret "$SECRET" "$@" \
		GET "$HTTP/api/v1/traces" | sed -n 1p
}
# reload WANTED: SIGHUP, until the log has one more line like WANTED
reload() {
	_lines=$(grep -c "$1" "$TMP/collector.log")
	kill -HUP "$PID"
	wait_for "[ \$(grep -c '$1' '$TMP/collector.log') -gt $_lines ]" 10
}

# --- signatures and tokens ------------------------------------------------------
start_collector --config "$TMP/conf"
unlike "$(cat "$TMP/collector.log")" 'no access keys' "with keys it does not warn"
python3 tests/cli/auth.py run "$TMP" "${HTTP#http://}" >"$TMP/auth" 2>&1
status=$?
while IFS= read -r line; do
	case $line in
	"ok - "*) ok "${line#ok - }" ;;
	"not ok - "*) not_ok "${line#not ok - }" ;;
	*) printf '%s\n' "# ${line#\# }" ;;
	esac
done <"$TMP/auth"
is "$status" 0 "all of that was tried"
is "$(curl -s "$HTTP/healthz")" ok "health is for everybody"

# --- keys that change -------------------------------------------------------------
key() { # ID
	printf '[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n' \
		"$1" "$1" "$SECRET"
	printf 'role = admin\naccount = 123456789012\n\n'
}
is "$(call NEW-KEY-1)" "403 UnrecognizedClient" "a key before it is there"
key NEW-KEY-1 >>"$TMP/keys"
check "SIGHUP" reload 'keys were read again'
is "$(call NEW-KEY-1) $(call ADMIN-KEY)" "200 - 200 -" "a new key, and the old"
key NEW-KEY-1 >"$TMP/keys"
check "SIGHUP" reload 'keys were read again'
is "$(call NEW-KEY-1) $(call ADMIN-KEY)" "200 - 403 UnrecognizedClient" \
	"a removed key is refused"
printf '[broken]\nrole = emperor\n' >>"$TMP/keys"
check "SIGHUP with a broken file is an error in the log" \
	reload '"error".*the keys in force stay'
unlike "$(cat "$TMP/collector.log")" "$SECRET" "which names no secret"
is "$(call NEW-KEY-1)" "200 -" "and the keys are as before"
key NEW-KEY-1 >"$TMP/keys"
chmod 644 "$TMP/keys"
check "SIGHUP with a file for everybody" reload '"error".*the keys in force stay'
chmod 600 "$TMP/keys"
python3 - "$TMP" <<'END'
import json, sys
path = sys.argv[1] + "/jwks"
keys = json.load(open(path))
json.dump({"keys": [k for k in keys["keys"] if k["kid"] != "ec"]}, open(path, "w"))
END
token() { # ALGORITHM KID
	python3 - "$TMP" "$@" <<'END'
import sys
sys.path.insert(0, "tests/cli")
import auth, jwt
print(jwt.token(*sys.argv[1:4], auth.claims()))
END
}
with_token() {
	curl -s -o "$TMP/answer" -w '%{http_code}' \
		-H "Authorization: Bearer $1" "$HTTP/api/v1/traces"
}
before=$(with_token "$(token ES256 ec)")
check "SIGHUP" reload 'keys were read again'
is "$before $(with_token "$(token ES256 ec)") $(with_token "$(token RS256 rsa)")" \
	"200 401 200" "a token's key that is removed is refused, the others stay"
chmod 644 "$TMP/jwks"
check "SIGHUP with HS256 secrets for everybody" \
	reload '"error".*holds secrets.*the keys in force stay'
chmod 600 "$TMP/jwks"
echo '{' >"$TMP/jwks"
check "SIGHUP with a broken JWKS" reload '"error".*the keys in force stay'
is "$(with_token "$(token RS256 rsa)") $(call NEW-KEY-1)" "200 200 -" \
	"changes nothing"
stop_collector

# --- listeners ----------------------------------------------------------------------
like "$(start_fails --http 0.0.0.0:0 --xray 127.0.0.1:0 --grpc off)" \
	'no access keys' "beyond loopback it needs keys"
like "$(start_fails --http 0.0.0.0:0 --xray 127.0.0.1:0 --grpc off)" \
	'^status [12]$' "and does not start"
like "$(start_fails --http '[::]:0' --xray 127.0.0.1:0 --grpc off)" \
	'no access keys' "so with IPv6"
like "$(start_fails --http 127.0.0.1:0 --xray 0.0.0.0:0 --keys "$TMP/keys")" \
	'xray_networks' "the X-Ray port beyond loopback needs networks"
like "$(start_fails --http 127.0.0.1:0 --xray 127.0.0.1:0 --grpc off --keys "$TMP/nowhere")" \
	'cannot read the keys .*/nowhere: No such.*tally keys create' \
	"a missing file of keys is an error, and it says how to make one"
chmod 644 "$TMP/keys"
like "$(start_fails --http 127.0.0.1:0 --xray 127.0.0.1:0 --grpc off --keys "$TMP/keys")" \
	'keys' "a file of keys for everybody too"
chmod 600 "$TMP/keys"

: >"$TMP/collector.log"
start_collector
has "$TMP/collector.log" '"warn.*no access keys' "loopback without keys warns"
is "$(curl -s -o "$TMP/answer" -w '%{http_code}' "$HTTP/api/v1/traces")" 200 \
	"and takes all for admins"
stop_collector

# A connection to a documentation address sends nothing, and tells our own.
own=$(python3 -c 'import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("192.0.2.1", 9))
print(s.getsockname()[0])' 2>"$TMP/own.err")
case $own in
"" | 127.*)
	skip "listeners on an address of the machine" "it has loopback only"
	plan "$TAP_N"
	exit 0
	;;
esac
datagram() { # ADDRESS: sends a segment to its X-Ray port
	python3 - "$1" <<'END'
import json, socket, sys, time
host, _, port = sys.argv[1].rpartition(":")
now = time.time()
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(
    b'{"format":"json","version":1}\n' + json.dumps({
        "trace_id": "1-%08x-0123456789abcdef01234567" % int(now), "name": "udp",
        "id": "0123456789abcdef", "start_time": now - 1, "end_time": now}).encode(),
    (host, int(port)))
END
}
sampling() { # ADDRESS
	curl -s -o "$TMP/answer" -w '%{http_code}' -d '{}' "http://$1/GetSamplingRules"
}
# signed_metric NAME: of the collector with keys
signed_metric() {
	python3 tests/cli/sigv4.py --key NEW-KEY-1 --secret "$SECRET" GET \
		"$HTTP/metrics" | sed -n "s/^tally_$1 //p"
}
for allowed in 198.51.100.0/24 "$own"; do
	printf '{"keys":"%s/keys","xray_networks":["%s"],"grpc":"off","http":"%s:0","xray":"%s:0"}' \
		"$TMP" "$allowed" "$own" "$own" >"$TMP/conf"
	: >"$TMP/out"
	"$BIN/tally-collector" --data "$DATA" --config "$TMP/conf" \
		>"$TMP/out" 2>>"$TMP/collector.log" &
	PID=$!
	check "with keys and networks it listens beyond loopback" \
		wait_for "grep -q '^ready' '$TMP/out'" 30
	HTTP=http://$(sed -n 's/^http //p' "$TMP/out")
	XRAY=$(sed -n 's/^xray //p' "$TMP/out")
	is "$(call NEW-KEY-1) $(call NOBODY-AT-ALL)" "200 - 403 UnrecognizedClient" \
		"HTTP needs a key there"
	stored=$(signed_metric 'records_stored_total{kind="segment"}')
	datagram "$XRAY"
	if [ "$allowed" = "$own" ]; then
		check "a datagram from a network that may is stored" wait_for \
			"[ \"\$(signed_metric 'records_stored_total{kind=\"segment\"}')\" = $((stored + 1)) ]" 10
		is "$(sampling "$XRAY")" 200 "it may ask for sampling rules"
		is "$(signed_metric 'refused_total{reason="datagram"}')" 0 \
			"and nobody was refused"
	else
		check "a datagram from elsewhere is counted" wait_for \
			"[ \"\$(signed_metric 'refused_total{reason=\"datagram\"}')\" = 1 ]" 10
		is "$(signed_metric 'records_stored_total{kind="segment"}')" "$stored" \
			"and not stored"
		is "$(sampling "$XRAY")" 403 "nor answered to sampling calls"
	fi
	stop_collector
done
plan "$TAP_N"
