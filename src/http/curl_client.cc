#include "http/curl_client.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <curl/curl.h>
#include <deque>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <set>
#include <sys/socket.h>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/text.h"
#include "http/address_guard.h"

namespace fixpoint::http {
namespace {

constexpr std::size_t kept_handles = 256;
constexpr int longest_poll_ms = 60'000;

/// curl's handles are void pointers, told apart by what frees them.
template <auto cleanup>
struct Free {
  template <class Handle>
  void operator()(Handle* handle) const {
    cleanup(handle);
  }
};
using Easy = std::unique_ptr<CURL, Free<curl_easy_cleanup>>;
using Multi = std::unique_ptr<CURLM, Free<curl_multi_cleanup>>;
using Share = std::unique_ptr<CURLSH, Free<curl_share_cleanup>>;
using Lines = std::unique_ptr<curl_slist, Free<curl_slist_free_all>>;

Error connection_error(std::string message, bool sent, bool retryable) {
  return {"ConnectionError", std::move(message), sent ? "after sending" : "before sending", retryable, 0};
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return c > ' ' && c < 0x7f && std::string_view("\"(),/:;<=>?@[\\]{}").find(c) == std::string_view::npos;
  });
}

/// What would not arrive as it is written here, or would arrive as something else, is not sent.
Result<void> check(const std::string& base_url, const HttpRequest& request) {
  const auto scheme_end = base_url.find("://");
  const auto scheme = std::string_view(base_url).substr(0, scheme_end);
  if (scheme_end == std::string::npos || !(equals_ignore_case(scheme, "http") || equals_ignore_case(scheme, "https")))
    return fail(errors::validation(
        "'" + base_url + "' is no URL that can be called: it must begin with http:// or https://.", "base_url"));
  const auto authority = std::string_view(base_url).substr(scheme_end + 3);
  if (authority.empty() || authority.find_first_of("/?#@\\ ") != std::string_view::npos)
    return fail(
        errors::validation("'" + base_url + "' must be a scheme, a host and a port, and nothing more.", "base_url"));
  if (!is_token(request.method))
    return fail(errors::validation("'" + request.method + "' is no HTTP method.", "method"));
  if (!request.target.starts_with('/'))
    return fail(errors::validation("The request target '" + request.target + "' must begin with '/'.", "target"));
  for (const char c : request.target)
    if (c <= ' ' || c >= 0x7f || c == '#')
      return fail(errors::validation(
          "The request target '" + request.target +
              "' holds a character that must be percent-encoded (a blank, '#', or one that is not ASCII).",
          "target"));
  for (const auto& [name, value] : request.headers) {
    if (!is_token(name)) return fail(errors::validation("'" + name + "' is no header name.", "headers"));
    if (value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      return fail(errors::validation("The value of the header '" + name + "' holds a line end or NUL.", name));
    if (equals_ignore_case(name, "Transfer-Encoding"))
      return fail(errors::validation("A request is sent whole: it takes no Transfer-Encoding header.", name));
    if (equals_ignore_case(name, "Content-Length") && value != std::to_string(request.body.size()))
      return fail(errors::validation("The Content-Length header says " + value + ", but the body has " +
                                         std::to_string(request.body.size()) + " bytes.",
                                     name));
  }
  return {};
}

/// One request on its way. Its address is known to curl, so it never moves.
struct Transfer {
  Easy easy;
  Lines headers;
  std::string host;  // scheme, host and port
  std::string url;
  HttpRequest owned;
  const HttpRequest* request = nullptr;  // `owned`, or the one that a blocked caller holds
  int timeout_ms = 0;
  std::chrono::steady_clock::time_point deadline;
  CurlClient::Callback callback;

  HttpResponse response;
  std::vector<Headers::Line> response_lines;
  std::size_t response_limit_bytes = 0;
  bool in_body = false;
  bool too_large = false;
  bool repeated = false;
  bool forbidden = false;  // its host's address is not public
  bool begun = false;      // curl has it; else it waits for its turn
  int starts = 0;
  char reason[CURL_ERROR_SIZE] = "";

  std::string name() const { return request->method + " " + url.substr(0, url.find('?')); }
  bool is_safe() const { return request->method == "GET" || request->method == "HEAD"; }
  bool has_sent() const {
    if (!begun) return false;  // curl would tell of the handle's last request
    long bytes = 0;
    curl_easy_getinfo(easy.get(), CURLINFO_REQUEST_SIZE, &bytes);
    return bytes > 0;
  }
};

// Asked for the socket of each connection, with the address that it will be made to.
curl_socket_t open_public_socket(void* context, curlsocktype, curl_sockaddr* address) {
  if (!is_public(address->addr)) {
    static_cast<Transfer*>(context)->forbidden = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype, address->protocol);
}

std::size_t take_header(char* data, std::size_t, std::size_t bytes, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  const std::string_view line = trim({data, bytes});
  auto& lines = transfer.response_lines;
  if (std::string_view(data, bytes).starts_with("HTTP/")) {
    // Each response begins anew: what stood before was a 1xx.
    lines.clear();
    transfer.in_body = false;
  } else if (line.empty()) {
    transfer.in_body = true;
  } else if (!transfer.in_body) {  // else a trailer, which HttpResponse has no place for
    const auto colon = line.find(':');
    if (data[0] == ' ' || data[0] == '\t') {
      if (!lines.empty()) lines.back().second.append(" ").append(line);  // folded (RFC 9112 section 5.2)
    } else if (colon != std::string_view::npos) {
      lines.emplace_back(line.substr(0, colon), trim(line.substr(colon + 1)));
    }
  }
  return bytes;
}

std::size_t take_body(char* data, std::size_t, std::size_t bytes, void* context) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (transfer.response.body.size() + bytes > transfer.response_limit_bytes) {
    transfer.too_large = true;
    return 0;
  }
  transfer.response.body.append(data, bytes);
  return bytes;
}

