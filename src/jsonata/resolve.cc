#include "jsonata/builtins.h"
#include "jsonata/failure.h"
#include "jsonata/syntax.h"

namespace fixpoint::jsonata {
namespace {

constexpr int deepest_tree = 800;  // a + b + c + ... is as deep as it is long

class Resolver {
 public:
  explicit Resolver(Program& program) : program_(program) {}

  Node* node(Node* written) {
    if (++depth_ > deepest_tree)
      throw Failure{"U1001",
                    "the expression chains or nests more than " + std::to_string(deepest_tree) + " operators",
                    written->place,
                    {}};
    Node* result = resolved(written);
    if (written->keep_array) result->keep_array = true;
    --depth_;
    return result;
  }

 private:
  Node* make(Kind kind, std::size_t place) {
    Node& made = program_.nodes.emplace_back();
    made.kind = kind;
    made.place = place;
    return &made;
  }

  Node* path_of(Node* step) {
    Node* path = make(Kind::Path, step->place);
    path->list.push_back(step);
    return path;
  }

  Node* resolved(Node* n) {
    switch (n->kind) {
      case Kind::Map: return map(n);
      case Kind::Predicate: return predicate(n);
      case Kind::GroupBy: return group_by(n);
      case Kind::OrderBy: return order_by(n);
      case Kind::BindFocus: return bind_focus(n);
      case Kind::BindIndex: return bind_index(n);
      case Kind::Keyword: n->kind = Kind::Name; [[fallthrough]];
      case Kind::Name: {
        Node* path = path_of(n);
        path->keep_singleton_array = n->keep_array;
        return path;
      }
      case Kind::Parent: {
        n->slot = &program_.slots.emplace_back();
        n->slot->label = "!" + std::to_string(program_.slots.size());
        n->slot->parent = n;
        return n;
      }
      case Kind::Variable: n->builtin = find_builtin(n->text); return n;
      case Kind::EndOfText:
        throw Failure{"S0207", "the expression ends where an operand is expected", n->place, "(end)"};
      case Kind::Apply:
        n->a = node(n->a);
        n->b = node(n->b);
        n->keep_array = n->keep_array || n->a->keep_array || n->b->keep_array;
        return n;
      case Kind::Bind:
        n->a = node(n->a);
        n->b = node(n->b);
        pass_on(n, n->b);
        return n;
      case Kind::Negate: return negate(n);
      case Kind::Lambda: n->a = tail(node(n->a)); return n;
      case Kind::Transform:
        n->a = node(n->a);
        n->b = node(n->b);
        if (n->c != nullptr) n->c = node(n->c);
        return n;
      case Kind::Call:
      case Kind::PartialCall:
        parts(n);
        n->a = node(n->a);
        return n;
      case Kind::Array: parts(n); return n;
      case Kind::Block:
        parts(n);
        for (const Node* part : n->list)
          if (part->constructs_array || (part->kind == Kind::Path && part->list[0]->constructs_array))
            n->constructs_array = true;
        return n;
      case Kind::Object:
        for (Pair& pair : n->pairs) {
          pair.key = node(pair.key);
          pass_on(n, pair.key);
          pair.value = node(pair.value);
          pass_on(n, pair.value);
        }
        return n;
      case Kind::Binary:
      case Kind::Condition:
      case Kind::Default:
      case Kind::Coalesce:
        for (Node** part : {&n->a, &n->b, &n->c}) {
          if (*part == nullptr) continue;
          *part = node(*part);
          pass_on(n, *part);
        }
        return n;
      default: return n;
    }
  }

  void parts(Node* n) {
    for (Node*& part : n->list) {
      part = node(part);
      pass_on(n, part);
    }
  }

  Node* negate(Node* n) {
    n->a = node(n->a);
    if (n->a->kind != Kind::Number) {
      pass_on(n, n->a);
      return n;
    }
    Item& literal = n->a->literal;
    literal =
        literal.tag == Tag::Int && literal.integer != 0 ? Item::of(-literal.integer) : Item::of(-literal.as_double());
    return n->a;
  }

  Node* map(Node* n) {
    Node* left = node(n->a);
    Node* path = left->kind == Kind::Path ? left : path_of(left);
    if (left->kind == Kind::Parent) {
      path->seeking = {left->slot};
      path->is_seeking = true;
    }
    Node* rest = node(n->b);
    if (rest->kind == Kind::Path) {
      path->list.insert(path->list.end(), rest->list.begin(), rest->list.end());
    } else {
      if (!rest->predicates.empty()) rest->stages = std::move(rest->predicates);
      rest->predicates.clear();
      path->list.push_back(rest);
    }
    for (Node* step : path->list) {
      if (step->kind == Kind::Number || step->kind == Kind::Constant)
        throw Failure{"S0213", "the literal " + step->text + " cannot be a step of a path", step->place, step->text};
      if (step->kind == Kind::String) step->kind = Kind::Name;
      if (step->keep_array) path->keep_singleton_array = true;
    }
    for (Node* end : {path->list.front(), path->list.back()})
      if (end->is_array_constructor()) end->constructs_array = true;
    find_ancestors(path);
    return path;
  }

  Node* predicate(Node* n) {
    Node* result = node(n->a);
    Node* step = result->kind == Kind::Path ? result->list.back() : result;
    if (step->group) throw Failure{"S0209", "a predicate cannot follow a grouping", n->place, "["};
    Node* condition = node(n->b);
    if (condition->is_seeking) {
      for (AncestorSlot* slot : condition->seeking) {
        if (slot->level == 1)
          seek(step, slot);
        else
          --slot->level;
      }
      pass_on(step, condition);
    }
    (result->kind == Kind::Path ? step->stages : step->predicates).push_back({condition, {}});
    return result;
  }

