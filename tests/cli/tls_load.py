# SPDX-License-Identifier: Apache-2.0
"""GETs URL/healthz over TLS from THREADS threads until SIGTERM, every other
time on a connection of its own; then prints `N requests, M failed`.
Arguments: URL CA-FILE THREADS."""
import http.client
import signal
import ssl
import sys
import threading
from urllib.parse import urlsplit

url, ca, threads = urlsplit(sys.argv[1]), sys.argv[2], int(sys.argv[3])
context = ssl.create_default_context(cafile=ca)
stop = threading.Event()
counts = []


def connect():
    return http.client.HTTPSConnection(
        url.hostname, url.port, context=context, timeout=20)


def get(connection):
    connection.request("GET", "/healthz")
    answer = connection.getresponse()
    return answer.status == 200 and answer.read() == b"ok\n"


def run():
    kept, done, failed = connect(), 0, 0
    while not stop.is_set():
        for connection in (kept, connect()):
            done += 1
            try:
                failed += not get(connection)
            except (OSError, http.client.HTTPException) as error:
                failed += 1
                print(repr(error), flush=True)
            if connection is not kept:
                connection.close()
    counts.append((done, failed))


signal.signal(signal.SIGTERM, lambda *_: stop.set())
workers = [threading.Thread(target=run) for _ in range(threads)]
for worker in workers:
    worker.start()
print("started", flush=True)
stop.wait()
for worker in workers:
    worker.join()
print(f"{sum(d for d, _ in counts)} requests, "
      f"{sum(f for _, f in counts)} failed")
