// How fast a machine of a security team's rules is: events a second on one core, time to build, bytes a rule.
//
//   bench_patterns [RULES...]      the sizes, by default 10 1000 10000 100000
//
// Rule k is the same at every size. Events aim at rules drawn evenly from all, a third of them at none.
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <malloc.h>
#include <random>
#include <string>
#include <time.h>
#include <vector>

#include "patterns/machine.h"

namespace {

using fixpoint::patterns::Machine;
using fixpoint::patterns::RuleId;
using fixpoint::patterns::RuleSet;
using fixpoint::patterns::Scratch;
using Random = std::mt19937_64;
using std::string;
using std::to_string;

constexpr std::array<const char*, 10> regions{"us-east-1",    "us-east-2",   "us-west-2",      "eu-west-1",
                                              "eu-central-1", "eu-north-1",  "ap-southeast-2", "ap-northeast-1",
                                              "sa-east-1",    "ca-central-1"};
struct Service {
  const char* name;
  const char* type;
  const char* arn;  // %r region, %a account, %n name
  int controls;
};
constexpr std::array<Service, 12> services{
    {{"S3", "AwsS3Bucket", "arn:aws:s3:::%n", 24},
     {"EC2", "AwsEc2Instance", "arn:aws:ec2:%r:%a:instance/%n", 53},
     {"IAM", "AwsIamUser", "arn:aws:iam::%a:user/%n", 28},
     {"RDS", "AwsRdsDbInstance", "arn:aws:rds:%r:%a:db:%n", 37},
     {"KMS", "AwsKmsKey", "arn:aws:kms:%r:%a:key/%n", 5},
     {"Lambda", "AwsLambdaFunction", "arn:aws:lambda:%r:%a:function:%n", 7},
     {"CloudTrail", "AwsCloudTrailTrail", "arn:aws:cloudtrail:%r:%a:trail/%n", 10},
     {"ECS", "AwsEcsService", "arn:aws:ecs:%r:%a:service/%n", 16},
     {"ELB", "AwsElbv2LoadBalancer", "arn:aws:elasticloadbalancing:%r:%a:loadbalancer/%n", 17},
     {"SNS", "AwsSnsTopic", "arn:aws:sns:%r:%a:%n", 4},
     {"DynamoDB", "AwsDynamoDbTable", "arn:aws:dynamodb:%r:%a:table/%n", 7},
     {"Redshift", "AwsRedshiftCluster", "arn:aws:redshift:%r:%a:cluster:%n", 15}}};
constexpr std::array<const char*, 5> standards{"security-control/", "aws-foundational-security-best-practices/v/1.0.0/",
                                               "cis-aws-foundations-benchmark/v/1.4.0/", "nist-800-53/v/5.0.0/",
                                               "pci-dss/v/3.2.1/"};

std::size_t pick(Random& random, std::size_t below) {
  return random() % below;
}

string account(std::size_t i) {
  return to_string(100000000000ULL + (i % 4000) * 225000007ULL % 900000000000ULL);
}

struct Control {
  const Service* service;
  string id;
};

Control control(std::size_t i) {
  static const std::vector<Control> all = [] {
    std::vector<Control> made;
    for (const Service& service : services)
      for (int n = 1; n <= service.controls; ++n) made.push_back({&service, string(service.name) + "." + to_string(n)});
    return made;
  }();
  return all[i % all.size()];
}

string arn(const Service& service, const string& region, const string& acct, const string& name) {
  string out;
  for (const char* p = service.arn; *p != '\0'; ++p) {
    if (*p != '%') {
      out += *p;
      continue;
    }
    ++p;
    out += *p == 'r' ? region : *p == 'a' ? acct : name;
  }
  return out;
}

// What a finding must hold for a rule to match it; empty members are free.
struct Wanted {
  string generator, account, region, type, id, stack, address;
  int severity = -1;
  bool no_note = false;
};

struct Rule {
  string pattern;
  Wanted wanted;
};

Rule make_rule(std::size_t k) {
  Random random(k * 2654435761ULL + 99);
  const Control ctl = control(k * 7);
  const string acct = account(k * 31);
  const string region = regions[k % regions.size()];
  const string generator = standards[k / 224 % standards.size()] + ctl.id;
  char team[16];
  std::snprintf(team, sizeof team, "team-%06zu", k);
  const string own = arn(*ctl.service, region, acct, team);
  const string compliance =
      k % 3 != 0 ? R"("Compliance":{"Status":["FAILED"]},)" : R"("Compliance":{"Status":["FAILED","WARNING"]},)";
  const string status =
      compliance + (k % 4 != 0 ? R"("Workflow":{"Status":["NEW"]})" : R"("Workflow":{"Status":["NEW","NOTIFIED"]})");
  Rule rule;
  Wanted& want = rule.wanted;
  want.account = acct;
  want.region = region;
  string fields;
  const auto quote = [](const string& text) { return "\"" + text + "\""; };
  const std::size_t shape = (k * 37 + k / 100) % 100;
  if (shape < 24) {
    fields = status + R"(,"GeneratorId":[)" + quote(generator) + R"(],"AwsAccountId":[)" + quote(acct) +
             R"(],"RecordState":["ACTIVE"],"Resources":{"Id":[)" + quote(own) + "]}";
    want.generator = generator;
    want.type = ctl.service->type;
    want.id = own;
  } else if (shape < 44) {
    fields = status + R"(,"Resources":{"Type":[)" + quote(ctl.service->type) + R"(],"Id":[{"prefix":)" +
             quote(own + "-") + "}]}";
    want.type = ctl.service->type;
    want.id = own + "-" + to_string(pick(random, 65536));
  } else if (shape < 56) {
    std::vector<string> generators{generator};
    for (std::size_t i = 2 + pick(random, 5); i > 0; --i)
      generators.push_back(standards[pick(random, standards.size())] + control(pick(random, 223)).id);
    string list;
    for (const string& one : generators) list += (list.empty() ? "" : ",") + quote(one);
    fields = R"("Compliance":{"Status":["FAILED"]},"Workflow":{"Status":["NEW"]},"GeneratorId":[)" + list +
             R"(],"AwsAccountId":[)" + quote(acct) + R"(],"Region":[)" + quote(region) +
             R"(],"ProductFields":{"aws/securityhub/StackName":[)" + quote(team) + "]}";
    want.generator = generators[pick(random, generators.size())];
    want.stack = team;
  } else if (shape < 64) {
    const string custom = "arn:aws:securityhub:" + region + ":" + acct + ":rule/" + team;
    string list;
    for (std::size_t i = 2 + pick(random, 11); i > 0; --i)
      list += (list.empty() ? "" : ",") + quote(account(k * 31 + 13 * i));
    fields = status + R"(,"GeneratorId":[)" + quote(custom) + R"(],"AwsAccountId":[{"anything-but":[)" + list + "]}]";
    want.generator = custom;
  } else if (shape < 68) {
    fields = status + R"(,"Resources":{"Type":["AwsS3Bucket"],"Id":[{"wildcard":)" +
             quote(string("arn:aws:s3:::") + team + "-*-exports") + "}]}";
    want.type = "AwsS3Bucket";
    want.id = string("arn:aws:s3:::") + team + "-q" + to_string(pick(random, 9)) + "-exports";
  } else if (shape < 69) {
    fields =
        status + R"(,"Resources":{"Id":[{"wildcard":)" + quote(string("arn:aws:iam::*:role/") + team + "-*") + "}]}";
    want.type = "AwsIamRole";
    want.id = "arn:aws:iam::" + acct + ":role/" + team + "-ci";
  } else if (shape < 73) {
    fields = R"("GeneratorId":[)" + quote(generator) + R"(],"Resources":{"Id":[)" + quote(own) +
             R"(]},"Note":{"UpdatedBy":[{"exists":false}]},"Workflow":{"Status":["NEW"]})";
    want.generator = generator;
    want.type = ctl.service->type;
    want.id = own;
    want.no_note = true;
  } else if (shape < 87) {
    constexpr std::array<int, 6> steps{0, 1, 40, 70, 90, 101};
    const std::size_t step = pick(random, 5);
    fields = R"("Severity":{"Normalized":[{"numeric":[">=",)" + to_string(steps[step]) + R"(,"<",)" +
             to_string(steps[step + 1]) + R"(]}]},"GeneratorId":[)" + quote(generator) + R"(],"Resources":{"Type":[)" +
             quote(ctl.service->type) + R"(],"Id":[)" + quote(own) + R"(]},"AwsAccountId":[{"anything-but":[)" +
             quote(account(k * 31 + 1)) + "," + quote(account(k * 31 + 2)) + "]}]";
    want.generator = generator;
    want.type = ctl.service->type;
    want.id = own;
    want.severity = steps[step];
  } else if (shape < 93) {
    fields = status + R"(,"Resources":{"Id":[{"suffix":)" + quote(string("/") + team) + "}]}";
    want.type = "AwsEcsService";
    want.id = "arn:aws:ecs:" + region + ":" + acct + ":service/" + team;
  } else if (shape < 97) {
    fields =
        R"("Resources":{"Id":[)" + quote(own) +
        R"(]},"$or":[{"Severity":{"Label":["CRITICAL","HIGH"]}},{"Severity":{"Normalized":[{"numeric":[">=",70]}]}}])";
    want.type = ctl.service->type;
    want.id = own;
    want.severity = 90;
  } else {
    const string block =
        to_string(11 + k % 180) + "." + to_string(k / 180 % 256) + "." + to_string(k / 46080 % 256) + ".";
    fields = status + R"(,"Network":{"SourceIpV4":[{"cidr":)" + quote(block + "0/24") + R"(}]},"AwsAccountId":[)" +
             quote(acct) + "]";
    want.address = block + to_string(pick(random, 256));
  }
  rule.pattern =
      R"({"source":["aws.securityhub"],"detail-type":["Security Hub Findings - Imported"],"detail":{"findings":{)" +
      fields + "}}}";
  return rule;
}

string words(Random& random, std::size_t count) {
  static const std::vector<string> all{
      "This",   "control",      "checks", "whether", "the",     "resource", "follows", "baseline", "of",
      "an",     "organisation", "and",    "fails",   "where",   "a",        "setting", "allows",   "more",
      "access", "than",         "it",     "should",  "finding", "opens",    "again",   "when",     "drift",
      "is",     "seen",         "by",     "scan",    "or",      "event",    "account", "owner",    "decides"};
  string out;
  for (std::size_t i = 0; i < count; ++i) out += (i > 0 ? " " : "") + all[pick(random, all.size())];
  return out;
}

string finding(Random& random, const Wanted& want, bool hit, bool lean) {
  const string acct = want.account.empty() ? account(pick(random, 4000)) : want.account;
  const string region = want.region.empty() ? regions[pick(random, regions.size())] : want.region;
  const Control ctl = control(pick(random, 1000));
  const string type = want.type.empty() ? ctl.service->type : want.type;
  const string generator = want.generator.empty() ? standards[pick(random, standards.size())] + ctl.id : want.generator;
  char name[40];
  std::snprintf(name, sizeof name, "svc-%06zu-%06zx", pick(random, 1000000), pick(random, 1 << 24));
  const string id = want.id.empty() ? arn(*ctl.service, region, acct, name) : want.id;
  constexpr std::array<int, 10> levels{0, 1, 30, 40, 55, 69, 70, 80, 90, 100};
  const int severity = want.severity >= 0 ? want.severity : levels[pick(random, levels.size())];
  const char* label = severity == 0   ? "INFORMATIONAL"
                      : severity < 40 ? "LOW"
                      : severity < 70 ? "MEDIUM"
                      : severity < 90 ? "HIGH"
                                      : "CRITICAL";
  char uuid[48];
  std::snprintf(uuid, sizeof uuid, "%08zx-%04zx-%04zx-%012zx", pick(random, 1ULL << 32), pick(random, 1 << 16),
                pick(random, 1 << 16), pick(random, 1ULL << 48));
  char time[40];
  std::snprintf(time, sizeof time, "2025-0%zu-%02zuT%02zu:%02zu:%02zu.%03zuZ", 1 + pick(random, 9),
                1 + pick(random, 28), pick(random, 24), pick(random, 60), pick(random, 60), pick(random, 1000));
  string out = "{";
  const auto raw = [&](const string& key, const string& value) {
    out += (out.size() > 1 ? ",\"" : "\"") + key + "\":" + value;
  };
  const auto text = [&](const string& key, const string& value) { raw(key, "\"" + value + "\""); };
  text("SchemaVersion", "2018-10-08");
  text("Id", "arn:aws:securityhub:" + region + ":" + acct + ":security-control/" + ctl.id + "/finding/" + uuid);
  text("ProductArn", "arn:aws:securityhub:" + region + "::product/aws/securityhub");
  text("ProductName", "Security Hub");
  text("CompanyName", "AWS");
  text("Region", region);
  text("GeneratorId", generator);
  text("AwsAccountId", acct);
  if (!lean) text("AwsAccountName", "acct-" + acct.substr(8));
  raw("Types", R"(["Software and Configuration Checks/Industry and Regulatory Standards"])");
  for (const char* key : {"FirstObservedAt", "LastObservedAt", "CreatedAt", "UpdatedAt"}) text(key, time);
  if (!lean) text("ProcessedAt", time);
  raw("Severity", string(R"({"Label":")") + label + R"(","Normalized":)" + to_string(severity) + R"(,"Original":")" +
                      label + "\"}");
  text("Title", ctl.id + " " + words(random, 8));
  if (!lean) {
    text("Description", words(random, 30 + pick(random, 31)));
    raw("Remediation",
        R"({"Recommendation":{"Text":"How to correct this is in the documentation of the control, one page for each of them.","Url":"https://docs.example.com/securityhub/)" +
            ctl.id + "/remediation\"}}");
  }
  const string stack = want.stack.empty() ? "stack-" + to_string(pick(random, 100000)) : want.stack;
  if (lean) {
    raw("ProductFields", R"({"ControlId":")" + ctl.id + R"(","aws/securityhub/StackName":")" + stack + "\"}");
  } else {
    raw("ProductFields",
        R"({"StandardsArn":"arn:aws:securityhub:::standards/aws-foundational-security-best-practices/v/1.0.0","ControlId":")" +
            ctl.id + R"(","RelatedAWSResources:0/name":"securityhub-)" + ctl.id + "-" + string(uuid).substr(0, 8) +
            R"(","RelatedAWSResources:0/type":"AWS::Config::ConfigRule","aws/securityhub/ProductName":"Security Hub",)" +
            R"("aws/securityhub/CompanyName":"AWS","aws/securityhub/annotation":")" + words(random, 12) +
            R"(","Resources:0/Id":")" + id + R"(","aws/securityhub/FindingId":"arn:aws:securityhub:)" + region +
            "::product/aws/securityhub/arn:aws:securityhub:" + region + ":" + acct + ":security-control/" + ctl.id +
            "/finding/" + uuid + R"(","aws/securityhub/StackName":")" + stack + "\"}");
  }
  string resources = R"([{"Type":")" + type + R"(","Id":")" + id + R"(","Partition":"aws","Region":")" + region +
                     R"(","Tags":{"env":"prod","owner":"team)" + to_string(pick(random, 300)) + R"(","cost-center":")" +
                     to_string(pick(random, 10000)) + "\"}";
  if (!lean)
    resources += R"(,"Details":{")" + type + R"(":{"CreatedAt":")" + time + R"(","OwnerId":")" + string(64, 'c') +
                 R"(","Settings":{"Public":false,"Encrypted":true,"Retention":)" + to_string(pick(random, 365)) + "}}}";
  resources += "}";
  if (type != "AwsS3Bucket" && pick(random, 10) < 3)
    resources +=
        R"(,{"Type":"AwsAccount","Id":"AWS::::Account:)" + acct + R"(","Partition":"aws","Region":")" + region + "\"}";
  raw("Resources", resources + "]");
  raw("Compliance",
      string(R"({"Status":")") + (hit || pick(random, 10) < 6 ? "FAILED" : "PASSED") + R"(","SecurityControlId":")" +
          ctl.id +
          R"(","RelatedRequirements":["NIST.800-53.r5 AC-3","NIST.800-53.r5 SC-7"],"AssociatedStandards":[{"StandardsId":"standards/aws-foundational-security-best-practices/v/1.0.0"},)" +
          R"({"StandardsId":"standards/nist-800-53/v/5.0.0"}]})");
  text("WorkflowState", "NEW");
  raw("Workflow", string(R"({"Status":")") + (hit || pick(random, 10) < 7 ? "NEW" : "RESOLVED") + "\"}");
  text("RecordState", hit || pick(random, 100) < 85 ? "ACTIVE" : "ARCHIVED");
  if (!lean)
    raw("FindingProviderFields",
        string(R"({"Severity":{"Label":")") + label + R"(","Original":")" + label + R"(","Normalized":)" +
            to_string(severity) +
            R"(},"Types":["Software and Configuration Checks/Industry and Regulatory Standards"]})");
  if (!want.address.empty() || pick(random, 5) == 0)
    raw("Network",
        R"({"Direction":"IN","Protocol":"TCP","SourceIpV4":")" +
            (want.address.empty() ? "10.3." + to_string(pick(random, 256)) + "." + to_string(pick(random, 256))
                                  : want.address) +
            R"(","SourcePort":)" + to_string(pick(random, 65536)) + "}");
  if (!want.no_note && pick(random, 100) < 15)
    raw("Note", R"({"Text":")" + words(random, 6) + R"(","UpdatedBy":"analyst)" + to_string(pick(random, 40)) +
                    R"(","UpdatedAt":")" + time + "\"}");
  return out + "}";
}

