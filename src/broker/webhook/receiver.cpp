#include "broker/webhook/receiver.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>

#include <fmt/format.h>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>

#include "base/one_line.hpp"
#include "base/unique_fd.hpp"
#include "broker/webhook/receiving_connection.hpp"
#include "net/listener.hpp"
#include "observe/log.hpp"

namespace sluice::broker::webhook {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using boost::system::error_code;

/// The lock of a process that listens goes with the process.
enum class listening_lock { ours, of_another_process, impossible };

listening_lock take_lock(base::unique_fd& on, const std::filesystem::path& file) {
    if (file.empty() || on) return listening_lock::ours;
    constexpr mode_t for_us_only = 0600;
    base::unique_fd opened{::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, for_us_only)};
    if (!opened) return listening_lock::impossible;
    if (::flock(opened.get(), LOCK_EX | LOCK_NB) != 0) return listening_lock::of_another_process;
    on = std::move(opened);
    return listening_lock::ours;
}

}  // namespace

class receiver::engine {
public:
    engine(receiver_settings settings, receiving_terms terms, std::unique_ptr<publisher> into)
        : settings_{std::move(settings)},
          terms_{std::move(terms)},
          room_{.settings = settings_, .terms = terms_, .into = inbox_},
          listener_{io_},
          timer_{io_},
          inbox_{std::move(into)} {
        begin();
        thread_ = std::thread{[this] { run(); }};
    }
    engine(const engine&) = delete;
    engine& operator=(const engine&) = delete;
    ~engine() {
        io_.stop();
        thread_.join();
    }

    [[nodiscard]] std::uint16_t port() const noexcept { return port_; }
    [[nodiscard]] std::string trouble() const {
        const std::lock_guard lock{mutex_};
        return trouble_;
    }

private:
    /// Listens, or looks again in a moment.
    void begin() {
        constexpr auto pause = std::chrono::seconds{1};
        switch (take_lock(lock_, settings_.lock_file)) {
            case listening_lock::ours:
                if (listen()) return;
                break;
            case listening_lock::of_another_process:
                tell({});
                break;
            case listening_lock::impossible:
                tell(fmt::format("cannot write {}; its directory must exist and be writable for this process",
                                 settings_.lock_file.native()));
                break;
        }
        timer_.expires_after(pause);
        timer_.async_wait([this](error_code problem) {
            if (!problem) begin();
        });
    }

    void tell(std::string trouble) {
        const std::lock_guard lock{mutex_};
        if (trouble == trouble_) return;
        trouble_ = std::move(trouble);
        if (!trouble_.empty()) observe::log(observe::level::error, "webhook.not_listening", {{"reason", trouble_}});
    }

    /// False when it cannot, which it has told.
    [[nodiscard]] bool listen() {
        const auto tried = listener_.listen({.host = settings_.host, .port = settings_.port});
        if (tried.is != net::listener::outcome::listening) {
            tell(fmt::format("cannot listen on {}:{}: {}; choose another `listen`, or stop who uses the port",
                             settings_.host, settings_.port, tried.problem.message()));
            return false;
        }
        tell({});
        const tcp::endpoint& at = listener_.where();
        port_ = at.port();
        observe::log(observe::level::info, "webhook.listening",
                     {{"address", at.address().to_string()}, {"port", at.port()}});
        listener_.accept([this](tcp::socket client) {
            make_room();
            std::make_shared<receiving_connection>(std::move(client), room_, ++number_)
                ->read_head(settings_.request_time);
        });
        return true;
    }

    /// The oldest that waits for a request goes; when all are at work, the oldest.
    void make_room() {
        auto& all = room_.connections;
        if (all.size() < settings_.max_connections) return;
        auto which = std::find_if(all.begin(), all.end(), [](const auto& each) { return each.second->is_idle(); });
        if (which == all.end()) which = all.begin();
        which->second->drop();
        all.erase(which);
    }

    void run() noexcept {
        pthread_setname_np(pthread_self(), "webhook");
        while (!io_.stopped()) {
            try {
                io_.run();
            } catch (const std::exception& e) {  // out of memory; what is under way for others goes on
                observe::log(observe::level::warn, "webhook.failed", {{"reason", base::one_line(e.what())}});
            }
        }
    }

    const receiver_settings settings_;
    const receiving_terms terms_;
    mutable std::mutex mutex_;
    std::string trouble_;
    std::atomic<std::uint16_t> port_ = 0;
    base::unique_fd lock_;
    std::uint64_t number_ = 0;

    // The connections go with the context, and unregister in the room. What waits in the inbox holds connections, too.
    receiving_room room_;
    asio::io_context io_{1};
    net::listener listener_;
    asio::steady_timer timer_;
    inbox inbox_;
    std::thread thread_;
};

receiver::receiver(receiver_settings settings, receiving_terms terms, std::unique_ptr<publisher> into)
    : engine_{std::make_unique<engine>(std::move(settings), std::move(terms), std::move(into))} {}

receiver::~receiver() = default;

std::uint16_t receiver::port() const noexcept { return engine_->port(); }

std::string receiver::trouble() const { return engine_->trouble(); }

}  // namespace sluice::broker::webhook
