#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The manual: every program has a page, mandoc finds nothing to say about it,
# it has EXAMPLES, and it names every option that --help names.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh

for page in tally.1 tally-agent.1 tally-trace.1 tally-bill.1 tally-top.1 \
	tally-collector.8 tallyscope.conf.5 tallyscope-client.7; do
	file=docs/man/$page
	mandoc -T lint -W warning "$file" >"$TMP/lint" 2>&1
	is "$(cat "$TMP/lint")" "" "$page: mandoc has no complaint"
	has "$file" '^\.Sh EXAMPLES' "$page: EXAMPLES"
	program=${page%.[1578]}
	case $program in tallyscope*) continue ;; esac
	[ -x "$BIN/$program" ] || { skip "$page: options" "not built"; continue; }
	mandoc -T ascii "$file" | sed 's/.\x08//g' >"$TMP/text"
	missing=$("$BIN/$program" --help | grep -oE -e '--[a-z][a-z-]*' |
		grep -vxE -e '--(help|usage|version)' | sort -u |
		while read -r option; do
			grep -qF -e "$option" "$TMP/text" || echo "$option"
		done)
	is "$missing" "" "$page: names every option"
done
plan "$TAP_N"
