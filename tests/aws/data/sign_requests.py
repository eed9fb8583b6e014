"""Signs random requests with botocore, in headers and presigned: COUNT SEED. Prints each as its length, a line end and the bytes."""
import random
import sys
from urllib.parse import quote

from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth, SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

count = int(sys.argv[1])
random.seed(int(sys.argv[2]))
credentials = Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
alphabet = "abcXYZ019-._~ /+=&%é日!$'()*,;:@?#[]{}|\\^`\"<>\t"
origin = "https://host.example.com"


def word(longest):
    return "".join(random.choice(alphabet) for _ in range(random.randint(0, longest)))


def parameter():
    name = quote(word(5), safe="-_.~") or "k"
    return name + "=" + (quote(word(6), safe="-_.~") if random.random() < 0.8 else "")


made = 0
while made < count:
    s3 = random.random() < 0.5
    service = "s3" if s3 else random.choice(["lambda", "securityhub", "events"])
    safe = random.choice(["", "/~", "~"])
    path = "/" + "/".join(quote(word(8), safe=safe) for _ in range(random.randint(0, 4)))
    if s3 and random.random() < 0.2:
        path += "//.//x/../y"
    query = "&".join(parameter() for _ in range(random.randint(0, 4)))
    body = "".join(random.choice("0123456789") for _ in range(random.randint(0, 60))).encode()
    request = AWSRequest(random.choice(["GET", "PUT", "POST", "DELETE"]), origin + path + ("?" + query if query else ""), data=body)
    for i in range(random.randint(0, 3)):
        request.headers["x-amz-meta-%d" % i] = "  " * random.randint(0, 1) + "v  a %d  " % i
    if random.random() < 0.3:
        signer = S3SigV4QueryAuth if s3 else SigV4QueryAuth
    else:
        signer = S3SigV4Auth if s3 else SigV4Auth
    try:
        signer(credentials, service, "us-east-1").add_auth(request)
    except Exception:  # botocore itself cannot take every path apart
        continue
    text = "%s %s HTTP/1.1\r\nHost: host.example.com\r\n" % (request.method, request.url[len(origin):])
    text += "".join("%s: %s\r\n" % header for header in request.headers.items())
    data = text.encode() + b"\r\n" + body
    sys.stdout.buffer.write(b"%d\n" % len(data) + data)
    made += 1
