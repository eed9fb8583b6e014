#!/usr/bin/env bash
# Signed requests a second, signatures verified: GetFindings, GetBucketEncryption, DescribeSecurityGroups against a server that holds the demo's scenes and some hundred
# findings; the load generator runs beside it. Then the client: signed calls a second against a stub. Where moto is there, its own figure for an unsigned call.
# bench/api.sh [SECONDS] [CONNECTIONS]; FIXPOINT_BUILD_DIR is the build folder.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${FIXPOINT_BUILD_DIR:-build}
seconds=${1:-3}
connections=${2:-32}
folder=$(mktemp -d)
server=
peer=
finish() {
  [ -z "$server" ] || kill "$server" 2>/dev/null || true
  [ -z "$peer" ] || kill "$peer" 2>/dev/null || true
  wait 2>/dev/null || true
  rm -rf "$folder"
}
trap finish EXIT
"$build/fixpoint" serve --listen 127.0.0.1:0 --data "$folder/data" >"$folder/log" &
server=$!
until grep -q "is ready" "$folder/log"; do sleep 0.05; done
eval "$("$build/fixpoint" env --data "$folder/data")"
"$build/fixpoint" mode observe >/dev/null
"$build/fixpoint" scene S3.4 EC2.13 --json >"$folder/scene.json"
"$build/fixpoint" call s3 PutBucketEncryption '{"Bucket": "demo-payroll-exports", "ServerSideEncryptionConfiguration": {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}}' --json >/dev/null
# Some hundred findings beside the one that is asked for.
/usr/bin/python3 - "$folder/findings.json" <<'PY'
import json, sys
finding = lambda n: {"SchemaVersion": "2018-10-08", "Id": f"bench/{n}", "ProductArn": "arn:aws:securityhub:us-east-1::product/aws/securityhub", "GeneratorId": "security-control/S3.4",
    "AwsAccountId": "111111111111", "Types": ["Software and Configuration Checks"], "CreatedAt": "2024-01-02T03:04:05.678Z", "UpdatedAt": "2024-01-02T03:04:05.678Z",
    "Severity": {"Label": "MEDIUM"}, "Title": "Bucket without default encryption", "Description": "x" * 400, "ProductFields": {f"field/{i}": "y" * 40 for i in range(20)},
    "Resources": [{"Type": "AwsS3Bucket", "Id": f"arn:aws:s3:::bench-{n}"}], "Compliance": {"Status": "FAILED"}}
json.dump([finding(n) for n in range(500)], open(sys.argv[1], "w"))
PY
"$build/fixpoint" import "$folder/findings.json" >/dev/null
finding=$(grep -o '"FindingId": "[^"]*"' "$folder/scene.json" | head -n 1 | cut -d'"' -f4)
group=$(grep -o 'sg-[0-9a-f]*' "$folder/scene.json" | head -n 1)
status=0
"$build/bench/bench_api" "${AWS_ENDPOINT_URL#http://}" "$finding" "$group" demo-payroll-exports "$seconds" "$connections" || status=$?
kill "$server" && wait "$server" 2>/dev/null || true
server=
"$build/bench/bench_client" "$seconds"
if python3 -c 'import moto.server' 2>/dev/null && command -v wrk >/dev/null; then
  python3 -m moto.server -H 127.0.0.1 -p 5987 >/dev/null 2>&1 &
  peer=$!
  for _ in $(seq 100); do (exec 3<>/dev/tcp/127.0.0.1/5987) 2>/dev/null && break; sleep 0.1; done
  wrk -t1 -c8 "-d${seconds}s" http://127.0.0.1:5987/ | awk '/Requests\/sec/ {printf "moto, ListBuckets unsigned: %.0f requests/s\n", $2}'
else
  echo "moto is not here: no peer"
fi
exit $status
