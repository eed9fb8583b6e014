"""Answers with what it was asked, prints, fails or stays away, as the event wants it."""
import os
import sys

import boto3


class Unwilling(Exception):
    pass


def on_event(event, context):
    print("asked for " + event.get("do", "nothing"))
    if event.get("do") == "fail":
        raise Unwilling("not today")
    if event.get("do") == "exit":
        sys.exit(3)
    if event.get("do") == "who":
        return boto3.client("sts").get_caller_identity()["Arn"]
    return {"event": event, "name": context.function_name, "word": os.environ.get("WORD"),
            "request": context.aws_request_id}
