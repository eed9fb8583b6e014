// Merges two models of a service. The newest (npm) says which operations and members there are; the fullest (botocore)
// says how they are checked: limits, patterns, numeric width. Enums are united.

const Kinds = { integer: "number", long: "number", float: "number", double: "number", character: "string" };
const kind_of = (shape) => (shape.document ? "document" : (Kinds[shape.type] ?? shape.type));
const is_plain = (name) => name.startsWith("plain:");
const Nested = new Set(["structure", "list", "map"]);

// `report` gets a sentence for each thing in which the two sources do not agree.
export function merge(name, old, now, report = () => {}) {
  const shapes = {};
  const made = new Map(); // "old name\0new name" -> the name in `shapes`

  const unite = (values, more) => [...new Set([...(values ?? []), ...more])];

  // A simple shape of the old model, with the new model's enum values, where they are one kind.
  function simple(old_name, now_name) {
    const before = old.shapes[old_name];
    const after = now.shapes[now_name];
    // A member that was free text and has an enum now.
    if (after.enum && !before.enum) return fresh(now_name);
    // What the new model alone calls sensitive or streaming is a shape of its own: the old one is many members' plain text.
    const marks = ["sensitive", "streaming"].filter((mark) => after[mark] && !before[mark]);
    const own_name = marks.length ? `${old_name}:${marks.join(":")}` : old_name;
    const shape = (shapes[own_name] ??= { ...before });
    for (const mark of marks) shape[mark] = true;
    if (after.enum) shape.enum = unite(shape.enum, after.enum);
    else if (before.enum) report(`${name}: ${old_name} had an enum`);
    // S3's sizes were 32 bits wide in botocore's file, which Python does not mind.
    if (shape.type === "integer" && after.type === "long") shape.type = "long";
    return own_name;
  }

  // The name in the result for what the old model calls `old_name` (or undefined) and the new one `now_name`.
  function refer(old_name, now_name) {
    const after = now.shapes[now_name];
    if (!is_plain(now_name) && old.shapes[now_name] && kind_of(old.shapes[now_name]) === kind_of(after)) old_name = Nested.has(after.type) ? now_name : (old_name ?? now_name);
    const before = old_name && old.shapes[old_name];
    // A number in one model and text in the other, where the wire has text anyway: CloudFront's MaxItems, S3's PartNumberMarker.
    if (before && [before, after].map(kind_of).sort().join() === "number,string") return (shapes[old_name] ??= { ...before }), old_name;
    if (!before || kind_of(before) !== kind_of(after)) {
      if (before) report(`${name}: ${old_name} is a ${kind_of(before)}, ${now_name} a ${kind_of(after)}`);
      return fresh(now_name);
    }
    if (!Nested.has(after.type) || after.document) return simple(old_name, now_name);
    const key = `${old_name}\0${now_name}`;
    if (made.has(key)) return made.get(key);
    const result = is_plain(now_name) ? old_name : now_name;
    made.set(key, result);
    if (!shapes[result]) nested(result, before, after);
    return result;
  }

  // A shape that only the new model has.
  function fresh(now_name) {
    if (shapes[now_name]) return now_name;
    const after = now.shapes[now_name];
    if (Nested.has(after.type) && !after.document) nested(now_name, undefined, after);
    else shapes[now_name] = clean(after);
    return now_name;
  }

  function nested(result, before, after) {
    const shape = (shapes[result] = { ...clean(after), ...before });
    if (after.type === "list") {
      shape.member = element(before?.member, after.member);
      // In XML and queries, flattening is the member's in the new model and the list's in the old one.
      return;
    }
    if (after.type === "map") {
      shape.key = element(before?.key, after.key);
      shape.value = element(before?.value, after.value);
      return;
    }
    shape.members = {};
    const ordered = [...Object.keys(before?.members ?? {}).filter((m) => after.members[m]), ...Object.keys(after.members).filter((m) => !before?.members[m])];
    for (const member of Object.keys(before?.members ?? {})) if (!after.members[member]) report(`${name}: ${result}.${member} is gone`);
    for (const member of ordered) shape.members[member] = element(before?.members[member], after.members[member]);
    // JavaScript's S3 Control client takes the account out of an ARN, so its model does not require it: the service does.
    const host_labels = (before?.required ?? []).filter((member) => after.members[member]?.hostLabel && !after.required?.includes(member));
    const required = [...host_labels, ...(after.required ?? [])];
    for (const member of before?.required ?? []) if (after.members[member] && !required.includes(member)) report(`${name}: ${result}.${member} was required`);
    if (before) for (const member of required) if (before.members[member] && !before.required?.includes(member)) report(`${name}: ${result}.${member} is required now`);
    if (required.length) shape.required = required;
    else delete shape.required;
    if (after.payload && before && before.payload !== after.payload) report(`${name}: ${result}'s payload was ${before.payload}, is ${after.payload}`);
    if (after.exception) {
      shape.exception = true;
      shape.error = { ...before?.error, ...after.error };
      if (!Object.keys(shape.error).length) delete shape.error;
    }
  }

  // A member, element, key or value: where it stands on the wire as in the old model, where that has it.
  function element(before, after) {
    const shape = refer(before?.shape, after.shape);
    return before ? { ...before, shape } : { ...after, shape };
  }

  function clean({ xml_name, json_text, ...shape }) {
    return { ...shape };
  }

  const operations = {};
  for (const [operation_name, after] of Object.entries(now.operations)) {
    const before = old.operations[operation_name];
    // CloudFront's operations have a version in their name (GetDistribution2020_05_31) that nothing but botocore's file says.
    const operation = before ? { ...before, name: operation_name } : { ...after };
    if (before) {
      const uri = (op) => `${op.http.method} ${op.http.requestUri.replace(/\/$/, "")}`;
      if (uri(before) !== uri(after)) report(`${name}: ${operation_name} was ${uri(before)}, is ${uri(after)}`);
      if ((before.http.responseCode ?? 200) !== (after.http.responseCode ?? 200)) report(`${name}: ${operation_name} answered ${before.http.responseCode}, answers ${after.http.responseCode}`);
      if (after.authtype) operation.authtype = after.authtype;
      if (after.idempotent) operation.idempotent = true;
    }
    for (const way of ["input", "output"]) {
      if (after[way]) operation[way] = { ...after[way], ...before?.[way], shape: refer(before?.[way]?.shape, after[way].shape) };
      else if (before?.[way] && Object.keys(old.shapes[before[way].shape].members ?? {}).length) report(`${name}: ${operation_name} has no ${way} now`), delete operation[way];
      else if (before?.[way]) shapes[before[way].shape] ??= old.shapes[before[way].shape];
    }
    const errors = unite((before?.errors ?? []).map((e) => e.shape), after.errors.map((e) => e.shape)).filter((shape) => now.shapes[shape] || report(`${name}: error ${shape} of ${operation_name} is gone`));
    operation.errors = errors.map((shape) => ({ shape: refer(shape, shape) }));
    if (!errors.length) delete operation.errors;
    operations[operation_name] = operation;
  }
  for (const operation_name of Object.keys(old.operations)) if (!operations[operation_name]) report(`${name}: operation ${operation_name} is gone`);
  for (const [shape_name, shape] of Object.entries(now.shapes)) if (shape.exception) refer(shape_name, shape_name);

  return { metadata: metadata_of(old.metadata, now.metadata), operations, shapes };
}