  Node* group_by(Node* n) {
    Node* result = node(n->a);
    if (result->group) throw Failure{"S0210", "a step can have one grouping only", n->place, "{"};
    auto group = std::make_unique<Group>();
    group->place = n->place;
    for (const Pair& pair : n->pairs) {
      Node* key = node(pair.key);
      group->pairs.push_back({key, node(pair.value)});
    }
    result->group = std::move(group);
    return result;
  }

  Node* order_by(Node* n) {
    Node* result = node(n->a);
    Node* path = result->kind == Kind::Path ? result : path_of(result);
    Node* sort = make(Kind::Sort, n->place);
    for (const SortTerm& term : n->terms) {
      Node* expression = node(term.expression);
      pass_on(sort, expression);
      sort->terms.push_back({expression, term.descending});
    }
    path->list.push_back(sort);
    find_ancestors(path);
    return path;
  }

  Node* bind_focus(Node* n) {
    Node* result = node(n->a);
    Node* step = result->kind == Kind::Path ? result->list.back() : result;
    if (!step->stages.empty() || !step->predicates.empty())
      throw Failure{"S0215", "'@' must stand before the predicates of a step", n->place, "@"};
    if (step->kind == Kind::Sort) throw Failure{"S0216", "'@' must stand before the order-by of a step", n->place, "@"};
    if (n->keep_array) step->keep_array = true;
    step->focus = n->b->text;
    step->tuple = true;
    return result;
  }

  Node* bind_index(Node* n) {
    Node* result = node(n->a);
    Node* step = result;
    if (result->kind == Kind::Path) {
      step = result->list.back();
    } else {
      result = path_of(step);
      step->stages = std::move(step->predicates);
      step->predicates.clear();
    }
    if (step->stages.empty())
      step->index = n->b->text;
    else
      step->stages.push_back({nullptr, n->b->text});
    step->tuple = true;
    return result;
  }

  // A call that is the last thing that a function does returns itself, to be made by the caller's loop: recursion at
  // the tail then needs no depth.
  Node* tail(Node* n) {
    // What is still done with the value, such as (f())[0], comes after the call: no tail then. (The official
    // implementation looks at the call alone, and loses the predicate of a block around it.)
    if (!n->predicates.empty() || n->group || n->keep_array) return n;
    if (n->kind == Kind::Call) {
      Node* thunk = make(Kind::Lambda, n->place);
      thunk->thunk = true;
      thunk->a = n;
      return thunk;
    }
    if (n->kind == Kind::Condition) {
      n->b = tail(n->b);
      if (n->c != nullptr) n->c = tail(n->c);
    } else if (n->kind == Kind::Block && !n->list.empty()) {
      n->list.back() = tail(n->list.back());
    }
    return n;
  }

  // What a `%` within `from` looks for outside of it, `to` looks for as well.
  static void pass_on(Node* to, const Node* from) {
    if (!from->is_seeking && from->kind != Kind::Parent) return;
    const std::vector<AncestorSlot*> slots = from->seeking;
    to->seeking.insert(to->seeking.end(), slots.begin(), slots.end());
    if (from->kind == Kind::Parent) to->seeking.push_back(from->slot);
    to->is_seeking = true;
  }

  // Walks from a step towards what contains it, until the level of the slot is used up.
  static void seek(Node* step, AncestorSlot* slot) {
    switch (step->kind) {
      case Kind::Name:
      case Kind::Wildcard:
        if (--slot->level == 0) {
          // Two `%` that mean the same step share its label.
          if (step->ancestor != nullptr) slot->label = step->ancestor->label;
          step->ancestor = slot;
          step->tuple = true;
        }
        break;
      case Kind::Parent: ++slot->level; break;
      case Kind::Block:
        if (!step->list.empty()) {
          step->tuple = true;
          seek(step->list.back(), slot);
        }
        break;
      case Kind::Path: {
        step->tuple = true;
        std::size_t i = step->list.size();
        seek(step->list[--i], slot);
        while (slot->level > 0 && i > 0) seek(step->list[--i], slot);
        break;
      }
      default:
        throw Failure{"S0217", "what '%' refers to cannot be told from this expression", step->place, step->text};
    }
  }

  void find_ancestors(Node* path) {
    Node* last = path->list.back();
    std::vector<AncestorSlot*> slots = last->seeking;
    if (last->kind == Kind::Parent) slots.push_back(last->slot);
    for (AncestorSlot* slot : slots) {
      std::ptrdiff_t i = static_cast<std::ptrdiff_t>(path->list.size()) - 2;
      while (slot->level > 0) {
        if (i < 0) {
          path->seeking.push_back(slot);
          path->is_seeking = true;
          break;
        }
        Node* step = path->list[static_cast<std::size_t>(i--)];
        // Steps that bind a variable stay where they are, so their inputs are one and the same.
        while (i >= 0 && !step->focus.empty() && !path->list[static_cast<std::size_t>(i)]->focus.empty())
          step = path->list[static_cast<std::size_t>(i--)];
        seek(step, slot);
      }
    }
  }

  Program& program_;
  int depth_ = 0;
};

}  // namespace

const Node* resolve(Program& program, Node* written) {
  Node* root = Resolver(program).node(written);
  if (root->kind == Kind::Parent || root->is_seeking)
    throw Failure{"S0217", "what '%' refers to cannot be told from this expression", root->place, "%"};
  for (Node& node : program.nodes)
    node.plain_name = node.kind == Kind::Name && node.stages.empty() && node.predicates.empty() && !node.tuple &&
                      !node.keep_array && !node.group;
  return root;
}

}  // namespace fixpoint::jsonata
