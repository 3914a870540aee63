#pragma once

#include <string>
#include <string_view>

/// Names at NATS, where dots, stars and spaces mean something.
namespace sluice::broker::nats {

/// What is wrong with a subject to publish to or to read from, for people; empty when nothing is. The library sends
/// any: a space or a line end breaks the connection of all that is under way.
[[nodiscard]] std::string problem_of_subject(std::string_view subject);

/// What is wrong with the text of a header; empty when nothing is. The library stores line ends as spaces.
[[nodiscard]] std::string problem_of_header(std::string_view name, std::string_view value);

/// A name that consumers and keys of a bucket may have, the same for the same text and another one for another: all but
/// letters, digits and `-_` becomes `=XX`.
[[nodiscard]] std::string token_of(std::string_view text);

}  // namespace sluice::broker::nats
