"""The cases of tests/changes/inverses, made by boto3: what the account answers to them on the wire is what the recipes read.

Each case has an account of its own and, since their names belong to the whole world, buckets of its own. What a case fills in
with an expression is filled in where it is a path to something kept; a case that needs more is passed over.
"""
import base64
import os
import re
import unittest

import boto3
import botocore
import botocore.config
import botocore.exceptions
import botocore.model

import support

try:
    import yaml
except ImportError:
    yaml = None

FOLDER = os.path.join(support.SOURCE, "tests", "changes", "inverses")
BUCKETS = ("Bucket", "S3BucketName", "TargetBucket")
PATH = re.compile(r"^\{% \$(\w+)((?:\.\w+)*) %\}$")


# One session reads each service's model once. Older boto3 does not know all that the cases say.
SESSION = boto3.session.Session(region_name=support.REGION)
IS_OLD = tuple(int(n) for n in boto3.__version__.split(".")[:2]) < (1, 40)


class NotFilled(Exception):
    pass


def unlike(answer):
    """An answer without what is of the call and not of the state."""
    return {k: v.read() if hasattr(v, "read") else v for k, v in answer.items() if k != "ResponseMetadata"}


class Case:
    """One case, in an account of its own."""

    def __init__(self, server, sts, number):
        self.server, self.sts, self.account, self.suffix = server, sts, "%012d" % (300000000000 + number), "-%d" % number
        self.clients, self.kept, self.keys = {}, {}, None

    def client(self, service, region):
        key = service, region
        if key not in self.clients:
            if not self.keys:
                self.keys = self.sts.assume_role(RoleArn="arn:aws:iam::%s:role/cases" % self.account,
                                            RoleSessionName="cases")["Credentials"]
            keys = self.keys
            style = {"s3": {"addressing_style": "path"}} if service == "s3" else {}
            self.clients[key] = SESSION.client(
                service, region, endpoint_url=self.server.endpoint, aws_access_key_id=keys["AccessKeyId"],
                aws_secret_access_key=keys["SecretAccessKey"], aws_session_token=keys["SessionToken"],
                config=botocore.config.Config(retries={"max_attempts": 0}, proxies={}, **style))
            # s3control's host begins with the account, a name that an address cannot have.
            self.clients[key].meta.events.register("before-sign.s3-control.*", self.without_prefix)
            self.clients[key].meta.events.register("after-call.*", support.count)
        return self.clients[key]

    def without_prefix(self, request, **_):
        request.url = request.url.replace("//%s." % self.account, "//", 1)

    def fill(self, form, shape, name=""):
        if isinstance(form, dict):
            of = (lambda k: shape.members.get(k)) if shape is not None and shape.type_name == "structure" else (lambda k: None)
            return {k: self.fill(v, of(k), k) for k, v in form.items()}
        if isinstance(form, list):
            return [self.fill(v, getattr(shape, "member", None)) for v in form]
        if not isinstance(form, str):
            return form
        if form.startswith("{%"):
            found = PATH.match(form)
            if not found or found.group(1) not in self.kept:
                raise NotFilled(form)
            value = self.kept[found.group(1)]
            for part in found.group(2).split(".")[1:]:
                value = value[part]
            return value
        form = form.replace(support.ACCOUNT, self.account)
        form = re.sub(r"(arn:aws:s3:::[a-z0-9-]+)", lambda arn: arn.group(1) + self.suffix, form)
        if shape is not None and shape.type_name == "blob":
            return base64.b64decode(form)
        if name in BUCKETS and not form.endswith(self.suffix):
            return form + self.suffix
        if name == "CopySource":
            bucket, _, key = form.partition("/")
            return bucket + self.suffix + "/" + key
        return form

    def call(self, call, form, region):
        service, operation = call.split(":")
        client = self.client(service, region)
        shape = client.meta.service_model.operation_model(operation).input_shape
        filled = self.fill(form or {}, shape)
        return unlike(getattr(client, botocore.xform_name(operation))(**filled))

    def look(self, looks, region):
        seen = []
        for look in looks:
            try:
                seen.append(self.call(look["call"], look.get("input"), region))
            except botocore.exceptions.ClientError as refused:
                seen.append(refused.response["Error"]["Code"])
        return seen


@unittest.skipIf(yaml is None, "this Python has no yaml")
class Inverses(support.ServerTest):
    def run_case(self, service, operation, case, number):
        of = Case(self.server, self.sts, number)
        region = case.get("region", support.REGION)
        for given in case.get("given", []):
            answer = of.call(given["call"], given.get("input"), region)
            if "keep" in given:
                of.kept[given["keep"]] = answer
        before = of.look(case.get("same", []), region)
        if "fails" in case:
            with self.assertRaises(botocore.exceptions.ClientError) as raised:
                of.call("%s:%s" % (service, operation), case["change"], region)
            self.assertEqual(case["fails"], raised.exception.response["Error"]["Code"])
            self.assertEqual(before, of.look(case.get("same", []), region))
            return
        of.call("%s:%s" % (service, operation), case["change"], region)
        if case.get("same") and not any("take" in look for look in case["same"]):
            check = self.assertNotEqual if case.get("changes", True) else self.assertEqual
            check(before, of.look(case["same"], region))

    def test_every_case_is_answered_to_boto3_as_to_the_door(self):
        number = done = 0
        for file in sorted(os.listdir(FOLDER)):
            if not file.endswith(".yaml"):
                continue
            service = file[:-5]
            for operation, cases in yaml.safe_load(support.read(os.path.join(FOLDER, file))).items():
                for case in cases if operation not in ("whole", "shared") else []:
                    number += 1
                    with self.subTest(call="%s:%s" % (service, operation), case=case["case"]):
                        try:
                            self.run_case(service, operation, case, number)
                            done += 1
                        except NotFilled:
                            pass
                        except (botocore.exceptions.ParamValidationError, botocore.model.OperationNotFoundError, AttributeError):
                            if not IS_OLD:
                                raise
        self.assertGreater(done, number // 2 if IS_OLD else number * 3 // 4)
        print("%d of %d cases" % (done, number))


if __name__ == "__main__":
    unittest.main()
