"""Connections, API destinations, and log groups as targets: their operations, done and refused, and what arrives."""
import base64
import http.server
import json
import os
import queue
import threading
import unittest

import support
from support import ACCOUNT, REGION

BASIC = {"BasicAuthParameters": {"Username": "Aladdin", "Password": "open s3cr3t"}}
PATTERN = json.dumps({"source": ["shop"]})


def known(operation):
    """A boto3 without it is too old for these tests."""
    return support.known("events", operation)


class Endpoint:
    """An HTTP server on this machine that keeps what it is sent: (method, path, headers, body)."""

    def __init__(self):
        self.got, self.answers = queue.Queue(), {}
        endpoint = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def answer(self):
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                listed = endpoint.answers.get(self.path.split("?")[0], [])
                status, headers, answer = listed.pop(0) if listed else (200, {}, "")
                endpoint.got.put((self.command, self.path, self.headers, body))
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer.encode())

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = "http://127.0.0.1:%d" % self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def heard(self):
        return self.got.get(timeout=30)

    def close(self):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@unittest.skipUnless(known("CreateConnection"), "this boto3 knows no connections")
class Destinations(support.ServerTest):
    def connection(self, name, kind="BASIC", parameters=None):
        return self.events.create_connection(Name=name, AuthorizationType=kind, AuthParameters=parameters or BASIC)

    def test_a_connection_is_made_shown_changed_and_deleted(self):
        made = self.connection("whole")
        self.assertRegex(made["ConnectionArn"], "^arn:aws:events:%s:%s:connection/whole/[0-9a-f-]{36}$" % (REGION, ACCOUNT))
        self.assertEqual("AUTHORIZED", made["ConnectionState"])
        self.assertIn("CreationTime", made)
        shown = self.events.describe_connection(Name="whole")
        self.assertEqual((made["ConnectionArn"], "whole", "AUTHORIZED", "BASIC", {"BasicAuthParameters": {"Username": "Aladdin"}}),
                         tuple(shown[k] for k in ("ConnectionArn", "Name", "ConnectionState", "AuthorizationType",
                                                  "AuthParameters")))
        self.assertRegex(shown["SecretArn"], "^arn:aws:secretsmanager:%s:%s:secret:events!connection/whole/[0-9a-f-]{36}"
                                             "-[A-Za-z0-9]{6}$" % (REGION, ACCOUNT))
        self.assertEqual("Connection whole already exists.", self.refused(
            "ResourceAlreadyExistsException", self.events.create_connection, Name="whole", AuthorizationType="BASIC",
            AuthParameters=BASIC))
        changed = self.events.update_connection(
            Name="whole", Description="other", AuthorizationType="API_KEY", AuthParameters={
                "ApiKeyAuthParameters": {"ApiKeyName": "X-Key", "ApiKeyValue": "s3cr3t-key"},
                "InvocationHttpParameters": {"HeaderParameters": [
                    {"Key": "a", "Value": "seen", "IsValueSecret": False},
                    {"Key": "b", "Value": "s3cr3t-header", "IsValueSecret": True}]}})
        self.assertEqual("AUTHORIZED", changed["ConnectionState"])
        self.assertIn("LastAuthorizedTime", changed)
        shown = self.events.describe_connection(Name="whole")
        self.assertEqual(("other", "API_KEY"), (shown["Description"], shown["AuthorizationType"]))
        self.assertEqual({"ApiKeyAuthParameters": {"ApiKeyName": "X-Key"}, "InvocationHttpParameters": {
            "HeaderParameters": [{"Key": "a", "Value": "seen", "IsValueSecret": False},
                                 {"Key": "b", "IsValueSecret": True}]}}, shown["AuthParameters"])
        self.assertEqual("DEAUTHORIZING", self.events.deauthorize_connection(Name="whole")["ConnectionState"])
        shown = self.events.describe_connection(Name="whole")
        self.assertEqual(("DEAUTHORIZED", {}, False),
                         (shown["ConnectionState"], shown["AuthParameters"], "SecretArn" in shown))
        self.assertEqual("DELETING", self.events.delete_connection(Name="whole")["ConnectionState"])
        said = "Failed to describe the connection(s). Connection 'whole' does not exist."
        for call in (self.events.describe_connection, self.events.delete_connection, self.events.update_connection,
                     self.events.deauthorize_connection):
            self.assertEqual(said, self.refused("ResourceNotFoundException", call, Name="whole"))
            self.assertEqual(400, self.status)

    def test_connections_that_are_wrong_are_refused_and_no_secret_is_told(self):
        def refused(code="ValidationException", **more):
            wanted = dict({"Name": "bad", "AuthorizationType": "BASIC", "AuthParameters": BASIC}, **more)
            said = self.refused(code, self.events.create_connection, **wanted)
            self.assertNotIn("s3cr3t", said)
            return said

        # The words of the service's recorded answers.
        self.assertIn("1 validation error detected: Value 'INVALID_AUTH_TYPE' at 'authorizationType' failed to satisfy "
                      "constraint: Member must satisfy enum value set: [", refused(AuthorizationType="INVALID_AUTH_TYPE"))
        self.assertEqual("1 validation error detected: Value 'Invalid Name With Spaces!' at 'name' failed to satisfy "
                         "constraint: Member must satisfy regular expression pattern: [\\.\\-_A-Za-z0-9]+",
                         refused(Name="Invalid Name With Spaces!"))
        said = refused(Name="n" * 65 + " ")
        self.assertIn("2 validation errors detected", said)
        self.assertIn("at 'name' failed to satisfy constraint: Member must have length less than or equal to 64", said)
        self.assertIn("password", refused(AuthParameters={"BasicAuthParameters": {"Username": "u",
                                                                                  "Password": "s3cr3t:\x01"}}))
        self.assertIn("BasicAuthParameters is for the authorization type BASIC", refused(AuthorizationType="API_KEY"))
        self.assertIn("has to begin with https://", refused(
            AuthorizationType="OAUTH_CLIENT_CREDENTIALS", AuthParameters={"OAuthParameters": {
                "ClientParameters": {"ClientID": "i", "ClientSecret": "s3cr3t"},
                "AuthorizationEndpoint": "http://example.com/token", "HttpMethod": "POST"}}))
        if "KmsKeyIdentifier" in self.events.meta.service_model.operation_model("CreateConnection").input_shape.members:
            self.assertIn("KmsKeyIdentifier", refused("NotImplemented", KmsKeyIdentifier="alias/k"))
        self.assertEqual([], self.events.list_connections(NamePrefix="bad")["Connections"])

    def test_connections_are_listed_by_prefix_and_state_and_in_pages(self):
        for name in ("list-c", "list-a", "list-b"):
            self.connection(name)
        self.events.deauthorize_connection(Name="list-b")
        page = self.events.list_connections(NamePrefix="list-", Limit=2)
        self.assertEqual(["list-a", "list-b"], [c["Name"] for c in page["Connections"]])
        page = self.events.list_connections(NamePrefix="list-", Limit=2, NextToken=page["NextToken"])
        self.assertEqual((["list-c"], False), ([c["Name"] for c in page["Connections"]], "NextToken" in page))
        listed = self.events.list_connections(NamePrefix="list-", ConnectionState="DEAUTHORIZED")["Connections"]
        self.assertEqual([("list-b", "BASIC")], [(c["Name"], c["AuthorizationType"]) for c in listed])
        self.assertTrue(listed[0]["StateReason"])
        self.refused("ValidationException", self.events.list_connections, NextToken="!")

    def test_a_destination_is_made_shown_changed_and_deleted(self):
        connection = self.connection("of-destination")["ConnectionArn"]
        made = self.events.create_api_destination(Name="hook", ConnectionArn=connection, HttpMethod="POST",
                                                  InvocationEndpoint="https://example.com/api", Description="first")
        self.assertRegex(made["ApiDestinationArn"],
                         "^arn:aws:events:%s:%s:api-destination/hook/[0-9a-f-]{36}$" % (REGION, ACCOUNT))
        self.assertEqual("ACTIVE", made["ApiDestinationState"])
        shown = self.events.describe_api_destination(Name="hook")
        self.assertEqual(("hook", "first", "ACTIVE", connection, "https://example.com/api", "POST", 300),
                         tuple(shown[k] for k in ("Name", "Description", "ApiDestinationState", "ConnectionArn",
                                                  "InvocationEndpoint", "HttpMethod", "InvocationRateLimitPerSecond")))
        self.assertEqual("An api-destination 'hook' already exists.", self.refused(
            "ResourceAlreadyExistsException", self.events.create_api_destination, Name="hook", ConnectionArn=connection,
            HttpMethod="POST", InvocationEndpoint="https://example.com/api"))
        self.events.update_api_destination(Name="hook", HttpMethod="PUT", InvocationEndpoint="https://example.com/api/*",
                                           InvocationRateLimitPerSecond=7)
        listed = self.events.list_api_destinations(NamePrefix="ho", ConnectionArn=connection)["ApiDestinations"]
        self.assertEqual([("hook", "PUT", "https://example.com/api/*", 7)],
                         [(d["Name"], d["HttpMethod"], d["InvocationEndpoint"], d["InvocationRateLimitPerSecond"])
                          for d in listed])
        self.events.deauthorize_connection(Name="of-destination")
        self.assertEqual("INACTIVE", self.events.describe_api_destination(Name="hook")["ApiDestinationState"])
        self.events.delete_api_destination(Name="hook")
        said = "Failed to describe the api-destination(s). An api-destination 'hook' does not exist."
        for call in (self.events.describe_api_destination, self.events.delete_api_destination,
                     self.events.update_api_destination):
            self.assertEqual(said, self.refused("ResourceNotFoundException", call, Name="hook"))

    def test_destinations_that_are_wrong_are_refused(self):
        connection = self.connection("of-wrong")["ConnectionArn"]

        def refused(code="ValidationException", **more):
            wanted = dict({"Name": "bad", "ConnectionArn": connection, "HttpMethod": "POST",
                           "InvocationEndpoint": "https://example.com/"}, **more)
            return self.refused(code, self.events.create_api_destination, **wanted)

        said = refused(ConnectionArn="invalid-connection-arn", HttpMethod="INVALID_METHOD")
        self.assertIn("2 validation errors detected: Value 'invalid-connection-arn' at 'connectionArn' failed to satisfy "
                      "constraint: Member must satisfy regular expression pattern: ", said)
        self.assertIn("'INVALID_METHOD' at 'httpMethod'", said)
        self.assertEqual("Failed to describe the connection(s). Connection 'of-wrong' does not exist.",
                         refused("ResourceNotFoundException", ConnectionArn=connection[:-4] + "0000"))
        for endpoint, part in (("http://example.com/", "has to begin with https://"), ("nowhere", "has to be a URL"),
                               ("https://me:pw@example.com/", "has credentials in it"),
                               ("https://127.0.0.1/", "which is no public address"),
                               ("https://169.254.169.254/latest", "which is no public address")):
            self.assertIn(part, refused(InvocationEndpoint=endpoint))
        unchecked = self.server.client("events", parameter_validation=False)
        self.refused("ValidationException", unchecked.create_api_destination, Name="bad", ConnectionArn=connection,
                     HttpMethod="POST", InvocationEndpoint="https://example.com/", InvocationRateLimitPerSecond=0)
        self.assertEqual([], self.events.list_api_destinations(NamePrefix="bad")["ApiDestinations"])
        self.refused("ValidationException", self.events.list_api_destinations, NextToken="!")

    def test_targets_that_are_not_there_yet_are_named(self):
        self.events.put_rule(Name="not-yet", EventPattern=PATTERN)
        for arn, part in (("arn:aws:states:%s:%s:stateMachine:m", "Step Functions state machines are not there yet"),
                          ("arn:aws:ssm:%s:%s:automation-definition/AWS-StopEC2Instance:$DEFAULT",
                           "Systems Manager Automation runbooks and Run Command are not there yet")):
            self.assertIn(part, self.refused("ValidationException", self.events.put_targets, Rule="not-yet",
                                             Targets=[{"Id": "1", "Arn": arn % (REGION, ACCOUNT)}]))
        for operation in ("PutPartnerEvents", "ListEventSources", "CreateEndpoint"):
            status, _, said = self.server.fixpoint("call", "events", operation, "{}")
            self.assertIn("events:%s is not there in this version" % operation, said)
            self.assertNotEqual(0, status)


