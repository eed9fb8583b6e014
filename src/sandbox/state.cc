#include "sandbox/state.h"

#include <algorithm>
#include <array>
#include <future>
#include <mutex>

#include "json/text.h"

namespace fixpoint::sandbox {
namespace {

constexpr char separator = '\0';
// A parsed value takes about three times the room of its text.
constexpr std::size_t bytes_a_text_byte = 3;
constexpr std::size_t chunk = 256;

std::string prefix_of(const Scope& scope) {
  std::string key;
  key.reserve(scope.service.size() + scope.type.size() + scope.account.size() + scope.region.size() + 40);
  for (const std::string* part : {&scope.service, &scope.type, &scope.account, &scope.region}) {
    key += *part;
    key += separator;
  }
  return key;
}

std::string key_of(const Scope& scope, std::string_view id) {
  return prefix_of(scope).append(id);
}

bool begins_with(std::string_view text, std::string_view start) {
  return text.substr(0, start.size()) == start;
}

// The four parts and the id.
store::Params columns(const std::string& key) {
  store::Params out;
  std::size_t start = 0;
  for (int part = 0; part < 4; ++part) {
    const auto end = key.find(separator, start);
    out.emplace_back(key.substr(start, end - start));
    start = end + 1;
  }
  out.emplace_back(key.substr(start));
  return out;
}

constexpr std::string_view where = " WHERE service = ? AND type = ? AND account = ? AND region = ? AND id = ?";

Document parse_body(const std::string& text) {
  auto parsed = json::parse_printed(text);
  if (!parsed) throw StateFailure{errors::internal("a stored resource cannot be read: " + parsed.error().message)};
  return std::make_shared<const json::Value>(std::move(*parsed));
}

// The column of a row, or nothing where there is no row.
Result<std::optional<std::string>> one_text(store::Session& session, std::string_view select, const std::string& key) {
  FIXPOINT_TRY(rows, session.query(std::string(select) + std::string(where), columns(key)));
  if (rows.empty()) return std::optional<std::string>();
  return std::optional<std::string>(rows[0].take(0));
}

constexpr std::string_view select_body = "SELECT body FROM sandbox_resource";
constexpr std::string_view select_content = "SELECT bytes FROM sandbox_content";

template <class T>
T or_throw(Result<T> result) {
  if (!result) throw StateFailure{std::move(result.error())};
  return std::move(*result);
}

struct Texts {
  std::optional<std::string> body;
  std::optional<std::string> content;
};

Result<Texts> both_texts(store::Session& session, const std::string& key) {
  FIXPOINT_TRY(body, one_text(session, select_body, key));
  if (!body) return Texts{};
  FIXPOINT_TRY(content, one_text(session, select_content, key));
  return Texts{std::move(body), std::move(content)};
}

View::Whole parse_whole(Texts texts) {
  if (!texts.body) return {};
  return {parse_body(*texts.body), std::move(texts.content).value_or("")};
}

}  // namespace

Document View::get(const Scope& scope, std::string_view id) {
  const std::string key = key_of(scope, id);
  if (!changes_.empty())
    if (const auto own = changes_.find(key); own != changes_.end()) return own->second;
  const auto found = below(key);
  if (!found || !found->there) return nullptr;
  return found->body ? found->body : load(key);
}

void View::each(const Scope& scope, std::string_view prefix, std::string_view after,
                const std::function<bool(std::string_view id, const Document& body)>& visit) {
  const std::string base = prefix_of(scope);
  const std::string wanted = base + std::string(prefix);
  std::string from = after.empty() ? std::string() : base + std::string(after);
  while (true) {
    std::vector<Found> found = below_after(wanted, from, chunk);
    const bool last = found.size() < chunk;
    const std::string bound = last ? std::string() : found.back().key;
    for (auto own = changes_.lower_bound(std::max(from, wanted)); own != changes_.end(); ++own) {
      if (!begins_with(own->first, wanted) || (!last && own->first > bound)) break;
      if (own->first <= from && !from.empty()) continue;
      auto place = std::lower_bound(found.begin(), found.end(), own->first,
                                    [](const Found& f, const std::string& key) { return f.key < key; });
      if (place == found.end() || place->key != own->first) place = found.insert(place, Found{own->first, {}, true});
      place->body = own->second;
      place->there = own->second != nullptr;
    }
    for (const Found& item : found) {
      if (!item.there) continue;
      if (!visit(std::string_view(item.key).substr(base.size()), item.body ? item.body : load(item.key))) return;
    }
    if (last) return;
    from = bound;
  }
}

bool View::any(const Scope& scope, std::string_view prefix) {
  bool found = false;
  each(scope, prefix, {}, [&](std::string_view, const Document&) {
    found = true;
    return false;
  });
  return found;
}

View::Whole View::get_with_content(const Scope& scope, std::string_view id, std::size_t expected_bytes) {
  const std::string key = key_of(scope, id);
  Whole out = load_whole(key, expected_bytes);
  if (const auto own = changes_.find(key); own != changes_.end()) out.body = own->second;
  if (const auto own = contents_.find(key); own != contents_.end()) out.content = own->second.value_or("");
  return out;
}

void View::put(const Scope& scope, std::string_view id, json::Value body) {
  changes_[key_of(scope, id)] = std::make_shared<const json::Value>(std::move(body));
}

void View::erase(const Scope& scope, std::string_view id) {
  changes_[key_of(scope, id)] = nullptr;
}

void View::put_content(const Scope& scope, std::string_view id, std::string bytes) {
  contents_[key_of(scope, id)] = std::move(bytes);
}

void View::erase_content(const Scope& scope, std::string_view id) {
  contents_[key_of(scope, id)] = std::nullopt;
}

class ReadView : public View {
 public:
  explicit ReadView(State& state) : state_(state) {}

