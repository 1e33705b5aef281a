#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The client side of the front door: agent and commands with keys, profiles, a
# file of their own, a token that is none, and a private CA, against a collector
# that knows who may what. TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh
export HOME="$TMP/home" XDG_CONFIG_HOME="$TMP/config" XDG_STATE_HOME="$TMP/state"
export AWS_SHARED_CREDENTIALS_FILE="$HOME/.aws/credentials"
export AWS_CONFIG_FILE="$HOME/.aws/config"
unset AWS_PROFILE AWS_REGION AWS_DEFAULT_REGION AWS_ENDPOINT_URL TALLY_TOKEN \
	AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN \
	TALLY_TOKEN_FILE AWS_CA_BUNDLE TALLY_CA_BUNDLE
mkdir -p "$HOME/.aws" "$XDG_CONFIG_HOME/tallyscope" "$TMP/code"

key() { # NAME ROLE: a section of the collector's keys
	cat <<-END
	[$1]
	aws_access_key_id = TALLYKEY$1
	aws_secret_access_key = secret-of-$1-0123456789
	role = $2
	account = 111122223333
	END
}
{ key reader read; key host ingest; } >"$TMP/keys"
chmod 600 "$TMP/keys"
for who in reader host; do
	printf '[%s]\naws_access_key_id = TALLYKEY%s\n' $who $who
	printf 'aws_secret_access_key = secret-of-%s-0123456789\n' $who
done >"$HOME/.aws/credentials"
printf '[wrong]\naws_access_key_id=TALLYKEYreader\n%s\n' \
	'aws_secret_access_key=not-the-secret-0123' >>"$HOME/.aws/credentials"

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
	-keyout "$TMP/tls.key" -out "$TMP/tls.pem" -days 9 -subj /CN=tally \
	-addext subjectAltName=IP:127.0.0.1 2>"$TMP/openssl.log"
start_collector --keys "$TMP/keys" --tls-cert "$TMP/tls.pem" \
	--tls-key "$TMP/tls.key"
URL=https://${HTTP#http://}
unset TALLY_ENDPOINT

try() { # EXIT COMMAND ...: the exit status is as wanted
	_want=$1
	shift
	"$@" >"$TMP/said" 2>"$TMP/err" </dev/null
	[ $? = "$_want" ] || { cat "$TMP/said" "$TMP/err"; return 1; }
}
tally=$BIN/tally
check "a CA that is not known: 1" \
	try 1 "$tally" status --endpoint "$URL" --profile reader
has "$TMP/err" "cannot be trusted: .*ca_bundle" "it says what to set"
check "a CA's file that is not there: 1" \
	try 1 env TALLY_CA_BUNDLE="$TMP/none" "$tally" health --endpoint "$URL"
has "$TMP/err" "CA certificates in $TMP/none cannot be read" "it names it"
check "http:// to a port with TLS: 1" try 1 "$tally" health --endpoint "$HTTP"
has "$TMP/err" "then https://" "it says what to try"
export TALLY_CA_BUNDLE="$TMP/tls.pem"
check "a client certificate that is none: 1" \
	try 1 env TALLY_CLIENT_CERT=none "$tally" health --endpoint "$URL"
has "$TMP/err" "are client_cert and client_key" "it says what to look at"
check "without a key: 1" try 1 "$tally" status --endpoint "$URL"
has "$TMP/err" "no access key or token was given, see tallyscope-client" \
	"it says where to read on"
check "a profile with a key: 0" \
	try 0 "$tally" status --endpoint "$URL" --profile reader
check "the same by AWS's variables" env AWS_PROFILE=reader \
	AWS_ENDPOINT_URL="$URL" "$tally" status
check "a key in the environment" env AWS_ACCESS_KEY_ID=TALLYKEYreader \
	AWS_SECRET_ACCESS_KEY=secret-of-reader-0123456789 \
	TALLY_ENDPOINT="$URL" "$tally" status
check "a wrong secret: 1" \
	try 1 "$tally" status --endpoint "$URL" --profile wrong
