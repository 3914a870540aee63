#include "base/random.hpp"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// NOLINTNEXTLINE(readability-identifier-naming): libFuzzer looks for this name
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

constexpr std::string_view seeds[] = {
    R"({"data":{"order_id":"o-1","amount":1.10},"metadata":{"headers":{"id":"shop::order-o-1-0.1"}}})",
    R"([1,-0,1.50,1e5,1E400,1e-400,NaN,Infinity,-Infinity,true,false,null])",
    R"(["\u00e9\ud83d\ude00\n\"\\",{"é":"😀","b":{},"a":[],"b":[[]]}])",
};
constexpr std::string_view interesting{"{}[]\",:\\u0dD8eE+-.19tfnNI \x01\x7f\x80\xC3\xED\xF4\xFF"};

class mutator {
public:
    explicit mutator(std::uint64_t seed) : random_{seed} {}

    std::string mutate(std::string text) {
        for (std::size_t changes = 1 + pick(4); changes > 0 && !text.empty(); --changes) {
            const std::size_t at = pick(text.size());
            switch (pick(4)) {
                case 0:
                    text[at] = interesting[pick(interesting.size())];
                    break;
                case 1:
                    text.insert(at, 1, interesting[pick(interesting.size())]);
                    break;
                case 2:
                    text.erase(at, 1 + pick(3));
                    break;
                default:
                    text.insert(at, text.substr(pick(text.size()), 1 + pick(20)));
                    break;
            }
        }
        return text;
    }

    std::size_t pick(std::size_t count) { return static_cast<std::size_t>(random_.next() % count); }

private:
    sluice::base::seeded_random random_;
};

TEST(json_fuzz, survives_mutations_of_real_texts) {
    mutator mutations{20261123};
    for (int round = 0; round < 3000; ++round) {
        const std::string text = mutations.mutate(std::string{seeds[mutations.pick(std::size(seeds))]});
        SCOPED_TRACE(text);
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(text.data()), text.size());
    }
}

}  // namespace
