#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What all programs promise: --help, --version, exit codes, errors that name
# the program, and what they are linked with.
. "$(dirname "$0")/tap.sh"

status_of() {
	"$@" >"$work/out" 2>"$work/err" </dev/null
	echo $?
}
for program in tally tally-agent tally-collector tally-trace tally-bill \
	tally-top; do
	is "$program --help: 0" "$(status_of "$bin/$program" --help)" 0
	has "$program --help says how it is used" "$work/out" "^Usage: "
	is "$program --version: 0" "$(status_of "$bin/$program" --version)" 0
	is "$program --version" "$(cat "$work/out")" \
		"$program (Tallyscope) 0.1.0"
	is "$program with a wrong option: 2" \
		"$(status_of "$bin/$program" --no-such-option)" 2
	is "$program: nothing on stdout then" "$(cat "$work/out")" ""
	ok "$program: it says so" test -s "$work/err"
done
is "tally-collector without --data: 2" \
	"$(status_of "$bin/tally-collector")" 2
is "tally with no such command: 2" "$(status_of "$bin/tally" no-such)" 2
is "tally-trace without an id: 2" "$(status_of "$bin/tally-trace")" 2
is "tally-bill with a month that is none: 2" \
	"$(status_of "$bin/tally-bill" --month 2026-13)" 2
is "tally-agent without a function: 2" \
	"$(status_of "$bin/tally-agent" invoke)" 2

# Nobody listens on port 1.
for command in "tally status" "tally-trace map" "tally-bill"; do
	# shellcheck disable=SC2086 # words are meant
	is "$command without a collector: 1" \
		"$(TALLY_ENDPOINT=http://127.0.0.1:1 status_of "$bin/"$command)" 1
	has "$command: the error names the endpoint" "$work/err" \
		"^tally[a-z-]*: .*127\.0\.0\.1:1"
done

# linked PROGRAM LIBRARY: is it among its shared objects, direct or not?
linked() {
	ldd "$bin/$1" | grep -q "$2"
}
for program in tally tally-agent tally-trace tally-bill tally-top; do
	ok "$program does not load librrd" sh -c \
		"! ldd '$bin/$program' | grep -q librrd"
done
for program in tally tally-agent tally-trace tally-bill tally-collector; do
	ok "$program does not load ncurses" sh -c \
		"! ldd '$bin/$program' | grep -q ncurses"
done
ok "the collector loads librrd" linked tally-collector librrd
ok "the dashboard loads ncurses" linked tally-top ncurses

for program in tally tally-agent tally-collector tally-trace tally-bill \
	tally-top; do
	readelf -hld "$bin/$program" >"$work/elf"
	has "$program is position independent" "$work/elf" 'Type: +DYN'
	has "$program: relocations are read-only" "$work/elf" 'GNU_RELRO'
	has "$program: bound at start" "$work/elf" 'BIND_NOW|Flags: NOW'
done
plan
