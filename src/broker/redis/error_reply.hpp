#pragma once

#include <string>
#include <string_view>

#include "broker/verdict.hpp"

namespace sluice::broker::redis {

/// The first word of an error reply, `WRONGTYPE`; of `EXECABORT … because of: OOM …` the word of the cause.
[[nodiscard]] std::string error_code(std::string_view error);

/// An error reply for people: its word and its first clause. What follows may quote keys, payloads or passwords. Bytes
/// that are no UTF-8 are replaced.
[[nodiscard]] std::string first_clause(std::string_view error);

/// Whether an error in answer to an XADD is about the message, or about the server or our account. Pure.
///
/// | reply | verdict | because |
/// |---|---|---|
/// | `ERR Protocol error: invalid bulk length` | refused, for good | larger than the server's `proto-max-bulk-len` |
/// | `WRONGTYPE` | refused, stream closed | another kind of value lives under the stream's name, until somebody renames
/// it | | `NOPERM … key` | refused, stream closed | this account may not write to this stream, perhaps to others | |
/// `ERR` about the state of server, account or connection (see the list in the code) | unreachable | no message could
/// pass |
/// | other `ERR` | refused | the server looked at the command and does not want it |
/// | `OOM`, `READONLY`, `LOADING`, `MASTERDOWN`, `NOREPLICAS`, `MISCONF`, `BUSY`, `NOAUTH`, `WRONGPASS`, `DENIED`, |
/// unreachable | the server's state, no message could pass | | `NOPERM` otherwise, `CLUSTERDOWN`, `MOVED`, `ASK`,
/// `CROSSSLOT`, `EXECABORT`, any unknown word | | |
[[nodiscard]] verdict verdict_on(std::string_view error);

/// True when the account may not use a command or key, so that it is worth trying to do without.
[[nodiscard]] bool is_forbidden(std::string_view error);

}  // namespace sluice::broker::redis