 protected:
  std::optional<Found> below(const std::string& key) override { return state_.find(key); }

  std::vector<Found> below_after(const std::string& prefix, const std::string& from, std::size_t limit) override {
    std::vector<Found> out;
    state_.find_after(prefix, from, limit, out);
    return out;
  }

  Document load(const std::string& key) override {
    const std::uint64_t version = state_.version(key);
    auto text =
        or_throw(state_.store_.read([&](store::Session& session) { return one_text(session, select_body, key); }));
    if (!text) return nullptr;  // erased between the look at the keys and this one
    auto body = parse_body(*text);
    state_.remember(key, version, body, text->size() * bytes_a_text_byte);
    return body;
  }

  Whole load_whole(const std::string& key, std::size_t) override {
    return parse_whole(or_throw(state_.store_.read([&](store::Session& session) { return both_texts(session, key); })));
  }

 private:
  State& state_;
};

struct NotQuick {
  std::size_t content_bytes = 0;
};

// Memory alone, and not much of it; else NotQuick is thrown.
class QuickView final : public ReadView {
 public:
  using ReadView::ReadView;

 protected:
  std::vector<Found> below_after(const std::string& prefix, const std::string& from, std::size_t limit) override {
    auto out = ReadView::below_after(prefix, from, limit);
    visited_ += out.size();
    if (visited_ > most_visited) throw NotQuick{};
    return out;
  }
  Document load(const std::string&) override { throw NotQuick{}; }
  Whole load_whole(const std::string&, std::size_t expected_bytes) override { throw NotQuick{expected_bytes}; }

 private:
  static constexpr std::size_t most_visited = 8 * chunk;
  std::size_t visited_ = 0;
};

class WriteView final : public View {
 public:
  WriteView(State& state, store::Transaction& tx) : state_(state), tx_(tx) {}

  // Writes what the call changed; what follows in the same commit sees it.
  Result<void> store(std::uint64_t sequence) {
    auto sizes = std::make_shared<std::map<std::string, std::size_t>>();
    for (const auto& [key, body] : changes_) {
      store::Params params = columns(key);
      if (body) {
        std::string text = json::print(*body);
        (*sizes)[key] = text.size() * bytes_a_text_byte;
        params.emplace_back(std::move(text));
        FIXPOINT_CHECK(tx_.execute(
            "INSERT INTO sandbox_resource (service, type, account, region, id, body) VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (service, type, account, region, id) DO UPDATE SET body = excluded.body",
            params));
      } else {
        FIXPOINT_CHECK(tx_.execute("DELETE FROM sandbox_resource" + std::string(where), params));
      }
    }
    for (auto& [key, bytes] : contents_) {
      store::Params params = columns(key);
      if (bytes) {
        params.emplace_back(store::Blob{std::move(*bytes)});
        FIXPOINT_CHECK(
            tx_.execute("INSERT INTO sandbox_content (service, type, account, region, id, bytes) VALUES (?, ?, ?, ?, "
                        "?, ?) "
                        "ON CONFLICT (service, type, account, region, id) DO UPDATE SET bytes = excluded.bytes",
                        params));
      } else {
        FIXPOINT_CHECK(tx_.execute("DELETE FROM sandbox_content" + std::string(where), params));
      }
    }
    for (const auto& [key, body] : changes_) state_.pending_.insert_or_assign(key, State::Pending{body, sequence});
    auto changes = std::make_shared<std::map<std::string, Document>>(std::move(changes_));
    tx_.after_commit([&state = state_, changes, sizes] { state.apply(*changes, *sizes); });
    return {};
  }

