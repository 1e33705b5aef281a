#!/bin/sh
# What PutTraceSegments takes and refuses, document by document, and that what
# was taken comes back: at once, after a kill, and with larger documents where
# the configuration allows them.
. tests/cli/lib.sh
run() { python3 tests/cli/segments.py "${HTTP#http://}" "$@" "$TMP"; }
HTTP=http://none
plan $((2 * $(run 65536 plan)))

# part BYTES [OPTION ...]
part() {
	most=$1
	shift
	DATA=$TMP/data$most
	start_collector "$@"
	export XRAY
	run "$most" send | sed "s/ok - /ok - up to $most bytes: /"
	kill -9 "$PID"
	wait "$PID" 2>/dev/null
	start_collector "$@"
	run "$most" again | sed "s/ok - /ok - up to $most bytes, after a kill: /"
	stop_collector
}
echo '{"segment_bytes_max":1048576}' >"$TMP/conf"
# Both parts count on from one.
{
	part 65536
	part 1048576 --config "$TMP/conf"
} | awk '/^(not )?ok - / { sub(/ok - /, "ok " ++n " - ") } { print; fflush() }'
