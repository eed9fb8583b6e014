"""Takes the world out of the ingress of the finding's group, and leaves every other source in."""
import boto3

WORLD = {"0.0.0.0/0", "::/0"}


def on_event(event, context):
    ec2, hub = boto3.resource("ec2"), boto3.client("securityhub")
    finding = event["detail"]["findings"][0]
    group = ec2.SecurityGroup(finding["Resources"][0]["Id"].rpartition("/")[2])
    closed = []
    for permission in group.ip_permissions:
        wide = {"IpProtocol": permission["IpProtocol"]}
        for key in ("FromPort", "ToPort"):
            if key in permission:
                wide[key] = permission[key]
        wide["IpRanges"] = [{"CidrIp": r["CidrIp"]} for r in permission.get("IpRanges", []) if r["CidrIp"] in WORLD]
        wide["Ipv6Ranges"] = [{"CidrIpv6": r["CidrIpv6"]} for r in permission.get("Ipv6Ranges", [])
                              if r["CidrIpv6"] in WORLD]
        if wide["IpRanges"] or wide["Ipv6Ranges"]:
            closed.append(wide)
    if closed:
        group.revoke_ingress(IpPermissions=closed)
    action = event["detail"].get("actionName", event["detail-type"])
    hub.batch_update_findings(
        FindingIdentifiers=[{"Id": finding["Id"], "ProductArn": finding["ProductArn"]}],
        Note={"Text": "%s: %d permissions lost the world" % (action, len(closed)), "UpdatedBy": "narrow-group"},
        Workflow={"Status": "RESOLVED"}, UserDefinedFields={"group": group.id})
