"""What the server is given to do, and what has to have become of it."""
import base64
import io
import json
import os
import sqlite3
import zipfile

from server import ACCOUNT, REGION, Refused, Server, expect

# Two changes, each wanted where its own part is missing.
DEMO_1 = """
control: Demo.1
title: Keys are rotated and have an owner
severity: LOW
resource: {type: AwsKmsKey, id: "{% $substringAfter($arn, ':key/') %}"}
read:
  rotation: {call: kms:GetKeyRotationStatus, input: {KeyId: "{% $resource.id %}"}, take: "{% KeyRotationEnabled %}"}
  tags: {call: kms:ListResourceTags, input: {KeyId: "{% $resource.id %}"}, take: "{% [Tags.TagKey] %}"}
compliant: "{% $rotation and 'owner' in $tags %}"
change:
  - {call: kms:EnableKeyRotation, input: {KeyId: "{% $resource.id %}"}, when: "{% $not($rotation) %}"}
  - call: kms:TagResource
    input: {KeyId: "{% $resource.id %}", Tags: [{TagKey: owner, TagValue: us}]}
    when: "{% $not('owner' in $tags) %}"
scene:
  given: [{call: kms:CreateKey, keep: created}]
  resource: "{% $created.KeyMetadata.Arn %}"
  then:
    - call: kms:ListResourceTags
      input: {KeyId: "{% $created.KeyMetadata.KeyId %}"}
      expect: "{% 'owner' in [Tags.TagKey] %}"
"""
# Two changes without a word on when each is wanted: what tells whether one was made is the state that its recipe reads.
DEMO_2 = """
control: Demo.2
title: Keys are rotated and described
severity: LOW
resource: {type: AwsKmsKey, id: "{% $substringAfter($arn, ':key/') %}"}
read:
  rotation: {call: kms:GetKeyRotationStatus, input: {KeyId: "{% $resource.id %}"}, take: "{% KeyRotationEnabled %}"}
  text: {call: kms:DescribeKey, input: {KeyId: "{% $resource.id %}"}, take: "{% KeyMetadata.Description %}"}
compliant: "{% $rotation and $text = 'ours' %}"
change:
  - {call: kms:EnableKeyRotation, input: {KeyId: "{% $resource.id %}"}}
  - {call: kms:UpdateKeyDescription, input: {KeyId: "{% $resource.id %}", Description: ours}}
scene:
  given: [{call: kms:CreateKey, keep: created}]
  resource: "{% $created.KeyMetadata.Arn %}"
  then:
    - call: kms:DescribeKey
      input: {KeyId: "{% $created.KeyMetadata.KeyId %}"}
      expect: "{% KeyMetadata.Description = 'ours' %}"
"""
# One that asks first.
DEMO_3 = DEMO_2.replace("Demo.2", "Demo.3").replace("ours", "asked")
CONTROLS = {"S3.4": 1, "EC2.13": 1, "CloudTrail.3": 1, "KMS.4": 1, "Demo.1": 2, "Demo.2": 2, "Demo.3": 2}  # changes
# What is taken back in the lives that take back, and the changes that this makes.
UNDONE = {"S3.4": 1, "KMS.4": 1, "Demo.2": 2}
HANDLER = '''
import boto3

s3 = boto3.client("s3")


def on_event(event, context):
    # It does not look whether it ran before: that its calls are made once is the door's to see to.
    for finding in event["detail"]["findings"]:
        bucket = finding["Resources"][0]["Id"].rpartition(":")[2]
        rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
        s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
        s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "owner", "Value": "us"}]})
    return "done"
'''
HANDLED = "handled/by-function"  # the generator of the findings that go to the function


