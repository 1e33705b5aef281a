#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# A journal under kill -9 on a disk that loses what was not synced: nothing
# that was acknowledged may be missing. And with a sync that does nothing, the
# same must show losses, or it proves nothing.
import os, random, signal, subprocess, sys, tempfile, time

build = os.environ.get("BUILD", "build")
writer = os.path.join(build, "test/crash/journal_writer")
# Relative: the loader takes a space in it for its end.
shim = os.path.join(build, "test/lazydisk.so")
seed = int(os.environ.get("SEED", time.time_ns() % 1000000))
kills = int(os.environ.get("KILLS", "25"))
print("# seed", seed)
rand = random.Random(seed)
if os.environ.get("SAN"):
    print("1..0 # SKIP a preloaded shim and a sanitizer do not mix")
    sys.exit(0)


def run(folder, nosync):
    """Kills the writer again and again; (acknowledged, found, duplicates)."""
    env = dict(os.environ, LD_PRELOAD=shim)
    if nosync:
        env["LAZYDISK_NOSYNC"] = "1"
    acked, first = set(), 1
    path = os.path.join(folder, "journal")
    for _ in range(kills):
        p = subprocess.Popen([writer, path, "append", str(first)], env=env,
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        time.sleep(rand.uniform(0.005, 0.06))
        p.send_signal(signal.SIGKILL)
        out = p.communicate()[0].decode().split("\n")
        acked.update(int(n) for n in out[:-1])
        first = max([first - 1, *acked]) + 100000
    p = subprocess.run([writer, path, "read"], capture_output=True, text=True)
    found = [int(n) for n in p.stdout.split()]
    return acked, found, p


count = 0


def ok(good, what):
    global count
    count += 1
    print("ok" if good else "not ok", count, "-", what)


print("1..5")
with tempfile.TemporaryDirectory() as folder:
    acked, found, p = run(folder, False)
    ok(len(acked) > 100, f"{len(acked)} frames acknowledged, {kills} kills")
    ok(acked <= set(found), f"{len(acked - set(found))} of them are lost")
    ok(len(found) == len(set(found)) and found == sorted(found),
       "none is there twice, all are in order")
    ok("damaged 0" in p.stderr, "no damage is reported")
with tempfile.TemporaryDirectory() as folder:
    acked, found, p = run(folder, True)
    lost = acked - set(found)
    ok(len(lost) > 0, f"without a sync {len(lost)} of {len(acked)} are lost")
