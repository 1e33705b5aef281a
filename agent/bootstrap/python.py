# SPDX-License-Identifier: Apache-2.0
"""Runs a Python handler: asks the Lambda Runtime API for invocations, calls
the handler, posts what it returns. Needs nothing but Python 3.8 or newer."""

import decimal
import http.client
import importlib
import io
import json
import logging
import os
import struct
import sys
import time
import traceback

CAUSE_BYTES_MAX = 128 * 1024
HOST = os.environ["AWS_LAMBDA_RUNTIME_API"]
ROOT = os.environ["LAMBDA_TASK_ROOT"]
PREFIX = "/2018-06-01/runtime/"
LOG_FD = os.environ.pop("_LAMBDA_TELEMETRY_LOG_FD", None)
LEVELS = {"DEBUG": 0x08, "INFO": 0x0C, "WARNING": 0x10, "ERROR": 0x14,
          "CRITICAL": 0x18}


class State:
    request_id = None


# --- log lines -----------------------------------------------------------------
# A frame keeps line ends in its message; its header is type, length, time.
def write_log(text, level=0):
    if LOG_FD is None:
        sys.stdout.write(text.replace("\n", "\r") + "\n")
        sys.stdout.flush()
        return
    body = (text.rstrip("\n") + "\n").encode("utf-8", "replace")
    frame = struct.pack(">IIQ", 0xA55A0003 | level, len(body),
                        time.time_ns() // 1000) + body
    while frame:
        frame = frame[os.write(int(LOG_FD), frame):]


class Handler(logging.Handler):
    def emit(self, record):
        write_log(self.format(record), LEVELS.get(record.levelname, 0))


class Formatter(logging.Formatter):
    def __init__(self):
        super().__init__("[%(levelname)s]\t%(asctime)s\t%(request)s\t"
                         "%(message)s\n")

    def formatTime(self, record, datefmt=None):
        return "%s.%03dZ" % (
            time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created)),
            record.msecs)

    def format(self, record):
        record.request = State.request_id or ""
        return super().format(record)


def set_up_logging():
    sys.stdout = io.TextIOWrapper(sys.stdout.buffer, "utf-8", "replace",
                                  line_buffering=True)
    handler = Handler()
    handler.setFormatter(Formatter())
    logging.getLogger().addHandler(handler)


# --- the Runtime API -------------------------------------------------------------
class Api:
    def __init__(self):
        self.connection = http.client.HTTPConnection(HOST, timeout=None)

    def call(self, method, where, headers=None, body=None):
        self.connection.request(method, PREFIX + where, body, headers or {})
        answer = self.connection.getresponse()
        return answer.status, answer.headers, answer.read()

    def post(self, where, body, headers=None):
        sent = {"Content-Type": "application/json"}
        sent.update(headers or {})
        status, _, answer = self.call("POST", where, sent, body)
        if status != 202 and status != 413:
            raise RuntimeError("%s answered %d: %r" % (where, status, answer))


def describe(error, frames):
    lines = traceback.format_list(frames)
    return {"errorMessage": str(error), "errorType": type(error).__name__,
            "requestId": State.request_id or "", "stackTrace": lines}


# X-Ray's form: frames of the stack as path, line, label.
def cause(described, frames):
    text = json.dumps({
        "working_directory": os.getcwd(),
        "exceptions": [{
            "type": described["errorType"],
            "message": described["errorMessage"],
            "stack": [{"path": f.filename, "line": f.lineno, "label": f.name}
                      for f in frames]}],
        "paths": sorted({f.filename for f in frames})})
    return text if len(text) <= CAUSE_BYTES_MAX else None


def report(api, where, error, error_type=None):
    frames = [f for f in traceback.extract_tb(error.__traceback__)
              if f.filename != __file__ and "importlib" not in f.filename]
    described = describe(error, frames)
    headers = {}
    if error_type:
        described["errorType"] = error_type
        headers["Lambda-Runtime-Function-Error-Type"] = error_type
    text = cause(described, frames)
    if text:
        headers["Lambda-Runtime-Function-XRay-Error-Cause"] = text
    write_log("[ERROR] %s: %s\nTraceback (most recent call last):\n%s" % (
        described["errorType"], described["errorMessage"],
        "".join(described["stackTrace"]).rstrip("\n")), LEVELS["ERROR"])
    api.post(where, json.dumps(described), headers)


# --- the handler -------------------------------------------------------------------
class InitError(Exception):
    def __init__(self, kind, message):
        super().__init__(message)
        self.kind = kind


def load():
    name = os.environ["_HANDLER"]
    module, dot, function = name.rpartition(".")
    if not dot:
        raise InitError("Runtime.MalformedHandlerName",
                        "Bad handler '%s': it is not MODULE.FUNCTION" % name)
    sys.path.insert(0, ROOT)
    try:
        loaded = importlib.import_module(module.replace("/", "."))
    except ModuleNotFoundError as error:
        raise InitError("Runtime.ImportModuleError",
                        "Unable to import module '%s': %s" % (module, error)
                        ) from error
    except SyntaxError as error:
        raise InitError("Runtime.UserCodeSyntaxError",
                        "Syntax error in module '%s': %s" % (module, error)
                        ) from error
    if not callable(getattr(loaded, function, None)):
        raise InitError("Runtime.HandlerNotFound",
                        "Handler '%s' missing on module '%s'" % (function,
                                                                 module))
    return getattr(loaded, function)


class Context:
    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers[
            "Lambda-Runtime-Invoked-Function-Arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ[
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = None
        self.client_context = None
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline_ms - int(time.time() * 1000))


def to_json(value):
    if isinstance(value, decimal.Decimal):
        return float(value)
    raise TypeError("Object of type %s is not JSON serializable"
                    % type(value).__name__)


def serve(api, handler):
    status, headers, body = api.call("GET", "invocation/next")
    if status != 200:
        raise RuntimeError("invocation/next answered %d" % status)
    context = Context(headers)
    State.request_id = context.aws_request_id
    trace = headers.get("Lambda-Runtime-Trace-Id")
    if trace:
        os.environ["_X_AMZN_TRACE_ID"] = trace
    else:
        os.environ.pop("_X_AMZN_TRACE_ID", None)
    where = "invocation/%s/" % State.request_id
    failure = None
    try:
        answer = json.dumps(handler(json.loads(body), context),
                            default=to_json)
    except Exception as error:  # the handler's: told, and on with the next
        failure = error
    sys.stdout.flush()
    sys.stderr.flush()
    if failure:
        report(api, where + "error", failure)
    else:
        api.post(where + "response", answer)


def main():
    set_up_logging()
    api = Api()
    try:
        handler = load()
    except InitError as error:
        report(api, "init/error", error, error.kind)
        sys.exit(1)
    except Exception as error:
        report(api, "init/error", error, "Runtime.Unknown")
        sys.exit(1)
    while True:
        serve(api, handler)


if __name__ == "__main__":
    main()