 protected:
  std::optional<Found> below(const std::string& key) override {
    if (const auto pending = state_.pending_.find(key); pending != state_.pending_.end())
      return Found{key, pending->second.body, pending->second.body != nullptr};
    return state_.find(key);
  }

  std::vector<Found> below_after(const std::string& prefix, const std::string& from, std::size_t limit) override {
    std::vector<Found> out;
    state_.find_after(prefix, from, limit, out);
    const bool last = out.size() < limit;
    const std::string bound = last ? std::string() : out.back().key;
    for (auto it = state_.pending_.lower_bound(std::max(prefix, from)); it != state_.pending_.end(); ++it) {
      if (!begins_with(it->first, prefix) || (!last && it->first > bound)) break;
      if (it->first <= from && !from.empty()) continue;
      auto place = std::lower_bound(out.begin(), out.end(), it->first,
                                    [](const Found& f, const std::string& key) { return f.key < key; });
      if (place == out.end() || place->key != it->first) place = out.insert(place, Found{it->first, {}, true});
      place->body = it->second.body;
      place->there = it->second.body != nullptr;
    }
    return out;
  }

  Document load(const std::string& key) override {
    auto text = or_throw(one_text(tx_, select_body, key));
    return text ? parse_body(*text) : nullptr;
  }

  Whole load_whole(const std::string& key, std::size_t) override { return parse_whole(or_throw(both_texts(tx_, key))); }