/// curl makes a request again by itself where a kept connection dies before the answer; it calls this before each try.
/// For a request that changes something the second try could be a second change.
int before_request(void* context, char*, char*, int, int) {
  auto& transfer = *static_cast<Transfer*>(context);
  if (++transfer.starts > 1 && !transfer.is_safe() && transfer.has_sent()) {
    transfer.repeated = true;
    return CURL_PREREQFUNC_ABORT;
  }
  return CURL_PREREQFUNC_OK;
}

struct GlobalCurl {
  GlobalCurl() { curl_global_init(CURL_GLOBAL_DEFAULT); }
};

}  // namespace

class CurlClient::Loop {
 public:
  explicit Loop(CurlClientOptions options) : options_(std::move(options)) {
    // curl asks for this once in a process; it is made where the first client is, not before main().
    static const GlobalCurl global;
    multi_.reset(curl_multi_init());
    share_.reset(curl_share_init());
    curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_DNS);
    curl_share_setopt(share_.get(), CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    curl_multi_setopt(multi_.get(), CURLMOPT_PIPELINING, CURLPIPE_NOTHING);
    curl_multi_setopt(multi_.get(), CURLMOPT_MAXCONNECTS,
                      static_cast<long>(std::max<std::size_t>(64, options_.connections_per_host * 4)));
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    thread_ = std::thread([this] { run(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }

  ~Loop() { stop(); }

  bool is_here() const { return std::this_thread::get_id() == thread_.get_id(); }

  /// `borrowed`: a request that outlives the transfer; null where `owned` is the one.
  void submit(std::string base_url, HttpRequest owned, const HttpRequest* borrowed, int timeout_ms, Callback callback) {
    if (auto checked = check(base_url, borrowed != nullptr ? *borrowed : owned); !checked) {
      callback(fail(std::move(checked.error())));
      return;
    }
    auto transfer = take_idle();
    transfer->url = base_url;
    transfer->host = std::move(base_url);
    transfer->owned = std::move(owned);
    transfer->request = borrowed != nullptr ? borrowed : &transfer->owned;
    transfer->url += transfer->request->target;
    transfer->timeout_ms = timeout_ms > 0 ? timeout_ms : options_.default_timeout_ms;
    transfer->deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(transfer->timeout_ms);
    transfer->callback = std::move(callback);
    {
      const std::lock_guard lock(mutex_);
      if (!stopping_) {
        queue_.push_back(std::move(transfer));
        if (queue_.size() == 1) curl_multi_wakeup(multi_.get());
        return;
      }
    }
    transfer->callback(fail(stopped(*transfer, false)));
  }

  void stop() {
    {
      const std::lock_guard lock(mutex_);
      stopping_ = true;
      curl_multi_wakeup(multi_.get());
    }
    const std::lock_guard lock(joining_);
    if (thread_.joinable()) thread_.join();
  }

  void stop_in(int ms) {
    const std::lock_guard lock(mutex_);
    stop_at_ = std::min(stop_at_, std::chrono::steady_clock::now() + std::chrono::milliseconds(ms));
    curl_multi_wakeup(multi_.get());
  }

 private:
  static Error stopped(const Transfer& transfer, bool sent) {
    return connection_error(transfer.name() + ": the HTTP client was stopped.", sent, false);
  }

  std::unique_ptr<Transfer> take_idle() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto transfer = std::move(idle_.back());
        idle_.pop_back();
        return transfer;
      }
    }
    auto transfer = std::make_unique<Transfer>();
    transfer->easy.reset(curl_easy_init());
    transfer->response_limit_bytes = options_.response_limit_bytes;
    set_what_never_changes(*transfer);
    return transfer;
  }

