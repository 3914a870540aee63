#pragma once

#include <concepts>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include <sluice/codec.hpp>
#include <sluice/contract.hpp>
#include <sluice/reflect.hpp>

/// What a command's handler returns, on its way through code that does not know its type.
namespace sluice {

class context;

namespace detail {

/// Runs the handler. Null for a command without a result.
/// @throws validation_error when the result breaks the rules of its type; whatever the handler throws
template <class Command, class Handler>
std::shared_ptr<void> result_from(const Handler& handler, const Command& command, context& in) {
    using result = result_of<Command>;
    using returned = std::invoke_result_t<const Handler&, const Command&, context&>;
    if constexpr (std::is_void_v<result>) {
        static_assert(std::is_void_v<returned>,
                      "the handler returns something that the command's contract does not promise: write "
                      "`sluice::command_of<Aggregate, Result>` in the command, or return nothing");
        handler(command, in);
        return nullptr;
    } else {
        static_assert(codec::field_type<result>,
                      "the Result of a command's contract must be something that a member of a command may be: see the "
                      "table in sluice/codec.hpp");
        static_assert(std::convertible_to<returned, result>,
                      "the handler does not return the Result that the command's contract promises");
        auto made = std::make_shared<result>(handler(command, in));
        violations broken;
        codec::detail::check(*made, broken);
        if (!broken.empty()) {
            codec::detail::require_none("the result of " + std::string{reflect::short_type_name<Command>()}, broken);
        }
        return made;
    }
}

template <class Result>
std::string encode_result(const void* result) {
    std::string text;
    if constexpr (std::is_void_v<Result>) {
        text = "null";
    } else {
        codec::detail::write(text, *static_cast<const Result*>(result));
    }
    return text;
}

/// @throws validation_error when this build cannot read what an older one wrote
template <class Result>
std::shared_ptr<void> decode_result(const json::value& written) {
    if constexpr (std::is_void_v<Result>) {
        return nullptr;
    } else {
        auto read = std::make_shared<Result>();
        violations broken;
        (void)codec::detail::read(written, *read, {codec::unknown_keys::ignore, codec::missing_keys::keep_default},
                                  broken);
        codec::detail::require_none("the stored result", broken);
        return read;
    }
}

}  // namespace detail
}  // namespace sluice
