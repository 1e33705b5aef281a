#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A collector for tests of the agent: keeps every batch that is posted.

collector.py serve DIR     prints its port, keeps bodies as DIR/NNNNN.batch;
                           answers what DIR/answer says ("503 1": status and
                           Retry-After; "409 named": with a refusal), else 200
collector.py show DIR...   prints the records of all batches as JSON lines,
                           each batch once by producer and sequence
"""
import glob
import http.server
import json
import os
import struct
import sys


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return value, at


def fields(data):
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == 0:
            value, at = varint(data, at)
        elif kind == 1:
            value, at = struct.unpack_from("<d", data, at)[0], at + 8
        elif kind == 2:
            size, at = varint(data, at)
            value, at = data[at:at + size], at + size
        else:
            raise ValueError("wire type %d" % kind)
        yield key >> 3, value


# name and kind by number: as in core/wire/telemetry.proto
TEXT, NUMBER, DOUBLE, DOUBLES = "text", "number", "double", "doubles"
DIMENSION = {1: ("name", TEXT), 2: ("value", TEXT)}
EVENT = {1: ("time_ns", NUMBER), 2: ("message", TEXT)}
BATCH = {
    1: ("producer", TEXT), 2: ("sequence", NUMBER),
    3: ("segments", [{1: ("document", TEXT)}]),
    4: ("data", [{1: ("namespace", TEXT), 2: ("name", TEXT),
                  3: ("dimensions", [DIMENSION]), 4: ("time_ns", NUMBER),
                  5: ("unit", TEXT), 6: ("resolution_s", NUMBER),
                  7: ("values", DOUBLES)}]),
    5: ("logs", [{1: ("group", TEXT), 2: ("stream", TEXT),
                  3: ("events", [EVENT])}]),
    6: ("usage", [{1: ("id", TEXT), 2: ("source", TEXT),
                   3: ("time_ns", NUMBER), 4: ("resource", TEXT),
                   5: ("memory_mb", NUMBER), 6: ("max_memory_mb", NUMBER),
                   7: ("duration_us", NUMBER), 8: ("billed_ms", NUMBER),
                   9: ("init_us", NUMBER), 10: ("architecture", NUMBER),
                   11: ("status", NUMBER), 12: ("trace_id", TEXT)}]),
}


def decode(data, schema):
    out = {name: 0 for name, kind in schema.values() if kind == NUMBER}
    for number, value in fields(data):
        name, kind = schema[number]
        if kind == TEXT:
            out[name] = value.decode("utf-8")
        elif kind == DOUBLES:
            packed = value if isinstance(value, bytes) else struct.pack(
                "<d", value)
            out.setdefault(name, []).extend(
                v[0] for v in struct.iter_unpack("<d", packed))
        elif isinstance(kind, list):
            out.setdefault(name, []).append(decode(value, kind[0]))
        else:
            out[name] = value
    return out


def show(folders):
    seen = {}
    for folder in folders:
        for path in sorted(glob.glob(os.path.join(folder, "*.batch"))):
            with open(path, "rb") as file:
                body = file.read()
            batch = decode(body, BATCH)
            key = (batch["producer"], batch["sequence"])
            if key in seen:
                if seen[key] != body:
                    sys.exit("%s: other bytes for %s" % (path, key))
                continue
            seen[key] = body
            for segment in batch.get("segments", []):
                print(json.dumps({"segment": json.loads(
                    segment["document"])}))
            for datum in batch.get("data", []):
                print(json.dumps({"datum": datum}))
            for stream in batch.get("logs", []):
                for event in stream["events"]:
                    print(json.dumps({"log": dict(
                        event, group=stream["group"],
                        stream=stream["stream"])}))
            for usage in batch.get("usage", []):
                print(json.dumps({"usage": usage}))
    sequences = {}
    for producer, sequence in seen:
        sequences.setdefault(producer, []).append(sequence)
    print(json.dumps({"sequences": sequences}))


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        status, retry = "200", None
        try:
            with open(os.path.join(self.server.folder, "answer")) as file:
                status, *rest = file.read().split()
                retry = rest[0] if rest else None
        except FileNotFoundError:
            pass
        self.server.count += 1
        ending = "batch" if status in ("200", "409") else "refused"
        with open(os.path.join(self.server.folder, "%05d.%s" % (
                self.server.count, ending)), "wb") as file:
            file.write(body)
        answer = b'{"duplicate":false,"accepted":1,"known":0,"refused":[]}'
        if retry == "named":
            answer = answer.replace(b"[]", b'[{"kind":"usage","index":0}]')
        self.send_response(int(status))
        if retry and retry != "named":
            self.send_header("Retry-After", retry)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


def serve(folder):
    os.makedirs(folder, exist_ok=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.folder = folder
    server.count = len(glob.glob(os.path.join(folder, "[0-9]*")))
    print(server.server_address[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    else:
        show(sys.argv[2:])
