// The examples in a command's documentation spell its input and output out once, with every number's width, which the
// schemas leave open: `MaxResults: Number("int"),`. They are read beside the schemas, member by member.

const Width = { int: "integer", long: "long", float: "float", double: "double" };

// A tree of maps from key to node, a list's element under "[]"; a leaf is its text.
function parse(lines) {
  const root = new Map();
  const open = [];
  for (const raw of lines) {
    const line = raw.replace(/^ \* ?(?:\/\/ ?)?/, "").trim();
    let m;
    if (!open.length) {
      if (/^(?:const input = )?\{ ?(?:\/\/.*)?$/.test(line)) open.push(root);
      continue;
    }
    const top = open[open.length - 1];
    if (/^[}\]][,;]?/.test(line)) {
      open.pop();
      if (!open.length) return root;
    } else if ((m = /^(?:"?([^":]+)"?: )?[{[] ?(?:\/\/.*)?$/.exec(line))) {
      const node = new Map();
      const key = m[1] ?? "[]";
      if (!top.has(key)) top.set(key, node);
      open.push(node);
    } else if ((m = /^(?:"?([\w.<>$-]+)"?: )?(.*)$/.exec(line)) && line) {
      const key = m[1] ?? "[]";
      if (!top.has(key)) top.set(key, m[2]);
    }
  }
  return root;
}

// `files` of a package, `values` of its evaluated schemas. Gives two maps: "structure\0member" -> width, and list or map -> width.
export function examples_of(files, values) {
  const widths = new Map();
  const lists = new Map();

  const width_of = (node) => (typeof node === "string" ? Width[/^Number\("(\w+)"\)/.exec(node)?.[1]] : undefined);
  // A bare schema's number may stand in an anonymous list or map: 65 is a list of numbers.
  const bare_width = (node) => width_of(node) ?? (node instanceof Map ? bare_width(node.get("[]") ?? node.get("<keys>")) : undefined);
  const resolve = (schema) => {
    if (typeof schema === "function") schema = schema();
    if (Array.isArray(schema) && schema.length === 2) schema = schema[0];
    return typeof schema === "function" ? schema() : schema;
  };

  function walk(schema, node) {
    schema = resolve(schema);
    if (!Array.isArray(schema) || !(node instanceof Map)) return;
    const [kind, , name] = schema;
    if (kind === 1 || kind === 2) {
      const element = resolve(schema[kind === 1 ? 4 : 5]);
      const child = node.get(kind === 1 ? "[]" : "<keys>");
      if (typeof element === "number") {
        const width = bare_width(child);
        if (width) lists.set(name, width);
      } else walk(element, child);
    } else if (kind === 3 || kind === 4) {
      schema[4].forEach((member, i) => {
        const child = node.get(member);
        const target = resolve(schema[5][i]);
        if (typeof target !== "number") return walk(target, child);
        const width = bare_width(child);
        if (width) widths.set(`${name}\0${member}`, width);
      });
    }
  }

  for (const value of Object.values(values)) {
    if (!Array.isArray(value) || value[0] !== 9) continue;
    const text = files.get(`dist-types/commands/${value[2]}Command.d.ts`) ?? "";
    const lines = text.split("\n");
    const start = lines.findIndex((line) => line.startsWith(" * const input = {"));
    const response = lines.findIndex((line, i) => i > start && /^ \* \/\/ \{ \/\//.test(line));
    if (start >= 0 && !lines[start].includes("{};")) walk(value[4], parse(lines.slice(start, response > 0 ? response : undefined)));
    if (response > 0) walk(value[5], parse(lines.slice(response)));
  }
  return { widths, lists };
}
