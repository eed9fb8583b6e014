"""Gives the bucket of each finding default encryption, unless it has one, and says so on the finding."""
import os

import boto3
from botocore.exceptions import ClientError


def encrypt(s3, bucket):
    try:
        s3.get_bucket_encryption(Bucket=bucket)
        return "the bucket had default encryption already"
    except ClientError as error:
        if error.response["Error"]["Code"] != "ServerSideEncryptionConfigurationNotFoundError":
            raise
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": os.environ.get("ALGORITHM", "AES256")}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    return "default encryption set to " + rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"]


def on_event(event, context):
    s3, hub = boto3.client("s3"), boto3.client("securityhub")
    for finding in event["detail"]["findings"]:
        said = encrypt(s3, finding["Resources"][0]["Id"].rpartition(":")[2])
        hub.batch_update_findings(
            FindingIdentifiers=[{"Id": finding["Id"], "ProductArn": finding["ProductArn"]}],
            Note={"Text": said, "UpdatedBy": context.function_name}, Workflow={"Status": "RESOLVED"})
    return {"done": len(event["detail"]["findings"])}
