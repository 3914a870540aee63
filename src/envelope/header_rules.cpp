#include "envelope/header_rules.hpp"

#include <sluice/codec.hpp>

namespace sluice::envelope {

namespace {

void check_optional_name(std::string_view field, const std::optional<std::string>& name, violations& broken) {
    if (name) check_name(field, *name, broken);
}

}  // namespace

void check_name(std::string_view field, std::string_view name, violations& broken) {
    if (name.size() > longest_name_bytes) {
        broken.add(field, "has " + std::to_string(name.size()) + " bytes; at most " +
                              std::to_string(longest_name_bytes) + " are allowed");
        return;
    }
    const violations::scope in_field{broken, field};
    codec::detail::check_text(name, text::rule, broken);
}

void check_correlation_id(std::string_view field, std::string_view id, violations& broken) {
    static constexpr text_rule rule{.max_length = longest_correlation_characters};
    const violations::scope in_field{broken, field};
    codec::detail::check_text(id, rule, broken);
}

std::string header_problem(const message& m) {
    const message_metadata& metadata = m.metadata();
    violations broken;
    check_name("headers.id", metadata.headers.id, broken);
    check_name("headers.type", metadata.headers.type, broken);
    check_name("headers.stream", metadata.headers.stream, broken);
    check_name("domain.stream_category", metadata.domain.stream_category, broken);
    check_optional_name("domain.origin_stream", metadata.domain.origin_stream, broken);
    check_optional_name("domain.causation_id", metadata.domain.causation_id, broken);
    if (m.correlation_id()) check_correlation_id("domain.correlation_id", *m.correlation_id(), broken);
    {
        const violations::scope in_extensions{broken, "extensions"};
        codec::detail::check_json(metadata.extensions, broken);
    }
    std::string problem;
    for (const violation& each : broken.found()) {
        if (!problem.empty()) problem += "; ";
        problem += each.field + " " + each.message;
    }
    return problem;
}

}  // namespace sluice::envelope
