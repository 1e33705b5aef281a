#!/usr/bin/env python3
"""Writes a tally.wire.Batch to stdout, by hand, from its arguments: an
independent reading of core/wire/telemetry.proto.

  batch.py PRODUCER SEQUENCE [segment=JSON] [datum=NS,NAME,VALUE,FUNCTION]
           [log=GROUP,STREAM,TEXT] [usage=ID,FUNCTION,MEMORY,BILLED_MS]
           [age=SECONDS]
"""
import struct
import sys
import time


def varint(n):
    out = b""
    while n > 127:
        out += bytes([n & 127 | 128])
        n >>= 7
    return out + bytes([n])


def number(field, n):
    return varint(field << 3) + varint(n)


def text(field, value):
    value = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(value)) + value


def main():
    out = text(1, sys.argv[1]) + number(2, int(sys.argv[2]))
    now = time.time_ns()
    for argument in sys.argv[3:]:
        kind, _, rest = argument.partition("=")
        if kind == "age":
            now = time.time_ns() - int(rest) * 10**9
        elif kind == "segment":
            out += text(3, text(1, rest))
        elif kind == "datum":
            ns, name, value, function = rest.split(",")
            out += text(4, text(1, ns) + text(2, name)
                        + text(3, text(1, "FunctionName") + text(2, function))
                        + number(4, now)
                        + text(7, struct.pack("<d", float(value))))
        elif kind == "log":
            group, stream, message = rest.split(",", 2)
            out += text(5, text(1, group) + text(2, stream)
                        + text(3, number(1, now) + text(2, message)))
        elif kind == "usage":
            ident, function, memory, billed = rest.split(",")
            # The same arguments give the same record all day: re-sends in
            # other batches are told from conflicts by their values alone.
            start = now // (86400 * 10**9) * (86400 * 10**9)
            out += text(6, text(1, ident) + text(2, "lambda")
                        + number(3, start) + text(4, function)
                        + number(5, int(memory)) + number(6, 50)
                        + number(7, int(billed) * 1000)
                        + number(8, int(billed)))
        else:
            sys.exit(f"batch.py: {kind}?")
    sys.stdout.buffer.write(out)


main()
