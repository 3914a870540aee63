#include "broker/redis/dead_letter_text.hpp"

#include <utility>

#include <sluice/error.hpp>
#include <sluice/json.hpp>

#include "base/base64.hpp"

namespace sluice::broker::redis {
namespace {

constexpr std::string_view metadata_key = "_dlq_metadata";
constexpr std::string_view quoted_key = "\"_dlq_metadata\"";
constexpr std::string_view white_space = " \t\r\n";

/// Whether a member can be put behind those of the text. One that has such a member already would have it twice.
bool takes_metadata(std::string_view text) {
    try {
        const auto whole = json::parse(text);
        return whole.is_object() && whole.find(metadata_key) == nullptr;
    } catch (const decode_error&) {
        return false;
    }
}

std::string_view trimmed_end(std::string_view text) {
    const auto last = text.find_last_not_of(white_space);
    return text.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

/// Puts a member behind the last one of a JSON object, whose text is otherwise kept.
std::string with_metadata(std::string_view object, const json::value& metadata) {
    const auto members = trimmed_end(object.substr(0, object.rfind('}')));
    std::string text{members};
    if (!members.ends_with('{')) text += ", ";
    text += quoted_key;
    text += ": ";
    json::dump_to(text, metadata, json::style::python);
    text += '}';
    return text;
}

/// The text of an object before `with_metadata`. Quotes within a JSON string are escaped, so the last occurrence of the
/// quoted key is the key.
std::string without_metadata(std::string_view text) {
    auto members = trimmed_end(text.substr(0, text.rfind(quoted_key)));
    if (members.ends_with(',')) members.remove_suffix(1);
    return std::string{members} + '}';
}

std::string original_body(const json::value& whole, const json::value& metadata, std::string_view text) {
    if (const auto* raw = metadata.find("raw"); raw != nullptr && raw->is_string()) {
        return base::base64_decode(raw->as_string());
    }
    if ((whole.as_object().end() - 1)->first == metadata_key) return without_metadata(text);
    auto original = whole;
    original.as_object().erase(metadata_key);
    return json::dump(original);
}

date_time time_or_zero(const json::value& from, std::string_view key) {
    try {
        return date_time::parse(from.string_or(key, ""));
    } catch (const decode_error&) {
        return {};
    }
}

int count_or_zero(const json::value& from, std::string_view key) {
    const auto* const found = from.find(key);
    if (found == nullptr || !found->is_number()) return 0;
    constexpr double most = 1e9;
    const double count = found->as_double();
    return count >= 0 && count <= most ? static_cast<int>(count) : 0;
}

}  // namespace

std::string dead_letter_text(const delivery& message, std::string_view original_entry, const membership& by,
                             const death& why, date_time buried_at) {
    json::object metadata{{"original_stream", message.stream}, {"original_id", original_entry},
                          {"consumer_group", by.group},        {"consumer", by.consumer},
                          {"failed_at", why.at.to_string()},   {"retry_count", why.attempts},
                          {"failure_reason", why.reason},      {"code", why.code},
                          {"buried_at", buried_at.to_string()}};
    const bool readable = takes_metadata(message.body);
    if (readable) {
        auto text = with_metadata(message.body, metadata);
        if (without_metadata(text) == message.body) return text;
    }
    metadata.append("raw", base::base64_encode(message.body));
    return with_metadata(readable ? message.body : "{}", metadata);
}

std::string dead_letter_of_group(std::string_view text, std::string_view group) {
    try {
        auto whole = json::parse(text);
        const auto* const found = whole.find(metadata_key);
        if (found == nullptr || !found->is_object()) return std::string{text};
        json::object metadata = found->as_object();
        metadata.set("consumer_group", group);
        if ((whole.as_object().end() - 1)->first == metadata_key) {
            return with_metadata(without_metadata(text), metadata);
        }
        whole.as_object().set(std::string{metadata_key}, std::move(metadata));
        return json::dump(whole, json::style::python);
    } catch (const decode_error&) {
        return std::string{text};
    }
}

std::optional<dead_letter_parts> read_dead_letter(std::string_view text) {
    try {
        const auto whole = json::parse(text);
        const auto* const found = whole.find(metadata_key);
        if (found == nullptr || !found->is_object()) return std::nullopt;
        const auto& metadata = *found;
        dead_letter_parts result;
        auto& entry = result.entry;
        entry.body = original_body(whole, metadata, text);
        entry.stream = metadata.string_or("original_stream", "");
        entry.original_entry = metadata.string_or("original_id", "");
        entry.group = metadata.string_or("consumer_group", "");
        entry.consumer = metadata.string_or("consumer", "");
        entry.reason = metadata.string_or("failure_reason", "unknown");
        entry.code = metadata.string_or("code", "");
        entry.attempts = count_or_zero(metadata, "retry_count");
        entry.failed_at = time_or_zero(metadata, "failed_at");
        result.buried_at = time_or_zero(metadata, "buried_at");
        return result;
    } catch (const decode_error&) {
        return std::nullopt;
    }
}

}  // namespace sluice::broker::redis
