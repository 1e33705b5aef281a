#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
# No answer that says "stored" before the fdatasync that made it so returned:
# strace watches a collector under load, tests/crash/ack_order judges, and must
# find fault with the same trace when one sync is taken out of it.
import os, re, select, shutil, signal, socket, subprocess, sys, tempfile, time

build = os.environ.get("BUILD", "build")
seed = str(0x5eed0000 + os.getpid())
if os.environ.get("SAN") or not shutil.which("strace"):
    print("1..0 # SKIP needs strace and no sanitizer")
    sys.exit(0)
if subprocess.run(["strace", "-o", "/dev/null", "true"],
                  stderr=subprocess.DEVNULL).returncode != 0:
    print("1..0 # SKIP strace is not allowed here")
    sys.exit(0)
folder = tempfile.mkdtemp(prefix="tally-ack-")
trace = os.path.join(folder, "trace")
count = 0


def ok(good, what):
    global count
    count += 1
    print("ok" if good else "not ok", count, "-", what)


def judge(path):
    p = subprocess.run(["tests/crash/ack_order", seed, path],
                       capture_output=True, text=True)
    m = re.search(r"(\d+) acks, (\d+) syncs, (\d+) violations", p.stdout)
    if not m:
        print("#", p.stdout[-500:], p.stderr[-500:])
        return 0, 0, -1
    return tuple(int(n) for n in m.groups())


print("1..3")
with socket.socket() as s:
    s.bind(("127.0.0.1", 0))
    port = s.getsockname()[1]
# Confined, only root sees which file is behind a descriptor (strace -y).
confine = "kill" if os.getuid() == 0 else "off"
log = open(os.path.join(folder, "log"), "wb")
strace = subprocess.Popen(
    ["strace", "-f", "-y", "-s", "65536", "-o", trace, "-e", "signal=none",
     "-e", "trace=pwrite64,fdatasync,sendto,sendmsg,writev,write,sendfile,"
     "recvfrom,recvmsg,read",
     f"{build}/bin/tally-collector", "--data", os.path.join(folder, "data"),
     "--http", f"127.0.0.1:{port}", "--xray", "127.0.0.1:0", "--grpc", "off",
     f"--confine={confine}"],
    stdout=subprocess.PIPE, stderr=log)
out = b""
while b"ready\n" not in out:
    more = os.read(strace.stdout.fileno(), 4096)
    if not more:
        print("Bail out! the collector does not start")
        sys.exit(1)
    out += more
load = subprocess.Popen([f"{build}/test/crash/load", str(port), seed, "8",
                         os.path.join(folder, "truth")],
                        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                        text=True)
time.sleep(float(os.environ.get("SECONDS_LOAD", "8")))
load.stdin.close()
print("#", load.stdout.read().strip())
load.wait()
# strace hands the signal on to nobody: the collector is its child.
children = open(f"/proc/{strace.pid}/task/{strace.pid}/children").read()
os.kill(int(children.split()[0]), signal.SIGTERM)
strace.wait(timeout=60)

acks, syncs, violations = judge(trace)
ok(acks > 1000 and syncs > 100, f"{acks} acknowledgements, {syncs} syncs seen")
ok(violations == 0, f"{violations} of them before their sync")

# The same trace without one of the syncs. One that is taken out may go unseen
# with right: where the next sync came before the answer, or where it was of a
# file that is only being prepared. So several are tried, until one is found.
TRIES = 20
with open(trace, encoding="latin-1") as f:
    lines = f.readlines()
syncs_at = [i for i, line in enumerate(lines)
            if re.search(r"\bfdatasync\(\d+<[^>]*/journal/", line)]
doctored = os.path.join(folder, "doctored")
violations = tried = 0
while violations == 0 and tried < TRIES:
    at = syncs_at[(len(syncs_at) // 2 + 7 * tried) % len(syncs_at)]
    tried += 1
    without = {at}
    if "unfinished" in lines[at]:
        thread = lines[at].split()[0]
        without.add(next(i for i in range(at + 1, len(lines))
                         if lines[i].startswith(thread) and
                         "fdatasync resumed" in lines[i]))
    with open(doctored, "w", encoding="latin-1") as f:
        f.writelines(line for i, line in enumerate(lines) if i not in without)
    _, _, violations = judge(doctored)
ok(violations > 0, f"{violations} found when one sync is taken out (try {tried})")
if violations > 0 and os.environ.get("KEEP") is None:
    shutil.rmtree(folder)