class Work:
    """A data folder to begin from: scenes set, rules put, nothing started; and the findings that start it."""

    def __init__(self, program, folder):
        self.program = program
        self.catalog = os.path.join(folder, "catalog")
        self.template = os.path.join(folder, "template")
        os.makedirs(os.path.join(self.catalog, "controls"))
        for name, text in (("Demo.1", DEMO_1), ("Demo.2", DEMO_2), ("Demo.3", DEMO_3)):
            with open(os.path.join(self.catalog, "controls", name + ".yaml"), "w", encoding="utf-8") as file:
                file.write(text)
        server = Server(program, self.template, self.catalog)
        server.expect_ready()
        server.api("mode", Mode="auto")
        server.api("mode", Mode="ask", Scope="control:Demo.3")
        for control in CONTROLS:
            server.api("scene", Control=control)
        listed = server.call("securityhub", "GetFindings")["Findings"]
        expect(len(listed) == len(CONTROLS), f"the scenes' findings are not there: {listed}")
        for finding in listed:
            finding["UpdatedAt"] = "2099-01-01T00:00:00Z"  # an import that is not newer than what is there is ignored
        self.findings = {finding["Compliance"]["SecurityControlId"]: finding for finding in listed}
        self.handled = self.prepare_function(server)
        # Only now the rule: what is imported again is what begins the executions.
        pattern = {"source": ["aws.securityhub"], "detail-type": ["Security Hub Findings - Imported"],
                   "detail": {"findings": {"Workflow": {"Status": ["NEW"]}, "GeneratorId": [{"anything-but": HANDLED}]}}}
        server.call("events", "PutRule", Name="mend", EventPattern=json.dumps(pattern))
        server.call("events", "PutTargets", Rule="mend",
                    Targets=[{"Id": "1", "Arn": f"arn:aws:fixpoint:{REGION}:{ACCOUNT}:control/*"}])
        server.stop()

    def prepare_function(self, server):
        server.call("s3", "CreateBucket", Bucket="handled-bucket")
        server.call("s3", "DeleteBucketEncryption", Bucket="handled-bucket")
        zipped = io.BytesIO()
        with zipfile.ZipFile(zipped, "w") as archive:
            archive.writestr("handler.py", HANDLER)
        made = server.call("lambda", "CreateFunction", FunctionName="encrypt", Runtime="python3.11",
                           Role=f"arn:aws:iam::{ACCOUNT}:role/fixer", Handler="handler.on_event", Timeout=60,
                           Code={"ZipFile": base64.b64encode(zipped.getvalue()).decode()})
        pattern = {"source": ["aws.securityhub"], "detail": {"findings": {"GeneratorId": [HANDLED]}}}
        server.call("events", "PutRule", Name="handle", EventPattern=json.dumps(pattern))
        server.call("events", "PutTargets", Rule="handle", Targets=[{"Id": "1", "Arn": made["FunctionArn"]}])
        finding = json.loads(json.dumps(self.findings["S3.4"]))
        finding["Id"] += "-handled"
        finding["GeneratorId"] = HANDLED
        finding["Resources"][0]["Id"] = "arn:aws:s3:::handled-bucket"
        return finding

    def chosen(self, with_function):
        """The findings of a life."""
        return list(self.findings.values()) + ([self.handled] if with_function else [])


def do_all(work, server, findings, undoes):
    """From wherever it stands to the end: the findings mended, and what is to be taken back taken back."""
    server.wait_ended(len(findings))
    if not undoes:
        return
    listed = server.api("executions")["Executions"]
    for control in UNDONE:
        of_control = [one for one in listed if one["Program"] == control]
        # A request whose answer was lost is not made twice.
        if not any(one["Kind"] == "undo" for one in of_control):
            target = [one for one in of_control if one["Subject"] == work.findings[control]["Id"]][-1]
            server.api("undo", Execution=target["Id"])
    server.wait_ended(len(findings) + len(UNDONE))