string make_event(std::size_t i, const std::vector<Rule>& rules) {
  Random random(7000003 + i);
  constexpr std::array<int, 6> sizes{1, 1, 1, 2, 2, 3};
  const int count = sizes[pick(random, sizes.size())];
  const bool miss = pick(random, 3) == 0;
  string findings;
  for (int f = 0; f < count; ++f) {
    const bool hit = !miss && (f == 0 || pick(random, 2) == 0);
    findings +=
        (f > 0 ? "," : "") + finding(random, hit ? rules[pick(random, rules.size())].wanted : Wanted{}, hit, f > 0);
  }
  return R"({"version":"0","id":"6f1c7e9a-3d8a-4c1b-8c9e-001122334455","detail-type":"Security Hub Findings - Imported","source":"aws.securityhub","account":"100000000000","time":"2025-06-03T08:15:42Z",)"
         R"("region":"eu-central-1","resources":["arn:aws:securityhub:eu-central-1:100000000000:finding"],"detail":{"findings":[)" +
         findings + "]}}";
}

// The thread's own time: what other processes take of the core does not count.
double now() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

int run(std::size_t rule_count) {
  std::vector<Rule> rules;
  std::vector<RuleSet::Change> changes;
  for (std::size_t k = 0; k < rule_count; ++k) {
    rules.push_back(make_rule(k));
    char name[16];
    std::snprintf(name, sizeof name, "r%06zu", k);
    changes.push_back({name, rules.back().pattern});
  }
  std::vector<string> events;
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < 2000; ++i) {
    events.push_back(make_event(i, rules));
    bytes += events.back().size();
  }
  malloc_trim(0);
  const std::size_t before = mallinfo2().uordblks + mallinfo2().hblkhd;
  const double started = now();
  RuleSet set;
  const auto applied = set.apply(changes);
  const double build = now() - started;
  if (!applied) {
    std::fprintf(stderr, "%s\n", fixpoint::describe(applied.error()).c_str());
    return 1;
  }
  const std::size_t after = mallinfo2().uordblks + mallinfo2().hblkhd;
  const auto machine = set.machine();
  Scratch scratch;
  std::vector<RuleId> out;
  std::size_t matched = 0;
  std::size_t none = 0;
  for (const string& event : events) {
    if (!machine->match(event, out, scratch)) return 1;
    matched += out.size();
    none += out.empty() ? 1 : 0;
  }
  std::vector<double> rates;
  for (int pass = 0; pass < 5; ++pass) {
    const double start = now();
    std::size_t done = 0;
    while (done < 40000 || now() - start < 0.2)
      for (const string& event : events) {
        (void)machine->match(event, out, scratch);
        ++done;
      }
    rates.push_back(static_cast<double>(done) / (now() - start));
  }
  std::sort(rates.begin(), rates.end());
  std::printf(
      "%8zu rules  %10.0f events/s  %6.0f MB/s  build %7.3f s  %6.0f bytes a rule (machine %zu, with the rule texts "
      "%zu)  %.2f rules an event, %zu%% match none\n",
      rule_count, rates[2], rates[2] * static_cast<double>(bytes) / 2000 / 1e6, build,
      static_cast<double>(machine->bytes()) / static_cast<double>(rule_count), machine->bytes() / rule_count,
      (after - before) / rule_count, static_cast<double>(matched) / 2000, none * 100 / events.size());
  std::fflush(stdout);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<std::size_t> sizes;
  for (int i = 1; i < argc; ++i) sizes.push_back(std::strtoul(argv[i], nullptr, 10));
  if (sizes.empty()) sizes = {10, 1000, 10000, 100000};
  std::printf("one thread, its own processor time, events in memory, median of five passes\n");
  for (const std::size_t size : sizes)
    if (size == 0 || run(size) != 0) return 1;
  return 0;
}
