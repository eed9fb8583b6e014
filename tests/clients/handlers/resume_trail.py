"""Starts the trail of the finding that the rule hands on alone, and checks that it logs."""
import boto3


def on_event(finding, context):
    trails, name = boto3.client("cloudtrail"), finding["Resources"][0]["Id"]
    trails.start_logging(Name=name)
    logging = trails.get_trail_status(Name=name)["IsLogging"]
    boto3.client("securityhub").batch_update_findings(
        FindingIdentifiers=[{"Id": finding["Id"], "ProductArn": finding["ProductArn"]}],
        Note={"Text": "logging is %s again" % ("on" if logging else "off"), "UpdatedBy": "resume-trail"},
        Workflow={"Status": "RESOLVED" if logging else "NOTIFIED"})