  void set_what_never_changes(Transfer& transfer) {
    CURL* easy = transfer.easy.get();
    curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfer);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_REDIR_PROTOCOLS_STR, "https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    curl_easy_setopt(easy, CURLOPT_HTTP09_ALLOWED, 0L);
    curl_easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    curl_easy_setopt(easy, CURLOPT_MAXAGE_CONN, std::max(1L, options_.idle_connection_ms / 1000L));
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!options_.ca_file.empty()) curl_easy_setopt(easy, CURLOPT_CAINFO, options_.ca_file.c_str());
    if (!options_.proxy.empty())
      curl_easy_setopt(easy, CURLOPT_PROXY, options_.proxy.c_str());
    else if (!options_.use_environment_proxy)
      curl_easy_setopt(easy, CURLOPT_PROXY, "");
    if (options_.public_addresses_only) {
      curl_easy_setopt(easy, CURLOPT_PROXY, "");
      curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_public_socket);
      curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, &transfer);
    }
    curl_easy_setopt(easy, CURLOPT_SHARE, share_.get());
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer.reason);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, take_body);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, before_request);
    curl_easy_setopt(easy, CURLOPT_PREREQDATA, &transfer);
  }

  static void set_request(Transfer& transfer, int connect_timeout_ms) {
    CURL* easy = transfer.easy.get();
    const HttpRequest& request = *transfer.request;
    curl_easy_setopt(easy, CURLOPT_URL, transfer.url.c_str());
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(transfer.timeout_ms));
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS,
                     static_cast<long>(std::min(transfer.timeout_ms, connect_timeout_ms)));
    const bool with_body =
        !request.body.empty() || request.method == "POST" || request.method == "PUT" || request.method == "PATCH";
    curl_easy_setopt(easy, CURLOPT_NOBODY, 0L);
    if (with_body) {
      curl_easy_setopt(easy, CURLOPT_POST, 1L);
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request.body.data());
      curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    } else {
      curl_easy_setopt(easy, CURLOPT_POSTFIELDS, nullptr);
      curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
      if (request.method == "HEAD") curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    }
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());

    curl_slist* list = nullptr;
    const auto add = [&](const char* line) {
      if (curl_slist* longer = curl_slist_append(list, line)) list = longer;
    };
    std::string line;
    for (const auto& [name, value] : request.headers) {
      // "Name;" is how curl is told to send a header without a value.
      line = name;
      if (trim(value).empty())
        line += ';';
      else
        line.append(": ").append(value);
      add(line.c_str());
    }
    // "Name:" is how it is told not to add its own.
    for (const char* own : {"Accept", "Expect", "Content-Type", "User-Agent"})
      if (!request.headers.has(own)) add((std::string(own) + ":").c_str());
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list);
    transfer.headers.reset(list);
  }

  void run() {
    pthread_setname_np(pthread_self(), "http-client");
    for (;;) {
      std::deque<std::unique_ptr<Transfer>> fresh;
      {
        const std::lock_guard lock(mutex_);
        if (std::chrono::steady_clock::now() >= stop_at_) stopping_ = true;
        if (stopping_) break;
        fresh.swap(queue_);
      }
      for (auto& transfer : fresh) start(std::move(transfer));
      begin_waiting();
      int running = 0;
      curl_multi_perform(multi_.get(), &running);
      finish_what_is_done();
      auto stop_at = std::chrono::steady_clock::time_point::max();
      {
        const std::lock_guard lock(mutex_);
        if (stopping_) break;
        if (!queue_.empty()) continue;
        stop_at = stop_at_;
      }
      const int patience_ms = end_what_is_late(stop_at);
      begin_waiting();  // curl does not sleep over what it has just been given
      curl_multi_poll(multi_.get(), nullptr, 0, patience_ms, nullptr);
    }
    end_all();
  }

  // How many requests a host has at once is seen to here: curl has a limit of its own (CURLMOPT_MAX_HOST_CONNECTIONS),
  // but what waits behind it may be forgotten when the last connection is free again (7.88), and go on only when its
  // time to connect is up.
  void start(std::unique_ptr<Transfer> transfer) {
    Transfer* key = transfer.get();
    deadlines_.emplace(key->deadline, key);
    under_way_.emplace(key, std::move(transfer));
    hosts_[key->host].waiting.push_back(key);
    turns_.push_back(key->host);
  }

  void begin_waiting() {
    while (!turns_.empty()) {
      const auto host = hosts_.find(turns_.back());
      turns_.pop_back();
      if (host == hosts_.end()) continue;
      auto& [begun, waiting] = host->second;
      std::vector<Transfer*> next;
      while (!waiting.empty() && (options_.connections_per_host == 0 || begun < options_.connections_per_host)) {
        next.push_back(waiting.front());
        waiting.pop_front();
        ++begun;
      }
      for (Transfer* transfer : next) begin(transfer);  // may end it, and the host's entry
    }
  }

  void begin(Transfer* key) {
    set_request(*key, options_.connect_timeout_ms);
    key->begun = true;
    if (curl_multi_add_handle(multi_.get(), key->easy.get()) != CURLM_OK)
      finish(key, fail(connection_error(key->name() + ": curl does not take the request.", false, false)));
  }

  void finish_what_is_done() {
    int left = 0;
    while (CURLMsg* message = curl_multi_info_read(multi_.get(), &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      Transfer* transfer = nullptr;
      curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &transfer);
      const CURLcode code = message->data.result;  // before the handle goes, and the message with it
      auto result = result_of(*transfer, code);
      curl_multi_remove_handle(multi_.get(), transfer->easy.get());
      finish(transfer, std::move(result));
    }
  }

  /// curl keeps no time of a request that waits for a connection, so its timeout alone is not enough. Answers the time
  /// to the next deadline in milliseconds.
  int end_what_is_late(std::chrono::steady_clock::time_point stop_at) {
    const auto now = std::chrono::steady_clock::now();
    while (!deadlines_.empty() && deadlines_.begin()->first <= now) {
      Transfer* transfer = deadlines_.begin()->second;
      auto result = result_of(*transfer, CURLE_OPERATION_TIMEDOUT);
      if (transfer->begun) curl_multi_remove_handle(multi_.get(), transfer->easy.get());
      finish(transfer, std::move(result));
    }
    if (!deadlines_.empty()) stop_at = std::min(stop_at, deadlines_.begin()->first);
    if (stop_at == std::chrono::steady_clock::time_point::max()) return longest_poll_ms;
    const auto left = std::max<std::int64_t>(0, std::chrono::ceil<std::chrono::milliseconds>(stop_at - now).count());
    return static_cast<int>(std::min<std::int64_t>(left, longest_poll_ms));
  }

  static Result<HttpResponse> result_of(Transfer& transfer, CURLcode code) {
    if (code == CURLE_OK) {
      long status = 0;
      curl_easy_getinfo(transfer.easy.get(), CURLINFO_RESPONSE_CODE, &status);
      transfer.response.status = static_cast<int>(status);
      for (auto& [name, value] : transfer.response_lines)
        transfer.response.headers.add(std::move(name), std::move(value));
      return std::move(transfer.response);
    }
    if (transfer.too_large)
      return fail(errors::too_large(transfer.name() + ": the response is longer than " +
                                    std::to_string(transfer.response_limit_bytes) + " bytes."));
    if (transfer.forbidden)
      return fail(connection_error(transfer.name() + ": the host's address is not public.", false, false));
    const bool sent = transfer.repeated || transfer.has_sent();
    const std::string reason = transfer.reason[0] != '\0' ? transfer.reason : curl_easy_strerror(code);
    if (transfer.repeated)
      return fail(connection_error(
          transfer.name() + ": the connection was closed after the request had been sent, before an answer came.", true,
          true));
    switch (code) {
      case CURLE_OPERATION_TIMEDOUT:
        return fail(Error{"RequestTimeout",
                          transfer.name() + ": no whole answer within " + std::to_string(transfer.timeout_ms) +
                              " ms (" + reason + ").",
                          sent ? "after sending" : "before sending", true, 0});
      case CURLE_URL_MALFORMAT: return fail(errors::validation(transfer.name() + ": " + reason + ".", "base_url"));
      case CURLE_PEER_FAILED_VERIFICATION:
      case CURLE_SSL_CACERT_BADFILE:
      case CURLE_SSL_CERTPROBLEM:
      case CURLE_SSL_CIPHER: return fail(connection_error(transfer.name() + ": " + reason + ".", sent, false));
      default: return fail(connection_error(transfer.name() + ": " + reason + ".", sent, true));
    }
  }

  void finish(Transfer* key, Result<HttpResponse> result) {
    deadlines_.erase({key->deadline, key});
    auto node = under_way_.extract(key);
    auto transfer = std::move(node.mapped());
    give_turn(*transfer);
    const Callback callback = std::move(transfer->callback);
    transfer->callback = nullptr;
    curl_easy_setopt(transfer->easy.get(), CURLOPT_HTTPHEADER, nullptr);
    curl_easy_setopt(transfer->easy.get(), CURLOPT_POSTFIELDS, nullptr);
    transfer->headers.reset();
    transfer->owned = {};
    transfer->request = nullptr;
    transfer->response = {};
    transfer->response_lines.clear();
    transfer->in_body = transfer->too_large = transfer->repeated = transfer->forbidden = transfer->begun = false;
    transfer->starts = 0;
    transfer->reason[0] = '\0';
    {
      const std::lock_guard lock(mutex_);
      if (idle_.size() < kept_handles) idle_.push_back(std::move(transfer));
    }
    try {
      callback(std::move(result));
    } catch (...) {  // NOLINT(bugprone-empty-catch): the callback's own affair; the other requests go on
    }
  }

  // To the next of those that wait for the same host.
  void give_turn(Transfer& ended) {
    const auto host = hosts_.find(ended.host);
    if (host == hosts_.end()) return;
    auto& [begun, waiting] = host->second;
    if (ended.begun)
      --begun;
    else
      waiting.erase(std::remove(waiting.begin(), waiting.end(), &ended), waiting.end());
    if (!waiting.empty())
      turns_.push_back(ended.host);
    else if (begun == 0)
      hosts_.erase(host);
  }

  void end_all() {
    std::vector<Transfer*> all;
    all.reserve(under_way_.size());
    for (const auto& [key, transfer] : under_way_) all.push_back(key);
    for (Transfer* transfer : all) {
      const bool sent = transfer->has_sent();
      if (transfer->begun) curl_multi_remove_handle(multi_.get(), transfer->easy.get());
      finish(transfer, fail(stopped(*transfer, sent)));
    }
    std::deque<std::unique_ptr<Transfer>> waiting;
    {
      const std::lock_guard lock(mutex_);
      waiting.swap(queue_);
    }
    for (auto& transfer : waiting) {
      Transfer* key = transfer.get();
      under_way_.emplace(key, std::move(transfer));
      finish(key, fail(stopped(*key, false)));
    }
  }

  const CurlClientOptions options_;
  // Handles go before the share that they use.
  Share share_;
  Multi multi_;
  std::mutex mutex_;
  std::deque<std::unique_ptr<Transfer>> queue_;
  std::vector<std::unique_ptr<Transfer>> idle_;
  bool stopping_ = false;
  std::chrono::steady_clock::time_point stop_at_ = std::chrono::steady_clock::time_point::max();
  std::unordered_map<Transfer*, std::unique_ptr<Transfer>> under_way_;               // the loop's thread
  std::set<std::pair<std::chrono::steady_clock::time_point, Transfer*>> deadlines_;  // of those
  struct Host {
    std::size_t begun = 0;
    std::deque<Transfer*> waiting;
  };
  std::unordered_map<std::string, Host> hosts_;  // of those
  std::vector<std::string> turns_;               // hosts that may begin one more
  std::mutex joining_;
  std::thread thread_;
};

