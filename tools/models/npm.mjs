// Turns an @aws-sdk/client-* package into a model of botocore's form.
//
// What is where in such a package:
//   dist-es/schemas/schemas_0.js       operations, structures, wire names, HTTP bindings, errors' HTTP status
//   dist-es/models/enums.js            enums' values; which member has which enum is in the types below
//   dist-types/models/*.d.ts           members' types, which name the enums
//   dist-types/commands/*.d.ts         each operation's errors (@throws), and an example that spells out every number's width
//   dist-es/pagination/*.js            tokens and page size of a list operation
//   dist-es/waiters/*.js               waiters, as code
//   dist-es/auth/..., runtimeConfig.shared.js   unsigned operations; protocol and names of the service
// Limits (min, max, pattern) are nowhere in it.
import vm from "node:vm";
import { read_package } from "./tar.mjs";
import { examples_of } from "./examples.mjs";
import { read_waiter } from "./waiters.mjs";

// Shapes for members whose schema is a bare type. The names cannot clash with a modelled one: those hold no colon.
export const plain = (type, more = {}) => ({ name: `plain:${more.timestampFormat ?? type}`, shape: { type, ...more } });
const Simple = {
  0: plain("string"),
  2: plain("boolean"),
  4: plain("timestamp"),
  5: plain("timestamp", { timestampFormat: "iso8601" }),
  6: plain("timestamp", { timestampFormat: "rfc822" }),
  7: plain("timestamp", { timestampFormat: "unixTimestamp" }),
  15: { name: "plain:document", shape: { type: "structure", members: {}, document: true } },
  17: plain("long"),
  21: plain("blob"),
  42: { name: "plain:stream", shape: { type: "blob", streaming: true } },
};
const Numeric = 1;
const ListOf = 64;
const MapOf = 128;
// Member traits that come as a bit vector: smithy-typescript, packages/core/src/submodules/schema/schemas/translateTraits.ts
const Bits = { 1: "httpLabel", 2: "idempotent", 4: "idempotencyToken", 8: "sensitive", 16: "httpPayload", 32: "httpResponseCode", 64: "httpQueryParams" };

const Protocols = {
  AwsJson1_0Protocol: { protocol: "json", jsonVersion: "1.0" },
  AwsJson1_1Protocol: { protocol: "json", jsonVersion: "1.1" },
  AwsRestJsonProtocol: { protocol: "rest-json" },
  AwsRestXmlProtocol: { protocol: "rest-xml" },
  S3RestXmlProtocol: { protocol: "rest-xml" },
  AwsQueryProtocol: { protocol: "query" },
  AwsEc2QueryProtocol: { protocol: "ec2" },
};

function traits_of(packed) {
  if (!packed) return {};
  if (typeof packed === "object") return packed;
  const traits = {};
  for (const bit in Bits) if (packed & bit) traits[Bits[bit]] = 1;
  return traits;
}

function wanted(path) {
  return (
    /^dist-es\/(schemas\/schemas_\d+|models\/enums|runtimeConfig\.shared|auth\/httpAuthSchemeProvider|pagination\/\w+|waiters\/waitFor\w+)\.js$/.test(path) ||
    /^dist-types\/(models|commands)\/\w+\.d\.ts$/.test(path)
  );
}

// Runs a module of the package without its imports, in a context of its own, and gives its top-level names.
function evaluate(source, what) {
  const script = source
    .replace(/^import [^;]*;$/gm, "")
    .replace(/^\w+\.registerError\([^;]*\);$/gm, "")
    .replace(/^export (var|const) /gm, "var ");
  const left = /^(?:import|export)\b.*$/m.exec(script);
  if (left) throw new Error(`${what}: a statement that the reader does not know: ${left[0]}`);
  const context = vm.createContext({ TypeRegistry: class { static for() { return {}; } } });
  vm.runInContext(script, context, { filename: what, timeout: 20000 });
  return context;
}

// "structure\0member" -> the type as the declaration says it.
function member_types(files) {
  const types = new Map();
  for (const [path, text] of files) {
    if (!path.startsWith("dist-types/models/")) continue;
    let structure;
    let union;
    for (const line of text.split("\n")) {
      let m;
      if ((m = /^export (?:interface|declare class) (\w+)/.exec(line))) structure = m[1];
      else if ((m = /^export declare namespace (\w+)/.exec(line))) union = m[1];
      else if ((m = /^    (?:readonly )?(\w+)\??: (.*?)(?: \| undefined)?;$/.exec(line)) && structure) types.set(`${structure}\0${m[1]}`, m[2]);
      else if ((m = /^        (\w+): (.*);$/.exec(line)) && union && m[2] !== "never") types.set(`${union}\0${m[1]}`, m[2]);
      else if (line === "}") structure = union = undefined;
    }
  }
  return types;
}

