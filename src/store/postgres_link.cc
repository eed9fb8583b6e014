#include "store/postgres_link.h"

#include <algorithm>
#include <libpq-fe.h>
#include <poll.h>

#include "base/text.h"

namespace fixpoint::store {
namespace {

bool is_secret(std::string_view keyword) {
  return keyword == "password" || keyword == "sslpassword";
}

// On one line, and without secrets.
std::string without(std::string text, const std::vector<std::string>& secrets) {
  text = replace_all(replace_all(std::move(text), "\n", " "), "\t", "");
  for (const std::string& secret : secrets) text = replace_all(std::move(text), secret, "***");
  return text;
}

Error store_error(std::string message, bool retryable) {
  Error error = errors::coded("StoreError", std::move(message), retryable ? 503 : 500);
  error.retryable = retryable;
  return error;
}

// https://www.postgresql.org/docs/15/errcodes-appendix.html: what may go away by itself.
bool may_pass(std::string_view state) {
  if (state == "08P01") return false;  // a message that does not fit the protocol
  return state.starts_with("08") || state.starts_with("40") || state.starts_with("53") || state.starts_with("57") ||
         state.starts_with("58") || state == "55P03" || state == "25006";
}

}  // namespace

void FreeResult::operator()(pg_result* result) const {
  PQclear(result);
}

Result<PostgresTarget> PostgresTarget::parse(const std::string& text) {
  // libpq's own message repeats parts of the text, and one of them may be a password.
  char* message = nullptr;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(PQconninfoParse(text.c_str(), &message),
                                                                             &PQconninfoFree);
  PQfreemem(message);
  if (!options)
    return fail(
        errors::validation("the store's connection string cannot be read; its form is "
                           "postgresql://USER@HOST:PORT/NAME, with the characters "
                           "that are special in a URI as %XX, or host=HOST port=PORT dbname=NAME user=USER"));
  PostgresTarget target;
  std::string name;
  std::string host;
  std::string port;
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    const std::string_view keyword = option->keyword;
    if (option->val == nullptr || *option->val == '\0') continue;
    target.settings.emplace_back(keyword, option->val);
    if (is_secret(keyword)) target.secrets.emplace_back(option->val);
    if (keyword == "dbname") name = option->val;
    if (keyword == "host") host = option->val;
    if (keyword == "port") port = option->val;
  }
  const auto set_unless_given = [&](const char* keyword, const char* value) {
    if (std::none_of(target.settings.begin(), target.settings.end(), [&](const auto& s) { return s.first == keyword; }))
      target.settings.emplace_back(keyword, value);
  };
  set_unless_given("application_name", "fixpoint");
  set_unless_given("client_encoding", "UTF8");
  // A server that went away without a word is noticed within seconds, not after the kernel's two hours.
  set_unless_given("connect_timeout", "5");
  set_unless_given("keepalives_idle", "10");
  set_unless_given("keepalives_interval", "5");
  set_unless_given("keepalives_count", "3");
  set_unless_given("tcp_user_timeout", "20000");
  target.shown = "PostgreSQL" + (name.empty() ? "" : " database " + name) +
                 (host.empty() ? "" : " at " + host + (port.empty() ? "" : ":" + port));
  return target;
}

Result<std::unique_ptr<PostgresLink>> PostgresLink::connect(const PostgresTarget& target) {
  std::vector<const char*> keywords;
  std::vector<const char*> values;
  for (const auto& [keyword, value] : target.settings) {
    keywords.push_back(keyword.c_str());
    values.push_back(value.c_str());
  }
  keywords.push_back(nullptr);
  values.push_back(nullptr);
  pg_conn* connection = PQconnectdbParams(keywords.data(), values.data(), 0);
  auto link = std::unique_ptr<PostgresLink>(new PostgresLink(connection, target.secrets));
  if (PQstatus(connection) != CONNECTION_OK)
    return fail(store_error("cannot connect to the store's " + target.shown + ": " +
                                without(std::string(trim(PQerrorMessage(connection))), target.secrets),
                            true));
  PQsetNoticeProcessor(connection, [](void*, const char*) {}, nullptr);
  if (PQenterPipelineMode(connection) != 1) return fail(link->lost());
  return link;
}

PostgresLink::~PostgresLink() {
  PQfinish(connection_);
}