def check_account(server, findings, undoes=False):
    """The account itself, by calls of its own."""
    for finding in findings:
        resource = finding["Resources"][0]["Id"]
        control = finding["Compliance"]["SecurityControlId"]
        call = server.call
        if undoes and control in UNDONE and "-handled" not in finding["Id"]:
            check_undone(server, control, resource)
        elif control == "S3.4":
            rules = call("s3", "GetBucketEncryption", Bucket=resource.split(":::")[1])
            rules = rules["ServerSideEncryptionConfiguration"]["Rules"]
            expect(rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "AES256", "the bucket is open")
        elif control == "EC2.13":
            group = call("ec2", "DescribeSecurityGroups", GroupIds=[resource.split("/")[-1]])["SecurityGroups"][0]
            ports = {p["FromPort"]: p for p in group["IpPermissions"]}
            expect([r["CidrIp"] for r in ports[22].get("IpRanges", [])] == ["10.0.0.0/8"], f"port 22: {ports[22]}")
            expect(not ports[22].get("Ipv6Ranges"), f"port 22: {ports[22]}")
            expect([r["CidrIp"] for r in ports[443]["IpRanges"]] == ["0.0.0.0/0"], f"port 443: {ports[443]}")
        elif control == "CloudTrail.3":
            expect(call("cloudtrail", "GetTrailStatus", Name=resource)["IsLogging"] is True, "the trail is silent")
        else:
            key = resource.split("/")[-1]
            status = call("kms", "GetKeyRotationStatus", KeyId=key)
            expect(status["KeyRotationEnabled"] is True, "the key is not rotated")
            if control == "Demo.1":
                tags = call("kms", "ListResourceTags", KeyId=key)["Tags"]
                expect([tag["TagKey"] for tag in tags] == ["owner"], f"the key's tags: {tags}")
            if control in ("Demo.2", "Demo.3"):
                text = call("kms", "DescribeKey", KeyId=key)["KeyMetadata"]["Description"]
                expect(text == ("ours" if control == "Demo.2" else "asked"), f"the key's description: {text}")


def check_undone(server, control, resource):
    """It is as the scene had left it."""
    if control == "S3.4":
        try:
            server.call("s3", "GetBucketEncryption", Bucket=resource.split(":::")[1])
            expect(False, "the bucket is still encrypted")
        except Refused as refused:
            expect("ServerSideEncryptionConfigurationNotFoundError" in str(refused), f"the bucket: {refused}")
        return
    key = resource.split("/")[-1]
    expect(server.call("kms", "GetKeyRotationStatus", KeyId=key)["KeyRotationEnabled"] is False, "the key is rotated")
    if control == "Demo.2":
        text = server.call("kms", "DescribeKey", KeyId=key)["KeyMetadata"]["Description"]
        expect(text == "", f"the key's description: {text}")


def told(server, findings):
    """What the server tells of each finding, by its id: the finding, and the changes of its history."""
    answers = {}
    for finding in findings:
        key = {"Id": finding["Id"], "ProductArn": finding["ProductArn"]}
        records = server.call("securityhub", "GetFindingHistory", FindingIdentifier=key)["Records"]
        listed = server.call("securityhub", "GetFindings", Filters={
            "Id": [{"Value": finding["Id"], "Comparison": "EQUALS"}]})["Findings"]
        answers[finding["Id"]] = (listed[0], [update for record in records for update in record["Updates"]])
    return answers