@unittest.skipUnless(known("CreateConnection"), "this boto3 knows no connections")
class Arrivals(support.ServerTest):
    """A server that may send to this machine."""

    @classmethod
    def setUpClass(cls):
        cls.server = support.Server("--private-endpoints")
        cls.events = cls.server.client("events")
        cls.sqs = cls.server.client("sqs")
        cls.logs = cls.server.client("logs")
        cls.endpoint = Endpoint()

    @classmethod
    def tearDownClass(cls):
        cls.endpoint.close()
        cls.server.stop()

    def destination(self, name, path, kind="BASIC", parameters=None, method="POST", **target):
        """A rule of that source that sends to that path; gives the connection's ARN."""
        connection = self.events.create_connection(Name=name, AuthorizationType=kind,
                                                   AuthParameters=parameters or BASIC)["ConnectionArn"]
        arn = self.events.create_api_destination(Name=name, ConnectionArn=connection, HttpMethod=method,
                                                 InvocationEndpoint=self.endpoint.url + path)["ApiDestinationArn"]
        self.events.put_rule(Name=name, EventPattern=json.dumps({"source": [name]}))
        answer = self.events.put_targets(Rule=name, Targets=[dict({"Id": "1", "Arn": arn, "RoleArn": support.ROLE}, **target)])
        self.assertEqual(0, answer["FailedEntryCount"])
        return connection

    def publish(self, source, detail):
        answer = self.events.put_events(Entries=[{"Source": source, "DetailType": "t", "Detail": json.dumps(detail)}])
        self.assertEqual(0, answer["FailedEntryCount"])
        return answer["Entries"][0]["EventId"]

    def test_an_event_arrives_with_credentials_and_parameters(self):
        self.destination("basic", "/orders/*", method="PUT", parameters=dict(BASIC, InvocationHttpParameters={
            "QueryStringParameters": [{"Key": "k", "Value": "s3cr3t&query", "IsValueSecret": True}]}),
            HttpParameters={"PathParameterValues": ["$.detail.id"], "HeaderParameters": {"X-Kind": "order"}})
        event_id = self.publish("basic", {"id": "a/1"})
        method, path, headers, body = self.endpoint.heard()
        self.assertEqual(("PUT", "/orders/a%2F1?k=s3cr3t%26query"), (method, path))
        event = json.loads(body)
        self.assertEqual((event_id, {"id": "a/1"}), (event["id"], event["detail"]))
        expected = {"Authorization": "Basic " + base64.b64encode(b"Aladdin:open s3cr3t").decode(), "X-Kind": "order",
                    "User-Agent": "Amazon/EventBridge/ApiDestinations", "Range": "bytes=0-1048575",
                    "Content-Type": "application/json; charset=utf-8", "Accept-Encoding": "gzip,deflate",
                    "Connection": "close", "Host": self.endpoint.url[7:], "Content-Length": str(len(body))}
        self.assertEqual(expected, {name: headers[name] for name in expected})
        self.assertEqual(set(expected), set(headers.keys()))

    def test_a_token_is_fetched_and_fetched_anew_where_it_is_refused(self):
        self.endpoint.answers["/token"] = [(200, {}, json.dumps({"access_token": "one", "expires_in": 3600})),
                                           (200, {}, json.dumps({"access_token": "two", "expires_in": 3600}))]
        self.endpoint.answers["/oauth"] = [(401, {}, "")]
        self.destination("oauth", "/oauth", "OAUTH_CLIENT_CREDENTIALS", {"OAuthParameters": {
            "ClientParameters": {"ClientID": "me", "ClientSecret": "s3cr3t-client"},
            "AuthorizationEndpoint": self.endpoint.url + "/token", "HttpMethod": "POST"}})
        method, path, _, body = self.endpoint.heard()
        self.assertEqual(("POST", "/token", "grant_type=client_credentials&client_id=me&client_secret=s3cr3t-client"),
                         (method, path, body))
        support.until(lambda: self.events.describe_connection(Name="oauth")["ConnectionState"] == "AUTHORIZED")
        self.publish("oauth", {})
        heard = [self.endpoint.heard() for _ in range(3)]
        self.assertEqual([("/oauth", "Bearer one"), ("/token", None), ("/oauth", "Bearer two")],
                         [(path, headers["Authorization"]) for _, path, headers, _ in heard])

    def test_what_fails_is_tried_again_and_what_is_refused_is_put_away(self):
        url = self.sqs.create_queue(QueueName="dead")["QueueUrl"]
        self.endpoint.answers["/flaky"] = [(503, {"Retry-After": "0"}, ""), (200, {}, ""), (404, {}, "")]
        self.destination("flaky", "/flaky", DeadLetterConfig={"Arn": "arn:aws:sqs:%s:%s:dead" % (REGION, ACCOUNT)})
        first = self.publish("flaky", {"n": 1})
        self.assertEqual([first, first], [json.loads(self.endpoint.heard()[3])["id"] for _ in range(2)])
        second = self.publish("flaky", {"n": 2})
        self.endpoint.heard()
        got = self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20, MessageAttributeNames=["All"])["Messages"]
        self.assertEqual([second], [json.loads(m["Body"])["id"] for m in got])
        said = {name: value["StringValue"] for name, value in got[0]["MessageAttributes"].items()}
        self.assertEqual("SDK_CLIENT_ERROR", said["ERROR_CODE"])
        self.assertIn("the endpoint of the API destination flaky answered 404", said["ERROR_MESSAGE"])

    def test_no_redirect_is_followed(self):
        url = self.sqs.create_queue(QueueName="moved")["QueueUrl"]
        self.endpoint.answers["/moved"] = [(307, {"Location": self.endpoint.url + "/thief"}, "")]
        self.destination("moved", "/moved", DeadLetterConfig={"Arn": "arn:aws:sqs:%s:%s:moved" % (REGION, ACCOUNT)})
        self.publish("moved", {})
        self.assertEqual("/moved", self.endpoint.heard()[1])
        self.assertEqual(1, len(self.sqs.receive_message(QueueUrl=url, WaitTimeSeconds=20)["Messages"]))
        self.assertTrue(self.endpoint.got.empty())

    def test_an_event_is_logged_to_a_log_group(self):
        self.logs.create_log_group(logGroupName="/aws/events/shop")
        arn = "arn:aws:logs:%s:%s:log-group:/aws/events/shop" % (REGION, ACCOUNT)
        self.events.put_rule(Name="logged", EventPattern=json.dumps({"source": ["logged"]}))
        self.events.put_targets(Rule="logged", Targets=[
            {"Id": "whole", "Arn": arn},
            {"Id": "said", "Arn": arn + ":*", "InputTransformer": {
                "InputPathsMap": {"n": "$.detail.n", "at": "$.time"},
                "InputTemplate": '{"timestamp": <at>, "message": "number <n>"}'}}])
        event_id = self.publish("logged", {"n": 7})

        def messages():
            return [e["message"] for e in self.logs.filter_log_events(logGroupName="/aws/events/shop")["events"]]

        support.until(lambda: len(messages()) == 2)
        whole, said = sorted(messages(), key=lambda m: not m.startswith("{"))
        self.assertEqual(("number 7", event_id), (said, json.loads(whole)["id"]))
        streams = self.logs.describe_log_streams(logGroupName="/aws/events/shop")["logStreams"]
        self.assertEqual(2, len(streams))
        got = self.logs.get_log_events(logGroupName="/aws/events/shop", logStreamName=streams[0]["logStreamName"])
        self.assertEqual(1, len(got["events"]))
        self.refused("ValidationException", self.events.put_targets, Rule="logged", Targets=[
            {"Id": "1", "Arn": "arn:aws:logs:%s:%s:destination:x" % (REGION, ACCOUNT)}])

    def test_log_events_are_put_and_refused(self):
        logs = self.logs
        logs.create_log_group(logGroupName="own")
        logs.create_log_stream(logGroupName="own", logStreamName="s")
        self.refused("ResourceAlreadyExistsException", logs.create_log_stream, logGroupName="own", logStreamName="s")
        self.refused("ResourceNotFoundException", logs.put_log_events, logGroupName="own", logStreamName="none",
                     logEvents=[{"timestamp": 1, "message": "m"}])
        self.refused("InvalidParameterException", logs.put_log_events, logGroupName="own", logStreamName="s",
                     logEvents=[{"timestamp": 2, "message": "m"}, {"timestamp": 1, "message": "m"}])
        self.assertEqual({"tooOldLogEventEndIndex": 1}, logs.put_log_events(
            logGroupName="own", logStreamName="s", logEvents=[{"timestamp": 1, "message": "m"}])["rejectedLogEventsInfo"])
        self.refused("ResourceNotFoundException", logs.get_log_events, logGroupName="own", logStreamName="none")
        self.refused("ResourceNotFoundException", logs.filter_log_events, logGroupName="none")
        self.refused("ResourceNotFoundException", logs.describe_log_streams, logGroupName="none")
        logs.delete_log_stream(logGroupName="own", logStreamName="s")
        self.refused("ResourceNotFoundException", logs.delete_log_stream, logGroupName="own", logStreamName="s")
        logs.put_resource_policy(policyName="p", policyDocument="{}")
        self.assertEqual(["p"], [p["policyName"] for p in logs.describe_resource_policies()["resourcePolicies"]])
        logs.delete_resource_policy(policyName="p")
        self.refused("ResourceNotFoundException", logs.delete_resource_policy, policyName="p")


