#include "findings_made.h"

#include <array>
#include <cstdio>

#include "base/text.h"

namespace fixpoint::bench {
namespace {

// splitmix64: a good mix of few instructions.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    std::uint64_t z = (state_ += 0x9E3779B97F4A7C15ULL);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31);
  }
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }

 private:
  std::uint64_t state_;
};

struct Service {
  const char* name;
  const char* type;
  const char* arn;  // behind the account, before the resource's own name
};
constexpr std::array<Service, 24> services{{{"S3", "AwsS3Bucket", "bucket/"},
                                            {"EC2", "AwsEc2SecurityGroup", "security-group/sg-"},
                                            {"IAM", "AwsIamUser", "user/"},
                                            {"RDS", "AwsRdsDbInstance", "db:"},
                                            {"KMS", "AwsKmsKey", "key/"},
                                            {"Lambda", "AwsLambdaFunction", "function:"},
                                            {"CloudTrail", "AwsCloudTrailTrail", "trail/"},
                                            {"ELB", "AwsElbv2LoadBalancer", "loadbalancer/app/"},
                                            {"DynamoDB", "AwsDynamoDbTable", "table/"},
                                            {"SNS", "AwsSnsTopic", "topic/"},
                                            {"SQS", "AwsSqsQueue", "queue/"},
                                            {"ECS", "AwsEcsService", "service/"},
                                            {"EKS", "AwsEksCluster", "cluster/"},
                                            {"Redshift", "AwsRedshiftCluster", "cluster:"},
                                            {"CloudFront", "AwsCloudFrontDistribution", "distribution/"},
                                            {"ECR", "AwsEcrRepository", "repository/"},
                                            {"AutoScaling", "AwsAutoScalingAutoScalingGroup", "autoScalingGroup:"},
                                            {"SSM", "AwsSsmPatchCompliance", "patch/"},
                                            {"APIGateway", "AwsApiGatewayStage", "stage/"},
                                            {"SecretsManager", "AwsSecretsManagerSecret", "secret:"},
                                            {"ElastiCache", "AwsElastiCacheCluster", "cluster:"},
                                            {"Neptune", "AwsRdsDbCluster", "cluster:"},
                                            {"OpenSearch", "AwsOpenSearchServiceDomain", "domain/"},
                                            {"WAF", "AwsWafv2WebAcl", "webacl/"}}};
constexpr std::array<const char*, 6> regions{"eu-central-1", "eu-west-1",      "us-east-1",
                                             "us-west-2",    "ap-southeast-2", "ap-northeast-1"};
constexpr std::array<const char*, 8> teams{"payments", "search", "identity", "data",
                                           "web",      "mobile", "platform", "risk"};

std::string hex(Random& random, std::size_t digits) {
  static constexpr char alphabet[] = "0123456789abcdef";
  std::string text(digits, '0');
  for (char& c : text) c = alphabet[random.below(16)];
  return text;
}

std::string uuid(Random& random) {
  return hex(random, 8) + "-" + hex(random, 4) + "-" + hex(random, 4) + "-" + hex(random, 4) + "-" + hex(random, 12);
}

std::string time_of(std::uint64_t seconds_back, std::uint64_t ms) {
  // Back from 2026-07-01T00:00:00Z over half a year, without the calendar's corners: 28 days a month.
  const std::uint64_t days = seconds_back / 86400 % 168;
  const std::uint64_t second = seconds_back % 86400;
  char text[40];
  std::snprintf(text, sizeof text, "2026-%02u-%02uT%02u:%02u:%02u.%03uZ", static_cast<unsigned>(6 - days / 28),
                static_cast<unsigned>(28 - days % 28), static_cast<unsigned>(second / 3600),
                static_cast<unsigned>(second / 60 % 60), static_cast<unsigned>(second % 60), static_cast<unsigned>(ms));
  return text;
}

}  // namespace

