#include "operate/configured_files.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>

#include "base/address_text.hpp"
#include "base/amounts.hpp"
#include "base/pem_file.hpp"
#include "base/sha256.hpp"
#include "config/fingerprint.hpp"

namespace sluice::operate {

namespace {

using config::finding;
using config::severity;
using parameters = std::map<std::string, std::string, std::less<>>;

/// The system's authorities, in an address.
constexpr std::string_view of_the_system = "system";

parameters parameters_of(const std::string& address) {
    if (address.find("://") == std::string::npos) return base::read_keywords(address).value_or(parameters{});
    const auto parts = base::read_uri(address);
    return parts ? base::read_query(parts->query) : parameters{};
}

void add_files(const std::string& element, const config::provider& kind, const std::string& address,
               const config::option_texts& options, std::vector<configured_file>& into) {
    const auto add = [&](const std::string& key, const std::string& file) {
        if (!file.empty() && file != of_the_system) into.push_back({element, key, file});
    };
    for (const config::provider_option& each : kind.options()) {
        const auto value = options.find(std::string{each.key});
        if (each.what == config::provider_option::kind::file && value != options.end())
            add(value->first, value->second);
    }
    const auto given = parameters_of(address);
    for (const std::string_view key : kind.file_parameters()) {
        const auto value = given.find(key);
        if (value != given.end()) add(value->first, value->second);
    }
}

/// By the names of the keys: what is asked of the others would be no certificate.
bool is_for_certificates(std::string_view key) {
    using namespace std::string_view_literals;
    return std::ranges::any_of(
        std::array{"ca_file"sv, "ca_certs"sv, "certificate_file"sv, "certfile"sv, "sslcert"sv, "sslrootcert"sv},
        [&](std::string_view each) { return key.ends_with(each); });
}

/// Of the certificates of a file the one that counts.
const base::certificate_times& deciding(const std::vector<base::certificate_times>& all) {
    const auto ends_first = [](const auto& a, const auto& b) { return a.valid_to < b.valid_to; };
    return all.front().is_authority ? *std::ranges::max_element(all, ends_first)
                                    : *std::ranges::min_element(all, ends_first);
}

std::optional<finding> judge(const configured_file& in, const base::certificate_times& certificate, date_time now) {
    constexpr duration month = std::chrono::hours{24 * 30};
    constexpr int last_part = 4;
    finding found{.level = severity::error, .code = {}, .element = in.element, .message = {}, .remedy = {}};
    const std::string which =
        fmt::format("the certificate {} in {} ({})", certificate.subject, in.file.string(), in.key);
    found.remedy = "put a new certificate in its place; it is read at the next connection";
    if (now < certificate.valid_from) {
        found.code = "CERTIFICATE_NOT_YET_VALID";
        found.message = fmt::format("{} is valid only from {}", which, certificate.valid_from.to_string());
        found.remedy = "look at the clock of this machine, or wait";
        return found;
    }
    const duration left = certificate.valid_to - now;
    if (left <= duration{0}) {
        found.code = "CERTIFICATE_EXPIRED";
        found.message = fmt::format("{} has expired at {}", which, certificate.valid_to.to_string());
        return found;
    }
    if (left >= std::min(month, (certificate.valid_to - certificate.valid_from) / last_part)) return std::nullopt;
    found.level = severity::warning;
    found.code = "CERTIFICATE_EXPIRES";
    found.message =
        fmt::format("{} expires in {}, at {}", which, base::age_text(left), certificate.valid_to.to_string());
    return found;
}

}  // namespace

bool is_open_to_others(const std::filesystem::path& file) {
    struct stat status {};
    return ::stat(file.c_str(), &status) == 0 && (status.st_mode & (S_IROTH | S_IWOTH)) != 0;
}

std::vector<configured_file> configured_files(const config::configuration& with) {
    std::vector<configured_file> files;
    for (const auto& [name, each] : with.databases) {
        add_files("databases." + name, *each.kind, each.database_uri, each.options, files);
    }
    for (const auto& [name, each] : with.brokers) {
        add_files("brokers." + name, *each.kind, each.uri, each.options, files);
    }
    const auto& telemetry = with.telemetry;
    for (const auto& [key, file] : {std::pair{"tls_ca_file", telemetry.tls_ca_file},
                                    std::pair{"tls_certificate_file", telemetry.tls_certificate_file},
                                    std::pair{"tls_key_file", telemetry.tls_key_file}}) {
        if (!file.empty()) files.push_back({"telemetry", key, file});
    }
    if (with.console_tls.is_on()) {
        files.push_back({"console", "tls_certificate_file", with.console_tls.certificate_file});
        files.push_back({"console", "tls_key_file", with.console_tls.key_file});
    }
    return files;
}

std::string fingerprint(const config::configuration& with) {
    std::string all = config::fingerprint_without_log(with.file);
    for (const configured_file& each : configured_files(with)) {
        std::ifstream stream{each.file, std::ios::binary};
        const std::string bytes{std::istreambuf_iterator<char>{stream}, {}};
        all += ' ' + each.element + ' ' + each.key + ' ' + (stream ? base::sha256_hex(bytes) : "unreadable");
    }
    return base::sha256_hex(all);
}

std::vector<finding> open_secrets(const std::vector<configured_file>& files) {
    std::vector<finding> found;
    for (const configured_file& each : files) {
        if (!is_open_to_others(each.file) || each.key.starts_with("sslcrl")) continue;  // revocations are public, too
        const auto contents = base::read_pem_file(each.file);
        const bool is_public = is_for_certificates(each.key) && !(contents && contents->holds_private_key);
        if (is_public) continue;
        found.push_back({.level = severity::warning,
                         .code = "OPEN_TO_OTHERS",
                         .element = each.element,
                         .message = fmt::format("{} ({}) is for this service only, and can be read or written by every "
                                                "user of this machine",
                                                each.file.string(), each.key),
                         .remedy = fmt::format("chmod o-rwx {}", each.file.string())});
    }
    return found;
}

std::vector<finding> certificate_findings(const std::vector<configured_file>& files, date_time now) {
    std::vector<finding> found;
    for (const configured_file& each : files) {
        const auto contents = base::read_pem_file(each.file);
        if (contents && !contents->certificates.empty()) {
            if (auto judged = judge(each, deciding(contents->certificates), now)) found.push_back(std::move(*judged));
        } else if (is_for_certificates(each.key)) {
            found.push_back({.level = severity::error,
                             .code = "CERTIFICATE_UNREADABLE",
                             .element = each.element,
                             .message = fmt::format("{} ({}) {}", each.file.string(), each.key,
                                                    contents ? "holds no certificate in PEM form" : "cannot be read"),
                             .remedy = "put the certificate there, or name the file in which it is"});
        }
    }
    return found;
}

}  // namespace sluice::operate
