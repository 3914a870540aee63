#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// What an adapter says of itself. Each adapter describes its provider in its own folder (`provider.hpp` there); the
/// rest of Sluice asks the description instead of comparing names.
namespace sluice::config {

/// A key of `[databases.NAME]` or `[brokers.NAME]` that only one provider understands.
struct provider_option {
    /// The value of a secret is never shown. A table has keys of its own, which are the user's choice. The contents of
    /// a file belong to the configuration: a certificate, a secret. Those of a database do not, and nobody but its
    /// library may open it: on POSIX a process that closes a file loses its locks on it, the library's own included
    /// (fcntl(2); https://www.sqlite.org/howtocorrupt.html, section 2.2).
    enum class kind { whole, choice, flag, text, secret, file, database, table };

    std::string_view key;
    kind what = kind::whole;
    std::int64_t lowest = 0;
    std::int64_t highest = 0;
    std::vector<std::string> words{};  ///< of a choice
    std::string usual{};               ///< the default as text; empty: there is none
    std::string_view purpose{};        ///< one line for people
    /// Of a table: why a key may not be in it; empty when it may.
    std::string (*objection)(std::string_view key) = nullptr;
};

/// The values of such keys by their names, as texts that fit the kinds. What is in the table `kafka` is called
/// `kafka.compression.type`.
using option_texts = std::map<std::string, std::string>;

/// What `database_uri` or `URI` leads to.
enum class address_use { unused, file, server, server_if_any };

/// The address of a server, as an entry of the configuration has it.
struct configured_address {
    std::string_view key;   ///< database_uri or URI
    std::string_view text;  ///< may hold a password: never show it
    const option_texts& options;
};

/// What an address gives away or leaves open. No member holds a part of a password.
struct address_warning {
    std::string code{};  ///< stable word: PLAIN_TEXT
    std::string message{};
    std::string remedy{};
};

/// A kind of database or broker.
///
/// Thread safety: all members may be called concurrently. Lifetime: that of the program.
class provider {
public:
    virtual ~provider() = default;

    /// As the file names it: `sqlite`.
    [[nodiscard]] virtual std::string_view name() const = 0;
    [[nodiscard]] virtual address_use address() const = 0;
    /// The keys that it understands, in the order in which people read them.
    [[nodiscard]] virtual std::span<const provider_option> options() const { return {}; }

    /// The parameters of a server's address that name files: relative ones start at the directory of domain.toml.
    [[nodiscard]] virtual std::span<const std::string_view> file_parameters() const { return {}; }
    /// Opens nothing.
    [[nodiscard]] virtual std::vector<address_warning> check_address(const configured_address& /*at*/) const {
        return {};
    }

    /// False: what one process writes no other process sees, and it is gone when the process ends.
    [[nodiscard]] virtual bool is_shared_between_processes() const { return true; }
};

/// How lanes treat the numbers of the event log that a running transaction may still fill.
struct number_order {
    bool strict = false;                              ///< they wait for as long as it takes
    std::optional<std::chrono::milliseconds> wait{};  ///< else so long; nothing: there are no such numbers
};

class database_provider : public provider {
public:
    /// True when somebody has to prepare the database before the first start (`sluice db setup`).
    [[nodiscard]] virtual bool needs_setup() const { return false; }
    /// True for the provider of the database `default` when the file configures no database at all: a file that is
    /// named after the domain.
    [[nodiscard]] virtual bool is_built_in() const { return false; }
    /// True when the address names several hosts and does not say which of them is meant, so that a standby may answer.
    [[nodiscard]] virtual bool takes_any_of_several_hosts(std::string_view /*address*/) const { return false; }
    [[nodiscard]] virtual number_order order(const option_texts& /*options*/) const { return {}; }
    /// How many connections one process may have to such a database; nothing: there is no such bound.
    [[nodiscard]] virtual std::optional<std::size_t> most_connections(const option_texts& /*options*/) const {
        return std::nullopt;
    }
};

/// Where the messages of a stream lie at a broker.
struct stream_place {
    std::string what{};  ///< for people: topic, routing key
    std::string name{};  ///< `shop.order`
    /// A broker that takes names for one although they differ: places with the same text here exclude each other.
    /// Empty: only those of one name.
    std::string taken_as{};
};

class broker_provider : public provider {
public:
    /// Two streams with one place cannot be told apart there; the check of a domain refuses them.
    [[nodiscard]] virtual stream_place place_of(std::string_view stream, const option_texts& /*options*/) const {
        return {.what = "stream", .name = std::string{stream}};
    }
    /// The name of what a group has for itself on a stream; empty: a name that no other group or stream can lead to.
    [[nodiscard]] virtual std::string queue_of(std::string_view /*group*/, std::string_view /*stream*/) const {
        return {};
    }
    /// The largest message that such a broker takes, in bytes; 0: no limit of its own.
    [[nodiscard]] virtual std::size_t largest_message(const option_texts& /*options*/) const { return 0; }
    /// True when a message has headers beside its body there.
    [[nodiscard]] virtual bool carries_headers() const { return false; }
};

}  // namespace sluice::config
