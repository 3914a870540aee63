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
    enum class kind { whole, choice, flag, text, file };

    std::string_view key;
    kind what = kind::whole;
    std::int64_t lowest = 0;
    std::int64_t highest = 0;
    std::vector<std::string> words{};  ///< of a choice
    std::string usual{};               ///< the default as text; empty: there is none
    std::string_view purpose{};        ///< one line for people
};

/// The values of such keys by their names, as texts that fit the kinds.
using option_texts = std::map<std::string, std::string>;

/// What `database_uri` or `URI` leads to.
enum class address_use { unused, file, server };

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
};

class broker_provider : public provider {
public:
    /// The largest message that such a broker takes, in bytes; 0: no limit of its own.
    [[nodiscard]] virtual std::size_t largest_message(const option_texts& /*options*/) const { return 0; }
};

}  // namespace sluice::config
