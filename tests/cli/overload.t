#!/bin/sh
# Ten times what it can take, in 256 MiB: it says no to most of it, keeps all
# usage, and is well when it is over. How fast this machine is decides nothing
# here; `make overload` (OVERLOAD_S=60) prints how much got through.
. tests/cli/lib.sh
plan 12

start_collector --memory 256M
"$BUILD/test/bench/overload" "${HTTP#http://}" "$PID" "${OVERLOAD_S:-4}" \
	>"$TMP/numbers" 2>"$TMP/errors" || sed 's/^/# /' "$TMP/errors"
of() { awk -v n="$1" '$1 == n { print $2 }' "$TMP/numbers"; }
# least NUMBER MINIMUM NAME; most NUMBER MAXIMUM NAME
least() { check "$3" [ "${1:--1}" -ge "$2" ]; }
most() { check "$3" [ "${1:-999999999}" -le "$2" ]; }

[ -z "${OVERLOAD_S:-}" ] || sed 's/^/# /' "$TMP/numbers"
least "$(of answered)" 1 "requests were answered"
if [ -n "${SAN:-}" ]; then
	skip "each by 200, 429 or 503" "with a sanitizer answers take too long"
	skip "not all of them by 200" "with a sanitizer less is sent"
	skip "and counted by class" "with a sanitizer less is sent"
else
	is "$(of failed)" 0 "each by 200, 429 or 503"
	# Each sender waits for its answer: a collector that keeps up with
	# eighty of them has nothing to refuse.
	if [ "$(of refused)" = 0 ]; then
		skip "not all of them by 200" "it kept up"
		skip "and counted by class" "it kept up"
	else
		ok "not all of them by 200"
		least "$(($(of shed_read) + $(of shed_telemetry)))" 1 \
			"and counted by class"
	fi
fi
is "$(of shed_usage) $(of shed_usage_records)" "0 0" "usage: never"
is "$(of usage_acked)" "$(of usage_sent)" "usage: all is acknowledged"
is "$(of usage_stored)" "$(of usage_sent)" "and stored, once"
is "$(of lost)" 0 "received = stored + shed + refused + known"
most "$(of recovery_ms)" 5000 "it recovers within 5 s"
if [ -n "${SAN:-}" ]; then skip "memory" "a sanitizer has its own"
else most "$(of peak_kib)" 262144 "never over 256 MiB"; fi
is "$(curl -s "$HTTP/healthz")" ok "it is well"
stop_collector
is "$STATUS" 0 "and ends cleanly"
