"""A server of its own for each group of tests, and clients that reach it."""
import collections
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile

import boto3
import botocore.config
import botocore.exceptions
import botocore.loaders
import botocore.session

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
BINARY = os.environ.get("FIXPOINT_BINARY", os.path.join(SOURCE, "build", "fixpoint"))
ACCOUNT = "111111111111"
REGION = "us-east-1"
PRODUCT = "arn:aws:securityhub:%s:%s:product/%s/default" % (REGION, ACCOUNT, ACCOUNT)
ROLE = "arn:aws:iam::%s:role/handler" % ACCOUNT

# (service, operation) -> how often it succeeded and how often it was refused.
called = collections.defaultdict(lambda: [0, 0])


def shared_dir(part):
    """A folder of the shared data, or a skip."""
    folder = os.path.join(os.environ.get("FIXPOINT_SHARED", os.path.join(SOURCE, "..", "shared")), part)
    if not os.path.isdir(folder):
        raise unittest.SkipTest("there is no shared folder with %s; FIXPOINT_SHARED names one" % part)
    return folder


def clean_environment(**more):
    """This process's environment without what could name another account, and with nothing of the user's own."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("AWS_")}
    env.update(AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull, AWS_PAGER="",
               AWS_EC2_METADATA_DISABLED="true", NO_PROXY="127.0.0.1", no_proxy="127.0.0.1", **more)
    return env


def aws_command():
    """The aws command that belongs to this interpreter's system: the one on PATH, else Debian's for Debian's."""
    if sys.executable.startswith("/usr/bin/") and os.path.exists("/usr/bin/aws"):
        return "/usr/bin/aws"
    return shutil.which("aws")


def aws_version():
    command = aws_command()
    if not command:
        return None
    run = subprocess.run([command, "--version"], env=clean_environment(), stdout=subprocess.PIPE,
                         stderr=subprocess.STDOUT, universal_newlines=True, check=True)
    return run.stdout.split()[0]


def knows_endpoint_variable(version):
    """AWS_ENDPOINT_URL came with 1.29.0 and 2.13.0: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html"""
    major, minor = (int(n) for n in re.match(r"aws-cli/(\d+)\.(\d+)", version).groups())
    return minor >= (29 if major == 1 else 13)


def takes(client, operation, member):
    """Whether this client's model of the operation has the member in its input; newer than the client, it cannot be sent."""
    return member in client.meta.service_model.operation_model(operation).input_shape.members


# Read once: every session would read a service's model of its own, which are megabytes.
MODELS = botocore.loaders.create_loader()


