#include "broker/webhook/answer_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/basic_parser.hpp>
#include <boost/beast/http/error.hpp>

#include "base/one_line.hpp"
#include "net/first_chunk.hpp"

namespace sluice::broker::webhook {
namespace {

namespace beast = boost::beast;
using boost::system::error_code;

constexpr unsigned switching_protocols = 101;
constexpr unsigned first_final_status = 200;
constexpr std::size_t most_words = 512;
constexpr std::size_t most_value = 256;

std::string_view text_of(beast::string_view text) { return {text.data(), text.size()}; }

/// `timeout=5, max=100`
std::optional<duration> keep_alive_timeout(std::string_view value) {
    constexpr std::string_view key = "timeout=";
    const auto at = value.find(key);
    if (at == std::string_view::npos) return std::nullopt;
    value.remove_prefix(at + key.size());
    std::uint32_t seconds = 0;
    const auto [end, failure] = std::from_chars(value.data(), value.data() + value.size(), seconds);
    if (failure != std::errc{}) return std::nullopt;
    return std::chrono::seconds{seconds};
}

}  // namespace

/// Notes what matters of one answer. What is too long is cut: nothing of a foreign server fills the memory.
class answer_reader::parser final : public beast::http::basic_parser<false> {
public:
    parser() {
        body_limit(boost::none);
        header_limit(static_cast<std::uint32_t>(most_head_bytes));
        eager(false);
    }

    answer_head head;
    std::string words;
    std::uint64_t body_bytes = 0;

private:
    void on_request_impl(beast::http::verb /*method*/, beast::string_view /*name*/, beast::string_view /*target*/,
                         int /*version*/, error_code& /*ec*/) override {}
    void on_response_impl(int code, beast::string_view /*reason*/, int /*version*/, error_code& /*ec*/) override {
        head.status = static_cast<unsigned>(code);
    }
    void on_field_impl(beast::http::field field, beast::string_view name, beast::string_view value,
                       error_code& /*ec*/) override {
        if (is_header_done()) return;  // a trailer
        const auto shown = std::string{text_of(value.substr(0, most_value))};
        if (field == beast::http::field::retry_after) {
            if (shown.size() > head.retry_after.size()) head.retry_after = shown;
        } else if (field == beast::http::field::date) {
            if (head.date.empty()) head.date = shown;
        } else if (field == beast::http::field::keep_alive) {
            head.keeps_open_for = keep_alive_timeout(shown);
        } else if (beast::iequals(name, "sluice-receipt")) {
            if (head.receipt.empty()) head.receipt = shown;
        }
    }
    void on_header_impl(error_code& /*ec*/) override {}
    void on_body_init_impl(const boost::optional<std::uint64_t>& /*length*/, error_code& /*ec*/) override {}
    std::size_t on_body_impl(beast::string_view bytes, error_code& /*ec*/) override {
        body_bytes += bytes.size();
        words += text_of(bytes.substr(0, most_words - std::min(most_words, words.size())));
        return bytes.size();
    }
    void on_chunk_header_impl(std::uint64_t /*size*/, beast::string_view /*extensions*/, error_code& /*ec*/) override {}
    std::size_t on_chunk_body_impl(std::uint64_t /*left*/, beast::string_view bytes, error_code& ec) override {
        return on_body_impl(bytes, ec);
    }
    void on_finish_impl(error_code& /*ec*/) override {}
};

struct answer_reader::progress {
    std::unique_ptr<parser> reading = std::make_unique<parser>();
    std::string unread;
    std::size_t head_bytes = 0;
    int interim_answers = 0;
    bool has_begun = false;
    bool has_first_chunk = false;
    state now = state::waiting;
    std::string trouble;

    /// An interim answer that breaks off was none.
    state fail(std::string why) {
        if (reading->head.status < first_final_status) reading->head.status = 0;
        trouble = std::move(why);
        return now = state::broken;
    }

    /// One piece of the answer: the rest of its head, or some of its body. True when there may be another one.
    bool step() {
        // The parser that has once seen a part of the first line wants the whole head before it reads that line.
        if (reading->head.status == 0 && unread.find('\n') == std::string::npos) {
            if (unread.size() > most_head_bytes) fail("its first line is too long");
            return false;
        }
        if (now == state::in_body && reading->chunked() && !has_first_chunk) {
            if (unread.size() < net::least_chunked_body) return false;
            has_first_chunk = true;
        }
        error_code ec;
        const auto taken = reading->put(boost::asio::buffer(unread), ec);
        unread.erase(0, taken);
        if (now == state::waiting) head_bytes += taken;
        if (ec == beast::http::error::need_more) {
            if (head_bytes + (now == state::waiting ? unread.size() : 0) > most_head_bytes)
                fail("its head is too long");
            if (unread.size() > most_head_bytes) fail("a line of it is too long");
            return false;
        }
        if (ec) {
            fail(base::one_line(ec.message()));
            return false;
        }
        if (now == state::waiting) look_at_head();
        if (now == state::in_body && reading->body_bytes > most_body_bytes) fail("its body is too long");
        if (now == state::in_body && reading->is_done()) now = state::complete;
        return now == state::waiting || now == state::in_body;
    }

    void look_at_head() {
        if (!reading->is_header_done()) return;
        auto& head = reading->head;
        if (head.status == switching_protocols) {
            fail("it changes the protocol");
        } else if (head.status >= first_final_status) {
            head.may_be_reused = reading->keep_alive() && !reading->need_eof();
            now = state::in_body;
        } else if (++interim_answers > most_interim_answers) {
            fail("it sends interim answers only");
        } else {
            reading = std::make_unique<parser>();
        }
    }
};

answer_reader::answer_reader() : progress_{std::make_unique<progress>()} {}
answer_reader::~answer_reader() = default;
answer_reader::answer_reader(answer_reader&&) noexcept = default;
answer_reader& answer_reader::operator=(answer_reader&&) noexcept = default;

answer_reader::state answer_reader::put(std::string_view bytes) {
    progress& of = *progress_;
    if (bytes.empty() || of.now == state::broken) return of.now;
    of.has_begun = true;
    if (of.now == state::complete) return of.fail("more came than was asked for");
    of.unread += bytes;
    while (!of.unread.empty() && of.step()) continue;
    if (of.now == state::complete && !of.unread.empty()) of.reading->head.may_be_reused = false;
    return of.now;
}

answer_reader::state answer_reader::put_end() {
    progress& of = *progress_;
    if (of.now == state::complete || of.now == state::broken) return of.now;
    if (of.now == state::in_body && of.reading->need_eof()) return of.now = state::complete;
    return of.fail("the connection ended in the middle of it");
}

answer_reader::state answer_reader::now() const noexcept { return progress_->now; }
bool answer_reader::has_begun() const noexcept { return progress_->has_begun; }
const answer_head& answer_reader::head() const noexcept { return progress_->reading->head; }
const std::string& answer_reader::words() const noexcept { return progress_->reading->words; }
const std::string& answer_reader::trouble() const noexcept { return progress_->trouble; }

}  // namespace sluice::broker::webhook
