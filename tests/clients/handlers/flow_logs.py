"""Makes flow logs for the VPCs of each finding and calls it resolved, without a look at what AWS says of each VPC."""
import boto3


def on_event(event, context):
    ec2, hub = boto3.client("ec2"), boto3.client("securityhub")
    made = []
    for finding in event["detail"]["findings"]:
        made += ec2.create_flow_logs(
            ResourceIds=[resource["Id"].rpartition("/")[2] for resource in finding["Resources"]], ResourceType="VPC",
            TrafficType="REJECT", LogGroupName="flows",
            DeliverLogsPermissionArn="arn:aws:iam::111111111111:role/flows")["FlowLogIds"]
        hub.batch_update_findings(
            FindingIdentifiers=[{"Id": finding["Id"], "ProductArn": finding["ProductArn"]}],
            Note={"Text": "Flow logs made", "UpdatedBy": context.function_name}, Workflow={"Status": "RESOLVED"})
    return {"made": made}
