#include "findings/resources.h"

#include <algorithm>
#include <iterator>

namespace fixpoint::findings {
namespace {

// How an ARN is made of a resource's name. `begin` is what each id of the type begins with, where AWS gives the ids.
struct ResourceType {
  enum Needs : std::uint8_t {
    Nothing,        // arn:aws:s3:::NAME
    Account,        // arn:aws:iam::ACCOUNT:user/NAME
    RegionAlone,    // arn:aws:ec2:REGION::snapshot/ID
    RegionAccount,  // arn:aws:ec2:REGION:ACCOUNT:instance/ID
    More            // not to be made of the id
  };
  std::string_view cloudformation;
  std::string_view asff;
  Needs needs = More;
  std::string_view service = {};
  std::string_view kind = {};
  std::string_view begin = {};
};

using enum ResourceType::Needs;

constexpr ResourceType types[] = {
    {"AWS::EC2::Instance", "AwsEc2Instance", RegionAccount, "ec2", "instance/", "i-"},
    {"AWS::EC2::SecurityGroup", "AwsEc2SecurityGroup", RegionAccount, "ec2", "security-group/", "sg-"},
    {"AWS::EC2::Volume", "AwsEc2Volume", RegionAccount, "ec2", "volume/", "vol-"},
    {"AWS::EC2::VPC", "AwsEc2Vpc", RegionAccount, "ec2", "vpc/", "vpc-"},
    {"AWS::EC2::Subnet", "AwsEc2Subnet", RegionAccount, "ec2", "subnet/", "subnet-"},
    {"AWS::EC2::NetworkInterface", "AwsEc2NetworkInterface", RegionAccount, "ec2", "network-interface/", "eni-"},
    {"AWS::EC2::NetworkAcl", "AwsEc2NetworkAcl", RegionAccount, "ec2", "network-acl/", "acl-"},
    {"AWS::EC2::RouteTable", "AwsEc2RouteTable", RegionAccount, "ec2", "route-table/", "rtb-"},
    {"AWS::EC2::EIP", "AwsEc2Eip", RegionAccount, "ec2", "elastic-ip/", "eipalloc-"},
    {"AWS::EC2::TransitGateway", "AwsEc2TransitGateway", RegionAccount, "ec2", "transit-gateway/", "tgw-"},
    {"AWS::EC2::LaunchTemplate", "AwsEc2LaunchTemplate", RegionAccount, "ec2", "launch-template/", "lt-"},
    {"AWS::EC2::Snapshot", "Other", RegionAlone, "ec2", "snapshot/", "snap-"},
    {"AWS::S3::Bucket", "AwsS3Bucket", Nothing, "s3", ""},
    {"AWS::KMS::Key", "AwsKmsKey", RegionAccount, "kms", "key/"},
    {"AWS::Lambda::Function", "AwsLambdaFunction", RegionAccount, "lambda", "function:"},
    {"AWS::CloudTrail::Trail", "AwsCloudTrailTrail", RegionAccount, "cloudtrail", "trail/"},
    {"AWS::RDS::DBInstance", "AwsRdsDbInstance", RegionAccount, "rds", "db:"},
    {"AWS::RDS::DBCluster", "AwsRdsDbCluster", RegionAccount, "rds", "cluster:"},
    {"AWS::RDS::DBSnapshot", "AwsRdsDbSnapshot", RegionAccount, "rds", "snapshot:"},
    {"AWS::RDS::DBClusterSnapshot", "AwsRdsDbClusterSnapshot", RegionAccount, "rds", "cluster-snapshot:"},
    {"AWS::Redshift::Cluster", "AwsRedshiftCluster", RegionAccount, "redshift", "cluster:"},
    {"AWS::DynamoDB::Table", "AwsDynamoDbTable", RegionAccount, "dynamodb", "table/"},
    {"AWS::SNS::Topic", "AwsSnsTopic", RegionAccount, "sns", ""},
    {"AWS::SQS::Queue", "AwsSqsQueue", RegionAccount, "sqs", ""},
    {"AWS::EKS::Cluster", "AwsEksCluster", RegionAccount, "eks", "cluster/"},
    {"AWS::ECS::Cluster", "AwsEcsCluster", RegionAccount, "ecs", "cluster/"},
    {"AWS::ECR::Repository", "AwsEcrRepository", RegionAccount, "ecr", "repository/"},
    {"AWS::EFS::FileSystem", "AwsEfsFileSystem", RegionAccount, "elasticfilesystem", "file-system/", "fs-"},
    {"AWS::CloudWatch::Alarm", "AwsCloudWatchAlarm", RegionAccount, "cloudwatch", "alarm:"},
    {"AWS::CodeBuild::Project", "AwsCodeBuildProject", RegionAccount, "codebuild", "project/"},
    {"AWS::Elasticsearch::Domain", "AwsElasticsearchDomain", RegionAccount, "es", "domain/"},
    {"AWS::OpenSearch::Domain", "AwsOpenSearchServiceDomain", RegionAccount, "es", "domain/"},
    {"AWS::ElasticLoadBalancing::LoadBalancer", "AwsElbLoadBalancer", RegionAccount, "elasticloadbalancing",
     "loadbalancer/"},
    {"AWS::IAM::User", "AwsIamUser", Account, "iam", "user/"},
    {"AWS::IAM::Role", "AwsIamRole", Account, "iam", "role/"},
    {"AWS::IAM::Group", "AwsIamGroup", Account, "iam", "group/"},
    {"AWS::IAM::Policy", "AwsIamPolicy", Account, "iam", "policy/"},
    {"AWS::IAM::AccessKey", "AwsIamAccessKey"},
    {"AWS::SecretsManager::Secret", "AwsSecretsManagerSecret"},
    {"AWS::ElasticLoadBalancingV2::LoadBalancer", "AwsElbv2LoadBalancer"},
    {"AWS::AutoScaling::AutoScalingGroup", "AwsAutoScalingAutoScalingGroup"},
    {"AWS::CloudFormation::Stack", "AwsCloudFormationStack"},
    {"AWS::ACM::Certificate", "AwsCertificateManagerCertificate"},
    {"AWS::ApiGateway::RestApi", "AwsApiGatewayRestApi"},
    {"AWS::CloudFront::Distribution", "AwsCloudFrontDistribution"},
    {"AWS::EC2::VPNConnection", "AwsEc2VpnConnection"},
    {"AWS::SSM::ManagedInstanceInventory", "AwsSsmPatchCompliance"},
    {"AWS::WAFv2::WebACL", "AwsWafv2WebAcl"},
    {"AWS::Lambda::LayerVersion", "AwsLambdaLayerVersion"},
    {"AWS::::Account", "AwsAccount"},
};

// The ids that AWS makes for entities of IAM and for databases, which stand where one looks for a name (Config's
// ResourceId): https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids
bool is_unique_id(const ResourceType& type, std::string_view id) {
  const bool capitals = id.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") == std::string_view::npos;
  if (type.service == "iam") return capitals && id.size() >= 16 && id.starts_with('A');
  if (type.service != "rds") return false;
  for (const std::string_view begin : {"db-", "cluster-"})
    if (id.starts_with(begin) && id.size() == begin.size() + 26) return true;
  return false;
}

}  // namespace

std::string_view asff_type_of(std::string_view cloudformation_type) {
  const auto* found = std::find_if(std::begin(types), std::end(types), [&](const ResourceType& type) {
    return type.cloudformation == cloudformation_type;
  });
  return found == std::end(types) ? "Other" : found->asff;
}

std::string_view cloudformation_type_of(std::string_view asff_type) {
  const auto* found = std::find_if(std::begin(types), std::end(types), [&](const ResourceType& type) {
    return type.asff == asff_type && type.asff != "Other";
  });
  return found == std::end(types) ? asff_type : found->cloudformation;
}

std::optional<std::string> arn_of(std::string_view type, std::string_view id, const ResourcePlace& place) {
  const auto* found = std::find_if(std::begin(types), std::end(types), [&](const ResourceType& known) {
    return known.cloudformation == type || (known.asff == type && known.asff != "Other");
  });
  if (found == std::end(types) || found->needs == More) return {};
  // A name with a path (an IAM user's) is kept; a colon or blank means that it is something else.
  if (id.empty() || id.find_first_of(": \t\r\n") != std::string_view::npos || id.front() == '/') return {};
  if (!id.starts_with(found->begin) || is_unique_id(*found, id)) return {};
  const bool region = found->needs == RegionAlone || found->needs == RegionAccount;
  const bool account = found->needs == Account || found->needs == RegionAccount;
  if (place.partition.empty() || (region && place.region.empty()) || (account && place.account.empty())) return {};
  return "arn:" + place.partition + ":" + std::string(found->service) + ":" + (region ? place.region : "") + ":" +
         (account ? place.account : "") + ":" + std::string(found->kind) + std::string(id);
}

}  // namespace fixpoint::findings
