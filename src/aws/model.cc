#include "aws/model.h"

#include <functional>

#include "aws/pattern.h"

namespace fixpoint::aws {
namespace {

constexpr std::size_t linear_limit = 6;

std::size_t hash(std::string_view name) {
  return std::hash<std::string_view>()(name);
}

const Member* find_by_wire_name(const std::vector<const Member*>& members, std::string_view wire_name) {
  for (const Member* member : members)
    if (member->wire_name == wire_name) return member;
  return nullptr;
}

}  // namespace

std::string_view protocol_name(Protocol protocol) {
  switch (protocol) {
    case Protocol::Query: return "query";
    case Protocol::Ec2: return "ec2";
    case Protocol::Json: return "json";
    case Protocol::RestJson: return "rest-json";
    default: return "rest-xml";
  }
}

void NameIndex::build(std::span<const std::string_view> names) {
  names_.assign(names.begin(), names.end());
  slots_.clear();
  if (names.size() <= linear_limit) return;
  std::size_t capacity = 16;
  while (capacity < names.size() * 2) capacity *= 2;
  slots_.assign(capacity, none);
  for (std::size_t i = 0; i < names.size(); ++i) {
    std::size_t slot = hash(names[i]) & (capacity - 1);
    while (slots_[slot] != none) slot = (slot + 1) & (capacity - 1);
    slots_[slot] = static_cast<std::uint16_t>(i);
  }
}

std::uint16_t NameIndex::find(std::string_view name) const {
  if (slots_.empty()) {
    for (std::size_t i = 0; i < names_.size(); ++i)
      if (names_[i] == name) return static_cast<std::uint16_t>(i);
    return none;
  }
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t slot = hash(name) & mask;; slot = (slot + 1) & mask) {
    const std::uint16_t at = slots_[slot];
    if (at == none || names_[at] == name) return at;
  }
}

const Member* Bindings::find_query(std::string_view wire_name) const {
  return find_by_wire_name(query, wire_name);
}

const Member* Bindings::find_uri(std::string_view wire_name) const {
  return find_by_wire_name(uri, wire_name);
}

const Member* Shape::find(std::string_view member_name) const {
  const std::uint16_t at = by_name.find(member_name);
  return at == NameIndex::none ? nullptr : &members[at];
}

const Member* Shape::find_wire(std::string_view wire_name) const {
  if (!has_wire_names) return find(wire_name);
  const std::uint16_t at = by_wire.find(wire_name);
  return at == NameIndex::none ? nullptr : &members[at];
}

const Member* Shape::find_query(std::string_view query_name) const {
  const std::uint16_t at = by_query.find(query_name);
  return at == NameIndex::none ? nullptr : &members[at];
}

const Shape* Operation::find_error(std::string_view code) const {
  for (const Shape* error : errors)
    if (error->error_code == code || error->name == code) return error;
  return nullptr;
}

Service::Service() = default;
Service::~Service() = default;

const Operation* Service::find_operation(std::string_view operation_name) const {
  const std::uint16_t at = operation_index_.find(operation_name);
  return at == NameIndex::none ? nullptr : &operations_[at];
}

const Shape* Service::find_shape(std::string_view shape_name) const {
  const std::uint16_t at = shape_index_.find(shape_name);
  return at == NameIndex::none ? nullptr : &shapes_[at];
}

const Shape* Service::find_error(std::string_view code_or_name) const {
  const std::uint16_t at = error_index_.find(code_or_name);
  if (at != NameIndex::none) return errors_[at];
  const Shape* shape = find_shape(code_or_name);
  return shape != nullptr && shape->exception ? shape : nullptr;
}

}  // namespace fixpoint::aws
