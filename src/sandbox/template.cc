#include "sandbox/template.h"

#include <algorithm>
#include <array>

#include "base/id.h"
#include "base/text.h"
#include "json/text.h"

namespace fixpoint::sandbox {
namespace {

constexpr std::string_view capitals_and_digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view small_letters = "abcdefghijklmnopqrstuvwxyz";
constexpr std::string_view decimal_digits = "0123456789";

std::string random_of(std::string_view kind, std::string_view with) {
  const auto length = static_cast<std::size_t>(to_int64(with).value_or(0));
  if (kind == "hex") return random_hex(length);
  if (kind == "upper") return random_text(length, capitals_and_digits);
  if (kind == "letters") return random_text(length, small_letters);
  if (kind == "digits") return random_text(length, decimal_digits);
  return random_uuid();
}

std::string plain_text(const json::Value& value) {
  if (value.is_string()) return value.as_string();
  return value.is_null() ? std::string() : json::print(value);
}

std::string turned(std::string text, std::string_view turn, std::string_view with) {
  if (turn == "lower") return to_lower(text);
  if (turn == "uri") return uri_encode(text);
  if (turn == "tail") {
    const auto at = text.rfind(with);
    return at == std::string::npos ? text : text.substr(at + with.size());
  }
  return text;
}

}  // namespace

const json::Value* find_path(const json::Value& value, const std::vector<std::string>& path) {
  const json::Value* at = &value;
  for (const std::string& name : path) {
    at = at->find(name);
    if (at == nullptr) return nullptr;
  }
  return at->is_null() ? nullptr : at;
}

Result<Template::Reference> Template::parse_reference(std::string_view text, const std::string& where) {
  Reference out;
  const std::string_view whole = text;
  static constexpr std::array<std::string_view, 5> randoms{"hex", "upper", "letters", "digits", "uuid"};
  const auto space = text.find(' ');
  if (std::find(randoms.begin(), randoms.end(), text.substr(0, space)) != randoms.end()) {
    out.root = Root::Random;
    out.turn = text.substr(0, space);
    out.turn_with = space == std::string_view::npos ? "" : std::string(text.substr(space + 1));
    const auto length = to_int64(out.turn_with);
    if (out.turn != "uuid" && (!length || *length < 1 || *length > 128))
      return fail(errors::validation("'{" + std::string(whole) + "}' needs a length from 1 to 128", where));
    return out;
  }
  if (const auto bang = text.find('!'); bang != std::string_view::npos) {
    const std::string_view turn = text.substr(bang + 1);
    const auto gap = turn.find(' ');
    out.turn = turn.substr(0, gap);
    out.turn_with = gap == std::string_view::npos ? "" : std::string(turn.substr(gap + 1));
    if (out.turn != "lower" && out.turn != "uri" && (out.turn != "tail" || out.turn_with.empty()))
      return fail(
          errors::validation("'!" + std::string(turn) + "' is not known: '!lower', '!uri' and '!tail /' are", where));
    text = text.substr(0, bang);
  }
  const auto parts = split(text, '.');
  static const std::map<std::string_view, Root> roots{{"in", Root::In},
                                                      {"it", Root::It},
                                                      {"account", Root::Account},
                                                      {"region", Root::Region},
                                                      {"partition", Root::Partition},
                                                      {"now", Root::Now},
                                                      {"now_ms", Root::NowMs},
                                                      {"now_iso", Root::NowIso},
                                                      {"date", Root::Date}};
  const auto root = roots.find(parts[0]);
  if (root == roots.end())
    return fail(errors::validation("'" + std::string(whole) +
                                       "' begins with nothing that is bound: in, it, account, region, "
                                       "partition, now, now_ms, now_iso and date are",
                                   where));
  out.root = root->second;
  if (parts.size() > 1 && out.root != Root::In && out.root != Root::It)
    return fail(
        errors::validation("'" + std::string(whole) + "': " + std::string(parts[0]) + " has no members", where));
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (parts[i].empty()) return fail(errors::validation("'" + std::string(whole) + "' has an empty name", where));
    out.path.emplace_back(parts[i]);
  }
  return out;
}

Result<std::vector<Template::Piece>> Template::parse_pieces(std::string_view text, const std::string& where) {
  std::vector<Piece> out;
  while (!text.empty()) {
    const auto open = text.find('{');
    Piece piece;
    piece.literal = text.substr(0, open);
    if (open != std::string_view::npos) {
      const auto close = text.find('}', open);
      if (close == std::string_view::npos) return fail(errors::validation("a '{' is not closed", where));
      FIXPOINT_TRY(reference, parse_reference(text.substr(open + 1, close - open - 1), where));
      piece.hole = std::move(reference);
      text.remove_prefix(close + 1);
    } else {
      text = {};
    }
    out.push_back(std::move(piece));
  }
  return out;
}