std::string made_account(std::uint64_t account) {
  char text[16];
  std::snprintf(text, sizeof text, "%012llu",
                static_cast<unsigned long long>(100'000'000'000ULL + account * 7'919'113));
  return text;
}

std::string made_control(std::uint64_t control) {
  return std::string(services[control % services.size()].name) + "." + std::to_string(1 + control / services.size());
}

std::string made_finding(std::uint64_t n) {
  Random random(n * 2'654'435'761ULL + 12345);
  // A resource has some eight findings, as several controls look at it; they come in the order of the controls.
  const std::uint64_t control = random.below(200);
  const Service& service = services[control % services.size()];
  const std::uint64_t account_number = random.below(60);
  const std::string account = made_account(account_number);
  const std::string region = regions[random.below(regions.size())];
  const std::uint64_t resource_number = random.below(400);
  Random named((account_number * 131 + resource_number) * 977 + control % services.size());
  const std::string own_name = std::string(teams[named.below(teams.size())]) + "-" + hex(named, 17);
  const std::string resource =
      "arn:aws:" + to_lower(service.name) + ":" + region + ":" + account + ":" + service.arn + own_name;
  const std::string control_id = made_control(control);
  const bool control_finding = !random.one_in(10);
  const std::uint64_t grade = (control * 37 + 11) % 100;
  const char* severity = grade < 6    ? "CRITICAL"
                         : grade < 28 ? "HIGH"
                         : grade < 75 ? "MEDIUM"
                         : grade < 95 ? "LOW"
                                      : "INFORMATIONAL";
  const bool passed = random.below(100) < 62;
  const std::uint64_t state = random.below(100);
  const char* workflow = passed       ? "RESOLVED"
                         : state < 78 ? "NEW"
                         : state < 88 ? "NOTIFIED"
                         : state < 94 ? "SUPPRESSED"
                                      : "RESOLVED";
  const std::uint64_t back = random.below(168ULL * 86400);
  const std::string updated = time_of(back, random.below(1000));
  const std::string created = time_of(back + random.below(40ULL * 86400), random.below(1000));
  const std::string title = control_finding
                                ? std::string(service.name) + " resources should satisfy requirement " +
                                      std::to_string(control) + " of the baseline"
                                : "Unusual activity of kind " + std::to_string(control) + " on " + service.type;
  const std::string product = control_finding ? "securityhub" : control % 2 == 0 ? "guardduty" : "inspector";
  const std::string id = control_finding ? "arn:aws:securityhub:" + region + ":" + account + ":security-control/" +
                                               control_id + "/finding/" + uuid(random)
                                         : "arn:aws:" + product + ":" + region + ":" + account + ":detector/" +
                                               hex(random, 32) + "/finding/" + hex(random, 32);

  std::string out;
  out.reserve(4400);
  const auto text = [&](const char* name, const std::string& value) {
    out += '"';
    out += name;
    out += "\":\"";
    out += value;
    out += "\",";
  };
  out += '{';
  text("SchemaVersion", "2018-10-08");
  text("Id", id);
  text("ProductArn", "arn:aws:securityhub:" + region + "::product/aws/" + product);
  text("ProductName", control_finding ? "Security Hub" : product == "guardduty" ? "GuardDuty" : "Inspector");
  text("CompanyName", "AWS");
  text("Region", region);
  text("GeneratorId",
       control_finding ? "security-control/" + control_id
                       : "arn:aws:" + product + ":" + region + ":" + account + ":generator/" + std::to_string(control));
  text("AwsAccountId", account);
  out += R"("Types":[")" +
         std::string(control_finding ? "Software and Configuration Checks/Industry and Regulatory Standards"
                                     : "TTPs/Discovery/Kind" + std::to_string(control % 40)) +
         R"("],)";
  text("FirstObservedAt", created);
  text("LastObservedAt", updated);
  text("CreatedAt", created);
  text("UpdatedAt", updated);
  out += R"("Severity":{"Label":")" + std::string(severity) + R"(","Original":")" + severity + R"("},)";
  text("Title", title);
  text("Description",
       "This check looks at " + std::string(service.type) + " " + own_name +
           " and says whether it is set up as the organisation's baseline wants it: encryption at rest and in "
           "transit, no access from outside, logs that are kept for a year, and an owner who is named by a tag. "
           "What differs is listed under the details of the resource.");
  out +=
      R"("Remediation":{"Recommendation":{"Text":"For how to correct this, see the documentation of the control.","Url":"https://docs.example.com/controls/)" +
      control_id + R"(/remediation"}},)";
  out +=
      R"("ProductFields":{"RelatedAWSResources:0/name":"securityhub-)" + control_id + "-" + hex(random, 8) +
      R"(","RelatedAWSResources:0/type":"AWS::Config::ConfigRule","aws/securityhub/ProductName":"Security Hub","aws/securityhub/CompanyName":"AWS","Resources:0/Id":")" +
      resource + R"(","aws/securityhub/FindingId":"arn:aws:securityhub:)" + region + "::product/aws/" + product + "/" +
      id + R"("},)";
  out += R"("Resources":[{"Type":")" + std::string(service.type) + R"(","Id":")" + resource +
         R"(","Partition":"aws","Region":")" + region + R"(","Tags":{"team":")" +
         own_name.substr(0, own_name.find('-')) + R"(","environment":")" +
         (random.one_in(3)   ? "production"
          : random.one_in(2) ? "staging"
                             : "development") +
         R"(","cost-centre":")" + std::to_string(4000 + random.below(300)) + R"(","created-by":"arn:aws:iam::)" +
         account + ":role/deploy-" + hex(random, 6) + R"("},"Details":{")" + service.type + R"(":{"Name":")" +
         own_name + R"(","OwnerId":")" + account + R"(","CreatedAt":")" + created + R"(","VpcId":"vpc-)" +
         hex(random, 17) + R"(","SubnetIds":["subnet-)" + hex(random, 17) + R"(","subnet-)" + hex(random, 17) +
         R"("],"Encryption":{"Enabled":)" + (random.one_in(2) ? "true" : "false") + R"(,"KeyArn":"arn:aws:kms:)" +
         region + ":" + account + ":key/" + uuid(random) + R"("},"Logging":{"Enabled":)" +
         (random.one_in(2) ? "true" : "false") + R"(,"Target":"log-archive-)" + account + R"("},"Policies":[)";
  for (int i = 0; i < 7; ++i)
    out += std::string(i == 0 ? "" : ",") + R"({"Sid":"statement)" + std::to_string(i) +
           R"(","Effect":"Allow","Principal":"arn:aws:iam::)" + made_account(random.below(60)) + ":role/" +
           teams[random.below(teams.size())] + "-" + hex(random, 8) +
           R"(","Action":"read","Condition":{"IpAddress":"10.)" + std::to_string(random.below(256)) + "." +
           std::to_string(random.below(256)) + R"(.0/24"}})";
  out += R"(]},"Other":{"checkedBy":"rule-)" + hex(random, 12) + R"(","evaluation":")" + uuid(random) + R"("}}}],)";
  if (control_finding)
    out +=
        R"("Compliance":{"Status":")" +
        std::string(passed              ? "PASSED"
                    : random.one_in(30) ? "WARNING"
                                        : "FAILED") +
        R"(","SecurityControlId":")" + control_id +
        R"(","RelatedRequirements":["NIST.800-53.r5 SC-7","NIST.800-53.r5 AC-)" + std::to_string(control % 20) +
        R"(","PCI DSS v3.2.1/1.2.1"],"AssociatedStandards":[{"StandardsId":"standards/aws-foundational-security-best-practices/v/1.0.0"},{"StandardsId":"standards/nist-800-53/v/5.0.0"}]},)";
  if (!passed && random.one_in(8))
    out += R"("Note":{"Text":"Looked at in ticket SEC-)" + std::to_string(random.below(40000)) + R"(","UpdatedBy":")" +
           (random.one_in(3) ? "fixpoint" : "analyst-" + std::to_string(random.below(25))) + R"(","UpdatedAt":")" +
           updated + R"("},)";
  out += R"("Workflow":{"Status":")" + std::string(workflow) + R"("},"RecordState":")" +
         (random.one_in(12) ? "ARCHIVED" : "ACTIVE") + R"("})";
  return out;
}

}  // namespace fixpoint::bench
