#include "json/text.h"
#include "jsonata/evaluator.h"
#include "jsonata/text.h"

namespace fixpoint::jsonata {
namespace {

// JSON as JavaScript's JSON.stringify writes it, numbers to 15 digits and functions as "".
class Printer {
 public:
  Printer(Evaluator& evaluator, bool pretty) : evaluator_(evaluator), pretty_(pretty) {}

  void print(const Item& item, int depth) {
    if (depth > deepest_nesting) too_deeply_nested();
    if ((++items_ & 0xff) == 0) evaluator_.arena().check_room_for(out_.size());
    switch (item.tag) {
      case Tag::Bool: out_ += item.boolean ? "true" : "false"; return;
      case Tag::Double:
      case Tag::Int:
      case Tag::NumberText: number(item); return;
      case Tag::String: json::print_string_to(out_, item.string()); return;
      case Tag::Function: out_ += "\"\""; return;
      case Tag::Array:
      case Tag::JsonArray: {
        const ArrayView view(item);
        evaluator_.charge(view.size());
        out_ += '[';
        for (std::size_t i = 0; i < view.size(); ++i) {
          if (i > 0) out_ += ',';
          line(depth + 1);
          print(view[i], depth + 1);
        }
        if (view.size() > 0) line(depth);
        out_ += ']';
        return;
      }
      case Tag::Object:
      case Tag::JsonObject: {
        evaluator_.charge(member_count(item));
        out_ += '{';
        bool first = true;
        each_member(item, [&](std::string_view key, const Item& value) {
          if (value.is_undefined()) return;
          if (!first) out_ += ',';
          first = false;
          line(depth + 1);
          json::print_string_to(out_, key);
          out_ += pretty_ ? ": " : ":";
          print(value, depth + 1);
        });
        if (!first) line(depth);
        out_ += '}';
        return;
      }
      default: out_ += "null";
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void line(int depth) {
    if (!pretty_) return;
    out_ += '\n';
    out_.append(static_cast<std::size_t>(depth) * 2, ' ');
  }

  void number(const Item& item) {
    if (item.tag == Tag::Int) {
      out_ += std::to_string(item.integer);
      return;
    }
    const double value = item.as_double();
    // Digits that a double cannot hold are kept where they make an integer: an identifier, not a measurement.
    if (item.tag == Tag::NumberText && std::fabs(value) >= 1e15) {
      const std::string digits = item.spelled->number_text();
      if (digits.find_first_of(".eE") == std::string::npos) {
        out_ += digits;
        return;
      }
    }
    if (std::isinf(value)) throw Failure{"D1001", "a number is too large", Failure::nowhere, {}};
    out_ += std::isnan(value) ? "null" : number_text_15(value);
  }

  Evaluator& evaluator_;
  std::string out_;
  bool pretty_;
  std::size_t items_ = 0;
};

}  // namespace

std::string_view Evaluator::text_of(const Item& item, bool pretty) {
  if (item.is_string()) return item.string();
  if (item.is_function()) return "";
  if (item.tag == Tag::Bool) return item.boolean ? "true" : "false";
  if (item.tag == Tag::Null) return "null";
  if (item.is_number() && !std::isfinite(item.as_double()))
    throw Failure{"D3001", "a number that is too large or no number has no text", Failure::nowhere, {}};
  Item subject = item;
  if (subject.tag == Tag::Array && subject.array->has(ArrayNode::outer_wrapper)) subject = ArrayView(subject)[0];
  Printer printer(*this, pretty);
  printer.print(subject, 0);
  return arena_.copy(printer.take());
}

}  // namespace fixpoint::jsonata
