#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# 200 kills of a collector under load lose nothing; and the same campaign finds
# a sync that does nothing.
BUILD=${BUILD:-build}
echo 1..2
out=$(N="${N:-200}" tests/crash/run 2>&1)
status=$?
echo "$out" | sed 's/^/# /'
[ $status = 0 ] && echo "ok 1 - what was acknowledged survives" ||
	echo "not ok 1 - what was acknowledged survives"
if [ -n "$SAN" ]; then
	echo "ok 2 # SKIP a preloaded shim and a sanitizer do not mix"
	exit 0
fi
out=$(N=5 NOSYNC=1 tests/crash/run 2>&1)
if [ $? != 0 ] && echo "$out" | grep -q '^FAIL [0-9]* acknowledged.*lost'; then
	echo "ok 2 - a sync that does nothing is found"
	rm -rf "$(echo "$out" | sed -n 's/^the data folder is kept: //p')"
else
	echo "$out" | sed 's/^/# /'
	echo "not ok 2 - a sync that does nothing is found"
fi