 private:
  State& state_;
  store::Transaction& tx_;
};

State::State(store::Store& store, std::size_t cache_limit_bytes)
    : store_(store), cache_limit_bytes_(cache_limit_bytes) {}

store::Schema State::schema() {
  return {
      "sandbox",
      {"CREATE TABLE sandbox_resource (service TEXT NOT NULL, type TEXT NOT NULL, account TEXT NOT NULL, region TEXT "
       "NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (service, type, account, region, id));"
       "CREATE TABLE sandbox_content (service TEXT NOT NULL, type TEXT NOT NULL, account TEXT NOT NULL, region TEXT "
       "NOT NULL, id TEXT NOT NULL, bytes TEXT NOT NULL, PRIMARY KEY (service, type, account, region, id))",
       "CREATE TABLE sandbox_bytes (service TEXT NOT NULL, type TEXT NOT NULL, account TEXT NOT NULL, region TEXT "
       "NOT NULL, id TEXT NOT NULL, bytes BLOB NOT NULL, PRIMARY KEY (service, type, account, region, id)) STRICT;"
       "INSERT INTO sandbox_bytes SELECT service, type, account, region, id, CAST(bytes AS BLOB) FROM sandbox_content;"
       "DROP TABLE sandbox_content;"
       "ALTER TABLE sandbox_bytes RENAME TO sandbox_content"}};
}

Result<void> State::load() {
  std::unique_lock lock(mutex_);
  return store_.read([&](store::Session& session) -> Result<void> {
    return session.scan("SELECT service, type, account, region, id FROM sandbox_resource", {}, [&](store::Row& row) {
      const Scope scope{row.take(0), row.take(1), row.take(2), row.take(3)};
      entries_.try_emplace(key_of(scope, row.text(4)));
      return true;
    });
  });
}

Result<json::Value> State::read(const std::function<Result<json::Value>(View&)>& work, bool& changed) {
  ReadView view(*this);
  try {
    auto answer = work(view);
    changed = view.changed();
    return answer;
  } catch (StateFailure& failure) {
    return fail(std::move(failure.error));
  }
}

State::Quick State::read_quickly(const std::function<Result<json::Value>(View&)>& work) {
  QuickView view(*this);
  try {
    auto answer = work(view);
    if (!view.changed() || !answer) return {std::move(answer), 0};
  } catch (const NotQuick& reason) {
    return {{}, reason.content_bytes};
  } catch (StateFailure& failure) {
    return {fail(std::move(failure.error)), 0};
  }
  return {};
}

Result<json::Value> State::write(const std::function<Result<json::Value>(View&)>& work) {
  Result<json::Value> answer;
  std::promise<Result<void>> promise;
  auto future = promise.get_future();
  std::uint64_t sequence = 0;
  store_.write_async(
      [&](store::Transaction& tx) -> Result<void> {
        WriteView view(*this, tx);
        try {
          answer = work(view);
        } catch (StateFailure& failure) {
          answer = fail(std::move(failure.error));
        }
        if (!answer) return fail(answer.error());
        sequence = ++sequence_;
        return view.store(sequence);
      },
      [&](Result<void> done) {
        // Committed changes have moved to the entries, those of a failed commit are void: neither is pending.
        if (sequence != 0) std::erase_if(pending_, [&](const auto& item) { return item.second.sequence == sequence; });
        promise.set_value(std::move(done));
      });
  auto done = future.get();
  if (!done) return fail(std::move(done.error()));
  return answer;
}

std::optional<View::Found> State::find(const std::string& key) const {
  std::shared_lock lock(mutex_);
  const auto entry = entries_.find(key);
  if (entry == entries_.end()) return {};
  entry->second.used.store(true, std::memory_order_relaxed);
  return View::Found{{}, entry->second.body, true};
}

void State::find_after(const std::string& prefix, const std::string& from, std::size_t limit,
                       std::vector<View::Found>& out) const {
  std::shared_lock lock(mutex_);
  auto entry = from < prefix ? entries_.lower_bound(prefix) : entries_.upper_bound(from);
  for (; entry != entries_.end() && out.size() < limit && begins_with(entry->first, prefix); ++entry) {
    entry->second.used.store(true, std::memory_order_relaxed);
    out.push_back({entry->first, entry->second.body, true});
  }
}

std::uint64_t State::version(const std::string& key) const {
  std::shared_lock lock(mutex_);
  const auto entry = entries_.find(key);
  return entry == entries_.end() ? 0 : entry->second.version;
}

void State::remember(const std::string& key, std::uint64_t version, const Document& body, std::size_t bytes) {
  std::unique_lock lock(mutex_);
  const auto entry = entries_.find(key);
  // A commit may have come between the read and this: what it left is the newer.
  if (entry == entries_.end() || entry->second.body || entry->second.version != version) return;
  entry->second.body = body;
  entry->second.bytes = bytes;
  cached_bytes_ += bytes;
  evict();
}

void State::apply(const std::map<std::string, Document>& changes, const std::map<std::string, std::size_t>& sizes) {
  std::unique_lock lock(mutex_);
  for (const auto& [key, body] : changes) {
    if (!body) {
      if (const auto entry = entries_.find(key); entry != entries_.end()) {
        cached_bytes_ -= entry->second.bytes;
        entries_.erase(entry);
      }
      continue;
    }
    Entry& entry = entries_[key];
    cached_bytes_ -= entry.bytes;
    entry.version = ++versions_;
    entry.body = body;
    entry.bytes = sizes.at(key);
    entry.used.store(true, std::memory_order_relaxed);
    cached_bytes_ += entry.bytes;
  }
  evict();
}

// Second chance: the hand goes round, spares what was used since it last came by, and drops the rest.
void State::evict() {
  if (cached_bytes_ <= cache_limit_bytes_) return;
  const std::size_t target = cache_limit_bytes_ / 10 * 9;
  auto entry = entries_.upper_bound(hand_);
  for (std::size_t steps = 2 * entries_.size(); cached_bytes_ > target && steps > 0; --steps) {
    if (entry == entries_.end()) entry = entries_.begin();
    if (entry->second.body && !entry->second.used.exchange(false, std::memory_order_relaxed)) {
      cached_bytes_ -= entry->second.bytes;
      entry->second.bytes = 0;
      entry->second.body = nullptr;
    }
    hand_ = entry->first;
    ++entry;
  }
}

std::size_t State::cached_bytes() const {
  std::shared_lock lock(mutex_);
  return cached_bytes_;
}

std::size_t State::resources() const {
  std::shared_lock lock(mutex_);
  return entries_.size();
}

}  // namespace fixpoint::sandbox
