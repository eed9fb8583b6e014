// Messages a second through SQS on a durable store (each answer means an fsync that covers it), without HTTP: sent and
// received one by one and ten at a time, standard and FIFO, by IN_FLIGHT calls at once; then how long a receive that
// waits takes to get a message. bench_queues [SECONDS] [IN_FLIGHT] [BODY_BYTES]
#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <future>
#include <mutex>
#include <string>
#include <vector>

#include "json/text.h"
#include "services/sqs/sqs.h"

namespace {

using namespace fixpoint;
using json::Value;
using Time = std::chrono::steady_clock;

double seconds_since(Time::time_point begun) {
  return std::chrono::duration<double>(Time::now() - begun).count();
}

class Bench {
 public:
  Bench(double seconds, int in_flight, std::size_t body_bytes)
      : seconds_(seconds), in_flight_(in_flight), body_(body_bytes, 'x') {
    folder_ = std::filesystem::temp_directory_path() / "fixpoint-bench-queues";
    std::filesystem::remove_all(folder_);
    store_ = std::move(*store::Store::open({.folder = folder_.string()}, {services::Sqs::schema()}));
    sqs_ = std::make_unique<services::Sqs>(*store_, clock_);
    if (!sqs_->start()) std::abort();
    table_ = sqs_->table();
  }
  ~Bench() {
    sqs_.reset();
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void later(const char* operation, const Value& input, aws::Answer answer) {
    const auto& found = table_.operations.find(operation)->second;
    if (found.later) return found.later(caller_, input, std::move(answer));
    answer(found.function(caller_, input));
  }
  Value call(const char* operation, const Value& input) {
    std::promise<Value> promise;
    later(operation, input, [&](Result<Value> answer) {
      if (!answer) {
        std::fprintf(stderr, "%s: %s\n", operation, describe(answer.error()).c_str());
        std::exit(1);
      }
      promise.set_value(std::move(*answer));
    });
    return promise.get_future().get();
  }

  std::string queue(const std::string& name, bool fifo) {
    json::Object attributes{{"VisibilityTimeout", "600"}};
    if (fifo) attributes.set("FifoQueue", "true");
    return call("CreateQueue", json::Object{{"QueueName", name}, {"Attributes", attributes}})["QueueUrl"].as_string();
  }

  Value message(bool fifo, int id) {
    json::Object out{{"Id", std::to_string(id)}, {"MessageBody", body_}};
    if (fifo) {
      const auto n = ++numbers_;
      out.set("MessageGroupId", "g" + std::to_string(n % 1000));
      out.set("MessageDeduplicationId", std::to_string(n));
    }
    return out;
  }

  // Keeps IN_FLIGHT chains of calls going for the time; a chain's next call begins where the one before ended.
  void run(const char* what, const std::function<void(std::function<void(std::int64_t messages)>)>& step) {
    std::atomic<std::int64_t> messages = 0;
    std::mutex mutex;
    std::condition_variable idle;
    int running = in_flight_;
    const auto begun = Time::now();
    std::function<void()> next = [&] {
      step([&](std::int64_t done) {
        messages += done;
        if (done > 0 && seconds_since(begun) < seconds_) return next();
        std::lock_guard lock(mutex);
        --running;
        idle.notify_all();
      });
    };
    for (int i = 0; i < in_flight_; ++i) next();
    std::unique_lock lock(mutex);
    idle.wait(lock, [&] { return running == 0; });
    std::printf("%s: %.0f messages/s\n", what, static_cast<double>(messages) / seconds_since(begun));
    std::fflush(stdout);
  }

  void send(const std::string& url, bool fifo, int at_once, const std::function<void(std::int64_t)>& done) {
    if (at_once == 1) {
      Value input = message(fifo, 0);
      input.set("QueueUrl", url);
      return later("SendMessage", input, [done](const Result<Value>& answer) { done(answer ? 1 : 0); });
    }
    json::Array entries;
    for (int i = 0; i < at_once; ++i) entries.push_back(message(fifo, i));
    later("SendMessageBatch", json::Object{{"QueueUrl", url}, {"Entries", std::move(entries)}},
          [done](const Result<Value>& answer) {
            done(answer ? static_cast<std::int64_t>((*answer)["Successful"].size()) : 0);
          });
  }

  // Received and deleted; a chain ends where the queue is empty.
  void take(const std::string& url, int at_once, const std::function<void(std::int64_t)>& done) {
    later("ReceiveMessage", json::Object{{"QueueUrl", url}, {"MaxNumberOfMessages", at_once}},
          [this, url, done](const Result<Value>& answer) {
            const Value messages = answer ? (*answer)["Messages"] : Value();
            if (messages.size() == 0) return done(0);
            json::Array entries;
            for (std::size_t i = 0; i < messages.size(); ++i)
              entries.emplace_back(
                  json::Object{{"Id", std::to_string(i)}, {"ReceiptHandle", messages[i]["ReceiptHandle"]}});
            later("DeleteMessageBatch", json::Object{{"QueueUrl", url}, {"Entries", std::move(entries)}},
                  [done](const Result<Value>& deleted) {
                    done(deleted ? static_cast<std::int64_t>((*deleted)["Successful"].size()) : 0);
                  });
          });
  }

  void rounds(bool fifo) {
    const std::string kind = fifo ? "FIFO" : "standard";
    const auto url = queue(fifo ? "bench.fifo" : "bench", fifo);
    for (const int at_once : {1, 10}) {
      const std::string by = at_once == 1 ? " one by one" : " ten at a time";
      run((kind + ", sent" + by).c_str(), [&](auto done) { send(url, fifo, at_once, done); });
      run((kind + ", received and deleted" + by).c_str(), [&](auto done) { take(url, at_once, done); });
    }
    call("PurgeQueue", json::Object{{"QueueUrl", url}});
  }

  void wait_times() {
    const auto url = queue("waits", false);
    std::vector<double> times;
    for (int i = 0; i < 300; ++i) {
      std::promise<void> got;
      later("ReceiveMessage", json::Object{{"QueueUrl", url}, {"WaitTimeSeconds", 20}},
            [&](const Result<Value>&) { got.set_value(); });
      const auto begun = Time::now();
      call("SendMessage", json::Object{{"QueueUrl", url}, {"MessageBody", body_}});
      got.get_future().get();
      times.push_back(seconds_since(begun) * 1000);
    }
    std::sort(times.begin(), times.end());
    std::printf("from the call that sends to the receive that waited, both durable: p50 %.2f ms, p99 %.2f ms\n",
                times[times.size() / 2], times[times.size() * 99 / 100]);
  }

 private:
  double seconds_;
  int in_flight_;
  std::string body_;
  std::filesystem::path folder_;
  SystemClock clock_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<services::Sqs> sqs_;
  aws::ServiceTable table_;
  aws::Caller caller_{"111111111111", "us-east-1", "aws", "bench", nullptr};
  std::atomic<std::int64_t> numbers_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const double seconds = argc > 1 ? std::atof(argv[1]) : 2;
  const int in_flight = argc > 2 ? std::atoi(argv[2]) : 64;
  const int body_bytes = argc > 3 ? std::atoi(argv[3]) : 1024;
  if (seconds <= 0 || in_flight <= 0 || body_bytes <= 0) {
    std::fprintf(stderr, "bench_queues [SECONDS] [IN_FLIGHT] [BODY_BYTES]\n");
    return 2;
  }
  Bench bench(seconds, in_flight, static_cast<std::size_t>(body_bytes));
  std::printf("%d calls in flight, bodies of %d bytes, every answer durable\n", in_flight, body_bytes);
  bench.rounds(false);
  bench.rounds(true);
  bench.wait_times();
  return 0;
}
