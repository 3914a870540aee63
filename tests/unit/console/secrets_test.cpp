#include "console/secrets.hpp"

#include <gtest/gtest.h>

namespace sluice::console {
namespace {

TEST(console_secrets, a_password_is_known_by_its_hash_only) {
    base::seeded_random random{1};
    const std::string hash = hash_password("correct horse", random);
    EXPECT_TRUE(hash.starts_with("$y$")) << hash;
    EXPECT_TRUE(is_password("correct horse", hash));
    EXPECT_FALSE(is_password("correct hors", hash));
    EXPECT_FALSE(is_password("", hash));
    EXPECT_NE(hash_password("correct horse", random), hash) << "salted";
}

TEST(console_secrets, a_hash_that_is_none_matches_nothing) {
    for (const char* hash : {"", "*", "*0", "$", "$nonsense$", "correct horse"}) {
        EXPECT_FALSE(is_password("correct horse", hash)) << hash;
    }
}

TEST(console_secrets, secrets_have_256_bits_and_digests_need_the_key) {
    base::seeded_random random{1};
    const std::string secret = make_secret(random);
    EXPECT_EQ(secret.size(), 64U);
    EXPECT_NE(make_secret(random), secret);
    // The digest of RFC 4231, test case 2.
    EXPECT_EQ(keyed_digest("Jefe", "what do ya want for nothing?"),
              "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_TRUE(is_same("abc", "abc"));
    EXPECT_FALSE(is_same("abc", "abd"));
    EXPECT_FALSE(is_same("abc", "ab"));
}

}  // namespace
}  // namespace sluice::console
