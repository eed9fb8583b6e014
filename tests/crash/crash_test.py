#!/usr/bin/env python3
"""Kills the server with SIGKILL at every named point (src/base/fault.h), at every hit, and starts it again.

Five findings are mended by five controls in the embedded account. Wherever the process ended: after the restart each
finding is RESOLVED, by exactly one entry in its history; each execution has succeeded; the journal has each changing
call once, as done; a call whose effect was there already is not made again; and the account passes every check.

    crash_test.py build/fixpoint [POINT...]
"""
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time

CONTROLS = ["S3.4", "EC2.13", "CloudTrail.3", "KMS.4", "Demo.1"]
# A control of two changes, each wanted where its own part is missing.
DEMO = """
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
CHANGES = {"Demo.1": 2}  # all others: 1
# The least number of hits that each point has to have had before a run came through unharmed: one a change, and a
# commit each for the plan, the change, the turn to verifying, and the end.
POINTS = {
    "door.intent_stored": 6,
    "door.call_made": 6,
    "door.result_stored": 6,
    "executor.before_commit": 21,
    "executor.in_commit": 21,
    "executor.after_commit": 21,
}
MOST_HITS = 60
CATALOG = tempfile.mkdtemp(prefix="fixpoint-crash-")
WAIT_SECONDS = 60


class Failure(Exception):
    pass


def expect(holds, sentence):
    if not holds:
        raise Failure(sentence)


class Server:
    """A server over a data folder; where `fault` is given it ends itself there."""

    def __init__(self, program, folder, fault=None):
        self.program = program
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "FIXPOINT_"))}
        if fault:
            environment["FIXPOINT_FAULT"] = fault
        self.process = subprocess.Popen(
            [program, "serve", "--listen", "127.0.0.1:0", "--data", folder,
             "--catalog", CATALOG],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True)
        self.ready = self.process.stdout.readline().startswith("fixpoint is ready")
        self.environment = dict(environment)
        self.environment.pop("FIXPOINT_FAULT", None)
        if self.ready:
            values = json.loads(subprocess.run([program, "env", "--data", folder, "--json"], check=True,
                                               stdout=subprocess.PIPE).stdout)
            self.environment.update(values)

    def run(self, *arguments, text=None):
        return subprocess.run([self.program, *arguments], env=self.environment, input=text, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=WAIT_SECONDS + 30)

    def ok(self, *arguments, text=None):
        done = self.run(*arguments, text=text)
        expect(done.returncode == 0, f"{' '.join(arguments)}: exit {done.returncode}: {done.stderr or done.stdout}")
        return done.stdout

    def executions(self):
        """Waits until all have ended; nothing where the server ended before."""
        done = self.run("executions", "--wait", str(WAIT_SECONDS), "--json")
        if done.returncode not in (0, 1):
            return None
        return json.loads(done.stdout)

    def killed(self):
        self.process.wait(timeout=WAIT_SECONDS)
        self.close()
        return self.process.returncode == -signal.SIGKILL

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=WAIT_SECONDS)
        self.close()

    def close(self):
        self.process.stdout.close()
        self.process.stderr.close()


def prepare(program, folder):
    """A data folder with the scenes set and a rule that brings each finding to its control; the findings' text."""
    server = Server(program, folder)
    expect(server.ready, "the first server did not become ready")
    server.ok("mode", "auto")
    findings = []
    for control in CONTROLS:
        server.ok("scene", control)
    listed = json.loads(server.ok("findings", "--json"))["Findings"]
    expect(len(listed) == len(CONTROLS), "the scenes' findings are not there")
    for finding in listed:
        expect(finding["Workflow"]["Status"] == "NEW", "a finding was touched before there was a rule")
        finding["UpdatedAt"] = "2099-01-01T00:00:00Z"  # an import that is not newer than what is there is ignored
        findings.append(finding)
    # Only now the rule: what is imported again is what begins the executions.
    pattern = {"source": ["aws.securityhub"], "detail-type": ["Security Hub Findings - Imported"],
               "detail": {"findings": {"Workflow": {"Status": ["NEW"]}}}}
    server.ok("call", "events", "PutRule", json.dumps({"Name": "mend", "EventPattern": json.dumps(pattern)}))
    server.ok("call", "events", "PutTargets", json.dumps(
        {"Rule": "mend", "Targets": [{"Id": "1", "Arn": "arn:aws:fixpoint:us-east-1:111111111111:control/*"}]}))
    server.stop()
    return json.dumps({"Findings": findings})


