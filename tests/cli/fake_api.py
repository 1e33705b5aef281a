#!/usr/bin/env python3
"""A collector's read API out of tests/fixtures/top, for tests of the commands.

Usage: fake_api.py PORT_FILE [PORT]. Writes the port it took to PORT_FILE and
appends each request line to PORT_FILE.log. A file PORT_FILE.status holding a
number makes every answer an error with that HTTP status. FAKE_API=FOLDER in
the environment: files in tests/fixtures/FOLDER come before those.
"""
import http.server
import json
import os
import sys
import urllib.parse

FOLDERS = os.path.join(os.path.dirname(os.path.abspath(__file__)),
                       "..", "fixtures")
FIXTURES = os.path.join(FOLDERS, "top")
FILES = {
    "/api/v1/functions": "functions",
    "/api/v1/alarms": "alarms",
    "/api/v1/alarms/history": "alarms_history",
    "/api/v1/traces": "traces",
    "/api/v1/map": "map",
    "/api/v1/status": "status",
    "/api/v1/logs": "logs",
    "/api/v1/metrics/list": "metrics_list",
    "/api/v1/metrics/data": "metrics_data",
    "/api/v1/statement": "statement",
}
port_file = sys.argv[1]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, kind="application/json"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def error(self, status, code, message):
        self.answer(status, json.dumps(
            {"error": {"code": code, "message": message}}).encode())

    def do_GET(self):
        path = urllib.parse.urlsplit(self.path).path
        with open(port_file + ".log", "a") as log:
            log.write(self.path + "\n")
        if os.path.exists(port_file + ".status"):
            status = int(open(port_file + ".status").read())
            if path == "/healthz":
                return self.answer(status, b"disk full\n", "text/plain")
            return self.error(status, "Unwell", "the disk is full")
        if path == "/healthz":
            return self.answer(200, b"ok\n", "text/plain")
        name = FILES.get(path)
        if path.startswith("/api/v1/traces/"):
            name = {"1234567": "trace", "89abcde": "trace_skewed"}.get(path[-7:])
        if path.startswith("/api/v1/usage/"):
            name = "usage" if path.endswith("8476a536") else None
        if not name:
            return self.error(404, "NotFound", "there is no such thing")
        path = os.path.join(FOLDERS, os.environ.get("FAKE_API", "top"),
                            name + ".json")
        if not os.path.exists(path):
            path = os.path.join(FIXTURES, name + ".json")
        with open(path, "rb") as file:
            return self.answer(200, file.read())

    def log_message(self, *args):
        pass


http.server.ThreadingHTTPServer.allow_reuse_address = True
server = http.server.ThreadingHTTPServer(
    ("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler)
with open(port_file + ".new", "w") as file:
    file.write(str(server.server_port))
os.rename(port_file + ".new", port_file)
server.serve_forever()