bool PostgresLink::alive() {
  if (broken_) return false;
  pollfd waiting{PQsocket(connection_), POLLIN, 0};
  // Between transactions the server sends answers that nobody waits for, and that it goes away: a message, then the
  // end.
  while (!broken_ && unanswered_ == 0 && ::poll(&waiting, 1, 0) > 0)
    if (PQconsumeInput(connection_) == 0) broken_ = true;
  if (PQstatus(connection_) != CONNECTION_OK) broken_ = true;
  return !broken_;
}

int PostgresLink::server_version() const {
  return PQserverVersion(connection_);
}

Error PostgresLink::lost() const {
  return store_error("the connection to the store's database was lost: " +
                         without(std::string(trim(PQerrorMessage(connection_))), secrets_),
                     true);
}

Error PostgresLink::error_of(const pg_result* result) const {
  const auto field = [&](int code) {
    const char* text = PQresultErrorField(result, code);
    return std::string(text != nullptr ? text : "");
  };
  const std::string state = field(PG_DIAG_SQLSTATE);
  if (state.empty()) return lost();
  const std::string said = without(field(PG_DIAG_MESSAGE_PRIMARY), secrets_);
  if (state.starts_with("23")) return errors::coded("StoreConflict", "the store said: " + said, 409);
  if (state == "22021") return errors::validation("a text cannot be kept: it holds bytes that are no UTF-8");
  // https://www.postgresql.org/docs/15/btree-implementation.html: a third of a page.
  if (state == "54000") return errors::validation("a text is too long for the store's index: the store said: " + said);
  return store_error("the store said: " + said + " (" + state + ")", may_pass(state));
}

void PostgresLink::note(int sent) {
  if (sent == 1)
    ++unanswered_;
  else
    broken_ = true;
}

void PostgresLink::put(const std::string& sql) {
  note(PQsendQueryParams(connection_, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0));
}
void PostgresLink::put_prepare(const std::string& name, const std::string& sql) {
  note(PQsendPrepare(connection_, name.c_str(), sql.c_str(), 0, nullptr));
}
void PostgresLink::put_describe(const std::string& name) {
  note(PQsendDescribePrepared(connection_, name.c_str()));
}
void PostgresLink::put_prepared(const std::string& name, const std::vector<Value>& values) {
  std::vector<const char*> bytes;
  std::vector<int> sizes;
  std::vector<int> formats;
  for (const Value& value : values) {
    bytes.push_back(value.bytes);
    sizes.push_back(value.size);
    formats.push_back(value.binary ? 1 : 0);
  }
  note(PQsendQueryPrepared(connection_, name.c_str(), static_cast<int>(values.size()), bytes.data(), sizes.data(),
                           formats.data(), 0));
}

void PostgresLink::post() {
  if (broken_) return;
  if (PQpipelineSync(connection_) != 1) broken_ = true;
  posted_.push_back(std::exchange(unanswered_, 0));
}

PostgresLink::Answers PostgresLink::exchange() {
  for (const std::size_t commands : std::exchange(posted_, {})) (void)read_answers(commands);
  const std::size_t commands = std::exchange(unanswered_, 0);
  if (broken_ || PQpipelineSync(connection_) != 1) {
    broken_ = true;
    return {{}, lost()};
  }
  return read_answers(commands);
}

PostgresLink::Answers PostgresLink::read_answers(std::size_t commands) {
  Answers answers;
  const auto broken = [&](Error error) {
    broken_ = true;
    if (!answers.error) answers.error = std::move(error);
    return std::move(answers);
  };
  for (; commands > 0; --commands) {
    PostgresResult answer;
    while (PostgresResult part{PQgetResult(connection_)}) answer = std::move(part);
    if (!answer) return broken(lost());
    if (PQresultStatus(answer.get()) == PGRES_FATAL_ERROR && !answers.error) answers.error = error_of(answer.get());
    if (PQstatus(connection_) != CONNECTION_OK) return broken(lost());
    answers.results.push_back(std::move(answer));
  }
  const PostgresResult sync{PQgetResult(connection_)};
  if (PQresultStatus(sync.get()) != PGRES_PIPELINE_SYNC) return broken(lost());
  return answers;
}

}  // namespace fixpoint::store
