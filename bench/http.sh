#!/usr/bin/env bash
# Hello over HTTP: the server on one and two I/O threads under wrk, then our load generator and the curl client against it.
# bench/http.sh [SECONDS]; FIXPOINT_BUILD_DIR is the build folder.
set -euo pipefail
cd "$(dirname "$0")/.."
bench=${FIXPOINT_BUILD_DIR:-build}/bench/bench_http
seconds=${1:-3}
port_file=$(mktemp)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -f "$port_file"' EXIT
for threads in 1 2; do
  "$bench" serve "$threads" >"$port_file" &
  server=$!
  while [ ! -s "$port_file" ]; do sleep 0.05; done
  wrk -t1 -c64 "-d${seconds}s" --latency -H 'X-Amz-Target: Service.Operation' -H 'Accept: */*' -H 'User-Agent: bench' "http://127.0.0.1:$(cat "$port_file")/" |
    awk -v threads="$threads" '/99%/ {p99 = $2} /Non-2xx/ {bad = $0} /Requests\/sec/ {printf "server, %d I/O thread(s): %.0f requests/s, p99 %s %s\n", threads, $2, p99, bad}'
  kill "$server"
  wait "$server" 2>/dev/null || true
  server=
  : >"$port_file"
done
"$bench" load "$seconds"
"$bench" client "$seconds"
