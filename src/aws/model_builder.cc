#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>
#include <unordered_set>

#include "aws/model.h"
#include "aws/pattern.h"
#include "aws/quirks.h"

namespace fixpoint::aws {
namespace {

Error invalid_model(std::string_view service, const std::string& where, const std::string& message) {
  return Error{"InvalidModel", message, std::string(service) + (where.empty() ? "" : ": " + where), false, 0};
}

std::optional<ShapeType> shape_type_of(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, ShapeType>, 16> types{{
      {"structure", ShapeType::Structure},
      {"byte", ShapeType::Byte},
      {"short", ShapeType::Short},
      {"list", ShapeType::List},
      {"map", ShapeType::Map},
      {"string", ShapeType::String},
      {"character", ShapeType::String},
      {"blob", ShapeType::Blob},
      {"boolean", ShapeType::Boolean},
      {"integer", ShapeType::Integer},
      {"long", ShapeType::Long},
      {"float", ShapeType::Float},
      {"double", ShapeType::Double},
      {"timestamp", ShapeType::Timestamp},
      {"document", ShapeType::Document},
      {"bigdecimal", ShapeType::Double},
  }};
  for (const auto& [name, type] : types)
    if (name == text) return type;
  return {};
}

std::optional<Protocol> protocol_of(std::string_view text) {
  if (text == "query") return Protocol::Query;
  if (text == "ec2") return Protocol::Ec2;
  if (text == "json") return Protocol::Json;
  if (text == "rest-json") return Protocol::RestJson;
  if (text == "rest-xml") return Protocol::RestXml;
  return {};
}

std::optional<TimestampFormat> timestamp_format_of(std::string_view text) {
  if (text.empty()) return TimestampFormat::Default;
  if (text == "iso8601") return TimestampFormat::Iso8601;
  if (text == "rfc822") return TimestampFormat::Rfc822;
  if (text == "unixTimestamp") return TimestampFormat::UnixTimestamp;
  return {};
}

std::optional<Location> location_of(std::string_view text) {
  if (text.empty()) return Location::Body;
  if (text == "uri") return Location::Uri;
  if (text == "querystring") return Location::QueryString;
  if (text == "header") return Location::Header;
  if (text == "headers") return Location::Headers;
  if (text == "statusCode") return Location::StatusCode;
  return {};
}

std::optional<double> bound_of(const json::Value& value) {
  if (value.is_number()) return value.as_double();
  return {};
}

}  // namespace

/// Builds a Service in two passes: first every shape gets its place, then members point to them.
class ModelBuilder {
 public:
  ModelBuilder(std::string_view name, const json::Value& model) : name_(name), model_(model) {}

  Result<std::shared_ptr<const Service>> build(json::Value paginators, json::Value waiters) {
    if (!model_["metadata"].is_object()) return fail(bad("metadata", "has to be an object"));
    FIXPOINT_CHECK(read_metadata(model_["metadata"]));
    FIXPOINT_CHECK(place_shapes());
    for (const json::Member& entry : shapes_json()) FIXPOINT_CHECK(read_shape(*shape_of(entry.key), entry.value));
    FIXPOINT_CHECK(read_operations());
    index_errors();
    service_->paginators_ = content_of(std::move(paginators), "pagination");
    service_->waiters_ = content_of(std::move(waiters), "waiters");
    return std::shared_ptr<const Service>(std::move(service_));
  }

 private:
  Error bad(const std::string& where, const std::string& message) const { return invalid_model(name_, where, message); }

  static json::Value content_of(json::Value file, std::string_view key) {
    if (json::Value* inner = file.is_object() ? file.as_object().find(key) : nullptr) {
      json::Value content = std::move(*inner);
      return content;
    }
    return file;
  }

  // A copy of the text that lives as long as the service; equal texts share one.
  std::string_view keep(std::string_view text) {
    if (text.empty()) return {};
    if (const auto known = kept_.find(text); known != kept_.end()) return *known;
    if (text.size() > block_left_) {
      const std::size_t size = std::max<std::size_t>(text.size(), 16UL * 1024);
      service_->text_.push_back(std::make_unique<char[]>(size));
      block_ = service_->text_.back().get();
      block_left_ = size;
    }
    std::memcpy(block_, text.data(), text.size());
    const std::string_view copy(block_, text.size());
    block_ += text.size();
    block_left_ -= text.size();
    kept_.insert(copy);
    return copy;
  }
  std::string_view keep_text(const json::Value& value) { return keep(value.string_or("")); }

