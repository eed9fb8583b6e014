// Reads the waiters of an @aws-sdk/client-* package. They come as generated functions; what generates them
// (smithy-typescript, WaiterGenerator.java) knows few forms, and a waiter with any other is left out.

const States = { SUCCESS: "success", FAILURE: "failure", RETRY: "retry" };
// The clients count no attempts, they only bound the time; botocore's waiters mostly make 40.
const Max_attempts = 40;

// A comparator's statements, to the JMESPath expression that they were generated from; undefined where they hold more.
function expression_of(body) {
  const known = new Map([["result", "@"]]);
  const path = (text) => {
    const [base, ...names] = text.split(".");
    if (!known.has(base)) return undefined;
    return [known.get(base), ...names].join(".").replace(/^@\./, "");
  };
  let rest = body.trim();
  while (rest) {
    let m;
    if ((m = /^let (flat_\d+) = \[\]\.concat\(\.\.\.([\w.]+)\);\s*/.exec(rest))) {
      const of = path(m[2]);
      if (!of) return undefined;
      known.set(m[1], `${of}[]`);
    } else if ((m = /^let (projection_\d+) = (flat_\d+)\.map\(\((element_\d+)\) => \{\s*return \3\.([\w.]+);\s*\}\);\s*/.exec(rest))) {
      if (!known.has(m[2])) return undefined;
      known.set(m[1], `${known.get(m[2])}.${m[4]}`);
    } else if ((m = /^return \(([\w.]+)\.length (==|>) (\d+)\);$/.exec(rest))) {
      const of = path(m[1]);
      return of && `length(${of}) ${m[2]} \`${m[3]}\``;
    } else if ((m = /^return ([\w.]+);$/.exec(rest))) {
      return path(m[1]);
    } else {
      return undefined;
    }
    rest = rest.slice(m[0].length);
  }
  return undefined;
}

const Verdict = String.raw`return \{ state: WaiterState\.(\w+), reason \};`;
const Forms = [
  // All elements are equal to a text.
  [new RegExp(String.raw`^let (allStringEq_\d+) = \(returnComparator\(\)\.length > 0\);\s*for \(let (element_\d+) of returnComparator\(\)\) \{\s*\1 = \1 && \(\2 == ("(?:[^"\\]|\\.)*")\);?\s*\}\s*if \(\1\) \{\s*${Verdict}\s*\}$`),
    (m) => ({ matcher: "pathAll", expected: JSON.parse(m[3]), state: m[4] })],
  // Any of them is.
  [new RegExp(String.raw`^for \(let (anyStringEq_\d+) of returnComparator\(\)\) \{\s*if \(\1 == ("(?:[^"\\]|\\.)*")\) \{\s*${Verdict}\s*\}\s*\}$`),
    (m) => ({ matcher: "pathAny", expected: JSON.parse(m[2]), state: m[3] })],
  // The value is equal to a text, or to true or false.
  [new RegExp(String.raw`^if \(returnComparator\(\) ={2,3} ("(?:[^"\\]|\\.)*"|true|false)\) \{\s*${Verdict}\s*\}$`),
    (m) => ({ matcher: "path", expected: JSON.parse(m[1]), state: m[2] })],
];

// Gives a waiter of botocore's form, or undefined.
export function read_waiter(text) {
  const operation = /client\.send\(new (\w+)Command\(input\)\)/.exec(text)?.[1];
  const delay = Number(/serviceDefaults = \{ minDelay: (\d+)/.exec(text)?.[1]);
  const parts = /reason = result;(.*)\n    \}\n    catch \(exception\) \{\s*reason = exception;(.*?)\n    \}\n    return \{ state: WaiterState\.RETRY, reason \};/s.exec(text);
  if (!operation || !delay || !parts) return undefined;
  const acceptors = [];
  let rest = parts[1].trim();
  while (rest) {
    const block = /^try \{\s*const returnComparator = \(\) => \{(.*?)\n            \};\s*(.*?)\n        \}\n        catch \(e\) \{ \}\s*/s.exec(rest);
    const plain = !block && new RegExp(`^${Verdict}\\s*`).exec(rest);
    if (block) {
      const argument = expression_of(block[1]);
      const form = Forms.map(([pattern, made]) => [pattern.exec(block[2].trim()), made]).find(([m]) => m);
      if (!argument || !form) return undefined;
      const { state, ...acceptor } = form[1](form[0]);
      acceptors.push({ ...acceptor, argument, state: States[state] });
    } else if (plain) {
      // Any answer that is no error.
      acceptors.push({ matcher: "error", expected: false, state: States[plain[1]] });
    } else {
      return undefined;
    }
    rest = rest.slice((block ?? plain)[0].length);
  }
  rest = parts[2].trim();
  while (rest) {
    const m = new RegExp(`^if \\(exception\\.name === ("[^"]*")\\) \\{\\s*${Verdict}\\s*\\}\\s*`).exec(rest);
    if (!m) return undefined;
    acceptors.push({ matcher: "error", expected: JSON.parse(m[1]), state: States[m[2]] });
    rest = rest.slice(m[0].length);
  }
  return acceptors.length ? { operation, delay, maxAttempts: Max_attempts, acceptors } : undefined;
}
