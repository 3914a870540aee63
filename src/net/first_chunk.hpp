#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>

#include <boost/asio/completion_condition.hpp>
#include <boost/asio/read.hpp>
#include <boost/beast/core/buffer_ref.hpp>

namespace sluice::net {

/// Bytes of the shortest body in chunks: `0 CR LF CR LF` (RFC 9112, section 7.1).
///
/// The parser of Boost.Beast asserts that it never looks at a last chunk with fewer bytes at hand, yet it does so when
/// a body begins with its last chunk and the network splits that. Whoever feeds it waits for so many first.
inline constexpr std::size_t least_chunked_body = 5;

/// Reads on until a body in chunks can be given to a parser of Boost.Beast.
/// @param stream  where the body comes from; must outlive the call of `then`
/// @param buffer  what was read beyond the head, a buffer of Boost.Beast; must outlive the call of `then`
/// @param then    called with the error code as a completion handler of Asio is, never within this call
template <class Stream, class Buffer, class Handler>
void async_read_first_chunk(Stream& stream, Buffer& buffer, Handler then) {
    const std::size_t missing = least_chunked_body - std::min(least_chunked_body, buffer.size());
    boost::asio::async_read(
        stream, boost::beast::ref(buffer), boost::asio::transfer_at_least(missing),
        [then = std::move(then)](boost::system::error_code problem, std::size_t) mutable { then(problem); });
}

}  // namespace sluice::net
