#include "broker/redis/resp.hpp"

#include <new>

#include <fmt/format.h>
#include <hiredis/hiredis.h>

#include "broker/redis/outage.hpp"

namespace sluice::broker::redis {
namespace {

[[noreturn]] void unexpected(const char* wanted) {
    throw outage{std::string{"the server does not answer as Redis does: expected "} + wanted};
}

}  // namespace

commands& commands::begin(std::size_t parts) {
    header('*', parts);
    ++count_;
    return *this;
}

commands& commands::part(std::string_view text) {
    header('$', text.size());
    bytes_ += text;
    bytes_ += "\r\n";
    return *this;
}

commands& commands::append(const commands& more) {
    bytes_ += more.bytes_;
    count_ += more.count_;
    return *this;
}

void commands::header(char kind, std::size_t number) {
    char digits[24];
    const auto end = std::to_chars(std::begin(digits), std::end(digits), number).ptr;
    bytes_ += kind;
    bytes_.append(digits, end);
    bytes_ += "\r\n";
}

bool reply::is_nil() const noexcept { return root_->type == REDIS_REPLY_NIL; }

bool reply::is_error() const noexcept { return root_->type == REDIS_REPLY_ERROR; }

bool reply::is_text() const noexcept { return root_->type == REDIS_REPLY_STRING || root_->type == REDIS_REPLY_STATUS; }

bool reply::is_array() const noexcept { return root_->type == REDIS_REPLY_ARRAY; }

bool reply::is_status(std::string_view text) const noexcept {
    return root_->type == REDIS_REPLY_STATUS && std::string_view{root_->str, root_->len} == text;
}

std::string_view reply::text() const {
    if (!is_text() && !is_error()) unexpected("a text");
    return {root_->str, root_->len};
}

std::int64_t reply::integer() const {
    if (root_->type != REDIS_REPLY_INTEGER) unexpected("a number");
    return root_->integer;
}

std::size_t reply::size() const {
    if (is_nil()) return 0;
    if (!is_array()) unexpected("a list");
    return root_->elements;
}

reply reply::operator[](std::size_t index) const {
    if (index >= size()) unexpected("a longer list");
    return reply{std::shared_ptr<const redisReply>{root_, root_->element[index]}};
}

std::optional<reply> reply::field(std::string_view name) const {
    for (std::size_t i = 0; i + 1 < size(); i += 2) {
        if ((*this)[i].text() == name) return (*this)[i + 1];
    }
    return std::nullopt;
}

void reply_reader::closer::operator()(redisReader* reader) const noexcept { redisReaderFree(reader); }

reply_reader::reply_reader(std::size_t max_reply_bytes)
    : reader_{redisReaderCreate()}, max_reply_bytes_{max_reply_bytes} {
    if (!reader_) throw std::bad_alloc{};
}

void reply_reader::feed(std::string_view bytes) {
    unfinished_ += bytes.size();
    if (unfinished_ > max_reply_bytes_) {
        throw outage{fmt::format("an answer of the server has more than {} bytes", max_reply_bytes_)};
    }
    if (redisReaderFeed(reader_.get(), bytes.data(), bytes.size()) != REDIS_OK) throw std::bad_alloc{};
}

std::optional<reply> reply_reader::next() {
    void* found = nullptr;
    if (redisReaderGetReply(reader_.get(), &found) != REDIS_OK) unexpected(reader_->errstr);
    if (found == nullptr) return std::nullopt;
    unfinished_ = 0;
    return reply{std::shared_ptr<const redisReply>{
        static_cast<redisReply*>(found), [](const redisReply* r) { freeReplyObject(const_cast<redisReply*>(r)); }}};
}

}  // namespace sluice::broker::redis
