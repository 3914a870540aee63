#include "net/tls_stream.hpp"

#include <array>
#include <cerrno>
#include <climits>
#include <filesystem>
#include <new>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>

#include <fmt/format.h>

#include <sluice/error.hpp>

#include "net/outage.hpp"
#include "net/tls_files.hpp"

namespace sluice::net {
namespace {

struct freer {
    void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
    void operator()(SSL* session) const noexcept { SSL_free(session); }
};

// OpenSSL's own socket BIO writes without MSG_NOSIGNAL: a server that went away would end the process.

int fd_of(BIO* bio) { return static_cast<const base::unique_fd*>(BIO_get_data(bio))->get(); }

int bio_write(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    const auto taken = ::send(fd_of(bio), bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (taken < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_write(bio);
    return static_cast<int>(taken);
}

int bio_read(BIO* bio, char* into, int size) {
    BIO_clear_retry_flags(bio);
    const auto got = ::recv(fd_of(bio), into, static_cast<std::size_t>(size), 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) BIO_set_retry_read(bio);
    return static_cast<int>(got);
}

long bio_control(BIO* /*bio*/, int command, long /*number*/, void* /*pointer*/) {
    return command == BIO_CTRL_FLUSH ? 1 : 0;
}

int bio_create(BIO* bio) {
    BIO_set_init(bio, 1);
    return 1;
}

/// @param socket  must outlive the BIO
BIO* make_bio(base::unique_fd& socket) {
    static BIO_METHOD* const method = [] {
        BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without signals");
        BIO_meth_set_write(made, bio_write);
        BIO_meth_set_read(made, bio_read);
        BIO_meth_set_ctrl(made, bio_control);
        BIO_meth_set_create(made, bio_create);
        return made;
    }();
    BIO* const bio = BIO_new(method);
    if (bio == nullptr) throw std::bad_alloc{};
    BIO_set_data(bio, &socket);
    return bio;
}

class tls_stream final : public byte_stream {
public:
    tls_stream(base::unique_fd socket, std::unique_ptr<SSL, freer> session)
        : socket_{std::move(socket)}, session_{std::move(session)} {
        BIO* const bio = make_bio(socket_);
        SSL_set_bio(session_.get(), bio, bio);
    }

    void shake_hands(const deadline& until) {
        for (;;) {
            ERR_clear_error();
            const int result = SSL_connect(session_.get());
            if (result == 1) return;
            if (!may_continue(result)) throw outage{"TLS: " + handshake_failure()};
            wait_until_ready(*this, wanted_, until);
        }
    }

    [[nodiscard]] std::size_t read(std::span<char> into) override {
        ERR_clear_error();
        const int got = SSL_read(session_.get(), into.data(), limited(into.size()));
        if (got > 0) return static_cast<std::size_t>(got);
        if (may_continue(got)) return 0;
        if (SSL_get_error(session_.get(), got) == SSL_ERROR_ZERO_RETURN)
            throw outage{"the server closed the connection"};
        throw outage{"TLS: " + openssl_reason()};
    }

    [[nodiscard]] std::size_t write(std::string_view bytes) override {
        ERR_clear_error();
        const int taken = SSL_write(session_.get(), bytes.data(), limited(bytes.size()));
        if (taken > 0) return static_cast<std::size_t>(taken);
        if (may_continue(taken)) return 0;
        throw outage{"TLS: " + openssl_reason()};
    }

    [[nodiscard]] int fd() const noexcept override { return socket_.get(); }
    [[nodiscard]] short wanted() const noexcept override { return wanted_; }

private:
    static int limited(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, INT_MAX)); }

    [[nodiscard]] bool may_continue(int result) {
        const int reason = SSL_get_error(session_.get(), result);
        if (reason == SSL_ERROR_WANT_READ) wanted_ = POLLIN;
        if (reason == SSL_ERROR_WANT_WRITE) wanted_ = POLLOUT;
        return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE;
    }

    [[nodiscard]] std::string handshake_failure() const {
        const auto verdict = SSL_get_verify_result(session_.get());
        if (verdict == X509_V_OK) return openssl_reason();
        ERR_clear_error();
        return fmt::format("the server's certificate is not accepted: {}", X509_verify_cert_error_string(verdict));
    }

    base::unique_fd socket_;
    std::unique_ptr<SSL, freer> session_;
    short wanted_ = 0;
};

bool is_address(const std::string& host) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    return ::inet_pton(AF_INET, host.c_str(), bytes.data()) == 1 ||
           ::inet_pton(AF_INET6, host.c_str(), bytes.data()) == 1;
}

}  // namespace

struct tls_context::state {
    std::unique_ptr<SSL_CTX, freer> context{SSL_CTX_new(TLS_client_method())};
    bool verify = true;
};

tls_context::tls_context(const tls_trust& trust) : state_{std::make_unique<state>()} {
    ERR_clear_error();
    auto* const context = state_->context.get();
    if (context == nullptr) throw std::bad_alloc{};
    state_->verify = trust.verify;
    secure(*context);
    // What a write could not take yet may be offered again from another place in memory, and in part.
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_verify(context, trust.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);

    if (trust.ca_file.empty()) {
        SSL_CTX_set_default_verify_paths(context);
    } else {
        use_authorities(*context, trust.ca_file);
    }
    if (!trust.certificate_file.empty()) use_certificate(*context, trust.certificate_file);
    if (!trust.key_file.empty()) use_key(*context, trust.key_file);
}

tls_context::~tls_context() = default;

std::unique_ptr<byte_stream> tls_context::connect(base::unique_fd socket, const std::string& host,
                                                  const deadline& until) const {
    std::unique_ptr<SSL, freer> session{SSL_new(state_->context.get())};
    if (!session) throw std::bad_alloc{};
    if (is_address(host)) {
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session.get()), host.c_str());
    } else {
        SSL_set1_host(session.get(), host.c_str());
        SSL_set_tlsext_host_name(session.get(), host.c_str());
    }
    auto stream = std::make_unique<tls_stream>(std::move(socket), std::move(session));
    stream->shake_hands(until);
    return stream;
}

}  // namespace sluice::net
