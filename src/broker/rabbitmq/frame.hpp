#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <amqp.h>

#include "broker/rabbitmq/outage.hpp"

/// Bytes to frames and back. The methods and properties in them are encoded and decoded by librabbitmq; it reads and
/// writes no socket here, because it does so without time limits of ours.
namespace sluice::broker::rabbitmq {

/// Refers to `text`; the library only reads from it.
[[nodiscard]] inline amqp_bytes_t bytes_of(std::string_view text) noexcept {
    return {.len = text.size(), .bytes = const_cast<char*>(text.data())};
}
[[nodiscard]] inline std::string_view text_of(const amqp_bytes_t& bytes) noexcept {
    return bytes.len == 0 ? std::string_view{} : std::string_view{static_cast<const char*>(bytes.bytes), bytes.len};
}

/// Memory for what is decoded; all of it is given back at once.
class decoding_pool {
public:
    decoding_pool() noexcept { init_amqp_pool(&pool_, page_size); }
    decoding_pool(const decoding_pool&) = delete;
    decoding_pool& operator=(const decoding_pool&) = delete;
    ~decoding_pool() { empty_amqp_pool(&pool_); }

    void recycle() noexcept { recycle_amqp_pool(&pool_); }
    [[nodiscard]] amqp_pool_t* get() noexcept { return &pool_; }

private:
    static constexpr std::size_t page_size = 4'096;
    amqp_pool_t pool_{};
};

/// Around the payload of each frame.
constexpr std::size_t frame_overhead = 8;
/// What we offer; the server may want less.
constexpr std::uint32_t largest_frame = 131'072;

struct frame {
    std::uint8_t type = 0;
    std::uint16_t channel = 0;
    std::string_view payload{};  ///< valid until the next call of its reader
};

/// Cuts what a server says into frames.
///
/// Thread safety: used by one thread at a time.
class frame_reader {
public:
    void feed(std::string_view bytes);
    /// Nothing when the next frame is not complete. @throws outage  these are no frames
    [[nodiscard]] std::optional<frame> next();
    /// Bytes that wait to be taken as frames.
    [[nodiscard]] std::size_t waiting() const noexcept { return buffer_.size() - taken_; }

private:
    std::string buffer_;
    std::size_t taken_ = 0;
};

/// Decoded into `pool`; both it and the payload must outlive the result. @throws outage  the payload is no method
struct method {
    amqp_method_number_t number = 0;
    const void* decoded = nullptr;

    [[nodiscard]] static method read(std::string_view payload, decoding_pool& pool);
    template <class Fields>
    [[nodiscard]] const Fields& as() const noexcept {
        return *static_cast<const Fields*>(decoded);
    }
};

/// Appends the frame of a method. @throws outage  its texts and tables are too large
void append_method(std::string& to, std::uint16_t channel, amqp_method_number_t number, void* fields);
void append_heartbeat(std::string& to);

/// The header of a message's properties, as a payload for `append_content`; nothing when they do not fit into one
/// frame.
[[nodiscard]] std::optional<std::string> encode_properties(amqp_basic_properties_t& properties, std::size_t body_size,
                                                           std::size_t frame_max);
/// Appends what follows a basic.publish. @param header  of `encode_properties`
void append_content(std::string& to, std::uint16_t channel, std::string_view header, std::string_view body,
                    std::size_t frame_max);

}  // namespace sluice::broker::rabbitmq