@unittest.skipUnless(known("CreateConnection"), "this boto3 knows no connections")
class Secrets(unittest.TestCase):
    """What is on the disk and in the log of a server that was given secrets."""

    SECRETS = ("s3cr3t-password", "s3cr3t-header", "s3cr3t-query", "s3cr3t-body", "s3cr3t-client")

    def test_no_file_of_the_server_has_one_in_it_and_they_are_used_after_a_restart(self):
        server, endpoint = support.Server("--private-endpoints"), Endpoint()
        try:
            events = server.client("events")
            arn = events.create_connection(Name="c", AuthorizationType="BASIC", AuthParameters={
                "BasicAuthParameters": {"Username": "u", "Password": "s3cr3t-password"},
                "InvocationHttpParameters": {part: [{"Key": "k", "Value": value, "IsValueSecret": True}] for part, value in (
                    ("HeaderParameters", "s3cr3t-header"), ("QueryStringParameters", "s3cr3t-query"),
                    ("BodyParameters", "s3cr3t-body"))}})["ConnectionArn"]
            endpoint.answers["/token"] = [(400, {}, "s3cr3t-client is wrong")]
            events.create_connection(Name="o", AuthorizationType="OAUTH_CLIENT_CREDENTIALS", AuthParameters={
                "OAuthParameters": {"ClientParameters": {"ClientID": "i", "ClientSecret": "s3cr3t-client"},
                                    "AuthorizationEndpoint": endpoint.url + "/token", "HttpMethod": "POST"}})
            endpoint.heard()
            support.until(lambda: events.describe_connection(Name="o")["ConnectionState"] == "DEAUTHORIZED")
            destination = events.create_api_destination(Name="d", ConnectionArn=arn, HttpMethod="POST",
                                                        InvocationEndpoint=endpoint.url + "/refused")
            events.put_rule(Name="r", EventPattern=PATTERN)
            events.put_targets(Rule="r", Targets=[{"Id": "1", "Arn": destination["ApiDestinationArn"]}])
            endpoint.answers["/refused"] = [(400, {}, "no s3cr3t-password")]
            entry = {"Source": "shop", "DetailType": "t", "Detail": "{}"}
            events.put_events(Entries=[entry])
            _, path, headers, body = endpoint.heard()
            self.assertEqual(("/refused?k=s3cr3t-query", "s3cr3t-header", "s3cr3t-body"),
                             (path, headers["k"], json.loads(body)["k"]))
            server.end()
            files = 0
            for folder, _, names in os.walk(server.folder):
                for name in names:
                    with open(os.path.join(folder, name), "rb") as file:
                        content = file.read()
                    files += 1
                    for secret in self.SECRETS:
                        for form in (secret.encode(), base64.b64encode(secret.encode()).rstrip(b"=")[:-1]):
                            self.assertNotIn(form, content, os.path.join(folder, name))
            self.assertGreater(files, 2)
            self.assertEqual(0o600, os.stat(os.path.join(server.folder, "data", "keys.json")).st_mode & 0o777)
            server.start()
            server.client("events").put_events(Entries=[entry])
            self.assertEqual("s3cr3t-header", endpoint.heard()[2]["k"])
        finally:
            endpoint.close()
            server.stop()
