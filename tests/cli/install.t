#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make install: what goes where, below DESTDIR and PREFIX and nowhere else.
set -u
cd "$(dirname "$0")/../.." || exit 1
. tests/cli/lib.sh
root=$TMP/root
prefix=/opt/tallyscope

case $BUILD in
build) ;;
*)
	skip "make install" "only the plain build is installed"
	plan "$TAP_N"
	exit 0
	;;
esac
check "make install" make -s install DESTDIR="$root" PREFIX=$prefix
for program in tally tally-agent tally-collector tally-trace tally-bill \
	tally-top; do
	check "$program is installed and runs" "$root$prefix/bin/$program" --version
done
for page in man1/tally.1 man1/tally-agent.1 man1/tally-trace.1 \
	man1/tally-bill.1 man1/tally-top.1 man8/tally-collector.8 \
	man5/tallyscope.conf.5 man7/tallyscope-client.7; do
	check "$page" test -s "$root$prefix/share/man/$page"
done
check "price books" test -n "$(ls "$root$prefix/share/tallyscope/prices")"
check "bootstraps" test -n "$(ls "$root$prefix/share/tallyscope/bootstrap")"
unit=$root$prefix/lib/systemd/system/tally-collector.service
has "$unit" "^ExecStart=$prefix/bin/tally-collector --data /var/lib/tallyscope" \
	"the unit starts what was installed"
check "no placeholder is left in it" sh -c "! grep -q @PREFIX@ '$unit'"
is "$(find "$root" -type f ! -path "$root$prefix/*")" "" \
	"nothing is outside of the prefix"
if command -v systemd-analyze >/dev/null; then
	sed "s|$prefix|$root$prefix|" "$unit" >"$TMP/tally-collector.service"
	check "systemd-analyze verify" systemd-analyze verify --man=no \
		"$TMP/tally-collector.service"
else
	skip "systemd-analyze verify" "no systemd here"
fi
plan "$TAP_N"
