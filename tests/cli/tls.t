#!/bin/sh
# TLS: a private CA, a certificate replaced under load, clients that must show
# one. What curl refuses ends with 60; where the collector refuses, curl says 35,
# 52, 55 or 56, as the end finds it in the handshake, before its request or after.
. tests/cli/lib.sh
plan 24
C=$TMP/cert
mkdir -p "$C"

# new_key NAME; certify NAME CA DAYS EXTENSIONS
new_key() {
	openssl ecparam -name prime256v1 -genkey -noout -out "$C/$1.key"
}
ca() {
	new_key "$1"
	openssl req -x509 -new -key "$C/$1.key" -subj "/CN=$1" -days 9 \
		-out "$C/$1.pem" 2>>"$TMP/openssl.log"
}
certify() {
	new_key "$1"
	printf '%s\n' "$4" >"$C/$1.ext"
	openssl req -new -key "$C/$1.key" -subj "/CN=$1" 2>>"$TMP/openssl.log" |
		openssl x509 -req -CA "$C/$2.pem" -CAkey "$C/$2.key" \
			-CAcreateserial -days "$3" -extfile "$C/$1.ext" \
			-out "$C/$1.pem" 2>>"$TMP/openssl.log"
}
SERVER='subjectAltName=IP:127.0.0.1
extendedKeyUsage=serverAuth'
CLIENT='extendedKeyUsage=clientAuth'
ca ours
ca theirs
certify first ours 9 "$SERVER"
certify second ours 9 "$SERVER"
certify expired ours -1 "$SERVER"
certify friend ours 9 "$CLIENT"
certify late ours -1 "$CLIENT"
certify stranger theirs 9 "$CLIENT"

use() {
	cp "$C/$1.pem" "$C/now.pem.new" && mv "$C/now.pem.new" "$C/now.pem"
	cp "$C/$1.key" "$C/now.key.new" && mv "$C/now.key.new" "$C/now.key"
}
get() { # CURL-OPTION ...; prints the body, or curl's status
	curl -sS -m 10 "$@" "$URL/healthz" 2>>"$TMP/curl.log" || echo "curl $?"
}
served() {
	openssl s_client -connect "${URL#https://}" </dev/null 2>/dev/null |
		sed -n 's/^subject=.*CN *= *//p'
}
reload() { # waits for the log's line
	_lines=$(grep -c '"part":"tls"' "$TMP/collector.log")
	kill -HUP "$PID"
	wait_for "[ \$(grep -c '\"part\":\"tls\"' '$TMP/collector.log') \
		-gt $_lines ]" 10
}

use first
start_collector --tls-cert "$C/now.pem" --tls-key "$C/now.key"
URL=https://${HTTP#http://}
is "$(get --cacert "$C/ours.pem")" ok "a client that knows the CA is served"
is "$(get --cacert "$C/theirs.pem")" "curl 60" "another CA: the client refuses"
like "$(get --cacert "$C/ours.pem" --tls-max 1.1)" '^curl (35|5[256])$' \
	"TLS 1.1 is refused"
is "$(get --cacert "$C/ours.pem" --tls-max 1.2)" ok "TLS 1.2 is spoken"
is "$(get --cacert "$C/ours.pem" --tlsv1.3)" ok "TLS 1.3 is spoken"
like "$(URL=$HTTP get)" '^curl (1|52|56)$' "in clear there is no answer"
is "$(served)" first "the certificate is the one that was named"

# Replaced under load, ten times.
python3 tests/cli/tls_load.py "$URL" "$C/ours.pem" 4 >"$TMP/load" &
LOAD=$!
wait_for "[ -s '$TMP/load' ]" 10
for i in 1 2 3 4 5; do
	use second
	reload
	use first
	reload
done
use second
reload
kill -TERM "$LOAD"
wait "$LOAD"
like "$(tail -1 "$TMP/load")" '^[0-9]{2,} requests, 0 failed$' \
	"no request fails while the certificate is replaced eleven times"
is "$(served)" second "then the new certificate is served"

# A bad one changes nothing.
cp "$C/first.key" "$C/now.key"
reload
has "$TMP/collector.log" 'no certificate with its key' \
	"a key that is another's is refused"
has "$TMP/collector.log" 'the certificate in force stays' "and the log says so"
is "$(get --cacert "$C/ours.pem")" ok "the old pair is in force"
use expired
reload
is "$(get --cacert "$C/ours.pem")" "curl 60" "expired: the client refuses"
has "$TMP/collector.log" 'is not valid now' "and the log warns of it"
stop_collector
is "$STATUS" 0 "it stops cleanly: no certificate is left"

# Clients show a certificate, as the configuration file says.
use second
cp "$C/ours.pem" "$C/clients.pem"
cat >"$TMP/conf" <<-END
	{"tls": {"certificate": "$C/now.pem", "key": "$C/now.key",
		 "client_ca": "$C/clients.pem"}}
END
chmod 644 "$C/now.key"
start_collector --config "$TMP/conf"
has "$TMP/collector.log" "now\.key holds a secret.*chmod o= .*now\.key" \
	"a key that all may read is warned of"
chmod 600 "$C/now.key"
URL=https://${HTTP#http://}
as() { get --cacert "$C/ours.pem" --cert "$C/$1.pem" --key "$C/$1.key"; }
like "$(get --cacert "$C/ours.pem")" '^curl (35|5[256])$' \
	"a client without a certificate is refused"
is "$(as friend)" ok "one with a certificate of the CA is served"
like "$(as stranger)" '^curl (35|5[256])$' "one of another CA is refused"
like "$(as late)" '^curl (35|5[256])$' "an expired one is refused"
like "$(as first)" '^curl (35|5[256])$' "a server's own is refused"
cp "$C/theirs.pem" "$C/clients.pem"
reload
is "$(as stranger)" ok "another CA for clients comes into force"
stop_collector

refused() {
	"$BIN/tally-collector" --data "$DATA" --http 127.0.0.1:0 \
		--xray 127.0.0.1:0 --grpc off "$@" >"$TMP/refused" 2>&1
	echo "$? $(tail -1 "$TMP/refused")"
}
like "$(refused --tls-key "$C/now.key")" '^2 .*--tls-cert' \
	"a key without a certificate: it does not start in clear"
like "$(refused --tls-cert "$C/first.pem" --tls-key "$C/second.key")" \
	'^2 .*no certificate with its key' "nor with a foreign key"