CurlClient::CurlClient(CurlClientOptions options) : loop_(std::make_unique<Loop>(std::move(options))) {}

CurlClient::~CurlClient() = default;

Result<HttpResponse> CurlClient::send(const std::string& base_url, const HttpRequest& request, int timeout_ms) {
  if (loop_->is_here()) return fail(errors::internal("A callback of the HTTP client waits for the client itself."));
  std::mutex mutex;
  std::condition_variable came;
  std::optional<Result<HttpResponse>> answer;
  loop_->submit(base_url, {}, &request, timeout_ms, [&](Result<HttpResponse> result) {
    const std::lock_guard lock(mutex);
    answer = std::move(result);
    // Under the lock: the waiter owns what is notified, and may go as soon as it can have it.
    came.notify_one();
  });
  std::unique_lock lock(mutex);
  came.wait(lock, [&] { return answer.has_value(); });
  return std::move(*answer);
}

void CurlClient::send_async(std::string base_url, HttpRequest request, int timeout_ms, Callback callback) {
  loop_->submit(std::move(base_url), std::move(request), nullptr, timeout_ms, std::move(callback));
}

void CurlClient::stop() {
  loop_->stop();
}

void CurlClient::stop_in(int ms) {
  loop_->stop_in(ms);
}

}  // namespace fixpoint::http
