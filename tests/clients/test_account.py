"""The embedded account behind the services, as far as handlers need it."""
import base64
import datetime
import hashlib
import json

import support
from support import ACCOUNT, REGION


class Account(support.ServerTest):
    def test_buckets(self):
        s3 = self.s3
        s3.create_bucket(Bucket="basics")
        rules = s3.get_bucket_encryption(Bucket="basics")["ServerSideEncryptionConfiguration"]["Rules"]
        self.assertEqual("AES256", rules[0]["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"])
        s3.put_bucket_versioning(Bucket="basics", VersioningConfiguration={"Status": "Enabled"})
        self.assertEqual("Enabled", s3.get_bucket_versioning(Bucket="basics")["Status"])
        closed = {k: True for k in ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")}
        s3.put_public_access_block(Bucket="basics", PublicAccessBlockConfiguration=closed)
        self.assertEqual(closed, s3.get_public_access_block(Bucket="basics")["PublicAccessBlockConfiguration"])
        s3.put_bucket_tagging(Bucket="basics", Tagging={"TagSet": [{"Key": "a", "Value": "b & <c>"}]})
        self.assertEqual([{"Key": "a", "Value": "b & <c>"}], s3.get_bucket_tagging(Bucket="basics")["TagSet"])
        for key in ("one", "a/b c+d", "umlaut-\u00e4"):
            s3.put_object(Bucket="basics", Key=key, Body=b"x" * 10, Metadata={"m": key.encode("ascii", "replace").decode()})
            self.assertEqual(b"x" * 10, s3.get_object(Bucket="basics", Key=key)["Body"].read())
        part = s3.get_object(Bucket="basics", Key="one", Range="bytes=7-")
        self.assertEqual((206, "bytes 7-9/10", 3, b"xxx"), (part["ResponseMetadata"]["HTTPStatusCode"],
                         part["ContentRange"], part["ContentLength"], part["Body"].read()))
        part = s3.head_object(Bucket="basics", Key="one", Range="bytes=0-1")
        self.assertEqual((206, 2), (part["ResponseMetadata"]["HTTPStatusCode"], part["ContentLength"]))
        self.refused("InvalidRange", s3.get_object, Bucket="basics", Key="one", Range="bytes=10-")
        listed = s3.list_objects_v2(Bucket="basics")["Contents"]
        self.assertEqual(["a/b c+d", "one", "umlaut-\u00e4"], [entry["Key"] for entry in listed])
        self.assertEqual(10, s3.head_object(Bucket="basics", Key="one")["ContentLength"])
        self.refused("BucketNotEmpty", s3.delete_bucket, Bucket="basics")
        for entry in listed:
            s3.delete_object(Bucket="basics", Key=entry["Key"])
        self.refused("NoSuchKey", s3.get_object, Bucket="basics", Key="one")
        self.refused("NoSuchBucket", s3.list_objects_v2, Bucket="no-such-bucket")
        self.refused("NoSuchBucketPolicy", s3.get_bucket_policy, Bucket="basics")
        self.refused("NoSuchTagSet", self._untagged, Bucket="basics")
        self.refused("InvalidBucketName", s3.create_bucket, Bucket="192.168.0.1")

    def test_listings_bring_every_key_once(self):
        s3 = self.s3
        s3.create_bucket(Bucket="odd-keys")
        keys = ["a%2Fb", "a/b", "a b", "a+b", "a%20b", "%00", "%", "a%2Fb/c", "a%/1", "a%/2", "d e/+", "d+e/ ",
                "\u00fc/\u4e2d", "\u00fc%C3%BC", "&<\">/x", "x//y", "z/"]
        for key in keys:
            s3.put_object(Bucket="odd-keys", Key=key, Body=b"")
        for operation in ("list_objects", "list_objects_v2"):
            for size in range(1, 6):
                for delimiter in ("/", "%", " "):
                    found, below = [], []
                    pages = s3.get_paginator(operation).paginate(Bucket="odd-keys", Delimiter=delimiter, MaxKeys=size)
                    for number, page in enumerate(pages):
                        self.assertLess(number, 2 * len(keys))
                        self.assertEqual(delimiter, page["Delimiter"])
                        found += [entry["Key"] for entry in page.get("Contents", [])]
                        below += [entry["Prefix"] for entry in page.get("CommonPrefixes", [])]
                    self.assertEqual(sorted(key for key in keys if delimiter not in key), sorted(found))
                    self.assertEqual(sorted({key[:key.index(delimiter) + 1] for key in keys if delimiter in key}),
                                     sorted(below))
        for prefix in ("a%", "\u00fc", "d "):
            page = s3.list_objects_v2(Bucket="odd-keys", Prefix=prefix, StartAfter=prefix + " +")
            self.assertEqual((prefix, prefix + " +"), (page["Prefix"], page["StartAfter"]))

    def test_what_is_beyond_a_limit_of_s3_is_said_in_its_words(self):
        s3 = self.s3
        s3.create_bucket(Bucket="limits")
        self.refused("EntityTooLarge", s3.put_object, Bucket="limits", Key="a", Body=bytes(64 * 1024 * 1024 + 1))
        self.refused("MetadataTooLarge", s3.put_object, Bucket="limits", Key="a", Body=b"", Metadata={"a": "x" * 3000})
        self.refused("InvalidArgument", s3.put_object, Bucket="limits", Key="a", Body=b"", Tagging="a=1&a=2")
        self.refused("InvalidArgument", s3.list_objects_v2, Bucket="limits", MaxKeys=-1)
        self.refused("NoSuchKey", s3.get_object, Bucket="limits", Key="a")

    def test_objects_have_one_version(self):
        s3 = self.s3
        s3.create_bucket(Bucket="versions")
        s3.put_object(Bucket="versions", Key="a", Body=b"live")
        self.refused("InvalidArgument", s3.delete_object, Bucket="versions", Key="a", VersionId="nonsense")
        self.assertEqual(400, self.status)
        self.refused("InvalidArgument", s3.get_object, Bucket="versions", Key="a", VersionId="nonsense")
        self.refused("400", s3.head_object, Bucket="versions", Key="a", VersionId="nonsense")
        unknown = "3HL4kqtJlcpXroDTDmJrmSpXd3dIbrHY"
        s3.delete_object(Bucket="versions", Key="a", VersionId=unknown)
        told = s3.delete_objects(Bucket="versions", Delete={"Objects": [{"Key": "a", "VersionId": unknown},
                                                                        {"Key": "a", "VersionId": "nonsense"}]})
        self.assertEqual((unknown, "InvalidArgument"), (told["Deleted"][0]["VersionId"], told["Errors"][0]["Code"]))
        self.assertEqual(b"live", s3.get_object(Bucket="versions", Key="a")["Body"].read())
        self.refused("NotImplemented", s3.list_object_versions, Bucket="versions")
        s3.delete_object(Bucket="versions", Key="a", VersionId="null")
        self.refused("NoSuchKey", s3.get_object, Bucket="versions", Key="a")

    def test_what_is_said_of_an_object_comes_back(self):
        s3 = self.s3
        s3.create_bucket(Bucket="told")
        expires = datetime.datetime(2030, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
        put = s3.put_object(Bucket="told", Key="a", Body=b"hello", Metadata={"Team": "Pay"}, Expires=expires,
                            ChecksumAlgorithm="SHA256")
        digest = base64.b64encode(hashlib.sha256(b"hello").digest()).decode()
        self.assertEqual(digest, put["ChecksumSHA256"])
        got = s3.get_object(Bucket="told", Key="a", ChecksumMode="ENABLED")
        self.assertEqual((b"hello", digest, {"team": "Pay"}),
                         (got["Body"].read(), got["ChecksumSHA256"], got["Metadata"]))
        self.assertEqual("Wed, 02 Jan 2030 03:04:05 GMT", got["ResponseMetadata"]["HTTPHeaders"]["expires"])
        got = s3.get_object(Bucket="told", Key="a", ResponseContentType="text/csv",
                            ResponseContentDisposition="attachment; filename=x", ResponseCacheControl="no-cache")
        self.assertEqual(("text/csv", "attachment; filename=x", "no-cache"),
                         (got["ContentType"], got["ContentDisposition"], got["CacheControl"]))
        self.assertEqual("binary/octet-stream", s3.head_object(Bucket="told", Key="a")["ContentType"])
        self.refused("BadDigest", s3.put_object, Bucket="told", Key="b", Body=b"hello",
                     ChecksumSHA256=base64.b64encode(bytes(32)).decode())
        for call, more in ((s3.put_object, {"Body": b"secret"}), (s3.get_object, {})):
            self.refused("NotImplemented", call, Bucket="told", Key="c", SSECustomerAlgorithm="AES256",
                         SSECustomerKey="k" * 32, **more)
            self.assertEqual(501, self.status)

    def test_notifications_go_to_what_is_there(self):
        s3 = self.s3
        s3.create_bucket(Bucket="told-of")
        put = s3.put_bucket_notification_configuration
        arn = "arn:aws:%s:%s:%s:%s"
        for kind, member, service, name in (("QueueConfigurations", "QueueArn", "sqs", "told-of"),
                                            ("TopicConfigurations", "TopicArn", "sns", "told-of"),
                                            ("LambdaFunctionConfigurations", "LambdaFunctionArn", "lambda",
                                             "function:told-of")):
            item = {member: arn % (service, REGION, ACCOUNT, name), "Events": ["s3:ObjectCreated:*"]}
            said = self.refused("InvalidArgument", put, Bucket="told-of", NotificationConfiguration={kind: [item]})
            self.assertIn("Unable to validate the following destination configurations", said)
            self.assertEqual(400, self.status)
        self.assertNotIn("QueueConfigurations", s3.get_bucket_notification_configuration(Bucket="told-of"))
        self.server.client("sqs").create_queue(QueueName="told-of")
        self.server.client("sns").create_topic(Name="told-of")
        events = ["s3:ObjectCreated:*"]
        put(Bucket="told-of", NotificationConfiguration={
            "QueueConfigurations": [{"QueueArn": arn % ("sqs", REGION, ACCOUNT, "told-of"), "Events": events}],
            "TopicConfigurations": [{"TopicArn": arn % ("sns", REGION, ACCOUNT, "told-of"), "Events": events}]})
        self.assertEqual(1, len(s3.get_bucket_notification_configuration(Bucket="told-of")["QueueConfigurations"]))
        far = {"QueueConfigurations": [{"QueueArn": arn % ("sqs", "eu-west-1", ACCOUNT, "told-of"), "Events": events}]}
        self.refused("InvalidArgument", put, Bucket="told-of", NotificationConfiguration=far)
        put(Bucket="told-of", NotificationConfiguration=far, SkipDestinationValidation=True)

    def test_an_empty_object_does_not_hold_up_the_next(self):
        s3 = self.server.client("s3", read_timeout=5)
        s3.create_bucket(Bucket="of-empty-objects")
        for body in (b"", b"abc", b"", b""):
            s3.put_object(Bucket="of-empty-objects", Key="key", Body=body)
            self.assertEqual(body, s3.get_object(Bucket="of-empty-objects", Key="key")["Body"].read())

    def _untagged(self, Bucket):
        self.s3.delete_bucket_tagging(Bucket=Bucket)
        self.s3.get_bucket_tagging(Bucket=Bucket)

    def test_security_groups(self):
        group = self.open_group("basics")
        self.assertEqual([22, 443], self.ports(group))
        self.refused("InvalidGroup.Duplicate", self.ec2.create_security_group, GroupName="basics", Description="again")
        self.refused("InvalidPermission.Duplicate", self.ec2.authorize_security_group_ingress, GroupId=group,
                     IpPermissions=[{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22,
                                     "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}])
        rules = self.ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
        self.assertEqual(3, len(rules["SecurityGroupRules"]))
        opened = [rule for rule in rules["SecurityGroupRules"] if rule["FromPort"] == 22]
        self.ec2.revoke_security_group_ingress(GroupId=group, SecurityGroupRuleIds=[opened[0]["SecurityGroupRuleId"]])
        self.assertEqual([443], self.ports(group))
        gone = [{"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
        # In the default VPC a rule that is not there is named; in another it is an error.
        answer = self.ec2.revoke_security_group_ingress(GroupId=group, IpPermissions=gone)
        self.assertEqual(22, answer["UnknownIpPermissions"][0]["FromPort"])
        vpc = self.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        other = self.ec2.create_security_group(GroupName="other", Description="other", VpcId=vpc)["GroupId"]
        self.refused("InvalidPermission.NotFound", self.ec2.revoke_security_group_ingress, GroupId=other,
                     IpPermissions=gone)
        self.ec2.create_tags(Resources=[group], Tags=[{"Key": "k", "Value": "v"}])
        found = self.ec2.describe_security_groups(Filters=[{"Name": "tag:k", "Values": ["v"]}])["SecurityGroups"]
        self.assertEqual([group], [entry["GroupId"] for entry in found])
        self.ec2.delete_security_group(GroupId=group)
        self.refused("InvalidGroup.NotFound", self.ec2.describe_security_groups, GroupIds=[group])
        self.refused("InvalidGroupId.Malformed", self.ec2.describe_security_groups, GroupIds=["nonsense"])

    def test_trails(self):
        arn = self.stopped_trail("basics")
        self.assertEqual("arn:aws:cloudtrail:%s:%s:trail/basics" % (REGION, ACCOUNT), arn)
        self.cloudtrail.update_trail(Name="basics", EnableLogFileValidation=True, IsMultiRegionTrail=True)
        trail = self.cloudtrail.get_trail(Name=arn)["Trail"]
        self.assertEqual((True, True), (trail["LogFileValidationEnabled"], trail["IsMultiRegionTrail"]))
        self.assertIn("basics", [t["Name"] for t in self.cloudtrail.describe_trails()["trailList"]])
        self.refused("TrailAlreadyExistsException", self.cloudtrail.create_trail, Name="basics",
                     S3BucketName="basics-logs")
        self.refused("TrailNotFoundException", self.cloudtrail.start_logging, Name="nobody")
        self.refused("S3BucketDoesNotExistException", self.cloudtrail.create_trail, Name="bare", S3BucketName="nowhere-at-all")
        self.cloudtrail.delete_trail(Name="basics")
        self.refused("TrailNotFoundException", self.cloudtrail.get_trail_status, Name="basics")

    def test_keys(self):
        key = self.kms.create_key(Description="basics", Tags=[{"TagKey": "a", "TagValue": "b"}])["KeyMetadata"]
        self.assertEqual((True, "Enabled", ACCOUNT), (key["Enabled"], key["KeyState"], key["AWSAccountId"]))
        self.kms.create_alias(AliasName="alias/basics", TargetKeyId=key["KeyId"])
        self.assertEqual(key["Arn"], self.kms.describe_key(KeyId="alias/basics")["KeyMetadata"]["Arn"])
        self.assertFalse(self.kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"])
        self.kms.enable_key_rotation(KeyId=key["KeyId"])
        self.assertTrue(self.kms.get_key_rotation_status(KeyId=key["KeyId"])["KeyRotationEnabled"])
        self.assertIn("Statement", json.loads(self.kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"]))
        self.refused("AlreadyExistsException", self.kms.create_alias, AliasName="alias/basics",
                     TargetKeyId=key["KeyId"])
        self.kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
        self.refused("KMSInvalidStateException", self.kms.enable_key_rotation, KeyId=key["KeyId"])
        self.refused("NotFoundException", self.kms.describe_key, KeyId="alias/nobody")

    def test_regions_and_accounts_are_apart(self):
        far = self.server.client("kms", region="eu-central-1")
        near = self.kms.create_key()["KeyMetadata"]["KeyId"]
        self.refused("NotFoundException", far.describe_key, KeyId=near)
        self.assertIn(":eu-central-1:", far.create_key()["KeyMetadata"]["Arn"])

    def test_what_is_not_there_says_so(self):
        for service, call in (("s3", "list_bucket_analytics_configurations"), ("ec2", "describe_carrier_gateways"),
                              ("kms", "describe_custom_key_stores"), ("cloudtrail", "list_channels"),
                              ("dynamodb", "list_tables"), ("athena", "list_work_groups"), ("ssm", "describe_sessions")):
            with self.subTest(service=service):
                client = self.server.client(service)
                more = {"Bucket": "x"} if service == "s3" else {"State": "Active"} if service == "ssm" else {}
                said = self.refused("NotImplemented", getattr(client, call), **more)
                self.assertEqual(501, self.status)
                self.assertRegex(said, "[a-z0-9]+[:. ].*[A-Z][A-Za-z]+")
