"""Takes public statements out of a function's policy, says so to a queue, and asks another function for a word."""
import json

import boto3


def on_event(event, context):
    functions = boto3.client("lambda")
    name = event["function"]
    closed = []
    for statement in json.loads(functions.get_policy(FunctionName=name)["Policy"])["Statement"]:
        if statement["Principal"] in ("*", {"AWS": "*"}):
            functions.remove_permission(FunctionName=name, StatementId=statement["Sid"])
            closed.append(statement["Sid"])
    boto3.client("sqs").send_message(QueueUrl=event["queue"], MessageBody=", ".join(closed))
    said = functions.invoke(FunctionName=event["friend"], Payload=b'{"from": "close_function"}')
    return {"closed": closed, "friend": json.loads(said["Payload"].read())["event"]}
