#!/usr/bin/env bash
# ./dev bench jsonata: fixpoint's JSONata beside the official implementation on Node, on the same documents.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd -P)
command -v npm >/dev/null || { echo "bench/jsonata.sh wants node and npm (apt-get install nodejs npm)" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cp "$here"/package.json "$here"/package-lock.json "$here"/jsonata.js "$here"/jsonata.json "$folder"
(cd "$folder" && npm ci --silent --no-audit --no-fund)
echo "node $(node --version), jsonata $(node -p "require('$folder/node_modules/jsonata/package.json').version"): measuring"
node "$folder/jsonata.js" "$folder"

"$FIXPOINT_BUILD_DIR/bench/bench_jsonata" "$folder"