  const json::Object& shapes_json() const {
    static const json::Object none;
    const json::Value& shapes = model_["shapes"];
    return shapes.is_object() ? shapes.as_object() : none;
  }

  Shape* shape_of(std::string_view shape_name) {
    const auto at = shape_positions_.find(shape_name);
    return at == shape_positions_.end() ? nullptr : &service_->shapes_[at->second];
  }

  Result<const Shape*> refer(const json::Value& reference, const std::string& where) {
    const std::string_view target = reference["shape"].string_or("");
    if (target.empty()) return fail(bad(where, "refers to no shape: it needs a member 'shape'"));
    const Shape* shape = shape_of(target);
    if (shape == nullptr)
      return fail(bad(where, "refers to the shape '" + std::string(target) + "', which is not in the model"));
    return shape;
  }

  XmlNamespace xml_namespace_of(const json::Value& trait) {
    if (trait.is_string()) return {{}, keep_text(trait)};
    return {keep_text(trait["prefix"]), keep_text(trait["uri"])};
  }

  Result<void> read_metadata(const json::Value& metadata) {
    Service& s = *service_;
    s.name = keep(name_);
    s.service_id = keep_text(metadata["serviceId"]);
    s.full_name = keep_text(metadata["serviceFullName"]);
    s.api_version = keep_text(metadata["apiVersion"]);
    s.endpoint_prefix = keep(metadata["endpointPrefix"].string_or(name_));
    s.signing_name = keep(metadata["signingName"].string_or(s.endpoint_prefix));
    s.signature_version = keep(metadata["signatureVersion"].string_or("v4"));
    s.global_endpoint = keep_text(metadata["globalEndpoint"]);
    s.xml_namespace = xml_namespace_of(metadata["xmlNamespace"]).uri;
    if (s.xml_namespace.empty()) s.xml_namespace = default_xml_namespace(name_);
    s.json.target_prefix = keep_text(metadata["targetPrefix"]);
    s.json.version = keep(metadata["jsonVersion"].string_or("1.0"));
    s.query_compatible = metadata.find("awsQueryCompatible") != nullptr;

    FIXPOINT_CHECK(choose_protocol(metadata));
    if (const SecondProtocol* second = find_second_protocol(name_)) {
      s.protocol = Protocol::Json;
      s.speaks_json = s.speaks_query = s.query_compatible = true;
      s.json = {second->json_target_prefix, second->json_version};
      s.xml_namespace = second->xml_namespace;
    }
    return {};
  }

  // botocore's order among those that a service offers.
  Result<void> choose_protocol(const json::Value& metadata) {
    std::vector<std::string_view> offered;
    if (metadata["protocols"].is_array())
      for (const json::Value& protocol : metadata["protocols"].as_array()) offered.push_back(protocol.string_or(""));
    if (offered.empty()) offered.push_back(metadata["protocol"].string_or(""));
    std::optional<Protocol> chosen;
    for (const std::string_view wanted : {"json", "rest-json", "rest-xml", "query", "ec2"}) {
      if (std::ranges::find(offered, wanted) == offered.end()) continue;
      const std::optional<Protocol> protocol = protocol_of(wanted);
      if (!chosen) chosen = protocol;
      if (protocol == Protocol::Json) service_->speaks_json = true;
      if (protocol == Protocol::Query) service_->speaks_query = true;
    }
    if (!chosen)
      return fail(bad("metadata.protocol",
                      "is '" + std::string(offered.front()) + "'; known are query, ec2, json, rest-json and rest-xml"));
    service_->protocol = *chosen;
    return {};
  }