// The protocol that a client speaks first, then the one that the service still speaks: SQS and CloudWatch were `query`
// in the old model, and old clients of theirs still are.
function metadata_of(before, after) {
  const metadata = { ...before, protocol: after.protocol, protocols: [...new Set([after.protocol, before.protocol])] };
  if (after.protocol === "json") {
    metadata.jsonVersion = after.jsonVersion;
    metadata.targetPrefix = before.targetPrefix ?? after.target;
    // JavaScript's clients say the service's last part alone: `CloudTrail_20131101`.
    if (metadata.targetPrefix !== after.target) metadata.targetPrefixes = [metadata.targetPrefix, after.target];
  }
  if (after.queryCompatible) metadata.awsQueryCompatible = {};
  delete metadata.protocolSettings;
  return metadata;
}

// The end of a log stream answers the token that it was asked with:
// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_GetLogEvents.html
const Same_token_ends = { logs: ["GetLogEvents"] };

// Paginators of list operations that only the new model has: its tokens; the result is the one list in the output.
export function merge_pagination(name, old, now, model) {
  const merged = {};
  for (const [operation, paginator] of Object.entries(old.pagination)) if (model.operations[operation]) merged[operation] = paginator;
  for (const [operation, paginator] of Object.entries(now.pagination)) {
    if (merged[operation] || !model.operations[operation]) continue;
    const members = model.shapes[model.operations[operation].output?.shape]?.members ?? {};
    const lists = Object.keys(members).filter((member) => ["list", "map"].includes(model.shapes[members[member].shape].type));
    const output_token = paginator.output_token.split(".")[0];
    if (members[output_token] && lists.length) merged[operation] = { ...paginator, result_key: lists.length === 1 ? lists[0] : lists };
    if (merged[operation] && Same_token_ends[name]?.includes(operation)) merged[operation].same_token_ends = true;
  }
  return merged;
}

// Throws where a reference leads nowhere: the pack is checked when it is built, not when it is used.
export function check(name, { operations, shapes }) {
  const have = (shape, where) => {
    if (!shapes[shape]) throw new Error(`${name}: ${where} refers to the shape ${shape}, which is not there`);
  };
  for (const [operation, { input, output, errors = [] }] of Object.entries(operations)) {
    if (input) have(input.shape, operation);
    if (output) have(output.shape, operation);
    for (const error of errors) have(error.shape, operation);
  }
  for (const [shape_name, shape] of Object.entries(shapes)) {
    for (const [member, { shape: target }] of Object.entries(shape.members ?? {})) have(target, `${shape_name}.${member}`);
    for (const part of ["member", "key", "value"]) if (shape[part]) have(shape[part].shape, shape_name);
    for (const required of shape.required ?? []) if (!shape.members[required]) throw new Error(`${name}: ${shape_name} requires ${required}, which it does not have`);
  }
}
