#!/usr/bin/env bash
# The native batch over HTTP: once, again, and in every way it is refused. TAP.
set -u
cd "$(dirname "$0")/../.."
. tests/cli/lib.sh
plan 30

batch() { python3 tests/cli/batch.py "$@" >"$TMP/batch"; }
# post [CURL OPTION ...]: sends $TMP/batch; STATUS and ANSWER (JSON)
post() {
	ANSWER=$(curl -s -w '\n%{http_code}' -H 'Accept: application/json' \
		-H 'Content-Type: application/x-protobuf' "$@" \
		--data-binary "@$TMP/batch" "$HTTP/api/v1/batches")
	STATUS=${ANSWER##*$'\n'}
	ANSWER=${ANSWER%$'\n'*}
}
requests() { json "$(curl -s "$HTTP/api/v1/statement")" \
	'sum(f["requests"] for f in d["functions"])'; }

start_collector
now=$(date +%s)
segment="{\"id\":\"00000000000000aa\",\"trace_id\":\"1-$(printf %08x "$now")-00000000000000000000abcd\",\"name\":\"f\",\"start_time\":$now,\"end_time\":$now.5}"

batch p1 1 "segment=$segment" datum=AWS/Lambda,Errors,1,f \
	'log=/aws/lambda/f,s,hello' usage=r-1,f,128,10 usage=r-2,f,256,20
post
is "$STATUS" 200 "a batch is stored"
is "$(json "$ANSWER" 'd["accepted"]')" 5 "all five records"
post
is "$STATUS" 200 "sent again: 200"
is "$(json "$ANSWER" 'd["duplicate"]')" True "and said to be known"
wait_for '[ "$(requests)" = 2 ]' 2
is "$(requests)" 2 "and has no second effect"

batch p1 1 usage=r-9,f,128,10
post
is "$STATUS" 409 "the same sequence with other bytes: 409"
batch p1 2 usage=r-1,f,128,10 usage=r-3,f,128,10
post
is "$STATUS" 200 "a known usage record in a new batch: 200"
is "$(json "$ANSWER" '(d["accepted"],d["known"])')" "(1, 1)" "one stored, one known"
batch p1 3 usage=r-1,f,128,11 usage=r-4,f,128,10
post
is "$STATUS" 409 "the same id with another value: 409"
is "$(json "$ANSWER" 'd["refused"][0]["code"]')" ConflictException "with its code"
is "$(json "$ANSWER" '(d["refused"][0]["kind"],d["refused"][0]["index"],d["accepted"])')" \
	"('usage', 0, 1)" "named, and the other one is stored"
post
is "$STATUS" 409 "sent again: 409 again"
is "$(json "$ANSWER" '(d["refused"][0]["index"],d["duplicate"],d["accepted"])')" \
	"(0, True, 0)" "with the same name, and no effect"
batch p2 1 age=3110400 usage=r-5,f,128,10
post
is "$(json "$ANSWER" 'len(d["refused"])')" 1 "a record 36 days old is refused by name"
batch p2 2 usage=r-6,f,64,10 usage=r-7,f,128,10
post
is "$(json "$ANSWER" '(d["refused"][0]["index"],d["accepted"])')" "(0, 1)" \
	"64 MB of memory is refused, the rest is stored"
batch p2 3 'segment={"id":"xx"}' 'segment=[]'
post
is "$(json "$ANSWER" 'len(d["refused"])')" 2 "bad segments are refused by name"
post
is "$(json "$ANSWER" '(len(d["refused"]),d["duplicate"])')" "(2, True)" \
	"and when it is sent again"

batch p3 1 usage=r-8,f,128,10
gzip -c "$TMP/batch" >"$TMP/gz"; mv "$TMP/gz" "$TMP/batch"
post -H 'Content-Encoding: gzip'
is "$STATUS" 200 "gzip is taken"
head -c 20000000 /dev/zero | gzip -c >"$TMP/batch"
post -H 'Content-Encoding: gzip'
is "$STATUS" 413 "20 MB of zeros in 20 KB: 413"
head -c 100 /dev/urandom >"$TMP/batch"
post -H 'Content-Encoding: gzip'
is "$STATUS" 400 "what is not gzip: 400"
post -H 'Content-Encoding: br'
is "$STATUS" 400 "another coding: 400"
like "$ANSWER" gzip "and says which are taken"
batch '' 1 usage=r-x,f,128,10
post
is "$STATUS" 400 "no producer: 400"
batch p4 0 usage=r-x,f,128,10
post
is "$STATUS" 400 "sequence 0: 400"
batch p5 1 usage=r-10,f,128,10
is "$(curl -s -o /dev/null -w '%{http_code}' -H 'Transfer-Encoding: chunked' \
	-H 'Expect: 100-continue' --data-binary "@$TMP/batch" "$HTTP/api/v1/batches")" \
	200 "a chunked body with Expect is taken"

wait_for '[ "$(requests)" = 7 ]' 2
is "$(requests)" 7 "the ledger has exactly what was stored"
usage=$(curl -s "$HTTP/api/v1/usage/r-2")
is "$(json "$usage" '(d["memory_mb"],d["billed_ms"],d["cost"]["total"])')" \
	"$(python3 -c "
from fractions import Fraction as F
c=F('0.0000002')+F('0.0000166667')*256*20/1024/1000
from decimal import Decimal
print((256, 20, format(Decimal(c.numerator)/Decimal(c.denominator),'f')))")" \
	"the cost of one request is exact"
kill -9 "$PID"; wait "$PID" 2>/dev/null
start_collector
is "$(requests)" 7 "and so after kill -9"
batch p1 1 "segment=$segment" datum=AWS/Lambda,Errors,1,f \
	'log=/aws/lambda/f,s,hello' usage=r-1,f,128,10 usage=r-2,f,256,20
batch p1 2 usage=r-1,f,128,10 usage=r-3,f,128,10
post
is "$(json "$ANSWER" 'd["duplicate"]')" True "a batch is known after a restart"
like "$(curl -s "$HTTP/metrics")" 'tally_duplicates_total\{kind="batch"\} 1' "and counted"
