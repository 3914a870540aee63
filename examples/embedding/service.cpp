// A service with a main, threads and an HTTP server of its own, in which Sluice runs: `parcel_http domain.toml 8080`.
//
//     curl -d '{"parcel_id": "p-1", "grams": 250, "destination": "Lisbon"}' localhost:8080/commands/SendParcel
//     curl localhost:8080/readyz
//
// and http://localhost:8080/console in a browser.

#include <boost/algorithm/string/case_conv.hpp>
#include <boost/asio.hpp>
#include <boost/beast.hpp>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <sluice/console.hpp>
#include <sluice/sluice.hpp>

namespace parcels {
sluice::domain make_domain();
}

namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace json = sluice::json;
using asio::ip::tcp;
using boost::system::error_code;

using http_request = http::request<http::string_body>;
using http_response = http::response<http::string_body>;

http_response answer_with(http::status status, const json::value& body) {
    http_response response{status, 11};
    response.set(http::field::content_type, "application/json");
    response.body() = json::dump(body);
    response.prepare_payload();
    return response;
}

http_response refusal(http::status status, const sluice::error& e) {
    return answer_with(status, json::object{{"error", e.code()}, {"message", e.what()}});
}

// [command]
/// Runs on a thread of the pool, so it may wait for the database.
http_response process(sluice::application& app, std::string_view command, const http_request& request) {
    sluice::process_options options;
    if (const auto key = request.find("Idempotency-Key"); key != request.end()) {
        options.idempotency_key = std::string{key->value()};
    }
    try {
        sluice::context context = app.context();  // one for each request, or one for each thread: both are right
        return answer_with(http::status::ok, context.process(command, json::parse(request.body()), options));
    } catch (const sluice::decode_error& e) {
        return refusal(http::status::bad_request, e);
    } catch (const sluice::validation_error& e) {
        return refusal(http::status::unprocessable_entity, e);
    } catch (const sluice::not_found_error& e) {
        return refusal(http::status::not_found, e);
    } catch (const sluice::usage_error& e) {  // no such command
        return refusal(http::status::not_found, e);
    } catch (const sluice::expected_version_error& e) {
        return refusal(http::status::conflict, e);
    } catch (const sluice::error& e) {
        return refusal(e.retryable() ? http::status::service_unavailable : http::status::internal_server_error, e);
    }
}
// [/command]

// [console]
http_response show_console(sluice::console_site& console, const http_request& request, const std::string& client) {
    const std::string target{request.target()};
    const auto mark = target.find('?');
    sluice::web_request asked{.method = std::string{request.method_string()},
                              .path = target.substr(0, mark),
                              .query = mark == std::string::npos ? "" : target.substr(mark + 1),
                              .body = request.body(),
                              .client = client};
    for (const auto& field : request) {
        asked.headers.emplace_back(boost::to_lower_copy(std::string{field.name_string()}), std::string{field.value()});
    }
    const sluice::web_response made = console.answer(asked);
    http_response response{static_cast<http::status>(made.status), 11};
    response.set(http::field::content_type, made.content_type);
    for (const auto& [name, value] : made.headers) response.insert(name, value);
    response.body() = made.body;
    response.prepare_payload();
    return response;
}
// [/console]

/// What this program consists of.
struct service {
    sluice::application& app;
    sluice::console_site& console;
};

http_response answer(const service& of, const http_request& request, const std::string& client) {
    sluice::application& app = of.app;
    const std::string_view target{request.target().data(), request.target().size()};
    if (of.console.serves(target.substr(0, target.find('?')))) return show_console(of.console, request, client);
    constexpr std::string_view commands = "/commands/";
    if (request.method() == http::verb::post && target.starts_with(commands)) {
        return process(app, target.substr(commands.size()), request);
    }
    // [probes]
    if (target == "/livez") {
        const bool live = app.health().live;
        return answer_with(live ? http::status::ok : http::status::service_unavailable, json::object{{"live", live}});
    }
    if (target == "/readyz") {
        const sluice::application_health health = app.health();
        return answer_with(health.ready ? http::status::ok : http::status::service_unavailable, health.details);
    }
    if (target == "/metrics") {
        http_response response{http::status::ok, 11};
        response.set(http::field::content_type, "text/plain; version=0.0.4; charset=utf-8");
        response.body() = app.metrics_text();
        response.prepare_payload();
        return response;
    }
    // [/probes]
    return answer_with(http::status::not_found, json::object{{"error", "not_found"}});
}

