#!/usr/bin/env bash
# How long `fixpoint serve` takes from its exec to its ready line on an empty folder (median of several), and how much memory it holds then and after the demo's work.
# bench/start.sh [RUNS]; FIXPOINT_BUILD_DIR is the build folder.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${FIXPOINT_BUILD_DIR:-build}
exec /usr/bin/python3 - "$build/fixpoint" "${1:-9}" <<'PY'
import os, shutil, subprocess, sys, tempfile, time

fixpoint, runs = sys.argv[1], int(sys.argv[2])

def start(folder):
    began = time.monotonic()
    server = subprocess.Popen([fixpoint, "serve", "--listen", "127.0.0.1:0", "--data", folder], stdout=subprocess.PIPE, text=True)
    line = server.stdout.readline()
    assert "is ready" in line, line
    return server, (time.monotonic() - began) * 1000

def resident_mb(server, field="VmRSS"):
    for line in open(f"/proc/{server.pid}/status"):
        if line.startswith(field):
            return int(line.split()[1]) / 1024

def call(environment, *words):
    return subprocess.run([fixpoint, *words], env=environment, check=True, capture_output=True, text=True).stdout

times = []
for _ in range(runs):
    folder = tempfile.mkdtemp()
    server, took = start(folder)
    times.append(took)
    server.terminate()
    server.wait()
    shutil.rmtree(folder)
times.sort()
folder = tempfile.mkdtemp()
server, _ = start(folder)
at_start = resident_mb(server)
try:
    environment = dict(os.environ)
    for line in subprocess.run([fixpoint, "env", "--data", folder], check=True, capture_output=True, text=True).stdout.splitlines():
        name, value = line.removeprefix("export ").split("=", 1)
        environment[name] = value.strip("'")
    pattern = '{\\"detail-type\\": [\\"Security Hub Findings - Imported\\"], \\"detail\\": {\\"findings\\": {\\"Workflow\\": {\\"Status\\": [\\"NEW\\"]}}}}'
    call(environment, "call", "events", "PutRule", '{"Name": "fix", "EventPattern": "' + pattern + '"}')
    call(environment, "call", "events", "PutTargets", '{"Rule": "fix", "Targets": [{"Id": "c", "Arn": "arn:aws:fixpoint:us-east-1:111111111111:control/*"}]}')
    call(environment, "mode", "auto")
    call(environment, "scene", "S3.4", "EC2.13", "CloudTrail.3", "KMS.4")
    call(environment, "executions", "--wait", "30")
    print(f"ready after {times[len(times) // 2]:.0f} ms (median of {runs}; {times[0]:.0f} to {times[-1]:.0f}); the bar is 300 ms")
    print(f"resident {at_start:.0f} MB when ready, {resident_mb(server):.0f} MB after the demo's work, {resident_mb(server, 'VmHWM'):.0f} MB at most; the bar is 150 MB")
finally:
    server.terminate()
    server.wait()
    shutil.rmtree(folder)
PY
