#!/usr/bin/env bash
# Hello over HTTP: the server under wrk, plain and TLS, then our load generator and the curl client against it.
# bench/http.sh [SECONDS]; FIXPOINT_BUILD_DIR is the build folder.
set -euo pipefail
cd "$(dirname "$0")/.."
bench=${FIXPOINT_BUILD_DIR:-build}/bench/bench_http
seconds=${1:-3}
folder=$(mktemp -d)
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null; rm -rf "$folder"' EXIT
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=127.0.0.1 \
  -keyout "$folder/key.pem" -out "$folder/certificate.pem" 2>/dev/null

load() { # load NAME SCHEME SERVER_ARGUMENTS...
  local name=$1 scheme=$2
  shift 2
  : >"$folder/port"
  "$bench" serve "$@" >"$folder/port" &
  server=$!
  while [ ! -s "$folder/port" ]; do sleep 0.05; done
  wrk -t1 -c64 "-d${seconds}s" --latency -H 'X-Amz-Target: Service.Operation' -H 'Accept: */*' -H 'User-Agent: bench' "$scheme://127.0.0.1:$(cat "$folder/port")/" |
    awk -v name="$name" '/99%/ {p99 = $2} /Non-2xx/ {bad = $0} /Requests\/sec/ {printf "%s: %.0f requests/s, p99 %s %s\n", name, $2, p99, bad}'
  kill "$server"
  wait "$server" 2>/dev/null || true
  server=
}
load "server, 1 I/O thread" http 1
load "server, 2 I/O threads" http 2
load "server, 1 I/O thread, TLS" https 1 "$folder/certificate.pem" "$folder/key.pem"
"$bench" load "$seconds"
"$bench" client "$seconds"
