// The official implementation's side of the comparison: makes the documents, evaluates each expression on each, and
// writes what it gave and how long it took. node jsonata.js FOLDER
const fs = require("fs");
const path = require("path");
const jsonata = require("jsonata");

const folder = process.argv[2];
const expressions = JSON.parse(fs.readFileSync(path.join(__dirname, "jsonata.json"), "utf8"));

// An event with findings, rules of security groups and tags, of about that many bytes.
function documentOf(bytes) {
  const detail = { findings: [], permissions: [], tags: [] };
  const event = { version: "0", "detail-type": "Security Hub Findings - Imported", source: "aws.securityhub", detail };
  for (let i = 0; i === 0 || JSON.stringify(event).length < bytes - 800; i++) {
    detail.findings.push({
      Id: `arn:aws:securityhub:eu-west-1:123456789012:subscription/finding/${i}`,
      AwsAccountId: "123456789012",
      Compliance: { Status: i % 3 === 0 ? "FAILED" : "PASSED" },
      ProductFields: { ControlId: `EC2.${i}` },
      Resources: [
        { Type: "AwsS3Bucket", Id: `arn:aws:s3:::bucket-${i}`, Region: "eu-west-1" },
        { Type: "AwsEc2SecurityGroup", Id: `arn:aws:ec2:eu-west-1:123456789012:security-group/sg-${i}` },
      ],
    });
    detail.permissions.push({
      GroupId: `sg-${i}`, Protocol: ["tcp", "udp", "-1"][i % 3], FromPort: (i * 7) % 4000, ToPort: (i * 7) % 4000 + 40,
      IpRanges: [{ CidrIp: "10.0.0.0/8" }, { CidrIp: i % 4 === 0 ? "0.0.0.0/0" : "192.168.0.0/16" }],
    });
    detail.tags.push({ Key: `key-${(i * 37) % 1000}`, Value: `value ${i}` });
  }
  return event;
}

async function measure(expression, document) {
  let rounds = 1;
  for (;;) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < rounds; i++) await expression.evaluate(document);
    const ns = Number(process.hrtime.bigint() - start);
    if (ns > 1e8) return ns / rounds;
    rounds = ns < 1e6 ? rounds * 10 : Math.ceil(rounds * 1.2e8 / ns);
  }
}

(async () => {
  const results = [];
  for (const kilobytes of [1, 10, 100]) {
    const document = documentOf(kilobytes * 1000);
    fs.writeFileSync(path.join(folder, `${kilobytes}.json`), JSON.stringify(document));
    for (const { name, expr } of expressions) {
      const expression = jsonata(expr);
      const result = await expression.evaluate(document);
      results.push({ name, kilobytes, expr, result: result === undefined ? null : result, ns: await measure(expression, document) });
    }
  }
  fs.writeFileSync(path.join(folder, "node.json"), JSON.stringify(results));
})();
