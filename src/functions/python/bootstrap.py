"""The process that runs a handler: speaks Lambda's runtime interface with the program that started it.

What it needs comes over that interface alone: the environment, the code and, for each invocation, the credentials.
https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html; the three paths under /fixpoint/ are our own.
"""
import http.client
import importlib
import io
import json
import logging
import os
import resource
import stat
import sys
import time
import traceback
import zipfile

import sitecustomize

VERSION = "/2018-06-01/runtime"
ENTRY_LIMIT = 50_000
UNPACKED_LIMIT = 262_144_000


class Interface:
    def __init__(self, address):
        host, _, secret = address.partition("/")
        self._prefix = "/" + secret
        self._connection = http.client.HTTPConnection(host)

    def call(self, method, path, body=None, headers=None):
        self._connection.request(method, self._prefix + path, body=body, headers=headers or {})
        response = self._connection.getresponse()
        data = response.read()
        if response.status not in (200, 202):
            raise SystemExit(f"the runtime interface answered {response.status} to {method} {path}")
        return response, data

    def call_json(self, path):
        return json.loads(self.call("GET", path)[1])


class Fault(Exception):
    """A failure that is the function's own but no exception of its code."""

    def __init__(self, kind, message, trace=None):
        super().__init__(message)
        self.kind = kind
        self.trace = trace or []


class Identity:
    def __init__(self, values=None):
        values = values or {}
        self.cognito_identity_id = values.get("cognitoIdentityId")
        self.cognito_identity_pool_id = values.get("cognitoIdentityPoolId")


class Client:
    def __init__(self, values):
        for name in ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name"):
            setattr(self, name, values.get(name))


class ClientContext:
    def __init__(self, values):
        self.custom = values.get("custom")
        self.env = values.get("env")
        self.client = Client(values["client"]) if isinstance(values.get("client"), dict) else None


class Context:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    def __init__(self, headers):
        self.aws_request_id = headers["Lambda-Runtime-Aws-Request-Id"]
        self.invoked_function_arn = headers["Lambda-Runtime-Invoked-Function-Arn"]
        self._deadline_ms = int(headers["Lambda-Runtime-Deadline-Ms"])
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = Identity()
        self.client_context = None
        client_context = headers.get("Lambda-Runtime-Client-Context")
        if client_context:
            try:
                # http.client reads header lines as Latin-1; what stands there is UTF-8.
                self.client_context = ClientContext(json.loads(client_context.encode("latin-1")))
            except Exception as failure:
                raise Fault("Runtime.LambdaContextUnmarshalError", f"Unable to parse Client Context JSON: {failure}")

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        shown = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if not name.startswith("_"))
        return f"LambdaContext([{shown}])"


request_id = ""


class LogHandler(logging.Handler):
    def emit(self, record):
        record.aws_request_id = request_id
        sys.stdout.write(self.format(record))


def set_up_logging():
    handler = LogHandler()
    formatter = logging.Formatter(
        "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n", "%Y-%m-%dT%H:%M:%S")
    formatter.converter = time.gmtime
    handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)


def unpack(data, folder):
    """Unpacks the function's zip, within bounds that do not trust what the zip says of itself."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        entries = archive.infolist()
        if len(entries) > ENTRY_LIMIT:
            raise ValueError(f"it has {len(entries)} entries; at most {ENTRY_LIMIT} are taken")
        left = UNPACKED_LIMIT
        for entry in entries:
            name = entry.filename
            if name.startswith("/") or "\\" in name or ".." in name.split("/"):
                raise ValueError(f"its entry {name!r} leads out of the folder")
            mode = entry.external_attr >> 16
            if stat.S_ISLNK(mode):
                raise ValueError(f"its entry {name!r} is a symbolic link")
            target = os.path.join(folder, name)
            if entry.is_dir():
                os.makedirs(target, exist_ok=True)
                continue
            os.makedirs(os.path.dirname(target), exist_ok=True)
            with archive.open(entry) as source, open(target, "wb") as out:
                while piece := source.read(1 << 20):
                    left -= len(piece)
                    if left < 0:
                        raise ValueError(f"it unpacks to more than {UNPACKED_LIMIT} bytes")
                    out.write(piece)
            os.chmod(target, 0o755 if mode & 0o111 else 0o644)


def find_handler(text):
    module_name, dot, function_name = text.rpartition(".")
    if not dot:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{text}': not enough values to unpack (expected 2, got 1)")
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault("Runtime.BuiltInModuleConflict", f"Cannot use built-in module {module_name} as a handler module")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as failure:
        raise Fault("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {failure}")
    except SyntaxError as failure:
        raise Fault("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {failure}",
                    [f'  File "{failure.filename}" Line {failure.lineno}\n    {failure.text}'])
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'")


def describe(failure):
    """An exception as Lambda's error document."""
    if isinstance(failure, Fault):
        return {"errorMessage": str(failure), "errorType": failure.kind, "requestId": request_id, "stackTrace": failure.trace}
    frames = traceback.extract_tb(failure.__traceback__)
    own = [at for at, frame in enumerate(frames) if frame.filename != __file__ and "importlib" not in frame.filename]
    frames = frames[own[0]:] if own else []
    try:
        message = str(failure)
    except Exception:
        message = ""
    return {"errorMessage": message, "errorType": type(failure).__name__, "requestId": request_id,
            "stackTrace": traceback.format_list(frames)}


