#pragma once

#include <memory>
#include <string>

#include "net/byte_stream.hpp"
#include "net/tls_trust.hpp"

namespace sluice::net {

/// What a TLS connection is made with: trusted authorities, our certificate, as the files are now. The connection
/// outlives it.
///
/// Thread safety: `connect` may be called concurrently.
class tls_context {
public:
    /// @throws configuration_error naming the file that cannot be used
    explicit tls_context(const tls_trust& trust);
    ~tls_context();

    /// Shakes hands with the server behind a connected socket.
    /// @param host  what the certificate must name
    /// @throws outage, also when the certificate is not trusted
    [[nodiscard]] std::unique_ptr<byte_stream> connect(base::unique_fd socket, const std::string& host,
                                                       const deadline& until) const;

private:
    struct state;
    std::unique_ptr<state> state_;
};

}  // namespace sluice::net
