#include "services/sns/sns.h"

#include "base/text.h"
#include "json/text.h"

namespace fixpoint::services {

using json::Value;

Sns::Sns(store::Store& store, const Clock& clock, const sns::Signer& signer, std::function<std::string()> base_url,
         Outlets outlets)
    : store_(store),
      clock_(clock),
      signer_(signer),
      outlets_(std::move(outlets)),
      envelopes_(signer, std::move(base_url)),
      http_(store, clock, outlets_.http,
            [this](store::Transaction& tx, const sns::HttpDeliveries::Delivery& delivery, const std::string& why) {
              return put_away(tx, delivery.subscription_arn, delivery.dead_letter_arn,
                              json::Object{{"MessageBody", delivery.body}}, why);
            }) {}

void Sns::stop() {
  http_.begin_stop();
  if (outlets_.stop_http) outlets_.stop_http();
  http_.stop();
}

aws::ServiceTable Sns::table() {
  aws::ServiceTable table;
  table.service = "sns";
  add_topic_operations(table);
  add_subscription_operations(table);
  add_publish_operations(table);
  return table;
}

namespace {

// name=value pairs of a query.
std::string parameter(std::string_view query, std::string_view name) {
  for (const std::string_view pair : split(query, '&')) {
    const auto equals = pair.find('=');
    if (equals != std::string_view::npos && pair.substr(0, equals) == name)
      return uri_decode(pair.substr(equals + 1), true);
  }
  return {};
}

// Only what comes from the server itself: a token or an ARN that is answered was found in the store.
HttpResponse xml(const std::string& operation, const std::string& inner) {
  return {200,
          {{"Content-Type", "text/xml"}},
          "<" + operation + "Response xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\">" + inner + "</" + operation +
              "Response>\n"};
}
HttpResponse refusal(const Error& error) {
  return {error.http_status != 0 ? error.http_status : 400,
          {{"Content-Type", "text/xml"}},
          "<ErrorResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><Error><Type>Sender</Type><Code>" +
              error.code + "</Code></Error></ErrorResponse>\n"};
}

}  // namespace

std::optional<HttpResponse> Sns::answer_open(const HttpRequest& request) {
  if (request.method != "GET") return std::nullopt;
  if (request.path().starts_with(sns::Signer::certificate_path) && request.path() == "/" + signer_.certificate_name())
    return HttpResponse{200, {{"Content-Type", "application/x-pem-file"}}, signer_.certificate_pem()};
  if (request.path() != "/" || request.headers.has("Authorization")) return std::nullopt;
  const std::string_view query = request.query();
  const std::string action = parameter(query, "Action");
  if (action == "ConfirmSubscription") {
    const auto arn = store_.write([&](store::Transaction& tx) {
      return confirm(tx, parameter(query, "TopicArn"), parameter(query, "Token"), false, false);
    });
    if (!arn) return refusal(arn.error());
    return xml(action, "<ConfirmSubscriptionResult><SubscriptionArn>" + *arn +
                           "</SubscriptionArn></ConfirmSubscriptionResult>");
  }
  if (action == "Unsubscribe") {
    const auto done = store_.write(
        [&](store::Transaction& tx) { return unsubscribe(tx, parameter(query, "SubscriptionArn"), false); });
    return done ? xml(action, "") : refusal(done.error());
  }
  return std::nullopt;
}

}  // namespace fixpoint::services
