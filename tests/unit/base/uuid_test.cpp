#include <sluice/uuid.hpp>

#include <sluice/error.hpp>

#include <gmock/gmock.h>

#include <unordered_set>

namespace {

using sluice::uuid;

constexpr auto canonical = "0f8fad5b-d9cb-469f-a165-70867728950e";

TEST(uuid, reads_the_forms_that_others_write) {
    for (const char* text : {canonical, "0F8FAD5B-D9CB-469F-A165-70867728950E", "0f8fad5bd9cb469fa16570867728950e"}) {
        EXPECT_EQ(uuid::parse(text).to_string(), canonical) << text;
    }
}

TEST(uuid, refuses_every_other_text) {
    for (const char* text : {"", "0f8fad5b", "{0f8fad5b-d9cb-469f-a165-70867728950e}",
                             "0f8fad5b-d9cb-469f-a165-70867728950", "0f8fad5b-d9cb-469f-a165-70867728950ef",
                             "0f8fad5b-d9cb-469f-a165-70867728950g", "0f8fad5b-d9cb-469fa-165-70867728950e",
                             "0f8fad5bd9cb-469f-a165-70867728950e-", "------------------------------------",
                             "urn:uuid:0f8fad5b-d9cb-469f-a165-70867728950e", "0f8fad5bd9cb469fa1657086772895-e"}) {
        try {
            ADD_FAILURE() << text << " is " << uuid::parse(text).to_string();
        } catch (const sluice::decode_error& e) {
            EXPECT_THAT(e.what(), ::testing::HasSubstr("is not a UUID; expected for example")) << text;
        }
    }
}

TEST(uuid, is_nil_until_it_is_set) {
    EXPECT_TRUE(uuid{}.is_nil());
    EXPECT_EQ(uuid{}.to_string(), "00000000-0000-0000-0000-000000000000");
    EXPECT_FALSE(uuid::parse(canonical).is_nil());
    EXPECT_EQ(uuid{uuid::parse(canonical).bytes()}, uuid::parse(canonical));
}

TEST(uuid, is_in_the_order_of_its_texts_and_can_be_a_key) {
    const auto low = uuid::parse("0f8fad5b-d9cb-469f-a165-70867728950e");
    const auto high = uuid::parse("f08fad5b-d9cb-469f-a165-70867728950e");
    EXPECT_LT(low, high);
    EXPECT_LT(low.to_string(), high.to_string());
    EXPECT_EQ((std::unordered_set<uuid>{low, high, low}).size(), 2U);
}

}  // namespace