  Result<void> place_shapes() {
    const json::Object& shapes = shapes_json();
    if (shapes.size() >= NameIndex::none) return fail(bad("shapes", "are too many: at most 65534 are taken"));
    service_->shapes_.resize(shapes.size());
    std::vector<std::string_view> names;
    names.reserve(shapes.size());
    for (const json::Member& entry : shapes) {
      Shape& shape = service_->shapes_[names.size()];
      shape.name = keep(entry.key);
      shape_positions_.emplace(shape.name, names.size());
      names.push_back(shape.name);
      const std::optional<ShapeType> type = shape_type_of(entry.value["type"].string_or("string"));
      if (!type)
        return fail(bad("shapes." + entry.key,
                        "is of the unknown type '" + std::string(entry.value["type"].string_or("")) + "'"));
      shape.type = entry.value["document"].bool_or(false) ? ShapeType::Document : *type;
      // Members look at these on the shapes that they refer to, which may come later.
      shape.flattened = entry.value["flattened"].bool_or(false);
      shape.streaming = entry.value["streaming"].bool_or(false);
      shape.sensitive = entry.value["sensitive"].bool_or(false);
      shape.event_stream = entry.value["eventstream"].bool_or(false);
      const auto format = timestamp_format_of(entry.value["timestampFormat"].string_or(""));
      if (!format) return fail(bad("shapes." + entry.key + ".timestampFormat", "is unknown"));
      shape.timestamp_format = *format;
    }
    service_->shape_index_.build(names);
    return {};
  }

  Result<void> read_shape(Shape& shape, const json::Value& from) {
    const std::string where = "shapes." + std::string(shape.name);
    shape.location_name = keep_text(from["locationName"]);
    shape.xml_namespace = xml_namespace_of(from["xmlNamespace"]);
    shape.is_union = from["union"].bool_or(false);
    shape.min = bound_of(from["min"]);
    shape.max = bound_of(from["max"]);
    if (const std::string_view pattern = keep_text(from["pattern"]); !pattern.empty()) {
      service_->patterns_.push_back(std::make_unique<const LazyPattern>(pattern));
      shape.pattern = service_->patterns_.back().get();
    }
    if (from["enum"].is_array())
      for (const json::Value& value : from["enum"].as_array()) shape.enum_values.push_back(keep_text(value));
    read_exception(shape, from);

    switch (shape.type) {
      case ShapeType::Structure: return read_members(shape, from, where);
      case ShapeType::List: return read_member(shape.element, {}, from["member"], where + ".member");
      case ShapeType::Map:
        FIXPOINT_CHECK(read_member(shape.key, {}, from["key"], where + ".key"));
        return read_member(shape.element, {}, from["value"], where + ".value");
      default: return {};
    }
  }

  void read_exception(Shape& shape, const json::Value& from) {
    const json::Value& error = from["error"];
    shape.exception = from["exception"].bool_or(false) || error.is_object();
    shape.fault = from["fault"].bool_or(false) || error["fault"].bool_or(false);
    const json::Value& retry = from["retryable"];
    shape.retryable = retry.is_object() || retry.bool_or(false);
    shape.throttling = retry["throttling"].bool_or(false);
    const std::string_view code = keep_text(error["code"]);
    shape.has_error_code = !code.empty() && code != shape.name;
    shape.error_code = code.empty() ? shape.name : code;
    shape.error_status = static_cast<int>(error["httpStatusCode"].int_or(shape.fault ? 500 : 400));
    shape.has_error_status = error["httpStatusCode"].is_number() || shape.fault;
    shape.sender_fault = error["senderFault"].bool_or(shape.error_status < 500);
  }

  Result<void> read_member(Member& member, std::string_view member_name, const json::Value& from,
                           const std::string& where) {
    FIXPOINT_TRY(shape, refer(from, where));
    member.name = keep(member_name);
    member.shape = shape;
    member.wire_name = keep_text(from["locationName"]);
    // An empty one takes every header.
    member.has_wire_name = !member.wire_name.empty() || from["locationName"].is_string();
    if (!member.has_wire_name) member.wire_name = inherited_wire_name(member, from);
    if (const std::string_view query_name = from["queryName"].string_or(""); !query_name.empty()) {
      member.query_name = keep(query_name);
    } else if (!member.wire_name.empty()) {
      std::string capital(member.wire_name);
      if (capital.front() >= 'a' && capital.front() <= 'z') capital.front() = static_cast<char>(capital.front() - 32);
      member.query_name = keep(capital);
    }
    member.xml_namespace = xml_namespace_of(from["xmlNamespace"]);
    const auto location = location_of(from["location"].string_or(""));
    if (!location)
      return fail(bad(where + ".location", "is unknown: '" + std::string(from["location"].string_or("")) + "'"));
    member.location = *location;
    const auto format = timestamp_format_of(from["timestampFormat"].string_or(""));
    if (!format) return fail(bad(where + ".timestampFormat", "is unknown"));
    member.timestamp_format = *format == TimestampFormat::Default ? shape->timestamp_format : *format;
    member.flattened = from["flattened"].bool_or(shape->flattened);
    member.xml_attribute = from["xmlAttribute"].bool_or(false);
    member.streaming = from["streaming"].bool_or(false) || shape->streaming;
    member.json_value = from["jsonvalue"].bool_or(false);
    member.idempotency_token = from["idempotencyToken"].bool_or(false);
    member.host_label = from["hostLabel"].bool_or(false);
    member.event_payload = from["eventpayload"].bool_or(false);
    member.sensitive = from["sensitive"].bool_or(false) || shape->sensitive;
    return {};
  }

