#!/bin/sh
# 10,000 idle connections keep nobody from being served, and are still there
# afterwards. How much slower the others are, make bench measures: figures of a
# loaded machine are no test.
. tests/cli/lib.sh
plan 4

# As many as the collector has descriptors for (door/connections.h).
IDLE=10000
HARD=$(ulimit -Hn)
OTHER=2600
if [ "$HARD" != unlimited ] && [ "$HARD" -lt $((IDLE + OTHER)) ]; then
	IDLE=$((HARD - OTHER))
	echo "# only $IDLE connections: ulimit -n is $HARD"
fi
if [ "$IDLE" -lt 100 ]; then
	for i in 1 2 3 4; do skip "idle connections" "ulimit -n is $HARD"; done
	exit 0
fi
start_collector --memory 8G # may have, not has
"$BUILD/test/bench/idle" "${HTTP#http://}" "$IDLE" 1 >"$TMP/idle" 2>&1
is $? 0 "every active connection and every idle one is answered"
has "$TMP/idle" "^$IDLE idle, 100 active: all answered" "$IDLE idle ones"
sed 's/^/# /' "$TMP/idle"
closed() {
	curl -s "$HTTP/metrics" |
		awk '/^tally_connections_closed_total/ { n += $2 }
			END { print n + 0 }'
}
is "$(closed)" 0 "none was closed for them"
stop_collector
is "$STATUS" 0 "the collector stops cleanly"
