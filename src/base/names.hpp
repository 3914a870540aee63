#pragma once

#include <span>
#include <string>
#include <string_view>

/// The naming rules of the wire format (docs/wire-format.md, "Names"). All are pure.
namespace sluice::base {

/// Latin letters with diacritics become plain ones (`ü` u); what has no Unicode decomposition is dropped (`ß`), as in
/// the reference, so that both name the same streams.
[[nodiscard]] std::string transliterate(std::string_view utf8);

/// Only ASCII letters change, whatever the locale says.
[[nodiscard]] std::string lower(std::string_view name);
/// Whether both are the same but for upper and lower case of ASCII letters.
[[nodiscard]] bool is_same_but_for_case(std::string_view one, std::string_view other) noexcept;

/// `OrderLine` becomes `order_line`, `HTTPServer` becomes `http_server`, `a-b` becomes `a_b`.
[[nodiscard]] std::string underscore(std::string_view name);

/// The name in stream categories: `E-Commerce 2.0` becomes `e_commerce_2_0`, `MyApp` becomes `myapp`.
[[nodiscard]] std::string normalized_domain_name(std::string_view domain);

/// The name in message types: `my_app` becomes `MyApp`, `HTTPServer` becomes `HttpServer`.
[[nodiscard]] std::string camel_domain_name(std::string_view domain);

/// `shop::OrderShipped` becomes `shop.OrderShipped`; an anonymous namespace leaves no trace.
[[nodiscard]] std::string dotted(std::string_view cpp_qualified_name);

/// The candidate that `word` was most likely meant to be: the nearest one by Damerau-Levenshtein distance (an
/// insertion, deletion, replacement or swap of neighbours costs 1), the first among equals. Empty when none is nearer
/// than one error in three characters.
[[nodiscard]] std::string suggest(std::string_view word, std::span<const std::string> candidates);

}  // namespace sluice::base
