// Reads a service of Debian's python3-botocore: the newest API version, without documentation and without what only
// botocore's endpoint rules use.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

const Left_out = new Set([
  "documentation",
  "documentationUrl",
  "deprecatedMessage",
  "contextParam",
  "staticContextParams",
  "box",
  "synthetic",
  "alias",
  "endpointdiscovery",
  "endpointoperation",
]);

function read_json(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

function strip(node) {
  if (Array.isArray(node)) return node.map(strip);
  if (node === null || typeof node !== "object") return node;
  return Object.fromEntries(Object.entries(node).filter(([key]) => !Left_out.has(key)).map(([key, value]) => [key, strip(value)]));
}

// Names are data, not keywords: a member may well be called `documentation`.
function strip_named(table, inner) {
  return Object.fromEntries(Object.entries(table).map(([name, value]) => [name, inner(value)]));
}

function strip_shape(shape) {
  const { members, ...others } = shape;
  const stripped = strip(others);
  if (members) stripped.members = strip_named(members, strip);
  return stripped;
}

// What awscli and botocore lay over a model: https://github.com/boto/botocore/blob/develop/botocore/loaders.py ("sdk-extras")
function merge_into(target, extra) {
  for (const [key, value] of Object.entries(extra)) {
    if (value && typeof value === "object" && !Array.isArray(value) && target[key]) merge_into(target[key], value);
    else target[key] = value;
  }
}

export function read_botocore(folder, name) {
  const at = join(folder, name);
  if (!existsSync(at)) throw new Error(`${folder} has no service '${name}'; is that python3-botocore's data folder?`);
  const version = readdirSync(at).filter((entry) => /^\d{4}-\d\d-\d\d$/.test(entry)).sort().at(-1);
  const read = (kind) => {
    const content = read_json(join(at, version, `${kind}.json`));
    const extras = read_json(join(at, version, `${kind.replace(/-\d$/, "")}-${kind.at(-1)}.sdk-extras.json`));
    if (content && extras) merge_into(content, extras.merge);
    return content;
  };
  const { metadata, operations, shapes } = read("service-2");
  return {
    metadata,
    operations: strip_named(operations, strip),
    shapes: strip_named(shapes, strip_shape),
    pagination: read("paginators-1")?.pagination ?? {},
    waiters: strip_named(read("waiters-2")?.waiters ?? {}, strip),
  };
}
