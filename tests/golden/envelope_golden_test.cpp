// The bytes that leave the process, compared with files. SLUICE_UPDATE_GOLDEN=1 rewrites those that Sluice itself
// produces; the `reference_*` files were recorded from the Python reference and are never rewritten.

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "envelope/envelope.hpp"

namespace sluice::envelope {
namespace {

std::filesystem::path golden_file(const std::string& name) {
    return std::filesystem::path{SLUICE_GOLDEN_DIRECTORY} / name;
}

std::string content_of(const std::filesystem::path& path) {
    std::ifstream in{path, std::ios::binary};
    return std::string(std::istreambuf_iterator<char>{in}, std::istreambuf_iterator<char>{});
}

void expect_golden(const std::string& name, const std::string& rendered) {
    const auto path = golden_file(name);
    if (std::getenv("SLUICE_UPDATE_GOLDEN") != nullptr) std::ofstream{path, std::ios::binary} << rendered << '\n';
    EXPECT_EQ(content_of(path), rendered + "\n")
        << "the wire format changed; if that is meant, run once with SLUICE_UPDATE_GOLDEN=1 and review the difference";
}

/// Every key with its path, in the order of the text.
void collect_keys(const json::value& value, const std::string& path, std::vector<std::string>& keys) {
    if (!value.is_object()) return;
    for (const auto& [key, member] : value.as_object()) {
        const auto here = path + "/" + key;
        keys.push_back(here);
        collect_keys(member, here, keys);
    }
}

std::vector<std::string> keys_of(const json::value& value) {
    std::vector<std::string> keys;
    collect_keys(value, "", keys);
    return keys;
}

struct sample {
    std::string data;
    message_metadata metadata;
};

/// The event that the reference wrote.
sample plain_sample() {
    sample result{R"({"order_id":"o-0","amount":1.1})", {}};
    auto& [headers, specversion, checksum, domain, extensions] = result.metadata;
    headers.id = "shop::order-o-0-0.1";
    headers.time = date_time::parse("2026-11-23T07:56:25.613701+00:00");
    headers.type = "Shop.OrderShipped.v1";
    headers.stream = "shop::order-o-0";
    checksum = checksum_of(json::parse(result.data));
    domain.fqn = "shop.OrderShipped";
    domain.stream_category = "shop::order";
    domain.sequence_id = "0.1";
    extensions.set("tenant_id", "acme");
    return result;
}

/// Every member has a value, and the payload is awkward.
sample full_sample() {
    sample result{
        "{\"order_id\":\"o-0\",\"note\":\"Grüße 🚚 \\\"x\\\"/\x7f\",\"amount\":2.0,"
        "\"big\":1180591620717411303424,\"n\":null,\"lines\":[{\"q\":1,\"a\":1e+22}]}",
        plain_sample().metadata};
    auto& [headers, specversion, checksum, domain, extensions] = result.metadata;
    headers.time = date_time::parse("2026-11-23T07:56:25+00:00");
    headers.traceparent = trace_parent{"0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331", true};
    headers.idempotency_key = "once";
    headers.deadline = "2026-11-23T08:00:00+00:00";
    checksum = checksum_of(json::parse(result.data));
    domain.kind = message_kind::command;
    domain.origin_stream = "shop::cart-c-7";
    domain.version = 3;
    domain.asynchronous = false;
    domain.expected_version = 4;
    domain.priority = -50;
    domain.correlation_id = "0123456789abcdef0123456789abcdef";
    domain.causation_id = "shop::order:command-1";
    extensions.set("_internal_note", "must not leave");
    extensions.set("weights", json::array{1, 2.0, json::object{{"k", nullptr}}});
    return result;
}

std::string internal_of(const sample& s) { return render_internal(s.data, encode_metadata(s.metadata)); }
std::string external_of(const sample& s) { return render_external(s.data, encode_metadata(s.metadata)); }

TEST(envelope_golden, internal) { expect_golden("internal.json", internal_of(plain_sample())); }
TEST(envelope_golden, internal_full) { expect_golden("internal_full.json", internal_of(full_sample())); }
TEST(envelope_golden, external) { expect_golden("external.json", external_of(plain_sample())); }
TEST(envelope_golden, external_full) { expect_golden("external_full.json", external_of(full_sample())); }

TEST(envelope_golden, external_without_extensions) {
    auto bare = plain_sample();
    bare.metadata.extensions = {};
    bare.metadata.extensions.set("_only", "private");
    expect_golden("external_without_extensions.json", external_of(bare));
}

TEST(envelope_golden, internal_form_equals_the_reference) {
    const auto reference = json::parse(content_of(golden_file("reference_internal.json")));
    const auto ours = json::parse(internal_of(plain_sample()));
    EXPECT_EQ(ours, reference);
    EXPECT_EQ(keys_of(ours), keys_of(reference));
}

TEST(envelope_golden, external_form_equals_the_reference_but_for_two_headers_that_stay_inside) {
    auto reference = json::parse(content_of(golden_file("reference_external.json")));
    auto& headers = reference.as_object().find("metadata")->as_object().find("headers")->as_object();
    headers.erase("idempotency_key");
    headers.erase("deadline");
    const auto ours = json::parse(external_of(plain_sample()));
    EXPECT_EQ(ours, reference);
    EXPECT_EQ(keys_of(ours), keys_of(reference));
}

// Computed by Python: hashlib.sha256(json.dumps(data, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
TEST(envelope_golden, checksum_equals_the_reference) {
    EXPECT_EQ(plain_sample().metadata.checksum, "9a4cf74d0f65cf6e23899e69ed28644cf9f6ea882b476b957268a751fb876336");
    EXPECT_EQ(full_sample().metadata.checksum, "05811d521b39ba2da1891df7911319e408045e321e3d7ac737428ed68fce40a5");
}

}  // namespace
}  // namespace sluice::envelope
