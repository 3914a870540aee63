#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <sluice/time.hpp>

#include "base/random.hpp"
#include "config/console_settings.hpp"
#include "console/access.hpp"
#include "console/audit.hpp"
#include "console/context.hpp"
#include "console/login_limit.hpp"
#include "console/redaction.hpp"
#include "console/router.hpp"
#include "console/sessions.hpp"
#include "http/server.hpp"

namespace sluice::console {

/// The `[console]` of an installation. @throws configuration_error with everything that is wrong in the file
[[nodiscard]] config::console_settings load_settings(const operate::site& at);

/// Pages and REST interface for people who operate Sluice: `/console` and `/api/v1`.
///
/// Everything that a request goes through before it reaches its answer is here: the host that it names, who asks, the
/// role, the proof that a change comes from one of our forms, and the bounds of what is read.
///
/// Thread safety: `answer` may be called concurrently. Lifetime: clock and random source must outlive it.
class console {
public:
    struct options {
        config::console_settings settings{};
        std::string host = "127.0.0.1";  ///< where it listens
    };

    /// @param contexts  at least one
    /// @param random  fit for secrets
    /// @throws configuration_error when it would be open to others and nobody could prove who they are
    console(options with, std::vector<std::unique_ptr<context>> contexts, const clock& time,
            base::random_source& random);
    console(const console&) = delete;
    console& operator=(const console&) = delete;

    [[nodiscard]] http::http_answer answer(const http::http_request& request);
    /// For an HTTP server, which this must outlive.
    [[nodiscard]] http::http_mount mount(const config::console_tls_settings& tls = {});

    [[nodiscard]] const config::console_settings& settings() const noexcept { return with_.settings; }
    [[nodiscard]] const std::vector<std::unique_ptr<context>>& contexts() const noexcept { return contexts_; }
    [[nodiscard]] const redaction& hides() const noexcept { return redaction_; }
    [[nodiscard]] audit_log& audit() noexcept { return audit_; }
    [[nodiscard]] const router& routes() const noexcept { return router_; }
    [[nodiscard]] date_time now() const { return clock_.now(); }

    /// Writes down what a visitor did. @param error  empty: it worked
    void record(const visit& of, std::string action, std::string target, std::size_t count, std::string error = {});

    // For the pages of logging in.
    [[nodiscard]] http::http_answer show_login(const visit& of, unsigned status, std::string_view trouble);
    [[nodiscard]] http::http_answer log_in(visit& of);
    [[nodiscard]] http::http_answer log_out(visit& of);
    /// A page again, as an event for one that is open.
    [[nodiscard]] http::http_answer live(visit& of);

private:
    [[nodiscard]] http::http_answer answer_checked(const http::http_request& request);
    [[nodiscard]] http::http_answer admit_and_answer(const route_match& to, visit& of);
    [[nodiscard]] http::http_answer run(const route& to, visit& of);
    [[nodiscard]] std::optional<http::http_answer> read_content(visit& of) const;
    [[nodiscard]] std::optional<principal> visitor_of(const http::http_request& request);
    [[nodiscard]] http::http_answer refuse(const visit& of, admission why);
    [[nodiscard]] http::http_answer fail(const visit& of, const failure_view& failure) const;
    [[nodiscard]] std::string token_for(const principal& who) const;
    [[nodiscard]] bool is_from_us(const visit& of) const;
    [[nodiscard]] bool may_try(const std::string& client, const std::string& name);
    [[nodiscard]] std::string cookie_name(const http::http_request& request, std::string_view what) const;

    options with_;
    bool on_loopback_;
    std::vector<std::string> host_names_;
    const clock& clock_;
    base::random_source& random_;
    std::string key_;            ///< of the tokens in forms
    std::string stranger_hash_;  ///< so that a name that nobody has takes as long as one that somebody has
    session_store sessions_;
    std::mutex logins_mutex_;
    login_limit logins_{};
    redaction redaction_;
    audit_log audit_;
    router router_{};
    std::vector<std::unique_ptr<context>> contexts_;
};

/// The pages. Each adds its routes to the table. @param of  must outlive the table
void add_session_pages(router& to, console& of);
void add_overview_page(router& to, console& of);
void add_lane_page(router& to, console& of);
void add_backfill_pages(router& to, console& of);
void add_row_pages(router& to, console& of);
void add_message_page(router& to, console& of);
void add_letter_pages(router& to, console& of);
void add_event_pages(router& to, console& of);
void add_process_pages(router& to, console& of);
void add_command_pages(router& to, console& of);
void add_domain_pages(router& to, console& of);
void add_settings_pages(router& to, console& of);
void add_assets(router& to);
/// The REST interface, with its OpenAPI document.
void add_interface(router& to, console& of);

}  // namespace sluice::console