  // Where the member says nothing: a list that its own shape flattens has its elements' name, a list or map its
  // shape's. A structure's own name is that of a document's root, never of a member.
  std::string_view inherited_wire_name(const Member& member, const json::Value& from) {
    const json::Value& target = model_["shapes"][member.shape->name];
    if (member.shape->type == ShapeType::List && member.shape->flattened && from.find("flattened") == nullptr)
      if (const std::string_view element = keep_text(target["member"]["locationName"]); !element.empty())
        return element;
    if (member.shape->type == ShapeType::List || member.shape->type == ShapeType::Map)
      if (const std::string_view own = keep_text(target["locationName"]); !own.empty()) return own;
    return member.name;
  }

  Result<void> read_members(Shape& shape, const json::Value& from, const std::string& where) {
    if (!from["members"].is_object()) return {};
    const json::Object& members = from["members"].as_object();
    if (members.size() >= NameIndex::none) return fail(bad(where, "has too many members"));
    shape.members.resize(members.size());
    std::vector<std::string_view> names;
    std::vector<std::string_view> wire_names;
    for (const json::Member& entry : members) {
      Member& member = shape.members[names.size()];
      FIXPOINT_CHECK(read_member(member, entry.key, entry.value, where + ".members." + entry.key));
      names.push_back(member.name);
      wire_names.push_back(member.wire_name);
      shape.has_wire_names = shape.has_wire_names || member.wire_name != member.name;
    }
    shape.by_name.build(names);
    if (shape.has_wire_names) shape.by_wire.build(wire_names);
    if (service_->protocol == Protocol::Ec2) {
      std::vector<std::string_view> query_names;
      for (const Member& member : shape.members) query_names.push_back(member.query_name);
      shape.by_query.build(query_names);
    }
    if (from["required"].is_array()) {
      for (const json::Value& required : from["required"].as_array()) {
        const std::uint16_t at = shape.by_name.find(required.string_or(""));
        if (at == NameIndex::none)
          return fail(
              bad(where + ".required", "names '" + std::string(required.string_or("")) + "', which is no member"));
        shape.members[at].required = true;
      }
    }
    return bind(shape, from["payload"].string_or(""), where);
  }

  Result<void> bind(Shape& shape, std::string_view payload, const std::string& where) {
    const bool bound = !payload.empty() ||
                       std::ranges::any_of(shape.members, [](const Member& m) { return m.location != Location::Body; });
    if (!bound) return {};
    auto bindings = std::make_unique<Bindings>();
    for (const Member& member : shape.members) {
      switch (member.location) {
        case Location::Uri: bindings->uri.push_back(&member); break;
        case Location::Header: bindings->headers.push_back(&member); break;
        case Location::Headers: bindings->prefix_headers.push_back(&member); break;
        case Location::StatusCode: bindings->status_code = &member; break;
        case Location::QueryString:
          if (member.shape->type == ShapeType::Map)
            bindings->query_map = &member;
          else
            bindings->query.push_back(&member);
          break;
        case Location::Body:
          if (!payload.empty() && member.name == payload)
            bindings->payload = &member;
          else
            bindings->body.push_back(&member);
          break;
      }
    }
    if (!payload.empty() && bindings->payload == nullptr)
      return fail(bad(where + ".payload", "names '" + std::string(payload) + "', which is no member of the body"));
    shape.payload = bindings->payload;
    shape.bindings = std::move(bindings);
    return {};
  }