def check_account(server, findings):
    """The account itself, by calls of its own."""
    for finding in json.loads(findings)["Findings"]:
        resource = finding["Resources"][0]["Id"]
        control = finding["Compliance"]["SecurityControlId"]

        def call(service, operation, **given):
            return json.loads(server.ok("call", service, operation, json.dumps(given)))

        if control == "S3.4":
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
            status = call("kms", "GetKeyRotationStatus", KeyId=resource.split("/")[-1])
            expect(status["KeyRotationEnabled"] is True, "the key is not rotated")
            if control == "Demo.1":
                tags = call("kms", "ListResourceTags", KeyId=resource.split("/")[-1])["Tags"]
                expect([tag["TagKey"] for tag in tags] == ["owner"], f"the key's tags: {tags}")


def told(server, findings):
    """What the server tells of each finding, by its id: the finding, and the changes of its history."""
    answers = {}
    for finding in json.loads(findings)["Findings"]:
        key = {"Id": finding["Id"], "ProductArn": finding["ProductArn"]}
        records = json.loads(server.ok("call", "securityhub", "GetFindingHistory",
                                       json.dumps({"FindingIdentifier": key})))["Records"]
        listed = json.loads(server.ok("call", "securityhub", "GetFindings", json.dumps(
            {"Filters": {"Id": [{"Value": finding["Id"], "Comparison": "EQUALS"}]}})))["Findings"]
        answers[finding["Id"]] = (listed[0], [update for record in records for update in record["Updates"]])
    return answers


def check_store(folder, findings, fault, answers):
    """What is remembered, read from the database after the server was stopped."""
    database = sqlite3.connect(f"file:{folder}/fixpoint.db?mode=ro", uri=True)
    count = len(json.loads(findings)["Findings"])
    executions = database.execute("SELECT id, subject, program, status, outcome FROM execution").fetchall()
    expect(len(executions) == count, f"{len(executions)} executions for {count} findings")
    effects_seen = 0
    for execution, subject, control, status, outcome in executions:
        expect((status, outcome) == ("SUCCEEDED", "fixed"), f"{subject}: {status} {outcome}")
        changes = database.execute(
            "SELECT operation, state, before_read, undo, before FROM change WHERE execution = ?", (execution,)).fetchall()
        expect(len(changes) == CHANGES.get(control, 1), f"{subject}: the journal has {changes}")
        for operation, state, before_read, undo, before in changes:
            expect(state == "done", f"{subject}: the journal says '{state}' of {operation}")
            if operation != "TagResource":  # no recipe reads what that overwrites
                expect(before_read == 1 and undo.startswith("possible"), f"{subject}: {operation} cannot be undone: {undo}")
            # The state before is the one before all: an undo after a crash would put back the scene.
            if operation == "EnableKeyRotation":
                expect(json.loads(before) == {"KeyRotationEnabled": False}, f"{subject}: before was {before}")
            if operation == "StartLogging":
                expect(json.loads(before) == {"IsLogging": False}, f"{subject}: before was {before}")
            if operation == "PutBucketEncryption":
                expect(before is None, f"{subject}: before was {before}")
            if operation == "RevokeSecurityGroupIngress":
                expect("::/0" in before, f"{subject}: before was {before}")
        lines = [row[0] for row in database.execute(
            "SELECT text FROM journal WHERE execution = ? ORDER BY number", (execution,))]
        made = [line for line in lines if line.endswith(" made")]
        seen = [line for line in lines if "had taken effect before" in line]
        effects_seen += len(seen)
        expect(len(made) + len(seen) == len(changes), f"{subject}: the journal tells {lines}")
        body, history = answers[subject]
        resolved = [update for update in history
                    if update["UpdatedField"] == "Workflow.Status" and update["NewValue"] == "RESOLVED"]
        expect(len(resolved) == 1, f"{subject}: resolved {len(resolved)} times: {history}")
        expect(body["Workflow"]["Status"] == "RESOLVED", f"{subject}: {body['Workflow']}")
        expect(body["UserDefinedFields"]["fixpoint:execution"] == execution, f"{subject}: of another execution")
        expect(body["Note"]["Text"].startswith("Fixed and verified by control "), f"{subject}: {body['Note']}")
    if fault.startswith("door.call_made"):
        expect(effects_seen >= 1, "a call whose effect was there was made again")
    database.close()


