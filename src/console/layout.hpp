#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "console/console.hpp"
#include "console/markup.hpp"
#include "http/server.hpp"

namespace sluice::console {

/// What makes one page differ from another.
struct page_parts {
    std::string title{};
    std::string section{};  ///< of the navigation: `rows`
    markup content{};
    unsigned status = 200;
    bool is_live = false;  ///< parts of it follow what happens
};

/// A page with everything around it.
[[nodiscard]] http::http_answer page(const console& in, const visit& of, const page_parts& parts);
[[nodiscard]] http::http_answer error_page(const console& in, const visit& of, const failure_view& failure);

struct login_parts {
    std::string token{};
    std::string back{};
    std::string_view trouble{};  ///< why the last attempt failed
};

[[nodiscard]] http::http_answer login_page(const console& in, const visit& of, const login_parts& parts);

/// The question before a change.
struct question {
    std::string title{};   ///< `Discard 3 rows?`
    markup text{};         ///< what it means
    std::string to{};      ///< where the answer goes
    form_values fields{};  ///< what was asked for
    std::string agree{};   ///< `Discard`
    std::string cancel{};  ///< where back is
    bool is_loss = false;
};

[[nodiscard]] http::http_answer ask(const console& in, const visit& of, const std::string& section,
                                    const question& about);
/// What was done.
[[nodiscard]] http::http_answer tell(const console& in, const visit& of, const std::string& section,
                                     std::string_view title, const markup& text, std::string_view back);

/// `/console/contexts/NAME/…` of the visitor's context.
[[nodiscard]] std::vector<std::string> path_in(const visit& of, std::vector<std::string> rest = {});
[[nodiscard]] std::vector<std::string> path_in(const context& of, std::vector<std::string> rest = {});
[[nodiscard]] inline bool may_act(const visit& of) { return of.who.role >= console_role::operating; }
/// Why there are no buttons; empty when there are.
[[nodiscard]] markup why_no_actions(const visit& of);

}  // namespace sluice::console
