"""Loaded by Python itself before anything else: makes an unmodified boto3 talk to fixpoint.

Nothing is imported here but what Python has imported already; botocore's modules are patched in the moment in which
somebody imports them, so that a handler without boto3 does not pay for it, and a botocore inside the function's own zip
is patched like the system's. Every patch stands on names that botocore 1.29 (Debian 12) and 1.43 both have.
"""
import os
import socket
import sys

_LOOPBACK_SUFFIXES = (".127.0.0.1", ".localhost")
_real_getaddrinfo = socket.getaddrinfo


def _getaddrinfo(host, *args, **kwargs):
    # S3 Control puts the account in front of the host, and new clients put the bucket there: ACCOUNT.127.0.0.1.
    if isinstance(host, str) and host.endswith(_LOOPBACK_SUFFIXES):
        host = "127.0.0.1"
    return _real_getaddrinfo(host, *args, **kwargs)


socket.getaddrinfo = _getaddrinfo


class CurrentCredentials:
    """The credentials of the invocation that runs now. The bootstrap sets them; between invocations there are none."""

    _value = None  # (access key, secret key, session token), swapped whole

    def set(self, access_key, secret_key, token):
        os.environ["AWS_ACCESS_KEY_ID"] = access_key
        os.environ["AWS_SECRET_ACCESS_KEY"] = secret_key
        if token:
            os.environ["AWS_SESSION_TOKEN"] = token
        else:
            os.environ.pop("AWS_SESSION_TOKEN", None)
        self._value = (access_key, secret_key, token or None)

    def clear(self):
        self._value = None
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            os.environ.pop(name, None)

    def get(self):
        return self._value


current = CurrentCredentials()


def _patch_credentials(module):
    plain = module.Credentials

    class InvocationCredentials(plain):
        """Credentials that a client made once reads anew with every request that it signs."""

        method = "env"
        account_id = None

        def __init__(self):  # nothing is kept: every attribute below is looked up when it is asked for
            pass

        def _now(self):
            value = current.get()
            if value is None:
                raise module.NoCredentialsError()
            return value

        @property
        def access_key(self):
            return self._now()[0]

        @property
        def secret_key(self):
            return self._now()[1]

        @property
        def token(self):
            return self._now()[2]

        def get_frozen_credentials(self):
            return plain(*self._now()).get_frozen_credentials()

        def __copy__(self):
            return self

        def __deepcopy__(self, memo):
            return self

    if not hasattr(module, "NoCredentialsError"):
        import botocore.exceptions

        module.NoCredentialsError = botocore.exceptions.NoCredentialsError

    module.EnvProvider.load = lambda self: InvocationCredentials()


def _endpoint_for(service_name):
    name = service_name.upper().replace("-", "_").replace(" ", "_")
    return os.environ.get("AWS_ENDPOINT_URL_" + name) or os.environ.get("AWS_ENDPOINT_URL")


def _patch_session(module):
    create_client = module.Session.create_client

    def create(self, service_name, region_name=None, api_version=None, use_ssl=True, verify=None, endpoint_url=None,
               aws_access_key_id=None, aws_secret_access_key=None, aws_session_token=None, config=None, **more):
        if endpoint_url is None:
            endpoint_url = _endpoint_for(service_name)
        from botocore.config import Config

        # Prefixes such as sync- (Step Functions) belong to AWS's own names, not to an address.
        quiet = Config(inject_host_prefix=False)
        config = quiet if config is None else config.merge(quiet)
        return create_client(
            self, service_name, region_name=region_name, api_version=api_version, use_ssl=use_ssl, verify=verify,
            endpoint_url=endpoint_url, aws_access_key_id=aws_access_key_id,
            aws_secret_access_key=aws_secret_access_key, aws_session_token=aws_session_token, config=config, **more)

    module.Session.create_client = create


_PATCHES = {"botocore.credentials": _patch_credentials, "botocore.session": _patch_session}


class _PatchingFinder:
    """Finds the modules to patch as Python would, and patches them when they have run."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        patch = _PATCHES.get(name)
        if patch is None:
            return None
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.loader is None:
            return None
        run = spec.loader.exec_module

        def exec_module(module):
            run(module)
            patch(module)

        spec.loader.exec_module = exec_module
        return spec


sys.meta_path.insert(0, _PatchingFinder)
