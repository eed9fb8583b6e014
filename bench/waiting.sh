#!/usr/bin/env bash
# How long `fixpoint serve` takes from its exec to its ready line over executions that all wait for approval, and how much memory it holds then; that it is
# alive is shown by an answer to one of them.
# bench/waiting.sh [EXECUTIONS]; FIXPOINT_BUILD_DIR is the build folder; bench_waiting fills the data folder.
set -euo pipefail
cd "$(dirname "$0")/.."
build=${FIXPOINT_BUILD_DIR:-build}
exec /usr/bin/python3 - "$build" "${1:-100000}" <<'PY'
import json, os, shutil, subprocess, sys, tempfile, time

build, count = sys.argv[1], int(sys.argv[2])
folder = tempfile.mkdtemp()
data = os.path.join(folder, "data")
server = None
good = True
try:
    last = subprocess.run([f"{build}/bench/bench_waiting", data, str(count)], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    size = sum(os.path.getsize(os.path.join(data, name)) for name in os.listdir(data))
    print(f"{count} executions wait for approval; {size / 1e6:.0f} MB on disk")
    for run in ("first start", "restart"):
        began = time.monotonic()
        server = subprocess.Popen([f"{build}/fixpoint", "serve", "--listen", "127.0.0.1:0", "--data", data], stdout=subprocess.PIPE, text=True)
        line = server.stdout.readline()
        took = time.monotonic() - began
        assert "is ready" in line, line
        environment = dict(os.environ)
        environment.update(json.loads(subprocess.run([f"{build}/fixpoint", "env", "--data", data, "--json"], check=True, stdout=subprocess.PIPE).stdout))
        call = lambda *words: subprocess.run([f"{build}/fixpoint", *words, "--json"], env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout
        # Exit status 1: they have not ended.
        shown = subprocess.run([f"{build}/fixpoint", "executions", "--status", "WAITING", "--json"], env=environment, stdout=subprocess.PIPE, text=True)
        waiting = json.loads(shown.stdout)["Open"]
        resident = {k: int(v.split()[0]) / 1024 for k, v in (l.split(":", 1) for l in open(f"/proc/{server.pid}/status")) if k in ("VmRSS", "VmHWM")}
        threads = len(os.listdir(f"/proc/{server.pid}/task"))
        print(f"{run}: ready after {took:.2f} s (the bar: 3 s); {waiting} are open; resident {resident['VmRSS']:.0f} MB, at most {resident['VmHWM']:.0f} MB (the bar: 300 MB); {threads} threads")
        good = good and took < 3 and resident["VmRSS"] < 300 and waiting >= count - 1
        if run == "restart":
            began = time.monotonic()
            call("reject", last, "--because", "the end of the benchmark")
            print(f"one answered in {1000 * (time.monotonic() - began):.0f} ms, command and all")
        server.terminate()
        server.wait()
finally:
    if server and server.poll() is None:
        server.kill()
    shutil.rmtree(folder)
sys.exit(0 if good else 1)
PY
