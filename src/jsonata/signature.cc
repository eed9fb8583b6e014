#include "jsonata/signature.h"

#include "jsonata/failure.h"

namespace fixpoint::jsonata {
namespace {

// One letter for each kind of value; m is what is missing.
constexpr std::string_view letters = "asnblfom";

std::uint16_t bits_of(std::string_view types) {
  std::uint16_t bits = 0;
  for (const char c : types) {
    const auto at = letters.find(c);
    if (at != std::string_view::npos) bits = static_cast<std::uint16_t>(bits | (1U << at));
  }
  return bits;
}

char letter_of(const Item& item) {
  switch (item.tag) {
    case Tag::Null: return 'l';
    case Tag::Bool: return 'b';
    case Tag::Double:
    case Tag::Int:
    case Tag::NumberText: return 'n';
    case Tag::String: return 's';
    case Tag::Array:
    case Tag::JsonArray: return 'a';
    case Tag::Object:
    case Tag::JsonObject:
    case Tag::Tuple: return 'o';
    case Tag::Function: return 'f';
    default: return 'm';
  }
}

// The place of the bracket that closes the one at `start`, or of the end.
std::size_t closing(std::string_view text, std::size_t start, char open, char close) {
  int depth = 1;
  std::size_t at = start + 1;
  for (; at < text.size(); ++at) {
    if (text[at] == close && --depth == 0) break;
    if (text[at] == open) ++depth;
  }
  return at;
}

std::string plural(const std::string& subtype) {
  switch (subtype.empty() ? ' ' : subtype[0]) {
    case 'a': return "arrays";
    case 'b': return "booleans";
    case 'f': return "functions";
    case 'n': return "numbers";
    case 'o': return "objects";
    case 's': return "strings";
    default: return "values of type " + subtype;
  }
}

Failure failure(std::string code, std::string message) {
  return Failure{std::move(code), std::move(message), Failure::nowhere, {}};
}

}  // namespace

Signature::Signature(std::string_view text) {
  for (std::size_t at = 1; at < text.size(); ++at) {
    const char c = text[at];
    if (c == ':') break;
    Parameter next;
    switch (c) {
      case 's':
      case 'n':
      case 'b':
      case 'l':
      case 'o':
        next.types = bits_of(std::string{c, 'm'});
        next.type = c;
        parameters_.push_back(next);
        break;
      case 'f':
        next.types = bits_of("f");
        next.type = c;
        parameters_.push_back(next);
        break;
      case 'a':
      case 'x':
        next.types = bits_of(letters);
        next.type = c;
        parameters_.push_back(next);
        break;
      case 'j':
        next.types = bits_of("asnblom");
        next.type = c;
        parameters_.push_back(next);
        break;
      case '-':
        if (parameters_.empty()) break;
        parameters_.back().context = true;
        parameters_.back().optional = true;
        break;
      case '?':
        if (!parameters_.empty()) parameters_.back().optional = true;
        break;
      case '+':
        if (!parameters_.empty()) parameters_.back().repeated = true;
        break;
      case '(': {
        const std::size_t end = closing(text, at, '(', ')');
        const std::string_view choice = text.substr(at + 1, end - at - 1);
        if (choice.find('<') != std::string_view::npos)
          throw Failure{
              "S0402", "a choice of types ('" + std::string(choice) + "') cannot hold types with parameters", at, {}};
        next.types = bits_of(std::string(choice) + "m");
        next.type = '(';
        parameters_.push_back(next);
        at = end;
        break;
      }
      case '<': {
        if (parameters_.empty() || (parameters_.back().type != 'a' && parameters_.back().type != 'f'))
          throw Failure{"S0401", "only an array ('a') or function ('f') takes a type parameter", at, {}};
        const std::size_t end = closing(text, at, '<', '>');
        parameters_.back().subtype = std::string(text.substr(at + 1, end - at - 1));
        at = end;
        break;
      }
      default: break;
    }
    if (parameters_.size() > 64) throw Failure{"S0401", "a signature has more than 64 parameters", at, {}};
  }
}

// As a regular expression with a part for each parameter would: as much as possible, giving back where the rest fails.
bool Signature::match(const char* symbols, std::size_t count, std::size_t parameter, std::size_t at,
                      std::vector<std::size_t>& taken) const {
  if (parameter == parameters_.size()) return at == count;
  const Parameter& p = parameters_[parameter];
  std::size_t most = 0;
  const std::size_t limit = p.repeated ? count - at : std::min<std::size_t>(1, count - at);
  while (most < limit && (p.types & bits_of({symbols + at + most, 1})) != 0) ++most;
  const std::size_t least = p.optional ? 0 : 1;
  for (std::size_t n = most + 1; n-- > least;) {
    taken[parameter] = n;
    if (match(symbols, count, parameter + 1, at + n, taken)) return true;
    if (n == 0) break;
  }
  return false;
}

void Signature::refuse(const Item* arguments, std::size_t count, const std::string& symbols) const {
  // The first argument that no beginning of the signature can take.
  std::size_t good = 0;
  for (std::size_t n = 1; n <= parameters_.size(); ++n) {
    std::size_t at = 0;
    bool fits = true;
    for (std::size_t i = 0; i < n && fits; ++i) {
      const Parameter& p = parameters_[i];
      std::size_t most = 0;
      const std::size_t limit = p.repeated ? count - at : std::min<std::size_t>(1, count - at);
      while (most < limit && (p.types & bits_of({symbols.data() + at + most, 1})) != 0) ++most;
      fits = most > 0 || p.optional;
      at += most;
    }
    if (!fits) break;
    good = at;
  }
  static_cast<void>(arguments);
  throw failure("T0410", "argument " + std::to_string(good + 1) + " does not fit what the function takes");
}

void Signature::check(Arena& arena, const Item* arguments, std::size_t count, const Item& context,
                      std::vector<Item>& checked) const {
  checked.clear();
  std::string symbols(count, 'm');
  for (std::size_t i = 0; i < count; ++i) symbols[i] = letter_of(arguments[i]);
  std::vector<std::size_t> taken(parameters_.size());
  if (!match(symbols.data(), count, 0, 0, taken)) refuse(arguments, count, symbols);
  std::size_t at = 0;
  for (std::size_t i = 0; i < parameters_.size(); ++i) {
    const Parameter& p = parameters_[i];
    if (taken[i] == 0) {
      if (p.context) {
        if ((p.types & bits_of(std::string(1, letter_of(context)))) == 0)
          throw failure("T0411", "the context is not of a kind that argument " + std::to_string(at + 1) + " may have");
        checked.push_back(context);
      } else {
        checked.push_back(at < count ? arguments[at] : Item());
        ++at;
      }
      continue;
    }
    for (std::size_t n = 0; n < taken[i]; ++n, ++at) {
      const Item& argument = arguments[at];
      if (p.type != 'a' || argument.is_undefined()) {
        checked.push_back(argument);
        continue;
      }
      bool fits = true;
      if (!p.subtype.empty()) {
        if (!argument.is_array()) {
          fits = taken[i] == 1 && std::string(1, symbols[at]) == p.subtype;
        } else {
          const ArrayView view(argument);
          // Only the first letter of the parameter counts: a<a<n>> looks no deeper.
          for (std::size_t k = 0; fits && k < view.size(); ++k) fits = letter_of(view[k]) == p.subtype[0];
        }
      }
      if (!fits)
        throw failure("T0412", "argument " + std::to_string(at + 1) + " must be an array of " + plural(p.subtype));
      if (argument.is_array()) {
        checked.push_back(argument);
        continue;
      }
      auto* array = arena.make<ArrayNode>();
      array->items = static_cast<Item*>(arena.allocate(sizeof(Item)));
      new (array->items) Item(argument);
      array->size = array->capacity = 1;
      array->owner = &arena;
      checked.push_back(Item::of(array));
    }
  }
}

}  // namespace fixpoint::jsonata