  Result<void> read_operations() {
    const json::Value& operations = model_["operations"];
    if (!operations.is_object()) return {};
    if (operations.size() >= NameIndex::none) return fail(bad("operations", "are too many"));
    service_->operations_.resize(operations.size());
    std::vector<std::string_view> names;
    for (const json::Member& entry : operations.as_object()) {
      Operation& operation = service_->operations_[names.size()];
      operation.name = keep(entry.value["name"].string_or(entry.key));
      FIXPOINT_CHECK(read_operation(operation, entry.value, "operations." + entry.key));
      names.push_back(operation.name);
    }
    service_->operation_index_.build(names);
    return {};
  }

  Result<void> read_operation(Operation& operation, const json::Value& from, const std::string& where) {
    operation.service = service_.get();
    operation.method = keep(from["http"]["method"].string_or("POST"));
    operation.response_code = static_cast<int>(from["http"]["responseCode"].int_or(200));
    operation.idempotent = from["idempotent"].bool_or(false);
    operation.deprecated = from["deprecated"].bool_or(false);
    operation.takes_gzip = takes_gzip(service_->name, operation.name);
    if (const json::Value& encodings = from["requestcompression"]["encodings"]; encodings.is_array())
      for (const json::Value& encoding : encodings.as_array())
        operation.takes_gzip = operation.takes_gzip || encoding.string_or("") == "gzip";
    const std::string_view auth = from["authtype"].string_or("");
    operation.unsigned_request = auth == "none";
    operation.unsigned_payload = auth == "v4-unsigned-body" || from["unsignedPayload"].bool_or(false);
    if (const json::Value& input = from["input"]; input.is_object()) {
      FIXPOINT_TRY(shape, refer(input, where + ".input"));
      if (shape->type != ShapeType::Structure) return fail(bad(where + ".input", "is no structure"));
      operation.input = shape;
      operation.input_location_name = keep_text(input["locationName"]);
      operation.input_xml_namespace = xml_namespace_of(input["xmlNamespace"]);
      for (const Member& member : shape->members)
        if (member.idempotency_token) operation.idempotency_token = &member;
    }
    if (const json::Value& output = from["output"]; output.is_object()) {
      FIXPOINT_TRY(shape, refer(output, where + ".output"));
      if (shape->type != ShapeType::Structure) return fail(bad(where + ".output", "is no structure"));
      operation.output = shape;
      operation.output_wrapper = keep_text(output["resultWrapper"]);
    }
    // A model of the JSON generation does not say the wrapper that its query form still has.
    if (operation.output_wrapper.empty() && operation.output != nullptr && service_->speaks_json &&
        service_->speaks_query)
      operation.output_wrapper = keep(std::string(operation.name) + "Result");
    if (from["errors"].is_array()) {
      for (const json::Value& error : from["errors"].as_array()) {
        FIXPOINT_TRY(shape, refer(error, where + ".errors"));
        operation.errors.push_back(shape);
      }
    }
    FIXPOINT_CHECK(read_uri(operation, from["http"]["requestUri"].string_or("/"), where + ".http.requestUri"));
    FIXPOINT_CHECK(read_host_prefix(operation, from["endpoint"]["hostPrefix"].string_or(""), where));
    return read_checksum(operation, from, where);
  }

  Result<void> read_uri(Operation& operation, std::string_view text, const std::string& where) {
    UriTemplate& uri = operation.uri;
    uri.text = keep(text);
    std::string_view path = uri.text.substr(0, uri.text.find('?'));
    const std::string_view query =
        path.size() < uri.text.size() ? uri.text.substr(path.size() + 1) : std::string_view();
    if (path.starts_with('/')) path.remove_prefix(1);
    while (!path.empty()) {
      const std::string_view part = path.substr(0, path.find('/'));
      if (part.size() == path.size()) {
        path = {};
      } else {
        path.remove_prefix(part.size() + 1);
        uri.trailing_slash = path.empty();
      }
      UriTemplate::Segment segment;
      segment.text = part;
      if (part.starts_with('{') && part.ends_with('}')) {
        segment.label = true;
        segment.text = part.substr(1, part.size() - 2);
        if (segment.text.ends_with('+')) {
          segment.greedy = true;
          segment.text.remove_suffix(1);
        }
        segment.member = label_member(operation, segment.text, Location::Uri);
        if (segment.member == nullptr)
          return fail(
              bad(where, "has the label {" + std::string(segment.text) + "}, which no member of the input fills"));
      } else if (part.find('{') != std::string_view::npos) {
        return fail(
            bad(where, "has a label within the segment '" + std::string(part) + "'; a label is a whole segment"));
      }
      uri.segments.push_back(segment);
    }
    for (std::string_view rest = query; !rest.empty();) {
      const std::string_view pair = rest.substr(0, rest.find('&'));
      rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
      if (pair.empty()) continue;
      const auto equals = pair.find('=');
      if (equals == std::string_view::npos)
        uri.query.push_back({pair, {}, false});
      else
        uri.query.push_back({pair.substr(0, equals), pair.substr(equals + 1), true});
    }
    return {};
  }