def one_run(program, template, findings, fault, again):
    """True where the server came to the fault. `again`: it is killed at the same point once more after the restart."""
    with tempfile.TemporaryDirectory(prefix="fixpoint-crash-") as parent:
        folder = os.path.join(parent, "data")
        shutil.copytree(template, folder)
        server = Server(program, folder, fault)
        expect(server.ready, f"{fault}: the server did not become ready")
        server.run("import", "-", text=findings)
        ended = server.executions()
        if ended is not None and ended["Open"] == 0 and server.process.poll() is None:
            answers = told(server, findings)
            server.stop()
            check_store(folder, findings, "", answers)
            return False
        expect(server.killed(), f"the server ended with {server.process.returncode}, not by the fault")
        if again:
            server = Server(program, folder, again)
            if server.ready:
                server.executions()
                if server.process.poll() is None:
                    server.process.kill()
            server.process.wait(timeout=WAIT_SECONDS)
            server.close()
        server = Server(program, folder)
        expect(server.ready, "the server did not start again")
        ended = server.executions()
        expect(ended is not None and ended["Open"] == 0, f"executions are left open: {ended}")
        check_account(server, findings)
        answers = told(server, findings)
        server.stop()
        check_store(folder, findings, "" if again else fault, answers)
        return True


def main():
    program = os.path.abspath(sys.argv[1])
    os.mkdir(os.path.join(CATALOG, "controls"))
    with open(os.path.join(CATALOG, "controls", "Demo.1.yaml"), "w", encoding="utf-8") as file:
        file.write(DEMO)
    chosen = sys.argv[2:] or list(POINTS)
    started = time.monotonic()
    runs = 0
    failures = 0
    with tempfile.TemporaryDirectory(prefix="fixpoint-crash-") as parent:
        template = os.path.join(parent, "template")
        findings = prepare(program, template)
        cases = [(point, None) for point in chosen]
        if len(sys.argv) == 2:
            cases += [("door.call_made", "door.call_made:1"), ("door.intent_stored", "executor.in_commit:2")]
        for point, again in cases:
            hit = 0
            while hit < (MOST_HITS if not again else 2):
                hit += 1
                fault = f"{point}:{hit}"
                try:
                    reached = one_run(program, template, findings, fault, again)
                except Failure as failure:
                    print(f"FAILED {fault}{' then ' + again if again else ''}: {failure}", flush=True)
                    failures += 1
                    if failures >= 10:
                        print("too many failures; stopped")
                        return 1
                    reached = True
                runs += 1
                if not reached:
                    break
            least = POINTS[point] if not again else 2
            if hit - (0 if again else 1) < least:
                print(f"FAILED {point}: come to {hit - 1} times, not {least}")
                failures += 1
            print(f"{point}{' then ' + again if again else ''}: killed at {hit - (0 if again else 1)} hits", flush=True)
    print(f"{runs} runs, {failures} failures, {time.monotonic() - started:.0f} s")
    return 1 if failures else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    finally:
        shutil.rmtree(CATALOG)
