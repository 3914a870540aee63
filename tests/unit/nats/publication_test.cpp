#include "broker/nats/publication.hpp"

#include <gmock/gmock.h>

namespace sluice::broker::nats {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const outgoing order{.stream = "shop::order:backfill", .message_id = "id", .key = "shop::order-1", .body = "{}"};

TEST(nats_publication, has_subject_and_headers) {
    const auto made = std::get<publication>(publication_of(order, "id", ""));
    EXPECT_EQ(made.subject, "shop.order-backfill");
    EXPECT_THAT(made.head,
                ElementsAre(envelope::header{"Nats-Msg-Id", "id"}, envelope::header{"sluice-key", "shop::order-1"}));
    EXPECT_EQ(made.head_bytes(),
              std::string{"NATS/1.0\r\nNats-Msg-Id: id\r\nsluice-key: shop::order-1\r\n\r\n"}.size());
    const auto guarded = std::get<publication>(publication_of(order, "id", "ORDERS"));
    EXPECT_EQ(guarded.head.at(1), (envelope::header{"Nats-Expected-Stream", "ORDERS"}));
}

TEST(nats_publication, is_refused_before_it_could_break_the_connection) {
    auto bad = order;
    bad.stream = "shop order";
    EXPECT_EQ(std::get<refused>(publication_of(bad, "id", "")).code, "bad_subject");
    bad = order;
    bad.key = "a\r\nb";
    EXPECT_EQ(std::get<refused>(publication_of(bad, "id", "")).code, "bad_header");
    const std::vector<envelope::header> head{{.name = "na:me", .value = "v"}};
    bad = order;
    bad.head = head;
    EXPECT_EQ(std::get<refused>(publication_of(bad, "id", "")).code, "bad_header");
}

TEST(nats_publication, has_another_id_for_each_content_subject_and_attempt) {
    auto other = order;
    other.body = R"({"x":1})";
    EXPECT_EQ(other_server_id(order, 1), other_server_id(order, 1));
    EXPECT_NE(other_server_id(order, 1), other_server_id(other, 1));
    EXPECT_NE(other_server_id(order, 1), other_server_id(order, 2));
    other = order;
    other.stream = "shop::order";
    EXPECT_NE(other_server_id(order, 1), other_server_id(other, 1));
    EXPECT_THAT(other_server_id(order, 1), ::testing::StartsWith("id~"));
}

TEST(nats_publication, knows_its_own_id_in_what_the_server_has_for_one) {
    for (const char* id :
         {"shop::order-o-1-9.1", "shop::order-o~1-9.1", "shop::order-o-1-9.1~v2", "~", "a~0123456789abcdef"}) {
        auto message = order;
        message.message_id = id;
        EXPECT_EQ(own_id_of(id), id);
        for (const int attempt : {1, 2, 17}) EXPECT_EQ(own_id_of(other_server_id(message, attempt)), id);
    }
}

TEST(nats_publication, encodes_the_attributes_of_cloudevents_and_nothing_else) {
    const std::vector<envelope::header> head{{.name = "ce-subject", .value = "5 € 100%\n"},
                                             {.name = "note", .value = "100% größe"}};
    auto event = order;
    event.head = head;
    const auto made = std::get<publication>(publication_of(event, "id", ""));
    EXPECT_EQ(made.head.at(2), (envelope::header{"ce-subject", "5%20%E2%82%AC%20100%25%0A"}));
    EXPECT_EQ(made.head.at(3), (envelope::header{"note", "100% größe"}));
    std::string key;
    std::string content_type;
    envelope::header_list rest;
    read_published_head(made.head, key, content_type, rest);
    EXPECT_EQ(rest, head);
    rest.clear();
    read_published_head({{"ce-id", "50%"}}, key, content_type, rest);
    EXPECT_THAT(rest, ElementsAre(envelope::header{"ce-id", "50%"})) << "not encoded, so as it came";
}

TEST(nats_publication, is_read_without_what_is_ours_or_the_servers) {
    std::string key;
    std::string content_type;
    envelope::header_list rest;
    read_published_head({{"Nats-Msg-Id", "id"},
                         {"Sluice-Key", "k"},
                         {"Content-Type", "application/json"},
                         {"nats-sequence", "1"},
                         {"traceparent", "00"}},
                        key, content_type, rest);
    EXPECT_EQ(key, "k");
    EXPECT_EQ(content_type, "application/json");
    EXPECT_THAT(rest, ElementsAre(envelope::header{"traceparent", "00"}));
}

}  // namespace
}  // namespace sluice::broker::nats