  static const Member* label_member(const Operation& operation, std::string_view label, Location location) {
    if (operation.input == nullptr) return nullptr;
    if (location == Location::Uri && operation.input->bindings) return operation.input->bindings->find_uri(label);
    return operation.input->find(label);
  }

  Result<void> read_host_prefix(Operation& operation, std::string_view text, const std::string& where) {
    text = keep(text);
    while (!text.empty()) {
      HostPrefix::Part part;
      if (text.starts_with('{')) {
        const auto end = text.find('}');
        if (end == std::string_view::npos) return fail(bad(where + ".endpoint.hostPrefix", "has a '{' without '}'"));
        part.text = text.substr(1, end - 1);
        part.member = label_member(operation, part.text, Location::Body);
        if (part.member == nullptr)
          return fail(bad(where + ".endpoint.hostPrefix",
                          "has the label {" + std::string(part.text) + "}, which is no member of the input"));
        text.remove_prefix(end + 1);
      } else {
        part.text = text.substr(0, text.find('{'));
        text.remove_prefix(part.text.size());
      }
      operation.host_prefix.parts.push_back(part);
    }
    return {};
  }

  Result<void> read_checksum(Operation& operation, const json::Value& from, const std::string& where) {
    const json::Value& checksum = from["httpChecksum"];
    operation.checksum.required =
        from["httpChecksumRequired"].bool_or(false) || checksum["requestChecksumRequired"].bool_or(false);
    const auto input_member = [&](std::string_view key) -> Result<const Member*> {
      const std::string_view member_name = checksum[key].string_or("");
      if (member_name.empty() || operation.input == nullptr) return nullptr;
      const Member* member = operation.input->find(member_name);
      if (member == nullptr)
        return fail(bad(where + ".httpChecksum." + std::string(key),
                        "names '" + std::string(member_name) + "', which is no member of the input"));
      return member;
    };
    FIXPOINT_TRY(algorithm, input_member("requestAlgorithmMember"));
    FIXPOINT_TRY(mode, input_member("requestValidationModeMember"));
    operation.checksum.algorithm = algorithm;
    operation.checksum.validation_mode = mode;
    if (checksum["responseAlgorithms"].is_array())
      for (const json::Value& name : checksum["responseAlgorithms"].as_array())
        operation.checksum.response_algorithms.push_back(keep_text(name));
    return {};
  }

  // By code first: two shapes may share one code, and then the first of the model stays.
  void index_errors() {
    std::vector<std::string_view> codes;
    std::unordered_set<std::string_view> seen;
    for (const Shape& shape : service_->shapes_) {
      if (!shape.exception || !seen.insert(shape.error_code).second) continue;
      codes.push_back(shape.error_code);
      service_->errors_.push_back(&shape);
    }
    service_->error_index_.build(codes);
  }

  std::string_view name_;
  const json::Value& model_;
  std::shared_ptr<Service> service_{new Service()};
  std::unordered_map<std::string_view, std::size_t> shape_positions_;
  std::unordered_set<std::string_view> kept_;
  char* block_ = nullptr;
  std::size_t block_left_ = 0;
};

Result<std::shared_ptr<const Service>> Service::from_botocore(std::string_view name, const json::Value& service2,
                                                              json::Value paginators, json::Value waiters) {
  return ModelBuilder(name, service2).build(std::move(paginators), std::move(waiters));
}

}  // namespace fixpoint::aws
