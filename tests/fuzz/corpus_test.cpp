// Every text of the corpus and many mutations of each, without a fuzzer: what was found once stays found.

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

#include "fuzz/targets.hpp"
#include "observe/log.hpp"

namespace sluice::fuzz {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> corpus_of(const std::string& name) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator{fs::path{SLUICE_FUZZ_CORPUS} / name}) files.push_back(entry);
    std::ranges::sort(files);
    std::vector<std::string> texts;
    for (const auto& file : files) {
        std::ifstream in{file, std::ios::binary};
        texts.emplace_back(std::istreambuf_iterator<char>{in}, std::istreambuf_iterator<char>{});
    }
    return texts;
}

std::string mutated(std::string text, const std::vector<std::string>& others, std::minstd_rand& random) {
    for (auto changes = 1 + random() % 4; changes > 0; --changes) {
        const std::size_t at = text.empty() ? 0 : random() % text.size();
        switch (random() % 5) {
            case 0:
                text.insert(at, 1, static_cast<char>(random() % 256));
                break;
            case 1:
                if (!text.empty()) text[at] = static_cast<char>(random() % 256);
                break;
            case 2:
                if (!text.empty()) text.erase(at, 1 + random() % 8);
                break;
            case 3:
                text.insert(at, text.substr(text.empty() ? 0 : random() % text.size(), random() % 16));
                break;
            default: {
                const std::string& other = others[random() % others.size()];
                text = text.substr(0, at) + (other.empty() ? "" : other.substr(random() % other.size()));
            }
        }
    }
    return text;
}

std::string printable(std::string_view text) {
    std::string out;
    for (const char c : text) {
        constexpr auto digits = "0123456789abcdef";
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x20 && byte < 0x7F && c != '\\') {
            out += c;
        } else {
            out += {'\\', 'x', digits[byte >> 4U], digits[byte & 0xFU]};
        }
    }
    return out;
}

class fuzz_corpus : public ::testing::TestWithParam<target> {
protected:
    fuzz_corpus() { observe::configure_log({.threshold = observe::level::off}); }
    ~fuzz_corpus() override { observe::configure_log({}); }
};

TEST_P(fuzz_corpus, holds_its_rules) {
    const auto texts = corpus_of(GetParam().name);
    ASSERT_FALSE(texts.empty()) << "the corpus of " << GetParam().name << " is empty";
    const auto run = [](const std::string& text) {
        try {
            GetParam().run(text);
        } catch (const std::exception& e) {
            ADD_FAILURE() << e.what() << "\n  input: " << printable(text);
        }
    };
    for (const auto& text : texts) run(text);
    std::minstd_rand random{7};
    const int mutations = std::string_view{GetParam().name} == "http" ? 200 : 2'000;
    for (int i = 0; i < mutations && !HasFailure(); ++i) run(mutated(texts[random() % texts.size()], texts, random));
}

INSTANTIATE_TEST_SUITE_P(of, fuzz_corpus, ::testing::ValuesIn(targets().begin(), targets().end()),
                         [](const auto& tested) { return std::string{tested.param.name}; });

}  // namespace
}  // namespace sluice::fuzz
