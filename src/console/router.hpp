#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <sluice/json.hpp>
#include <sluice/time.hpp>

#include "console/access.hpp"
#include "console/target.hpp"
#include "http/server.hpp"

namespace sluice::console {

class context;

/// A request on its way to whoever answers it: who asks is known, and allowed to.
struct visit {
    const http::http_request& request;
    principal who{};
    std::map<std::string, std::string, std::less<>> path{};  ///< `{id}` of the route, decoded
    form_values query{};
    form_values form{};        ///< of a page's POST
    json::value body{};        ///< of a POST to the interface; null: there was none
    std::string form_token{};  ///< what a form of this visitor must carry
    context* where = nullptr;  ///< the one that `{context}` names

    [[nodiscard]] const std::string& at(std::string_view name) const { return path.find(name)->second; }
};

/// Something that a route reads.
struct parameter {
    enum class place { path, query, body };
    enum class kind { text, whole, flag, object, objects, texts };

    std::string name;
    place in = place::query;
    kind what = kind::text;
    std::string purpose{};
    bool required = false;
    std::vector<std::string> words{};  ///< that there are; empty: any
};

/// One line of the table from which requests are answered and the OpenAPI document is made.
struct route {
    std::string method;  ///< `GET`, `POST`
    std::string path;    ///< `/api/v1/contexts/{context}/rows`
    console_role needs = console_role::viewer;
    std::function<http::http_answer(visit&)> answer{};
    std::string name{};     ///< of an operation of the interface, unique: `list_rows`
    std::string purpose{};  ///< one sentence
    std::vector<parameter> parameters{};
    bool is_own_proof = false;  ///< the answer itself checks that it is no forgery: logging in
};

/// What a path leads to.
struct route_match {
    const route* found = nullptr;
    std::map<std::string, std::string, std::less<>> path{};
    std::string allowed{};  ///< methods of the path when the one asked for is none of them; empty: no such path
};

/// The routes.
///
/// Thread safety: immutable once filled.
class router {
public:
    void add(route each) { routes_.push_back(std::move(each)); }
    [[nodiscard]] const std::vector<route>& routes() const noexcept { return routes_; }
    /// @param segments  decoded
    [[nodiscard]] route_match find(std::string_view method, const std::vector<std::string>& segments) const;

private:
    std::vector<route> routes_{};
};

/// `/api/v1/…`
[[nodiscard]] bool is_interface(std::string_view path) noexcept;

/// An error as RFC 9457 has it. @param code  stable word
[[nodiscard]] http::http_answer problem(unsigned status, std::string_view code, std::string_view detail);
[[nodiscard]] http::http_answer json_answer(const json::value& body);

/// A member of a body; null when it is not there, or says nothing: `null`.
[[nodiscard]] const json::value* member_in(const json::value& body, std::string_view name);
/// Empty when there is none. @throws decode_error for another kind
[[nodiscard]] std::string text_in(const json::value& body, std::string_view name);

/// What an exception means to whoever asked.
struct failure_view {
    unsigned status = 500;
    std::string code;  ///< stable word
    std::string text;  ///< for people; of a defect nothing but that it is one
};

[[nodiscard]] failure_view judge(const std::exception& caught);

/// A whole number of a query. @throws request_error
[[nodiscard]] std::size_t number_in(const std::string& text, std::string_view name, std::size_t usual,
                                    std::size_t most);
/// A time of a query, `2026-11-29T08:00:00Z`, or a day, `2026-11-29`: its beginning in UTC. Nothing when it is empty.
/// @throws request_error
[[nodiscard]] std::optional<date_time> time_in(const std::string& text, std::string_view name);

}  // namespace sluice::console