has "$TMP/err" "signature we calculated does not match" "it says so"
has "$TMP/err" "method \(access key TALLYKEYreader, region us-east-1\)$" \
	"and with which key, not cut"
check "a role that may not: 1" \
	try 1 "$tally" status --endpoint "$URL" --profile host
has "$TMP/err" "the role ingest does not allow GetStatus, read and admin do" \
	"it says whose would"
check "a token that is none: 1" env TALLY_TOKEN=not.a.token sh -c \
	"! '$tally' status --endpoint '$URL' 2>/dev/null"
check "a token to another machine in clear: 1, and nothing is sent" \
	try 1 env TALLY_TOKEN=not.a.token "$tally" status \
	--endpoint http://192.0.2.1:4318
has "$TMP/err" "a token goes to https:// or this machine only" "it says so"

cat >"$XDG_CONFIG_HOME/tallyscope/config" <<END
[default]
profile = here
[profile here]
endpoint = $URL
region = eu-west-1
ca_bundle = $TMP/tls.pem
END
{ echo "[here]"; sed -n 2,3p "$HOME/.aws/credentials"; } >"$TMP/here"
cat "$TMP/here" >>"$HOME/.aws/credentials"
unset TALLY_CA_BUNDLE
check "all of it by files, with no option at all" try 0 "$tally" status
for command in tally-bill "tally-trace map" "tally-top --once"; do
	# shellcheck disable=SC2086 # words are meant
	check "$command by files" try 0 "$BIN/"$command
done
echo "colour = red" >>"$XDG_CONFIG_HOME/tallyscope/config"
check "a setting that there is not: 1" try 1 "$tally" status
has "$TMP/err" "^tally[a-z -]*: .*/tallyscope/config, line 7: no such setting" \
	"it names file and line"
sed -i 7d "$XDG_CONFIG_HOME/tallyscope/config"

# The agent: its usage is of the key's account and of the region it signs for.
cat >"$TMP/code/bootstrap" <<'END'
#!/bin/sh
api=http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation
while id=$(curl -sD - -o /dev/null "$api/next" | tr -d '\r' |
	sed -n 's/^[Ll]ambda-[Rr]untime-[Aa]ws-[Rr]equest-[Ii]d: //p'); do
	curl -s -d "\"$AWS_REGION\"" "$api/$id/response" >/dev/null
done
END
chmod +x "$TMP/code/bootstrap"
spooled() { find "$XDG_STATE_HOME" -type f -name '0*.batch' | wc -l; }
agent() {
	"$BIN/tally-agent" invoke --function signed --code "$TMP/code" \
		--handler x --runtime provided "$@"
}
check "an agent with a key" try 0 agent --profile host --collector "$URL" \
	--region eu-west-1 --flush-timeout 1
has "$TMP/err" "cannot be trusted" "without its CA the batch stays in the spool"
check "with a wrong key" try 0 env TALLY_CA_BUNDLE="$TMP/tls.pem" \
	"$BIN/tally-agent" invoke --function signed --code "$TMP/code" \
	--handler x --runtime provided --profile wrong --collector "$URL" \
	--region eu-west-1 --flush-timeout 1
has "$TMP/err" "\(status 403: The request.*key TALLYKEYreader.*stay in" \
	"it says what the collector said, in one line"
check "there it is" test "$(spooled)" -gt 0
export TALLY_CA_BUNDLE="$TMP/tls.pem"
check "the next run sends all" try 0 agent --profile host \
	--collector "$URL" --region eu-west-1
has "$TMP/said" '"eu-west-1"' "its function runs in that region"
is "$(spooled)" 0 "nothing is left in the spool"
"$tally" metrics data AWS/Lambda Invocations FunctionName=signed --json \
	>"$TMP/said" 2>&1
is "$(json "$(cat "$TMP/said")" 'sum(p["sum"] for p in d["points"])')" 3 \
	"all invocations are of the key's account, in its region"
stop_collector
is "$(grep -rlF -e secret-of- "$DATA" "$TMP/collector.log" "$TMP/state")" "" \
	"no secret came to the collector or the spool"
plan "$TAP_N"