def log_error(error):
    lines = [f"[ERROR] {error['errorType']}: {error['errorMessage']}", "Traceback (most recent call last):"]
    for element in error["stackTrace"]:
        lines += element.splitlines()
    sys.stdout.write("\n".join(lines) + "\n")


def take_credentials(interface):
    keys = interface.call_json("/fixpoint/credentials")
    sitecustomize.current.set(keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("Token"))


def used_memory():
    return {"Fixpoint-Max-Memory-Kb": str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)}


def run_one(interface, handler):
    global request_id
    response, body = interface.call("GET", VERSION + "/invocation/next")
    headers = response.headers
    request_id = headers["Lambda-Runtime-Aws-Request-Id"]
    take_credentials(interface)
    error = None
    try:
        context = Context(headers)
        try:
            event = json.loads(body)
        except ValueError as failure:
            raise Fault("Runtime.UnmarshalError", f"Unable to unmarshal input: {failure}")
        result = handler(event, context)
        try:
            answer = json.dumps(result, ensure_ascii=False, allow_nan=False).encode()
        except Exception as failure:
            raise Fault("Runtime.MarshalError", f"Unable to marshal response: {failure}")
        if len(answer) > int(headers["Fixpoint-Response-Limit"]):
            raise Fault("Function.ResponseSizeTooLarge", "Response payload size exceeded maximum allowed payload size "
                        f"({headers['Fixpoint-Response-Limit']} bytes).")
    except Exception as failure:
        error = describe(failure)
        log_error(error)
    sys.stdout.flush()
    sys.stderr.flush()
    sitecustomize.current.clear()
    path = f"{VERSION}/invocation/{request_id}"
    if error is None:
        interface.call("POST", path + "/response", answer, used_memory())
    else:
        interface.call("POST", path + "/error", json.dumps(error).encode(),
                       {**used_memory(), "Lambda-Runtime-Function-Error-Type": error["errorType"]})
    request_id = ""


def main():
    interface = Interface(os.environ["AWS_LAMBDA_RUNTIME_API"])
    os.environ.update(interface.call_json("/fixpoint/environment"))
    time.tzset()
    root = os.environ["LAMBDA_TASK_ROOT"]
    try:
        try:
            unpack(interface.call("GET", "/fixpoint/code")[1], root)
        except (ValueError, zipfile.BadZipFile, NotImplementedError, OSError) as failure:
            raise Fault("Runtime.InvalidCodePackage", f"The function's zip file cannot be unpacked: {failure}")
        os.chdir(root)
        # The function's own modules come before the system's, as in Lambda; ours are not for it to import.
        ours = os.path.dirname(__file__)
        asked_for = [p for p in os.environ["PYTHONPATH"].split(":") if p and p != ours]
        sys.path[:] = [root] + asked_for + [p for p in sys.path if p and p != ours]
        sys.argv = [""]
        set_up_logging()
        take_credentials(interface)
        handler = find_handler(os.environ["_HANDLER"])
    except BaseException as failure:
        if isinstance(failure, SystemExit):
            raise
        error = describe(failure)
        log_error(error)
        interface.call("POST", VERSION + "/init/error", json.dumps(error).encode(),
                       {**used_memory(), "Lambda-Runtime-Function-Error-Type": error["errorType"]})
        os._exit(1)
    sitecustomize.current.clear()
    while True:
        run_one(interface, handler)


if __name__ == "__main__":
    main()
