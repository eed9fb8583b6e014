"""A fixpoint under test: started with a fault, spoken to through /api/, ended and looked at from outside."""
import datetime
import hashlib
import hmac
import http.client
import json
import os
import signal
import struct
import subprocess
import time

ACCOUNT = "111111111111"
REGION = "us-east-1"
WAIT_SECONDS = 90  # bounds a wait that goes wrong


class Failure(Exception):
    """What a run found to be wrong, in a sentence."""


class Refused(Exception):
    """The server answered with an error."""

    def __init__(self, status, answer):
        super().__init__(f"{status}: {answer}")
        self.status = status
        self.answer = answer


def expect(holds, sentence):
    if not holds:
        raise Failure(sentence)


class JumpingClock:
    """A file that the server adds to its clock (src/base/fault.h)."""

    def __init__(self, folder):
        self.path = os.path.join(folder, "clock")
        self.offset_ms = 0
        self.jump_to(0)

    def jump_to(self, offset_ms):
        self.offset_ms = offset_ms
        # In place: the server has these bytes in its memory.
        file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        os.pwrite(file, struct.pack("=q", offset_ms), 0)
        os.close(file)


class Server:
    """A server over a data folder. `fault` is NAME:N, where it ends itself; it notes the calls of executions in any case."""

    def __init__(self, program, folder, catalog, fault="none", clock=None):
        self.program = program
        self.folder = folder
        self.clock = clock
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "FIXPOINT_"))}
        environment["FIXPOINT_FAULT"] = fault
        if clock:
            environment["FIXPOINT_CLOCK"] = clock.path
        # A write past RLIMIT_FSIZE is to fail, not to end the process: Python ignores SIGXFSZ, and the child inherits it.
        self.process = subprocess.Popen(
            [program, "serve", "--listen", "127.0.0.1:0", "--data", folder, "--catalog", catalog],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True, restore_signals=False)
        line = self.process.stdout.readline()
        self.ready = line.startswith("fixpoint is ready")
        if self.ready:
            self.port = int(line.split("127.0.0.1:")[1].split()[0])
            with open(os.path.join(folder, "keys.json"), encoding="utf-8") as file:
                key = json.load(file)["Keys"][0]
            self.key, self.secret = key["AccessKeyId"], key["SecretAccessKey"]

    def expect_ready(self):
        if not self.ready:
            self.process.wait(timeout=WAIT_SECONDS)
            raise Failure("the server did not become ready: " + self.process.stderr.read())

    def sign(self, path, body):
        """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html"""
        offset = datetime.timedelta(milliseconds=self.clock.offset_ms if self.clock else 0)
        now = (datetime.datetime.now(datetime.timezone.utc) + offset).strftime("%Y%m%dT%H%M%SZ")
        host = f"127.0.0.1:{self.port}"
        scope = f"{now[:8]}/{REGION}/fixpoint/aws4_request"
        request = "\n".join(["POST", path, "", f"host:{host}", f"x-amz-date:{now}", "", "host;x-amz-date",
                             hashlib.sha256(body).hexdigest()])
        text = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(request.encode()).hexdigest()])
        key = ("AWS4" + self.secret).encode()
        for part in (now[:8], REGION, "fixpoint", "aws4_request"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        signature = hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
        return {"Host": host, "X-Amz-Date": now, "Content-Type": "application/json",
                "Authorization": f"AWS4-HMAC-SHA256 Credential={self.key}/{scope}, SignedHeaders=host;x-amz-date, "
                                 f"Signature={signature}"}

    def api(self, name, **given):
        """The answer; ConnectionError (or an OSError) where the server ended, Refused where it refused."""
        path, body = "/api/" + name, json.dumps(given).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WAIT_SECONDS)
        try:
            connection.request("POST", path, body, self.sign(path, body))
            response = connection.getresponse()
            answer = json.loads(response.read())
        except (http.client.HTTPException, ValueError) as error:
            raise ConnectionError(str(error)) from error
        finally:
            connection.close()
        if response.status != 200:
            raise Refused(response.status, answer)
        return answer

    def call(self, service, operation, **given):
        return self.api("call", Service=service, Operation=operation, Input=given)

    def wait_ended(self, count, approve=True, seconds=WAIT_SECONDS):
        """Answers what waits for approval, until `count` executions have ended and none is open; their list."""
        until = time.monotonic() + seconds
        while True:
            listed = self.api("executions")
            if listed["Open"] == 0 and len(listed["Executions"]) >= count:
                return listed["Executions"]
            if approve:
                for execution in listed["Executions"]:
                    if execution["Outcome"] == "waits for approval":
                        try:
                            self.api("answer", Id=execution["Id"], Approved=True, Reason="tested")
                        except Refused as refused:  # answered already, by an answer whose answer was lost
                            expect(refused.status == 409, f"an approval was refused: {refused}")
            expect(time.monotonic() < until, f"executions are left open: {listed}")
            time.sleep(0.004)

    def killed(self):
        """Waits for its end; whether it was the fault's."""
        self.process.wait(timeout=WAIT_SECONDS)
        return self.process.returncode == -signal.SIGKILL

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=WAIT_SECONDS)
        self.close()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.process.stderr.close()
