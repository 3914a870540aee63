#include "broker/redis/connection.hpp"

#include <algorithm>

#include <poll.h>

#include <fmt/format.h>

#include "broker/redis/error_reply.hpp"
#include "broker/redis/outage.hpp"

namespace sluice::broker::redis {
namespace {

constexpr std::size_t buffer_size = 65'536;
/// So many bytes are progress. A peer that drips one now and then is as good as silent.
constexpr std::size_t least_progress = 4'096;
constexpr std::size_t least_reply_limit = std::size_t{128} * 1024 * 1024;

/// Moves the time limit of a call on for as long as bytes flow.
class progress {
public:
    explicit progress(const net::deadline& until) : until_{until}, step_{until.of_next_step()} {}

    void made(std::size_t bytes) {
        bytes_ += bytes;
        if (bytes_ < least_progress) return;
        bytes_ = 0;
        step_ = until_.of_next_step();
    }
    [[nodiscard]] const net::deadline& step() const noexcept { return step_; }

private:
    const net::deadline& until_;
    net::deadline step_;
    std::size_t bytes_ = 0;
};

/// What Redis says before it closes a connection whose bytes it does not like.
bool ends_the_connection(const reply& r) { return r.is_error() && r.text().starts_with("ERR Protocol error"); }

}  // namespace

connection::connection(server& at, const char* role, const net::deadline& until)
    : stream_{at.dial(until)},
      reader_{std::max(least_reply_limit, 2 * at.options().max_message_bytes)},
      buffer_(buffer_size) {
    log_in(at.location(), role, until);
}

void connection::log_in(const endpoint& as, const char* role, const net::deadline& until) {
    commands login;
    std::vector<const char*> asked;
    if (!as.password.empty()) {
        if (as.user.empty()) {
            login.add("AUTH", as.password);
        } else {
            login.add("AUTH", as.user, as.password);
        }
        asked.push_back("the user and password of the URI");
    }
    if (as.database != 0) {
        login.begin(2).part("SELECT").part(as.database);
        asked.push_back("the database number of the URI");
    }
    login.add("CLIENT", "SETNAME", role);  // may be forbidden: it is a courtesy
    const auto replies = run(login, until);
    for (std::size_t i = 0; i < asked.size(); ++i) {
        if (replies[i].is_error()) {
            throw outage{fmt::format("the server does not accept {}: {}", asked[i], first_clause(replies[i].text()))};
        }
    }
}

std::vector<reply> connection::run(const commands& pipeline, const net::deadline& until) {
    send(pipeline, until);
    std::vector<reply> replies;
    replies.reserve(pipeline.count());
    for (std::size_t i = 0; i < pipeline.count(); ++i) {
        replies.push_back(receive(until));
        if (ends_the_connection(replies.back())) {
            throw unacceptable_command{first_clause(replies.back().text()), i};
        }
    }
    return replies;
}

reply connection::call(const commands& one, const net::deadline& until) {
    auto result = run(one, until).at(0);
    if (result.is_error()) throw outage{first_clause(result.text())};
    return result;
}

/// Reads while it writes: a server whose replies nobody takes might stop taking commands.
void connection::send(const commands& pipeline, const net::deadline& until) {
    std::string_view rest = pipeline.bytes();
    progress flow{until};
    try {
        while (!rest.empty()) {
            const auto taken = stream_->write(rest);
            rest.remove_prefix(taken);
            flow.made(taken);
            if (taken != 0) continue;
            const short write_wants = stream_->wanted();
            const auto got = read_some();
            flow.made(got);
            if (got == 0) net::wait_until_ready(*stream_, static_cast<short>(write_wants | POLLIN), flow.step());
        }
    } catch (const outage& trouble) {
        write_failure_ = trouble.what();
    }
}

reply connection::receive(const net::deadline& until) {
    progress flow{until};
    for (;;) {
        if (auto complete = reader_.next()) return *std::move(complete);
        const auto got = read_some();
        flow.made(got);
        if (got == 0) {
            if (!write_failure_.empty()) throw outage{write_failure_};
            net::wait_until_ready(*stream_, stream_->wanted(), flow.step());
        } else if (flow.step().passed()) {
            throw outage{"the server did not answer in time"};
        }
    }
}

std::optional<reply> connection::receive_now() {
    while (read_some() != 0) continue;
    return reader_.next();
}

void connection::send_and_forget(const commands& pipeline) noexcept {
    try {
        static_cast<void>(stream_->write(pipeline.bytes()));
    } catch (const std::exception&) {
        return;  // the connection is gone, and with it what was to be said
    }
}

bool connection::is_closed() noexcept {
    try {
        while (read_some() != 0) continue;
        return false;
    } catch (const std::exception&) {
        return true;
    }
}

/// How many bytes there were.
std::size_t connection::read_some() {
    const auto got = stream_->read(buffer_);
    if (got != 0) reader_.feed({buffer_.data(), got});
    return got;
}

connection& link::open(const net::deadline& until) {
    if (!connection_) connection_.emplace(*server_, role_, until.or_sooner(server_->options().connect_timeout));
    return *connection_;
}

bool link::drop_if_closed() noexcept {
    if (!connection_ || !connection_->is_closed()) return false;
    drop();
    return true;
}

outage link::named(const outage& trouble) const {
    return outage{fmt::format("redis {}: {}", server_->location().name(), trouble.what())};
}

}  // namespace sluice::broker::redis
