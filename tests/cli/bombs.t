#!/bin/sh
# Bodies that are meant to hurt: each is answered, and what it costs of memory
# (the peak, from /proc) is bounded. The limit is that of the collector's
# --memory for what is large, and 2 MiB for what only pretends to be small.
. tests/cli/lib.sh
plan 35

start_collector --memory 256M
python3 tests/cli/bombs.py "${HTTP#http://}" "$PID" >"$TMP/bombs"
# bomb NAME STATUS KIB: what it was answered, and that the peak rose by no more
bomb() {
	answer=$(awk -v n="$1" '$1 == n { print $2 }' "$TMP/bombs")
	rise=$(awk -v n="$1" '$1 == n { print $3 }' "$TMP/bombs")
	like "$answer" "^($2)\$" "$1: answered $2"
	if [ -n "${SAN:-}" ]; then
		skip "$1: memory" "a sanitizer has its own"
	elif [ "${rise:-$(($3 + 1))}" -le "$3" ]; then
		ok "$1: at most $3 KiB"
	else
		not_ok "$1: at most $3 KiB"
		echo "# $rise"
	fi
}
bomb gzip 413 2048
bomb gzip-whole 413 3072
bomb nested 413 2048
bomb members 413 2048
bomb empty-members 413 2048
bomb truncated 413 2048
bomb cut-off 400 2048
bomb chunked 413 2048
bomb small 413x10000 2048
bomb segments 413 32768
bomb segments-json '400|413' 32768
bomb lines 413 32768
bomb body-64-mib 413 2048
bomb deep-json 400 32768
bomb wide-json '400|413' 65536
bomb million-lines '200|503|200,503' 200000

peak=$(awk '/^VmHWM/ { print $2 }' "/proc/$PID/status")
if [ -n "${SAN:-}" ]; then skip "all under the cap" "a sanitizer has its own"
elif [ "$peak" -le 262144 ]; then ok "all under the cap"
else not_ok "all under the cap"; echo "# $peak KiB"; fi
is "$(curl -s "$HTTP/healthz")" ok "it is well"
python3 tests/cli/batch.py after 1 log=/g,s,hello >"$TMP/b"
is "$(curl -s -o /dev/null -w '%{http_code}' --data-binary "@$TMP/b" \
	"$HTTP/api/v1/batches")" 200 "and takes batches"
