# SPDX-License-Identifier: Apache-2.0
import logging
import os

KEPT = []


def handler(event, context):
    if event.get("mode") == "throw":
        raise ValueError("n\u00f6")
    if event.get("mode") == "memory":
        KEPT.append(bytearray(b"x") * (event["mb"] << 20))
    print("printed")
    logging.getLogger().error("two\nlines")
    return {"trace": os.environ["_X_AMZN_TRACE_ID"],
            "id": context.aws_request_id, "cwd": os.getcwd()}