class Server:
    """A running server with a data folder of its own; stop() ends it and leaves nothing."""

    def __init__(self, *options, **variables):
        """Options of 'fixpoint serve', and variables of its environment."""
        self.options = list(options)
        self.given = variables
        self.folder = tempfile.mkdtemp(prefix="fixpoint-clients-")
        self.start()

    def start(self):
        self.log = open(os.path.join(self.folder, "server.log"), "w+")
        self.process = subprocess.Popen(
            [BINARY, "serve", "--listen", "127.0.0.1:0", "--data", os.path.join(self.folder, "data")] + self.options,
            env=clean_environment(**self.given), stdout=subprocess.PIPE, stderr=self.log, universal_newlines=True,
            start_new_session=True)
        line = self.process.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        if not found:
            self.log.seek(0)
            text = line + self.log.read()
            self.stop()
            raise RuntimeError("the server did not start: " + text)
        self.endpoint = found.group(0)
        printed = subprocess.run([BINARY, "env", "--json", "--data", os.path.join(self.folder, "data")],
                                 env=clean_environment(), stdout=subprocess.PIPE, check=True)
        self.variables = json.loads(printed.stdout.decode())
        self.environment = clean_environment(**self.variables)

    def stop(self):
        try:
            self.end()
        finally:
            shutil.rmtree(self.folder)

    def end(self):
        """Ends the process; start() starts it again on the same data."""
        self.process.send_signal(signal.SIGTERM)
        try:
            status = self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            status = self.process.wait()
        self.process.stdout.close()
        self.log.close()
        left = True
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            left = False
        if status != 0 or left:
            raise RuntimeError("the server ended with %d%s" % (status, " and left processes behind" if left else ""))

    def client(self, service, key=None, secret=None, token=None, region=REGION, **config):
        core = botocore.session.Session()
        core.register_component("data_loader", MODELS)
        session = boto3.session.Session(
            botocore_session=core, aws_access_key_id=key or self.variables["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=secret or self.variables["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=token, region_name=region)
        options = dict(retries={"max_attempts": 0}, proxies={}, read_timeout=60)
        if service == "s3":
            options["s3"] = {"addressing_style": "path"}
        options.update(config)
        client = session.client(service, endpoint_url=self.endpoint, config=botocore.config.Config(**options))
        client.meta.events.register("after-call.*", count)
        return client

    def fixpoint(self, *arguments, **options):
        """Runs the command; gives (status, output, errors)."""
        run = subprocess.run([BINARY] + list(arguments), env=self.environment, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, universal_newlines=True, timeout=300, **options)
        return run.returncode, run.stdout, run.stderr

    def executions(self, wait):
        """Those there are once every one has ended, or after so many seconds."""
        _, out, err = self.fixpoint("executions", "--wait", str(wait), "--json")
        return json.loads(out)["Executions"]

    def wait(self):
        """Until every execution has ended; gives them."""
        all_of_them = self.executions(wait=120)
        for one in all_of_them:
            if "EndedAt" not in one:
                _, whole, _ = self.fixpoint("executions", one["Id"], "--json")
                raise AssertionError("this execution has not ended: " + whole)
        return all_of_them


def count(http_response, model, **_):
    called[model.service_model.service_name, model.name][0 if http_response.status_code < 300 else 1] += 1


def own_operations():
    """{service: operations} of the server's own services, as it lists them."""
    server = Server()
    try:
        _, out, _ = server.fixpoint("operations", "--json")
        return {service: listed["There"] for service, listed in json.loads(out)["Own"].items()}
    finally:
        server.stop()


def known(service, operation):
    """False for an operation that is newer than this boto3."""
    return operation in botocore.session.get_session().get_service_model(service).operation_names


def uncovered(own):
    """What of {service: operations} was never done with success, or never refused, by a client that knows it."""
    return sorted("%s:%s was never %s" % (service, operation, word) for service, operations in own.items()
                  for operation in operations for word, at in (("done", 0), ("refused", 1))
                  if called[service, operation][at] == 0 and known(service, operation))


def until(condition, seconds=120):
    """Asks again and again, a little later each time, and fails after so many seconds; gives what was answered."""
    end = time.monotonic() + seconds
    pause = 0.01
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError("it did not come to be within %d seconds" % seconds)
        time.sleep(pause)
        pause = min(pause * 2, 0.5)


def coverage_lines():
    services = collections.defaultdict(list)
    for (service, operation), (good, bad) in sorted(called.items()):
        services[service].append("%s %d/%d" % (operation, good, bad))
    return ["%s (%d): %s" % (service, len(list_), ", ".join(list_)) for service, list_ in sorted(services.items())]


class ServerTest(unittest.TestCase):
    """Tests of one class share a server, so they use names of their own."""

    server = None
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        if not os.path.exists(BINARY):
            raise unittest.SkipTest("%s is not built" % BINARY)
        cls.server = Server()
        for service in ("securityhub", "events", "s3", "ec2", "cloudtrail", "kms", "sts"):
            setattr(cls, service, cls.server.client(service))
        cls.functions = cls.server.client("lambda")

    @classmethod
    def tearDownClass(cls):
        if cls.server:
            for service in ("securityhub", "events", "s3", "ec2", "cloudtrail", "kms", "sts", "functions"):
                close = getattr(getattr(cls, service), "close", None)
                if close:
                    close()
            cls.server.stop()

    def refused(self, code, call, **arguments):
        """The call is refused with that code; gives the message."""
        with self.assertRaises(botocore.exceptions.ClientError) as caught:
            call(**arguments)
        error = caught.exception.response["Error"]
        self.assertEqual(code, error["Code"], error["Message"])
        self.assertTrue(error["Message"], "the error has no sentence")
        self.status = caught.exception.response["ResponseMetadata"]["HTTPStatusCode"]
        return error["Message"]

    def finding(self, finding_id):
        found = self.securityhub.get_findings(Filters={"Id": [{"Value": finding_id, "Comparison": "EQUALS"}]})
        self.assertEqual(1, len(found["Findings"]), "findings with the id " + finding_id)
        return found["Findings"][0]

    def take_in(self, *findings):
        answer = self.securityhub.batch_import_findings(Findings=list(findings))
        self.assertEqual((len(findings), 0), (answer["SuccessCount"], answer["FailedCount"]), answer["FailedFindings"])

    def open_group(self, name):
        """A security group with port 22 open to the world and 443 to a network; gives its id."""
        group = self.ec2.create_security_group(GroupName=name, Description=name)["GroupId"]
        self.ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[
            {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]},
            {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}])
        return group

    def ports(self, group):
        permissions = self.ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"]
        return sorted(permission.get("FromPort", -1) for permission in permissions)

    def bare_bucket(self, name):
        self.s3.create_bucket(Bucket=name)
        self.s3.delete_bucket_encryption(Bucket=name)

    def stopped_trail(self, name):
        """A trail that was started and stopped again; gives its ARN."""
        self.s3.create_bucket(Bucket=name + "-logs")
        self.s3.put_bucket_policy(Bucket=name + "-logs", Policy=json.dumps({
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:GetBucketAcl",
                 "Resource": "arn:aws:s3:::%s-logs" % name},
                {"Effect": "Allow", "Principal": {"Service": "cloudtrail.amazonaws.com"}, "Action": "s3:PutObject",
                 "Resource": "arn:aws:s3:::%s-logs/AWSLogs/%s/*" % (name, ACCOUNT)}]}))
        arn = self.cloudtrail.create_trail(Name=name, S3BucketName=name + "-logs")["TrailARN"]
        self.cloudtrail.start_logging(Name=name)
        self.cloudtrail.stop_logging(Name=name)
        return arn

    def create_function(self, name, files, handler, **more):
        options = dict(FunctionName=name, Runtime="python3.11", Role=ROLE, Handler=handler, Timeout=30,
                       Code={"ZipFile": zip_of(files)})
        options.update(more)
        return self.functions.create_function(**options)["FunctionArn"]


def zip_of(files):
    """A zip of {name: text}."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return out.getvalue()


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def make_finding(finding_id, resource_type, resource, generator, **more):
    """A finding in the AWS Security Finding Format as Security Hub's own checks have it."""
    finding = {
        "SchemaVersion": "2018-10-08",
        "Id": finding_id,
        "ProductArn": "arn:aws:securityhub:%s::product/aws/securityhub" % REGION,
        "ProductName": "Security Hub",
        "CompanyName": "AWS",
        "GeneratorId": generator,
        "AwsAccountId": ACCOUNT,
        "Types": ["Software and Configuration Checks/Industry and Regulatory Standards"],
        "CreatedAt": "2024-05-01T09:00:00.000Z",
        "UpdatedAt": "2024-05-01T09:00:00.000Z",
        "Severity": {"Label": "MEDIUM"},
        "Title": "A check failed",
        "Description": "The check of %s failed." % resource,
        "Resources": [{"Type": resource_type, "Id": resource, "Partition": "aws", "Region": REGION}],
        "Compliance": {"Status": "FAILED"},
        "Workflow": {"Status": "NEW"},
        "RecordState": "ACTIVE",
    }
    finding.update(more)
    return finding