Result<Template> Template::parse(const json::Value& source, const std::string& where) {
  Template out;
  if (source.is_string()) {
    std::string_view text = source.as_string();
    if (text.substr(0, 2) == "$$") {
      out.constant_ = json::Value(text.substr(1));
      return out;
    }
    if (!text.empty() && text[0] == '$') {
      out.kind_ = Kind::Reference;
      std::string_view name = text.substr(1);
      if (const auto bar = name.find(" | "); bar != std::string_view::npos) {
        const std::string_view otherwise = name.substr(bar + 3);
        auto parsed = json::parse(otherwise);
        out.constant_ = parsed ? std::move(*parsed) : json::Value(otherwise);
        out.has_default_ = true;
        name = name.substr(0, bar);
      }
      FIXPOINT_TRY(reference, parse_reference(name, where));
      out.reference_ = std::move(reference);
      return out;
    }
    if (text.find('{') != std::string_view::npos) {
      out.kind_ = Kind::Text;
      FIXPOINT_TRY(pieces, parse_pieces(text, where));
      out.pieces_ = std::move(pieces);
      return out;
    }
  }
  if (source.is_array()) {
    out.kind_ = Kind::Array;
    for (std::size_t i = 0; i < source.size(); ++i) {
      FIXPOINT_TRY(item, parse(source[i], where + "[" + std::to_string(i) + "]"));
      out.items_.push_back(std::move(item));
    }
    return out;
  }
  if (!source.is_object()) {
    out.constant_ = source;
    return out;
  }
  out.kind_ = Kind::Object;
  for (const json::Member& member : source.as_object()) {
    const std::string place = where + "." + member.key;
    if (member.key == "$take" || member.key == "$without") {
      if (!member.value.is_array()) return fail(errors::validation("must be a list of member names", place));
      for (const json::Value& name : member.value.as_array()) {
        if (!name.is_string()) return fail(errors::validation("must be a list of member names", place));
        (member.key == "$take" ? out.take_ : out.without_).push_back(name.as_string());
      }
    } else if (member.key == "$all") {
      if (member.value.string_or({}).substr(0, 1) != "$")
        return fail(errors::validation("must be a reference such as $it", place));
      FIXPOINT_TRY(reference, parse_reference(std::string_view(member.value.as_string()).substr(1), place));
      out.all_.push_back(std::move(reference));
    } else {
      FIXPOINT_TRY(item, parse(member.value, place));
      FIXPOINT_TRY(name, parse_pieces(member.key, place));
      out.names_.push_back(std::move(name));
      out.items_.push_back(std::move(item));
    }
  }
  return out;
}

const json::Value* Template::look(const Reference& reference, const Bindings& bindings) {
  if (reference.root == Root::In) return find_path(bindings.request.input, reference.path);
  if (reference.root == Root::It && bindings.it != nullptr) return find_path(*bindings.it, reference.path);
  return nullptr;
}

std::optional<json::Value> Template::value(const Reference& reference, const Bindings& bindings) {
  const Request& request = bindings.request;
  switch (reference.root) {
    case Root::In:
    case Root::It: {
      const json::Value* found = look(reference, bindings);
      if (found == nullptr) return {};
      if (!reference.turn.empty()) return turned(plain_text(*found), reference.turn, reference.turn_with);
      return *found;
    }
    case Root::Account: return request.context.account;
    case Root::Region: return request.context.region;
    case Root::Partition: return request.partition();
    case Root::Now: return request.now();
    case Root::NowMs: return request.now_ms;
    case Root::NowIso: return format_iso8601_ms(request.now_ms);
    case Root::Date: return format_iso8601_ms(request.now_ms).substr(0, 10);
    case Root::Random: return random_of(reference.turn, reference.turn_with);
  }
  return {};
}

std::optional<json::Value> Template::fill(const Bindings& bindings) const {
  switch (kind_) {
    case Kind::Constant: return constant_;
    case Kind::Reference: {
      auto found = value(reference_, bindings);
      if (!found && has_default_) return constant_;
      return found;
    }
    case Kind::Text: return text(bindings);
    case Kind::Array: {
      json::Array out;
      for (const Template& item : items_)
        if (auto filled = item.fill(bindings)) out.push_back(std::move(*filled));
      return out;
    }
    case Kind::Object: break;
  }
  json::Object out;
  for (const Reference& reference : all_) {
    const json::Value* found = look(reference, bindings);
    if (found == nullptr || !found->is_object()) continue;
    for (const json::Member& member : found->as_object())
      if (std::find(without_.begin(), without_.end(), member.key) == without_.end()) out.set(member.key, member.value);
  }
  for (const std::string& name : take_)
    if (const json::Value* member = bindings.request.input.find(name); member != nullptr && !member->is_null())
      out.set(name, *member);
  for (std::size_t i = 0; i < items_.size(); ++i)
    if (auto filled = items_[i].fill(bindings)) out.set(fill_pieces(names_[i], bindings), std::move(*filled));
  return out;
}

std::string Template::text(const Bindings& bindings) const {
  if (kind_ != Kind::Text) {
    const auto filled = fill(bindings);
    return filled ? plain_text(*filled) : std::string();
  }
  return fill_pieces(pieces_, bindings);
}

std::string Template::fill_pieces(const std::vector<Piece>& pieces, const Bindings& bindings) {
  std::string out;
  for (const Piece& piece : pieces) {
    out += piece.literal;
    if (!piece.hole) continue;
    if (const auto filled = value(*piece.hole, bindings)) out += plain_text(*filled);
  }
  return out;
}

}  // namespace fixpoint::sandbox
