#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace sluice {

/// What a caller may conclude from an error, independent of its class.
enum class error_nature {
    permanent,  ///< Trying again with the same input fails again.
    retryable,  ///< Nothing was changed, and trying again may succeed.
    in_doubt,   ///< The effect may or may not have happened: read back before trying again.
    conflict,   ///< Nothing was changed, because another writer was faster: read again, and try again.
    /// Nothing was changed, because what the call needs cannot be reached, opened or logged in to. No input is to
    /// blame: every call fails until it is back, and a person may have to act first.
    outage
};

/// Root of every exception that Sluice throws.
///
/// The text names the thing, the value and the remedy; it never contains a secret. Whether a retry makes sense is a
/// property of the error (`retryable()`, `in_doubt()`), so callers need not know the subclasses.
///
/// Thread safety: immutable after construction, and so is every class that derives from it.
class error : public std::runtime_error {
public:
    explicit error(const std::string& what, error_nature nature = error_nature::permanent)
        : std::runtime_error{what}, nature_{nature} {}

    /// True when nothing was changed and the same call may succeed later.
    [[nodiscard]] bool retryable() const noexcept {
        return nature_ == error_nature::retryable || nature_ == error_nature::conflict ||
               nature_ == error_nature::outage;
    }

    /// True when the outcome is unknown. Never repeat the call without first reading back what it did.
    [[nodiscard]] bool in_doubt() const noexcept { return nature_ == error_nature::in_doubt; }

    [[nodiscard]] error_nature nature() const noexcept { return nature_; }

    /// A stable lower-case word for logs and JSON, for example `validation_error`.
    [[nodiscard]] virtual const char* code() const noexcept { return "error"; }

private:
    error_nature nature_;
};

/// One broken rule of one field. `field` is a path such as `lines[2].quantity`; empty when it is the whole thing.
///
/// Thread safety: a value type.
struct violation {
    std::string field;
    std::string message;

    friend bool operator==(const violation&, const violation&) = default;
};

/// A value broke the rule of its field, or an aggregate broke an invariant. Names every offender at once.
class validation_error : public error {
public:
    /// @param subject  what was validated, for example `ShipOrder`
    /// @param violations  at least one broken rule
    validation_error(const std::string& subject, std::vector<violation> violations)
        : error{describe(subject, violations)}, subject_{subject}, violations_{std::move(violations)} {}

    /// What was validated.
    [[nodiscard]] const std::string& subject() const noexcept { return subject_; }
    [[nodiscard]] const std::vector<violation>& violations() const noexcept { return violations_; }
    [[nodiscard]] const char* code() const noexcept override { return "validation_error"; }

private:
    static std::string describe(const std::string& subject, const std::vector<violation>& violations) {
        std::string text = subject + " is not valid: ";
        const char* separator = "";
        for (const auto& [field, message] : violations) {
            text += separator;
            text += field.empty() ? message : field + ": " + message;
            separator = "; ";
        }
        return text;
    }

    std::string subject_;
    std::vector<violation> violations_;
};

/// Somebody else changed the aggregate since it was read. Nothing was written; read again and retry.
class expected_version_error : public error {
public:
    /// @param contended  names what two writers wanted, the same for both; empty: unknown
    explicit expected_version_error(const std::string& what, std::string contended = {})
        : error{what, error_nature::conflict}, contended_{std::move(contended)} {}
    /// What was lost to another writer, for locks: equal texts mean the same thing. Empty when it is unknown.
    [[nodiscard]] const std::string& contended() const noexcept { return contended_; }
    [[nodiscard]] const char* code() const noexcept override { return "expected_version_error"; }

private:
    std::string contended_;
};

/// No aggregate of that type has that identity.
class not_found_error : public error {
public:
    using error::error;
    [[nodiscard]] const char* code() const noexcept override { return "not_found"; }
};

/// The configuration or the declaration of a domain is wrong. Found at start, before any row is written.
class configuration_error : public error {
public:
    using error::error;
    [[nodiscard]] const char* code() const noexcept override { return "configuration_error"; }
};

/// The library was called in a way that can never work (a programming error).
class usage_error : public error {
public:
    using error::error;
    [[nodiscard]] const char* code() const noexcept override { return "usage_error"; }
};

/// The deadline of a command had passed before its handler began; nothing was done. Whoever still wants it gives it
/// more time.
class deadline_error : public error {
public:
    using error::error;
    [[nodiscard]] const char* code() const noexcept override { return "deadline_exceeded"; }
};

/// A text or message could not be read. `what()` gives the reason and, for text, the byte offset.
class decode_error : public error {
public:
    using error::error;
    [[nodiscard]] const char* code() const noexcept override { return "decode_error"; }
};

/// The database failed. `retryable()` and `in_doubt()` tell what to do.
class store_error : public error {
public:
    using error::error;
    [[nodiscard]] const char* code() const noexcept override { return "store_error"; }
};

/// A broker failed outside of publishing (publishing answers with verdicts).
class broker_error : public error {
public:
    using error::error;
    [[nodiscard]] const char* code() const noexcept override { return "broker_error"; }
};

}  // namespace sluice
