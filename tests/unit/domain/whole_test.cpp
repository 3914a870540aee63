#include <gmock/gmock.h>

#include <sluice/sluice.hpp>

#include "domain/whole.hpp"
#include "unit/domain/problems.hpp"

// Members that BOOST_DESCRIBE_CLASS does not list.
namespace whole {

using sluice::testing::problems_of;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

template <class Aggregate>
std::string problems() {
    sluice::domain domain{"whole"};
    domain.aggregate<Aggregate>();
    return problems_of(domain);
}

class Account : public sluice::aggregate<Account> {
    sluice::identifier account_id_;
    std::int64_t balance_ = 0;
    bool closed_ = false;
    BOOST_DESCRIBE_CLASS(Account, (), (), (), (account_id_, balance_, closed_))
};
TEST(described_members, that_are_all_there_are_no_problem) { EXPECT_THAT(problems<Account>(), IsEmpty()); }

class ForgetsTheMiddle : public sluice::aggregate<ForgetsTheMiddle> {
    sluice::identifier account_id_;
    [[maybe_unused]] std::int64_t balance_ = 0;
    sluice::text owner_;
    BOOST_DESCRIBE_CLASS(ForgetsTheMiddle, (), (), (), (account_id_, owner_))
};
class ForgetsTheLast : public sluice::aggregate<ForgetsTheLast> {
    sluice::identifier account_id_;
    [[maybe_unused]] std::int64_t balance_ = 0;
    BOOST_DESCRIBE_CLASS(ForgetsTheLast, (), (), (), (account_id_))
};
class ForgetsTheFirst : public sluice::aggregate<ForgetsTheFirst> {
    [[maybe_unused]] std::int64_t balance_ = 0;
    sluice::identifier account_id_;
    BOOST_DESCRIBE_CLASS(ForgetsTheFirst, (), (), (), (account_id_))
};
TEST(described_members, that_are_missing_are_found_wherever_they_lie) {
    EXPECT_THAT(problems<ForgetsTheMiddle>(), AllOf(HasSubstr("aggregate `whole::ForgetsTheMiddle` has 8 bytes"),
                                                    HasSubstr("after `account_id_`"), HasSubstr("sluice::not_stored")));
    EXPECT_THAT(problems<ForgetsTheLast>(), HasSubstr("has 8 bytes"));
    EXPECT_THAT(problems<ForgetsTheFirst>(), HasSubstr("has 8 bytes"));
}

class Cached : public sluice::aggregate<Cached> {
public:
    sluice::not_stored<int> hits_{7};

private:
    sluice::identifier cached_id_;
    BOOST_DESCRIBE_CLASS(Cached, (), (hits_), (), (cached_id_))
};
TEST(described_members, that_are_not_stored_are_neither_missed_nor_written) {
    EXPECT_THAT(problems<Cached>(), IsEmpty());
    const Cached object;
    EXPECT_EQ(*object.hits_, 7);
    EXPECT_EQ(sluice::codec::encode(object), R"({"cached_id":""})");
    EXPECT_EQ(sluice::reflect::field_count<Cached>(), 1U);
    EXPECT_THROW(static_cast<void>(sluice::codec::decode<Cached>(sluice::json::parse(R"({"cached_id":"c","hits":3})"))),
                 sluice::validation_error)
        << "it is no field";
}

struct with_state {
    std::int64_t total = 0;
};
class KeepsStateInABase : public sluice::aggregate<KeepsStateInABase>, public with_state {
    sluice::identifier account_id_;
    BOOST_DESCRIBE_CLASS(KeepsStateInABase, (with_state), (), (), (account_id_))
};
struct printable {
    virtual ~printable() = default;
    virtual void print() {}
};
struct tag {};
class Printable : public sluice::aggregate<Printable>, public printable, private tag {
    sluice::identifier account_id_;
    BOOST_DESCRIBE_CLASS(Printable, (printable, tag), (), (), (account_id_))
};
TEST(described_members, of_a_base_class_are_not_stored_either) {
    EXPECT_THAT(problems<KeepsStateInABase>(), HasSubstr("move the members of a base class into the class"));
    EXPECT_THAT(problems<Printable>(), IsEmpty()) << "a base class without state may be listed";
}

class Flags : public sluice::aggregate<Flags> {
    sluice::identifier flags_id_;
    [[maybe_unused]] unsigned a_ : 3 = 0;
    [[maybe_unused]] unsigned b_ : 5 = 0;
    std::int64_t sum_ = 0;
    BOOST_DESCRIBE_CLASS(Flags, (), (), (), (flags_id_, sum_))
};
class Strict : public sluice::aggregate<Strict> {
    sluice::identifier strict_id_;
    alignas(32) double value_ = 0;
    bool last_ = false;
    BOOST_DESCRIBE_CLASS(Strict, (), (), (), (strict_id_, value_, last_))
};
TEST(described_members, may_be_aligned_as_they_like) { EXPECT_THAT(problems<Strict>(), IsEmpty()); }

class Money {
public:
    Money() = default;

private:
    std::int64_t cents_ = 0;
    [[maybe_unused]] std::int64_t forgotten_ = 0;
    BOOST_DESCRIBE_CLASS(Money, (), (), (), (cents_))
};
class Wallet : public sluice::aggregate<Wallet> {
    sluice::identifier wallet_id_;
    std::vector<Money> coins_;
    BOOST_DESCRIBE_CLASS(Wallet, (), (), (), (wallet_id_, coins_))
};
TEST(described_members, are_missed_in_the_parts_of_a_state_too) {
    EXPECT_THAT(problems<Wallet>(), HasSubstr("aggregate `whole::Wallet` has 8 bytes in `whole::Money`"));
}

struct PaidIn {
    static constexpr sluice::event_of<Account> contract{};
    sluice::identifier account_id;
    Money amount{};
};
TEST(described_members, are_missed_in_events_and_process_managers_too) {
    sluice::domain domain{"whole"};
    domain.aggregate<Account>().events<PaidIn>();
    EXPECT_THAT(problems_of(domain), HasSubstr("event `whole::PaidIn` has 8 bytes in `whole::Money`"));
}

TEST(memory_gaps, are_what_alignment_does_not_explain) {
    using sluice::detail::object_layout;
    using sluice::detail::problems_of;
    EXPECT_THAT(problems_of("x", {"T", 16, 8, {{"a", 0, 1, 1}, {"b", 8, 8, 8}}}), IsEmpty());
    EXPECT_THAT(problems_of("x", {"T", 24, 8, {{"b", 16, 8, 8}, {"a", 0, 1, 1}}}).size(), 1U);
    EXPECT_THAT(problems_of("x", {"T", 24, 8, {{"a", 0, 8, 8}}}).size(), 1U) << "at the end";
    EXPECT_THAT(problems_of("x", {"T", 8, 8, {{"a", 0, 1, 1}}}), IsEmpty()) << "the end is aligned, too";
    EXPECT_THAT(problems_of("x", {"T", 1, 1, {}}), IsEmpty()) << "an empty class";
    EXPECT_THAT(problems_of("x", {"T", 8, 8, {{"u", 0, 8, 8}, {"v", 0, 4, 4}}}), IsEmpty()) << "a union";
}

}  // namespace whole
