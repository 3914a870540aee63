#include "base/base64.hpp"

#include <sluice/error.hpp>

#include <gtest/gtest.h>

namespace {

using sluice::base::base64_decode;
using sluice::base::base64_encode;

TEST(base64, matches_the_vectors_of_rfc_4648) {
    const std::pair<const char*, const char*> vectors[] = {{"", ""},
                                                           {"f", "Zg=="},
                                                           {"fo", "Zm8="},
                                                           {"foo", "Zm9v"},
                                                           {"foob", "Zm9vYg=="},
                                                           {"fooba", "Zm9vYmE="},
                                                           {"foobar", "Zm9vYmFy"},
                                                           {"\xFB\xFF\xBF", "+/+/"}};
    for (const auto& [bytes, text] : vectors) {
        EXPECT_EQ(base64_encode(bytes), text);
        EXPECT_EQ(base64_decode(text), bytes);
    }
}

TEST(base64, carries_every_byte) {
    std::string bytes;
    for (int byte = 0; byte < 256; ++byte) {
        bytes += static_cast<char>(byte);
        EXPECT_EQ(base64_decode(base64_encode(bytes)), bytes);
    }
}

TEST(base64, refuses_what_it_would_not_write) {
    for (const char* text :
         {"Z", "Zg", "Zg=", "Zh==", "Zm9=", "====", "=Zg=", "Zg==Zg==", "Zm 9v", "Zm-v", "Zm9v\n", "Zm\x80v"}) {
        EXPECT_THROW(static_cast<void>(base64_decode(text)), sluice::decode_error) << text;
    }
}

}  // namespace
