#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "json/value.h"

namespace fixpoint::aws {

class Service;
struct Operation;
struct Shape;
class LazyPattern;

/// How a service speaks on the wire. https://smithy.io/2.0/aws/protocols/index.html
enum class Protocol : std::uint8_t { Query, Ec2, Json, RestJson, RestXml };
std::string_view protocol_name(Protocol protocol);  ///< query, ec2, json, rest-json, rest-xml

enum class ShapeType : std::uint8_t {
  Structure,
  List,
  Map,
  String,
  Blob,
  Boolean,
  Byte,
  Short,
  Integer,
  Long,
  Float,
  Double,
  Timestamp,
  Document,  ///< any JSON value
};

/// Where a member of a REST request or response stands.
enum class Location : std::uint8_t { Body, Uri, QueryString, Header, Headers, StatusCode };

/// `Default` is the protocol's own: epoch seconds in JSON, ISO 8601 in XML and queries, HTTP dates in headers.
enum class TimestampFormat : std::uint8_t { Default, Iso8601, Rfc822, UnixTimestamp };

struct XmlNamespace {
  std::string_view prefix;
  std::string_view uri;  ///< empty where there is none
};

/// A structure's member, a list's element, or a map's key or value.
struct Member {
  std::string_view name;        ///< as the model and canonical JSON call it; empty in lists and maps
  std::string_view wire_name;   ///< the model's locationName, on the member, else on the shape, else `name`. Of a list
                                ///< that is flattened by its shape and has none of its own: its elements' name.
  std::string_view query_name;  ///< ec2 requests: queryName, else wire_name with a capital
  const Shape* shape = nullptr;
  XmlNamespace xml_namespace;
  Location location = Location::Body;
  TimestampFormat timestamp_format = TimestampFormat::Default;  ///< the member's, else the shape's
  bool has_wire_name = false;                                   ///< the model says a locationName on the member
  bool required = false;
  bool flattened = false;  ///< here or on the shape
  bool xml_attribute = false;
  bool streaming = false;  ///< here or on the shape
  bool json_value = false;
  bool idempotency_token = false;
  bool host_label = false;
  bool event_payload = false;
  bool sensitive = false;  ///< here or on the shape
};

/// Names to positions, without allocation on lookup. Built once.
class NameIndex {
 public:
  static constexpr std::uint16_t none = 0xFFFF;
  void build(std::span<const std::string_view> names);
  /// The position of `name` in what it was built from, or `none`.
  std::uint16_t find(std::string_view name) const;

 private:
  std::vector<std::string_view> names_;
  std::vector<std::uint16_t> slots_;  // empty where a linear look is quicker
};

/// What of a structure stands outside the body of a REST message. Members in the model's order.
struct Bindings {
  std::vector<const Member*> uri;
  std::vector<const Member*> query;           ///< by name
  std::vector<const Member*> headers;         ///< by name
  std::vector<const Member*> prefix_headers;  ///< maps: every header that starts with wire_name
  std::vector<const Member*> body;            ///< what is left
  const Member* query_map = nullptr;          ///< a map of all other query parameters
  const Member* status_code = nullptr;        ///< gets the response's HTTP status
  const Member* payload = nullptr;            ///< is the whole body
  const Member* find_query(std::string_view wire_name) const;
  const Member* find_uri(std::string_view wire_name) const;
};

struct Shape {
  std::string_view name;
  ShapeType type = ShapeType::Structure;
  TimestampFormat timestamp_format = TimestampFormat::Default;
  bool flattened = false;
  bool streaming = false;
  bool is_union = false;
  bool event_stream = false;
  bool sensitive = false;
  std::string_view location_name;  ///< the shape's own
  XmlNamespace xml_namespace;

  std::vector<Member> members;  ///< of a structure, in the model's order
  Member element;               ///< of a list, or a map's value
  Member key;                   ///< of a map

  std::vector<std::string_view> enum_values;  ///< empty where any is allowed
  std::optional<double> min;                  ///< of a length, a count or a number
  std::optional<double> max;
  const LazyPattern* pattern = nullptr;  ///< null where the model has none

  // Of an exception.
  bool exception = false;
  bool fault = false;             ///< the server's, not the sender's
  bool retryable = false;         ///< the model says that trying again may help
  bool throttling = false;        ///< ... after a while
  bool sender_fault = true;       ///< for the query protocol's <Type>
  bool has_error_code = false;    ///< the model gives a code that differs from the shape's name
  std::string_view error_code;    ///< the code, or the shape's name
  int error_status = 0;           ///< HTTP status; 400, or 500 for a fault, where the model says none
  bool has_error_status = false;  ///< the model says the status

  std::unique_ptr<const Bindings> bindings;  ///< null for a structure that is all body
  const Member* payload = nullptr;

  /// By the model's name. Null where there is none.
  const Member* find(std::string_view member_name) const;
  /// By the name on the wire. Null where there is none.
  const Member* find_wire(std::string_view wire_name) const;
  /// By the name in a request of the ec2 protocol. Null where there is none.
  const Member* find_query(std::string_view query_name) const;

