#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make install: what goes where, below DESTDIR and PREFIX and nowhere else.
. "$(dirname "$0")/tap.sh"
root=$work/root
prefix=/opt/tallyscope

case $BUILD in
build) ;;
*)
	skip "make install" "only the plain build is installed"
	plan
	exit 0
	;;
esac
ok "make install" make -s install DESTDIR="$root" PREFIX=$prefix
for program in tally tally-agent tally-collector tally-trace tally-bill \
	tally-top; do
	ok "$program is installed and runs" \
		"$root$prefix/bin/$program" --version
done
for page in man1/tally.1 man1/tally-agent.1 man1/tally-trace.1 \
	man1/tally-bill.1 man1/tally-top.1 man8/tally-collector.8 \
	man5/tallyscope.conf.5; do
	ok "$page" test -s "$root$prefix/share/man/$page"
done
ok "price books" test -n "$(ls "$root$prefix/share/tallyscope/prices")"
ok "bootstraps" test -n "$(ls "$root$prefix/share/tallyscope/bootstrap")"
unit=$root$prefix/lib/systemd/system/tally-collector.service
has "the unit starts what was installed" "$unit" \
	"^ExecStart=$prefix/bin/tally-collector --data /var/lib/tallyscope"
ok "no placeholder is left in it" sh -c "! grep -q @PREFIX@ '$unit'"
is "nothing is outside of the prefix" \
	"$(find "$root" -type f ! -path "$root$prefix/*")" ""
if command -v systemd-analyze >/dev/null; then
	sed "s|$prefix|$root$prefix|" "$unit" >"$work/tally-collector.service"
	ok "systemd-analyze verify" systemd-analyze verify --man=no \
		"$work/tally-collector.service"
else
	skip "systemd-analyze verify" "no systemd here"
fi
plan
