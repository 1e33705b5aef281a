#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The manual: every program has a page, mandoc finds nothing to say about it,
# it has EXAMPLES, and it names every option that --help names.
. "$(dirname "$0")/tap.sh"

# words FILE: its page as plain text.
words() {
	mandoc -T utf8 "$1" | col -b 2>/dev/null || mandoc -T utf8 "$1"
}

for page in tally.1 tally-agent.1 tally-trace.1 tally-bill.1 tally-top.1 \
	tally-collector.8 tallyscope.conf.5; do
	file=docs/man/$page
	mandoc -T lint -W warning "$file" >"$work/lint" 2>&1
	is "$page: mandoc has no complaint" "$(cat "$work/lint")" ""
	has "$page: EXAMPLES" "$file" '^\.Sh EXAMPLES'
	program=${page%.[158]}
	[ "$program" = tallyscope.conf ] && continue
	[ -x "$bin/$program" ] || { skip "$page: options" "not built"; continue; }
	mandoc -T ascii "$file" | sed 's/.\x08//g' >"$work/text"
	missing=$("$bin/$program" --help | grep -oE -e '--[a-z][a-z-]*' |
		grep -vxE -e '--(help|usage|version)' | sort -u |
		while read -r option; do
			grep -qF -e "$option" "$work/text" || echo "$option"
		done)
	is "$page: names every option" "$missing" ""
done
plan