def check_store(folder, findings, answers, undoes=False):
    """What is remembered, read from the database after the server was stopped; `answers` is what it told before."""
    database = sqlite3.connect(f"file:{folder}/fixpoint.db?mode=ro", uri=True)
    made_calls = {}
    for (body,) in database.execute("SELECT body FROM sandbox_resource WHERE service = 'fixpoint' AND type = 'call'"):
        call = json.loads(body)
        key = (call["Execution"], call["Call"], json.dumps(call["Input"], sort_keys=True))
        made_calls[key] = made_calls.get(key, 0) + 1
    executions = database.execute("SELECT id, kind, subject, program, status, outcome FROM execution").fetchall()
    undone = {program for _, kind, _, program, _, _ in executions if kind == "undo"}
    expect(undone == (set(UNDONE) if undoes else set()), f"taken back was {undone}")
    expect(len(executions) == len(findings) + len(undone), f"{len(executions)} executions: {executions}")
    for execution, kind, subject, program, status, outcome in executions:
        wanted = ("SUCCEEDED", {"control": "fixed", "undo": "undone"}.get(kind, "returned"))
        expect((status, outcome) == wanted, f"{program} {subject}: {status} {outcome}")
        check_changes(database, execution, kind, program, made_calls)
        if kind == "control":
            check_finding(execution, subject, *answers[subject], program in undone)
    expect(not made_calls, f"calls that no change of the journal tells of, or made more often than once: {made_calls}")
    database.close()


def check_changes(database, execution, kind, program, made_calls):
    changes = database.execute(
        "SELECT service || ':' || operation, input, state, before_read, undo, before FROM change WHERE execution = ?",
        (execution,)).fetchall()
    # A handler is run again from its beginning: a call of its first run may stand there as not made.
    made = [change for change in changes if kind != "function" or change[2] != "failed"]
    count = {"control": CONTROLS, "undo": UNDONE}.get(kind, {}).get(program, 2)
    expect(len(made) == count, f"{program}: the journal has {changes}")
    for call, given, state, before_read, undo, before in made:
        expect(state == "done", f"{program}: the journal says '{state}' of {call}")
        # Every effect that the account has is of one call, whatever was killed when.
        key = (execution, call, json.dumps(json.loads(given), sort_keys=True))
        expect(made_calls.get(key) == 1, f"{program}: {call} took effect {made_calls.get(key, 0)} times, not once")
        del made_calls[key]
        if kind == "undo":
            continue
        expect(before_read == 1 and undo.startswith("possible"), f"{program}: {call} cannot be undone: {undo}")
        # The state before is the one before all: an undo after a crash would put back the scene.
        before = json.loads(before) if before is not None else None
        if call == "kms:EnableKeyRotation":
            expect(before == {"KeyRotationEnabled": False}, f"{program}: before was {before}")
        if call == "kms:UpdateKeyDescription":
            expect("ours" not in json.dumps(before) and "asked" not in json.dumps(before), f"{program}: before {before}")
        if call == "cloudtrail:StartLogging":
            expect(before == {"IsLogging": False}, f"{program}: before was {before}")
        if call == "s3:PutBucketEncryption":
            expect(before is None, f"{program}: before was {before}")
        if call == "ec2:RevokeSecurityGroupIngress":
            expect("::/0" in json.dumps(before), f"{program}: before was {before}")
    if kind != "function":
        lines = [row[0] for row in database.execute(
            "SELECT text FROM journal WHERE execution = ? ORDER BY number", (execution,))]
        told = [line for line in lines if line.endswith(" made") or "had taken effect before" in line]
        expect(len(told) == len(changes), f"{program}: the journal tells {lines}")


def check_finding(execution, subject, finding, history, undone):
    resolved = [update for update in history
                if update["UpdatedField"] == "Workflow.Status" and update["NewValue"] == "RESOLVED"]
    expect(len(resolved) == 1, f"{subject}: resolved {len(resolved)} times: {history}")
    if undone:
        expect(finding["Workflow"]["Status"] == "NEW", f"{subject}, taken back: {finding['Workflow']}")
        expect(finding["Note"]["Text"].startswith("Undone by "), f"{subject}: {finding['Note']}")
        return
    expect(finding["Workflow"]["Status"] == "RESOLVED", f"{subject}: {finding['Workflow']}")
    expect(finding["UserDefinedFields"]["fixpoint:execution"] == execution, f"{subject}: of another execution")
    expect(finding["Note"]["Text"].startswith("Fixed and verified by control "), f"{subject}: {finding['Note']}")