  bool has_wire_names = false;  ///< some member is called otherwise on the wire
  NameIndex by_name;            // use find() and find_wire()
  NameIndex by_wire;
  NameIndex by_query;
};

/// A request URI of the model, taken apart: `/{Bucket}/{Key+}?list-type=2`.
struct UriTemplate {
  struct Segment {
    std::string_view text;  ///< the literal, or the label's name
    bool label = false;
    bool greedy = false;             ///< takes any number of segments
    const Member* member = nullptr;  ///< of the operation's input, for a label
  };
  struct FixedQuery {
    std::string_view key;
    std::string_view value;
    bool has_value = false;
  };
  std::string_view text;
  std::vector<Segment> segments;  ///< between the slashes; none for "/"
  std::vector<FixedQuery> query;
  bool trailing_slash = false;
};

/// A host prefix (`{AccountId}.`, `sync-`), taken apart.
struct HostPrefix {
  struct Part {
    std::string_view text;           ///< the literal, or the label's name
    const Member* member = nullptr;  ///< of the operation's input, for a label
  };
  std::vector<Part> parts;
  bool empty() const { return parts.empty(); }
};

/// What the model says about checksums of an operation (httpChecksum, httpChecksumRequired).
struct HttpChecksum {
  bool required = false;                    ///< the request must carry one: Content-MD5 or a newer one
  const Member* algorithm = nullptr;        ///< of the input: names the request's algorithm
  const Member* validation_mode = nullptr;  ///< of the input: "ENABLED" asks for a checksum of the response
  std::vector<std::string_view> response_algorithms;
};

struct Operation {
  std::string_view name;
  const Service* service = nullptr;
  std::string_view method;
  UriTemplate uri;
  int response_code = 200;
  const Shape* input = nullptr;          ///< null where the operation takes nothing
  const Shape* output = nullptr;         ///< null where it gives nothing
  std::string_view input_location_name;  ///< rest-xml: the root element of the request
  XmlNamespace input_xml_namespace;
  std::string_view output_wrapper;  ///< query: `OpResult`; empty for the other protocols
  std::vector<const Shape*> errors;
  HttpChecksum checksum;
  HostPrefix host_prefix;
  bool idempotent = false;
  bool unsigned_request = false;  ///< authtype none: the request is not signed
  bool unsigned_payload = false;  ///< authtype v4-unsigned-body
  bool deprecated = false;
  bool takes_gzip = false;                    ///< requestCompression: the service takes a body in gzip
  const Member* idempotency_token = nullptr;  ///< of the input: filled by the client where it is missing

  /// The declared error of that code or shape name; null where the operation does not declare it.
  const Shape* find_error(std::string_view code) const;
};

/// How a service that is spoken in two protocols speaks the second one.
struct JsonForm {
  std::string_view target_prefix;  ///< `AmazonSQS` of `X-Amz-Target: AmazonSQS.SendMessage`
  std::string_view version;        ///< "1.0" or "1.1"
};

/// One service's model. Immutable and thread-safe; all that it hands out lives as long as it does.
class Service {
 public:
  /// Builds the model from botocore's form: `service2` is the content of a service-2.json, `paginators` and `waiters`
  /// those of its sisters (null where the service has none). `name` is botocore's (`stepfunctions`, `elbv2`).
  /// Errors: `InvalidModel`, with the place in `where`: a reference to a shape that is not there, a type or protocol
  /// that is unknown, a URI label that no member fills.
  static Result<std::shared_ptr<const Service>> from_botocore(std::string_view name, const json::Value& service2,
                                                              json::Value paginators, json::Value waiters);
  ~Service();
  Service(const Service&) = delete;
  Service& operator=(const Service&) = delete;

  std::string_view name;               ///< botocore's name
  std::string_view service_id;         ///< `EC2`, `SecurityHub`
  std::string_view full_name;          ///< `Amazon Elastic Compute Cloud`
  std::string_view api_version;        ///< `2016-11-15`
  std::string_view endpoint_prefix;    ///< the first label of the host: `monitoring`
  std::string_view signing_name;       ///< in the credential scope; the endpoint prefix where the model says none
  std::string_view signature_version;  ///< v4, s3v4, s3
  std::string_view global_endpoint;    ///< a host without a region, or empty
  Protocol protocol = Protocol::Json;  ///< the one that a client speaks
  std::string_view xml_namespace;      ///< query, ec2: of the response's root
  JsonForm json;                       ///< of the json protocol; empty version where the service does not speak it
  bool speaks_json = false;            ///< json, as first or second protocol
  bool speaks_query = false;           ///< query, as first or second protocol
  bool query_compatible = false;       ///< json errors carry x-amzn-query-error

  /// In the model's order.
  std::span<const Operation> operations() const { return operations_; }
  const Operation* find_operation(std::string_view name) const;
  std::span<const Shape> shapes() const { return shapes_; }
  const Shape* find_shape(std::string_view name) const;
  /// The error of that code or shape name, declared by any operation or not. Null where there is none.
  const Shape* find_error(std::string_view code_or_name) const;

  /// The content of paginators-1.json's `pagination` and waiters-2.json's `waiters` (objects by name), else null.
  const json::Value& paginators() const { return paginators_; }
  const json::Value& waiters() const { return waiters_; }

 private:
  friend class ModelBuilder;
  Service();

  std::vector<std::unique_ptr<char[]>> text_;  // what all string_views point into
  std::vector<Shape> shapes_;
  std::vector<Operation> operations_;
  std::vector<std::unique_ptr<const LazyPattern>> patterns_;
  NameIndex operation_index_;
  NameIndex shape_index_;
  NameIndex error_index_;
  std::vector<const Shape*> errors_;
  json::Value paginators_;
  json::Value waiters_;
};

}  // namespace fixpoint::aws
