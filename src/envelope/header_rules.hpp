#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <sluice/message.hpp>
#include <sluice/violations.hpp>

/// What headers and extensions of a message must keep to, so that every store and broker can keep them: valid UTF-8
/// without U+0000, and a bounded length. An id is part of keys of tables and indexes, of which one entry has 2,704
/// bytes on PostgreSQL.
namespace sluice::envelope {

/// Of ids of messages and names of streams. An identity of 255 characters, the longest allowed, has 1,020 bytes.
inline constexpr std::size_t longest_name_bytes = 1'500;
inline constexpr std::size_t longest_correlation_characters = 255;

/// Adds what is wrong with an id of a message or a name of a stream.
void check_name(std::string_view field, std::string_view name, violations& broken);
/// Adds what is wrong with a correlation id.
void check_correlation_id(std::string_view field, std::string_view id, violations& broken);

/// What is wrong with a message from elsewhere, in one line that names the field; empty when nothing is.
[[nodiscard]] std::string header_problem(const message& m);

}  // namespace sluice::envelope