export function read_client(file) {
  const files = read_package(file, wanted);
  const find = (path) => files.get(path) ?? "";
  const config = find("dist-es/runtimeConfig.shared.js");
  const setting = (name) => new RegExp(`\\b${name}: (?:config\\?\\.\\w+ \\?\\? )?"([^"]*)"`).exec(config)?.[1];
  const spoken = /config\?\.protocol \?\? (\w+)/.exec(config)?.[1];
  if (!Protocols[spoken]) throw new Error(`${file}: a protocol that the reader does not know: ${spoken}`);
  const metadata = {
    ...Protocols[spoken],
    apiVersion: setting("apiVersion"),
    serviceId: setting("serviceId"),
    target: setting("serviceTarget"),
    xmlNamespace: setting("xmlNamespace"),
    queryCompatible: /awsQueryCompatible: true/.test(config),
  };
  const { protocol } = metadata;
  const rest = protocol.startsWith("rest");
  const xml = !protocol.includes("json") || metadata.queryCompatible;

  const values = evaluate(find("dist-es/schemas/schemas_0.js"), `${file}: schemas_0.js`);
  const enums = new Map();
  const enum_module = find("dist-es/models/enums.js");
  for (const [name, value] of Object.entries(enum_module ? evaluate(enum_module, `${file}: enums.js`) : {})) {
    if (value && typeof value === "object" && Object.values(value).every((v) => typeof v === "string")) enums.set(name, Object.values(value));
  }
  const types = member_types(files);
  const { widths, lists: list_widths } = examples_of(files, values);
  const shapes = {};
  const operations = {};
  let guessed_widths = 0;

  // Structures that come out of operations and go into none: Smithy's URI and query bindings mean nothing in them.
  const inputs = new Set();
  const outputs = new Set();
  for (const value of Object.values(values)) {
    if (!Array.isArray(value) || value[0] !== 9) continue;
    inputs.add(value[4]()[2]);
    outputs.add(value[5]()[2]);
  }

  const use = ({ name, shape }) => ((shapes[name] ??= shape), name);
  const number = (width) => use(plain(width));
  // The name of the enum that is the element of a declared type: of X, X[], Record<string, X[]> and so on.
  const enum_in = (type) => {
    const words = (type ?? "").replace(/Partial<Record<(\w+), (.*)>>/, "$2").replace(/Record<\w+, (.*)>/, "$1").match(/\w+/g) ?? [];
    return words.length === 1 && enums.has(words[0]) ? words[0] : undefined;
  };
  const key_enum_in = (type) => {
    const key = /Record<(\w+),/.exec(type ?? "")?.[1];
    return enums.has(key) ? key : undefined;
  };
  const enum_shape = (name) => ((shapes[name] ??= { type: "string", enum: enums.get(name) }), name);

  // The name of the shape of a schema; `type` is the declaration's, `width` the example's, for what the schema leaves open.
  function shape_of(schema, type, width) {
    if (typeof schema === "function") schema = schema();
    if (Array.isArray(schema)) return named(schema, type);
    if (schema === Numeric) {
      if (!width) ++guessed_widths;
      return number(width ?? "double");
    }
    if (schema === 0) {
      const name = enum_in(type);
      return name ? enum_shape(name) : use(Simple[0]);
    }
    if (Simple[schema]) return use(Simple[schema]);
    if (schema & MapOf) {
      const value = shape_of(schema & ~MapOf, type, width);
      const key = key_enum_in(type);
      const name = `plain:map:${key ?? ""}:${value}`;
      shapes[name] ??= { type: "map", key: { shape: key ? enum_shape(key) : use(Simple[0]) }, value: { shape: value } };
      return name;
    }
    if (schema & ListOf) {
      const element = shape_of(schema & ~ListOf, type, width);
      const name = `plain:list:${element}`;
      shapes[name] ??= { type: "list", member: { shape: element } };
      return name;
    }
    throw new Error(`${file}: a schema that the reader does not know: ${JSON.stringify(schema)}`);
  }

  // A list's element, or a map's key or value: a schema, or [schema, traits].
  function element_of(packed, type, width) {
    if (typeof packed === "function") packed = packed();
    const with_traits = Array.isArray(packed) && packed.length === 2;
    const element = { shape: shape_of(with_traits ? packed[0] : packed, type, width) };
    const traits = with_traits ? traits_of(packed[1]) : {};
    if (xml && traits.xmlName) element.locationName = traits.xmlName;
    return element;
  }

  function named([kind, , name, packed, ...rest_of], type) {
    const traits = traits_of(packed);
    if (kind === 0) {
      // A simple shape that has a name because it has traits: sensitive text, a streaming body, JSON text.
      const base = rest_of[0];
      const label = base === 0 && enum_in(type);
      if (label) return Object.assign(shapes[enum_shape(label)], traits.sensitive && { sensitive: true }), label;
      if (!shapes[name]) {
        const inner = shape_of(base, undefined, "long");
        shapes[name] = { ...shapes[inner], ...(traits.sensitive && { sensitive: true }), ...(traits.streaming && { streaming: true }) };
        if (traits.mediaType === "application/json") shapes[name].json_text = true;
      }
      return name;
    }
    if (kind === 1 || kind === 2) {
      if (shapes[name]) return name;
      const shape = (shapes[name] = kind === 1 ? { type: "list" } : { type: "map" });
      const width = list_widths.get(name);
      if (kind === 1) {
        shape.member = element_of(rest_of[0], type, width);
      } else {
        shape.key = element_of(rest_of[0], undefined, width);
        const key = key_enum_in(type);
        if (key && shape.key.shape === Simple[0].name) shape.key.shape = enum_shape(key);
        shape.value = element_of(rest_of[1], type, width);
      }
      if (traits.sensitive) shape.sensitive = true;
      return name;
    }
    if (kind === 3 || kind === 4 || kind === -3) return structure(kind, name, traits, ...rest_of);
    throw new Error(`${file}: a schema kind that the reader does not know: ${kind} of ${name}`);
  }

  function structure(kind, name, traits, names, schemas, required = 0) {
    if (shapes[name]) return name;
    const shape = (shapes[name] = { type: "structure", members: {} });
    if (required) shape.required = names.slice(0, required);
    if (kind === 4) shape[traits.streaming ? "eventstream" : "union"] = true;
    if (traits.sensitive) shape.sensitive = true;
    if (traits.xmlName) shape.xml_name = traits.xmlName;
    if (kind === -3) {
      shape.exception = true;
      shape.error = {};
      const [code, status] = traits.awsQueryError ?? [];
      const http_status = traits.httpError ?? status;
      // In the JSON protocols HTTP bindings are ignored, httpError with them: 400 or 500 it is, whatever the schema says.
      // https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
      if (http_status && (protocol !== "json" || metadata.queryCompatible)) shape.error.httpStatusCode = http_status;
      if (code && xml) shape.error.code = code;
      if (traits.error === "server") shape.fault = true;
    }
    names.forEach((member_name, i) => {
      let packed = schemas[i];
      if (typeof packed === "function") packed = packed();
      const with_traits = Array.isArray(packed) && packed.length === 2;
      const member_traits = with_traits ? traits_of(packed[1]) : {};
      const type = types.get(`${name}\0${member_name}`);
      // What an error carries as a number is seconds to wait or a count.
      const width = widths.get(`${name}\0${member_name}`) ?? (kind === -3 ? "integer" : undefined);
      const member = { shape: shape_of(with_traits ? packed[0] : packed, type, width) };
      bind(member, member_traits, shape, member_name, outputs.has(name) && !inputs.has(name));
      shape.members[member_name] = member;
      if (shape.eventstream) shapes[member.shape].event = true;
    });
    return name;
  }

  function bind(member, traits, shape, member_name, comes_out) {
    const name = traits.xmlName;
    if (rest) {
      if (traits.httpHeader) Object.assign(member, { location: "header", locationName: traits.httpHeader });
      if (traits.httpPrefixHeaders !== undefined) Object.assign(member, { location: "headers", locationName: traits.httpPrefixHeaders });
      if (traits.httpQuery && !comes_out) Object.assign(member, { location: "querystring", locationName: traits.httpQuery });
      if (traits.httpQueryParams && !comes_out) member.location = "querystring";
      if (traits.httpLabel && !comes_out) Object.assign(member, { location: "uri", locationName: member_name });
      if (traits.httpResponseCode) member.location = "statusCode";
      if (traits.httpPayload) {
        shape.payload = member_name;
        const target = shapes[member.shape];
        if (protocol === "rest-xml" && target.type === "structure") {
          member.locationName = name ?? target.xml_name ?? member.shape;
          if (metadata.xmlNamespace) member.xmlNamespace = { uri: metadata.xmlNamespace };
        }
      } else if (!member.location) {
        const wire = protocol === "rest-json" ? traits.jsonName : name;
        if (wire) member.locationName = wire;
      }
      // A header or query parameter that holds JSON text: https://smithy.io/2.0/spec/protocol-traits.html#mediatype-trait
      if (shapes[member.shape].json_text && member.location === "header") member.jsonvalue = true;
    } else if (xml && name) {
      member.locationName = name;
    }
    if (xml && traits.xmlFlattened) member.flattened = true;
    if (xml && traits.xmlAttribute) member.xmlAttribute = true;
    if (xml && Array.isArray(traits.xmlNamespace)) member.xmlNamespace = { prefix: traits.xmlNamespace[0], uri: traits.xmlNamespace[1] };
    if (protocol === "ec2" && traits.ec2QueryName) {
      const usual = member.locationName ?? member_name;
      if (traits.ec2QueryName !== usual[0].toUpperCase() + usual.slice(1)) member.queryName = traits.ec2QueryName;
    }
    if (traits.idempotencyToken) member.idempotencyToken = true;
    if (traits.hostLabel) member.hostLabel = true;
    if (traits.eventPayload) member.eventpayload = true;
    if (traits.sensitive && !shapes[member.shape].sensitive) member.sensitive = true;
  }

  const unsigned = new Set();
  for (const m of find("dist-es/auth/httpAuthSchemeProvider.js").matchAll(/case "(\w+)": \{\s*options\.push\(createSmithyApiNoAuth/g)) unsigned.add(m[1]);

  function operation([, , name, packed, input, output]) {
    const traits = traits_of(packed);
    const [method, uri, status] = traits.http ?? ["POST", "/", 200];
    // x-id only tells JavaScript clients' requests apart in logs; botocore's models leave it out as well.
    let request_uri = uri.replace(/([?&])x-id=\w+&?/, "$1").replace(/[?&]$/, "");
    const made = { name, http: { method, requestUri: request_uri } };
    if (status && status !== 200) made.http.responseCode = status;
    // `undefined` stands for Smithy's Unit: nothing goes in, or nothing comes out.
    const shape = (thunk) => {
      const schema = thunk();
      return Array.isArray(schema) && schema[1] !== "smithy.api" && schema[2] !== "Unit" ? shape_of(schema) : undefined;
    };
    const input_shape = shape(input);
    const output_shape = shape(output);
    if (input_shape) made.input = { shape: input_shape };
    if (output_shape) {
      made.output = { shape: output_shape };
      if (protocol === "query" || metadata.queryCompatible) made.output.resultWrapper = `${name}Result`;
    }
    const members = shapes[input_shape]?.members ?? {};
    if (rest && members.Bucket?.location === "uri" && !request_uri.includes("{Bucket}")) made.http.requestUri = `/{Bucket}${request_uri === "/" ? "" : request_uri.replace(/^\/(?=\?)/, "")}`;
    if (protocol === "rest-xml" && input_shape && !shapes[input_shape].payload && Object.values(members).some((m) => !m.location)) {
      made.input.locationName = shapes[input_shape].xml_name ?? input_shape;
      if (metadata.xmlNamespace) made.input.xmlNamespace = { uri: metadata.xmlNamespace };
    }
    if (traits.idempotent) made.idempotent = true;
    if (traits.endpoint) made.endpoint = { hostPrefix: traits.endpoint[0] };
    // S3 Control's account stands before the host, which its endpoint rules say and the operation's traits do not.
    else if (members.AccountId?.hostLabel) made.endpoint = { hostPrefix: "{AccountId}." };
    if (traits.httpChecksumRequired) made.httpChecksumRequired = true;
    // The schema only says that there is an httpChecksum trait; which member names the algorithm is the same in every such operation.
    if (traits.httpChecksum && members.ChecksumAlgorithm) made.httpChecksum = { requestAlgorithmMember: "ChecksumAlgorithm", requestChecksumRequired: true };
    if (unsigned.has(name)) made.authtype = "none";
    const command = find(`dist-types/commands/${name}Command.d.ts`);
    made.errors = [...command.matchAll(/@throws \{@link (\w+)\}/g)].map((m) => m[1]).filter((error) => values[`${error}$`]?.[0] === -3 && !values[`${error}$`][1].startsWith("smithy.ts.sdk")).map((shape_name) => ({ shape: shape_name }));
    return made;
  }

  for (const value of Object.values(values)) {
    if (!Array.isArray(value)) continue;
    if (value[0] === 9) operations[value[2]] = operation(value);
    else if (value[0] === -3 && !value[1].startsWith("smithy.ts.sdk")) named(value);
  }

  const pagination = {};
  for (const [path, text] of files) {
    if (!path.startsWith("dist-es/pagination/")) continue;
    const m = /createPaginator\(\w+, (\w+)Command, "([^"]*)", "([^"]*)", "([^"]*)"\)/.exec(text);
    if (m) pagination[m[1]] = { input_token: m[2], output_token: m[3], ...(m[4] && { limit_key: m[4] }) };
  }
  const waiters = {};
  for (const [path, text] of files) {
    const name = /^dist-es\/waiters\/waitFor(\w+)\.js$/.exec(path)?.[1];
    const waiter = name && read_waiter(text);
    if (waiter) waiters[name] = waiter;
  }
  return { metadata, operations, shapes, enums, pagination, waiters, guessed_widths };
}
