// Merges the service models of npm packages and of python3-botocore into one pack:
//
//   node build.mjs --npm FOLDER --botocore FOLDER --output FILE [--report FILE] [--list]
//
// The pack's bytes: "FXMODEL1", the index's length (32 bits, little-endian), the index (JSON), then one zstd frame a
// service, which holds {"service": ..., "paginators": ..., "waiters": ...}: botocore's service-2.json, paginators-1.json
// and waiters-2.json. Offsets in the index count from the index's end. The same sources give the same bytes.
import { spawn } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { read_botocore } from "./botocore.mjs";
import { check, merge, merge_pagination } from "./merge.mjs";
import { read_client } from "./npm.mjs";
import { services } from "./services.mjs";

const Magic = "FXMODEL1";
const here = dirname(fileURLToPath(import.meta.url));

function options() {
  const given = {};
  const words = process.argv.slice(2);
  while (words.length) {
    const word = words.shift();
    if (word === "--list") given.list = true;
    else if (["--npm", "--botocore", "--output", "--report"].includes(word) && words.length) given[word.slice(2)] = words.shift();
    else throw new Error(`what is '${word}'? usage: build.mjs --npm FOLDER --botocore FOLDER --output FILE [--report FILE] [--list]`);
  }
  for (const name of ["npm", "botocore", "output"]) if (!given[name]) throw new Error(`--${name} is missing`);
  return given;
}

function compress(bytes) {
  return new Promise((resolve, reject) => {
    // The size stands in the frame's header, so that a reader can bound its buffer before it unpacks.
    const child = spawn("zstd", ["-19", "--quiet", "--no-check", "--content-size", `--stream-size=${bytes.length}`, "-c"], { stdio: ["pipe", "pipe", "inherit"] });
    const chunks = [];
    child.on("error", (error) => reject(new Error(`cannot run zstd (apt-get install zstd): ${error.message}`)));
    child.stdout.on("data", (chunk) => chunks.push(chunk));
    child.on("close", (status) => (status === 0 ? resolve(Buffer.concat(chunks)) : reject(new Error(`zstd ended with status ${status}`))));
    child.stdin.end(bytes);
  });
}

function build(service, npm, botocore, lock, report) {
  const locked = lock.packages[`node_modules/${service.package}`];
  if (!locked) throw new Error(`package-lock.json has no ${service.package}`);
  const now = read_client(join(npm, `${service.package.slice(1).replace("/", "-")}-${locked.version}.tgz`));
  const old = read_botocore(botocore, service.name);
  if (now.metadata.apiVersion !== old.metadata.apiVersion) throw new Error(`${service.name}: one source has API version ${old.metadata.apiVersion}, the other ${now.metadata.apiVersion}`);
  const model = merge(service.name, old, now, report);
  check(service.name, model);
  const pagination = merge_pagination(service.name, old, now, model);
  const waiters = Object.fromEntries(Object.entries({ ...now.waiters, ...old.waiters }).filter(([, waiter]) => model.operations[waiter.operation]));
  const { metadata } = model;
  const entry = {
    name: service.name,
    version: metadata.apiVersion,
    protocols: metadata.protocols,
    endpointPrefix: metadata.endpointPrefix,
    signingName: metadata.signingName ?? metadata.endpointPrefix,
    targetPrefixes: metadata.targetPrefixes ?? (metadata.targetPrefix ? [metadata.targetPrefix] : []),
    operations: Object.keys(model.operations).length,
  };
  const text = JSON.stringify({ service: { version: "2.0", ...model }, paginators: { pagination }, waiters: { version: 2, waiters } });
  return { entry, bytes: Buffer.from(text), older: Object.keys(old.operations).length };
}

async function main() {
  const { npm, botocore, output, report, list } = options();
  const lock = JSON.parse(readFileSync(join(here, "package-lock.json"), "utf8"));
  const disagreements = [];
  const entries = [];
  const running = [];
  // Two at a time: merging is quick, packing is what takes the time.
  const width = 2;
  for (const service of services) {
    const { entry, bytes, older } = build(service, npm, botocore, lock, (sentence) => disagreements.push(sentence));
    if (list) console.log(`${entry.name.padEnd(24)} ${String(older).padStart(4)} -> ${String(entry.operations).padStart(4)} operations, ${entry.protocols.join(" and ")}`);
    entries.push(entry);
    while (running.length >= width) await Promise.race(running);
    const packing = compress(bytes).then((packed) => {
      entry.raw = bytes.length;
      entry.packed = packed;
      running.splice(running.indexOf(packing), 1);
    });
    running.push(packing);
  }
  await Promise.all(running);

  let offset = 0;
  const frames = [];
  for (const entry of entries) {
    frames.push(entry.packed);
    entry.offset = offset;
    entry.size = entry.packed.length;
    offset += entry.size;
    delete entry.packed;
  }
  const index = Buffer.from(JSON.stringify({ services: entries }));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(index.length);
  writeFileSync(`${output}.new`, Buffer.concat([Buffer.from(Magic, "latin1"), length, index, ...frames]));
  renameSync(`${output}.new`, output);
  if (report) writeFileSync(report, disagreements.map((sentence) => sentence + "\n").join(""));
  console.log(`models: ${entries.length} services, ${entries.reduce((sum, entry) => sum + entry.operations, 0)} operations, ${12 + index.length + offset} bytes`);
}

main().catch((error) => {
  console.error(`models: ${error.message}`);
  process.exit(1);
});