/// One connection with one request: read and written by the thread of the `io_context`, answered by one of the pool.
class conversation : public std::enable_shared_from_this<conversation> {
public:
    conversation(tcp::socket client, const service& of, asio::thread_pool& pool)
        : stream_{std::move(client)}, busy_{stream_.get_executor()}, of_{of}, pool_{pool} {}

    void start() {
        constexpr auto patience = std::chrono::seconds{10};
        stream_.expires_after(patience);
        http::async_read(stream_, buffer_, request_, [self = shared_from_this()](error_code problem, std::size_t) {
            if (problem) return;
            asio::post(self->pool_, [self] {
                self->answer_safely();
                asio::post(self->stream_.get_executor(), [self] { self->write(); });
            });
        });
    }

private:
    void answer_safely() {
        try {
            error_code gone;
            const auto client = stream_.socket().remote_endpoint(gone);
            response_ = answer(of_, request_, gone ? std::string{} : client.address().to_string());
        } catch (const std::exception& e) {  // what a handler throws that is no error of Sluice
            response_ = answer_with(http::status::internal_server_error, json::object{{"message", e.what()}});
        }
        response_.keep_alive(false);
    }
    void write() {
        http::async_write(stream_, response_, [self = shared_from_this()](error_code, std::size_t) {
            error_code ignored;
            self->stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
        });
    }

    beast::tcp_stream stream_;
    asio::executor_work_guard<beast::tcp_stream::executor_type> busy_;  ///< the io_context waits for the pool
    const service& of_;
    asio::thread_pool& pool_;
    beast::flat_buffer buffer_;
    http_request request_;
    http_response response_;
};

// [log]
void write_log(const sluice::log_record& record) {
    // One insertion is one write: lines of several threads do not mix.
    std::clog << record.time.to_string() + " " + sluice::to_string(record.level) + " " + to_text(record) + "\n";
}
// [/log]

// [run]
int serve(const std::string& configuration, unsigned short port) {
    sluice::application app{parcels::make_domain(), sluice::settings::from_file(configuration), {.log = write_log}};
    app.start();
    sluice::console_site console{app};
    const service all{app, console};

    asio::io_context io;
    asio::thread_pool pool{4};
    tcp::acceptor acceptor{io, {asio::ip::address_v4::loopback(), port}};
    std::cout << "http://127.0.0.1:" << acceptor.local_endpoint().port() << std::endl;
    const std::function<void()> accept = [&] {
        acceptor.async_accept([&](error_code problem, tcp::socket client) {
            if (problem) return;  // closed
            std::make_shared<conversation>(std::move(client), all, pool)->start();
            accept();
        });
    };
    accept();

    asio::signal_set signals{io, SIGINT, SIGTERM};  // the program's own: Sluice touches none
    signals.async_wait([&](error_code, int) {
        app.drain();  // 1. not ready any more
        acceptor.close();
    });
    io.run();     // 2. until the signal came and every request is answered
    pool.join();  // 3. no thread uses a context any more
    return app.stop(std::chrono::seconds{10}) ? EXIT_SUCCESS : EXIT_FAILURE;  // 4.
}
// [/run]

}  // namespace

int main(int argc, char** argv) {
    try {
        if (argc == 3) return serve(argv[1], static_cast<unsigned short>(std::stoi(argv[2])));
        std::cerr << "usage: parcel_http CONFIGURATION PORT\n";
    } catch (const std::exception& e) {
        std::cerr << "parcel_http: " << e.what() << '\n';
    }
    return EXIT_FAILURE;
}
