#!/usr/bin/env python3
"""Sends bodies that are meant to hurt, and prints what each was answered and
by how many KiB it raised the collector's peak of resident memory:

  bombs.py HOST:PORT PID   ->   NAME STATUS RISE_KIB (a line each)

Several statuses of one name are printed with their counts: 413x10000.
"""
import collections
import gzip
import socket
import struct
import sys
import time
import zlib

HOST, PORT = sys.argv[1].rsplit(":", 1)
PID = int(sys.argv[2])
MIB = 1 << 20


def memory(field):
    with open(f"/proc/{PID}/status", encoding="ascii") as f:
        for line in f:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise SystemExit(f"{field}?")


def reset_peak():
    """The peak begins anew; where that is not allowed the old one stays."""
    try:
        with open(f"/proc/{PID}/clear_refs", "w", encoding="ascii") as f:
            f.write("5")
    except OSError:
        pass


class Connection:
    def __init__(self):
        self.socket = socket.create_connection((HOST, int(PORT)), 60)
        self.buffer = b""

    def send(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # it has answered and hung up

    def status(self):
        while b"\r\n\r\n" not in self.buffer:
            got = self.socket.recv(65536)
            if not got:
                return "closed"
            self.buffer += got
        head, _, rest = self.buffer.partition(b"\r\n\r\n")
        length = 0
        for line in head.lower().split(b"\r\n"):
            if line.startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        while len(rest) < length:
            got = self.socket.recv(65536)
            if not got:
                return "cut"
            rest += got
        self.buffer = rest[length:]
        return head.split(b" ")[1].decode()


def head(path, length, *more):
    lines = [f"POST {path} HTTP/1.1", "Host: localhost", *more]
    lines.append("Transfer-Encoding: chunked" if length is None
                 else f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def post(path, body, *more):
    c = Connection()
    c.send(head(path, len(body), *more) + body)
    return c.status()


GZIP = "Content-Encoding: gzip"
BATCHES = "/api/v1/batches"


def batch(body, *more):
    return post(BATCHES, body, *more)


def zeros(mib):
    """A gzip member of so many MiB of zeros, made without compressing them
    all: its checksum is wrong, but who gets there has lost already."""
    c = zlib.compressobj(9, zlib.DEFLATED, -15)
    piece = c.compress(bytes(MIB)) + c.flush(zlib.Z_FULL_FLUSH)
    return (b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + piece * mib + b"\x03\0"
            + struct.pack("<II", 0, mib * MIB & 0xffffffff))


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def text(field, value):
    return varint(field << 3 | 2) + varint(len(value)) + value


def number(field, n):
    return varint(field << 3) + varint(n)


def chunked(body):
    c = Connection()
    c.send(head(BATCHES, None, GZIP))
    for at in range(0, len(body), 65536):
        piece = body[at:at + 65536]
        c.send(b"%x\r\n" % len(piece) + piece + b"\r\n")
    c.send(b"0\r\n\r\n")
    return c.status()


def many_small():
    body = zeros(1)
    request = head(BATCHES, len(body), GZIP) + body
    seen = collections.Counter()
    c = Connection()
    for _ in range(100):
        c.send(request * 100)
        for _ in range(100):
            seen[c.status()] += 1
    return ",".join(f"{k}x{v}" for k, v in sorted(seen.items()))


def body_64_mib():
    c = Connection()
    c.send(head(BATCHES, 64 * MIB))
    for _ in range(64):
        c.send(bytes(MIB))
    return c.status()


def log_lines():
    now = time.time_ns()
    line = text(3, number(1, now) + text(2, b"2026 INFO an order was priced"))
    stream = text(5, text(1, b"/aws/lambda/f") + text(2, b"s") + line * 10000)
    seen = collections.Counter()
    c = Connection()
    for n in range(1, 101):
        body = text(1, b"bombs-logs") + number(2, n) + stream
        c.send(head(BATCHES, len(body)) + body)
        seen[c.status()] += 1
    return ",".join(sorted(seen))


def segments_json():
    return post("/TraceSegments", b'{"TraceSegmentDocuments":['
                + b",".join([b'"{}"'] * 100000) + b"]}")


BOMB = zeros(1024)
CASES = [
    ("gzip", lambda: batch(BOMB[:MIB], GZIP)),
    ("gzip-whole", lambda: batch(BOMB, GZIP)),
    ("nested", lambda: batch(gzip.compress(BOMB[:MIB]), GZIP)),
    ("members", lambda: batch(zeros(1) * 1000, GZIP)),
    ("empty-members", lambda: batch(gzip.compress(b"") * 2000, GZIP)),
    ("truncated", lambda: batch(BOMB[:MIB // 2], GZIP)),
    ("cut-off", lambda: batch(gzip.compress(b"x" * 1000)[:20], GZIP)),
    ("chunked", lambda: chunked(BOMB[:MIB])),
    ("small", many_small),
    ("segments", lambda: batch(text(1, b"p") + number(2, 1)
                               + text(3, text(1, b"{}")) * 100000)),
    ("segments-json", segments_json),
    ("lines", lambda: batch(text(1, b"p") + number(2, 1) + text(
        5, text(3, number(1, 1)) * 1000000))),
    ("body-64-mib", body_64_mib),
    ("deep-json", lambda: post("/TraceSegments", b"[" * 4 * MIB)),
    ("wide-json", lambda: post("/TraceSegments", b"[" + b"1," * (4 * MIB - 8)
                               + b"1]")),
    ("million-lines", log_lines),
]


def main():
    batch(b"")  # what the first request allocates is not the bombs'
    chunked(gzip.compress(b"x" * 70000))
    for name, send in CASES:
        reset_peak()
        before = memory("VmHWM")
        answer = send()
        print(name, answer, memory("VmHWM") - before, flush=True)


main()
