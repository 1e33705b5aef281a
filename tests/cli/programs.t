#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What all programs promise: --help, --version, exit codes, errors that name
# the program, and what they are linked with.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh

status_of() {
	"$@" >"$TMP/out" 2>"$TMP/err" </dev/null
	echo $?
}
for program in tally tally-agent tally-collector tally-trace tally-bill \
	tally-top; do
	is "$(status_of "$BIN/$program" --help)" 0 "$program --help: 0"
	has "$TMP/out" "^Usage: " "$program --help says how it is used"
	is "$(status_of "$BIN/$program" --version)" 0 "$program --version: 0"
	is "$(cat "$TMP/out")" "$program (Tallyscope) 0.1.0" "$program --version"
	is "$(status_of "$BIN/$program" --no-such-option)" 2 \
		"$program with a wrong option: 2"
	is "$(cat "$TMP/out")" "" "$program: nothing on stdout then"
	check "$program: it says so" test -s "$TMP/err"
done
is "$(status_of "$BIN/tally-collector")" 2 "tally-collector without --data: 2"
is "$(status_of "$BIN/tally" no-such)" 2 "tally with no such command: 2"
is "$(status_of "$BIN/tally-trace")" 2 "tally-trace without an id: 2"
is "$(status_of "$BIN/tally-bill" --month 2026-13)" 2 \
	"tally-bill with a month that is none: 2"
is "$(status_of "$BIN/tally-agent" invoke)" 2 "tally-agent without a function: 2"

# Nobody listens on port 1.
for command in "tally status" "tally-trace map" "tally-bill"; do
	# shellcheck disable=SC2086 # words are meant
	is "$(TALLY_ENDPOINT=http://127.0.0.1:1 status_of "$BIN/"$command)" 1 \
		"$command without a collector: 1"
	has "$TMP/err" "^tally[a-z -]*: .*127\.0\.0\.1:1" \
		"$command: the error names the endpoint"
done

# linked PROGRAM LIBRARY: is it among its shared objects, direct or not?
linked() {
	ldd "$BIN/$1" | grep -q "$2"
}
for program in tally tally-agent tally-trace tally-bill tally-top; do
	check "$program does not load librrd" sh -c \
		"! ldd '$BIN/$program' | grep -q librrd"
done
for program in tally tally-agent tally-trace tally-bill tally-collector; do
	check "$program does not load ncurses" sh -c \
		"! ldd '$BIN/$program' | grep -q ncurses"
done
check "the collector loads librrd" linked tally-collector librrd
check "the dashboard loads ncurses" linked tally-top ncurses

for program in tally tally-agent tally-collector tally-trace tally-bill \
	tally-top; do
	readelf -hld "$BIN/$program" >"$TMP/elf"
	has "$TMP/elf" 'Type: +DYN' "$program is position independent"
	has "$TMP/elf" 'GNU_RELRO' "$program: relocations are read-only"
	has "$TMP/elf" 'BIND_NOW|Flags: NOW' "$program: bound at start"
done
plan "$TAP_N"
