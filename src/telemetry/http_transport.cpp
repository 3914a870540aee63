#include "telemetry/http_transport.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>

#include <sluice/error.hpp>
#include <sluice/version.hpp>

#include "base/one_line.hpp"

namespace sluice::telemetry {

namespace {

/// Of an answer, what is read at all and what is kept.
constexpr std::size_t most_bytes = std::size_t{1} << 20U;
constexpr std::size_t kept_bytes = std::size_t{64} << 10U;

struct easy_deleter {
    void operator()(CURL* of) const noexcept { curl_easy_cleanup(of); }
};
struct multi_deleter {
    void operator()(CURLM* of) const noexcept { curl_multi_cleanup(of); }
};
struct list_deleter {
    void operator()(curl_slist* of) const noexcept { curl_slist_free_all(of); }
};
using header_list = std::unique_ptr<curl_slist, list_deleter>;

/// For the whole process, once; it is never taken back.
void require_library() {
    static const CURLcode ready = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (ready != CURLE_OK) throw error{std::string{"libcurl cannot be used: "} + curl_easy_strerror(ready)};
}

void add_header(header_list& to, const std::string& line) {
    curl_slist* const longer = curl_slist_append(to.get(), line.c_str());
    if (longer == nullptr) throw std::bad_alloc{};
    static_cast<void>(to.release());  // it is the same list
    to.reset(longer);
}

struct received {
    std::string kept;
    std::size_t all = 0;
};

/// Of libcurl: less than what came ends the transfer.
std::size_t receive(char* bytes, std::size_t size, std::size_t count, void* into) {
    auto& body = *static_cast<received*>(into);
    const std::size_t all = size * count;
    body.all += all;
    if (body.all > most_bytes) return 0;
    body.kept.append(bytes, std::min(all, kept_bytes - body.kept.size()));
    return all;
}

}  // namespace

// The functions of libcurl take what follows the option by its type.
// NOLINTBEGIN(cppcoreguidelines-pro-type-vararg,hicpp-vararg)
struct http_transport::handles {
    explicit handles(const config::telemetry_settings& to)
        : endpoint{to.endpoint}, easy{curl_easy_init()}, multi{curl_multi_init()} {
        if (easy == nullptr || multi == nullptr) throw error{"libcurl has no handle left for the telemetry"};
        while (endpoint.ends_with('/')) endpoint.pop_back();
        add_header(headers, "Content-Type: application/json");
        add_header(headers, "Expect:");  // no round trip before the body
        for (const auto& [name, value] : to.headers) add_header(headers, name + ": " + value);
        set(CURLOPT_HTTPHEADER, headers.get());
        set(CURLOPT_NOSIGNAL, 1L);
        set(CURLOPT_QUICK_EXIT, 1L);  // a look-up of the name that hangs is left behind
        set(CURLOPT_PROTOCOLS_STR, "http,https");
        set(CURLOPT_USERAGENT, agent.c_str());
        set(CURLOPT_WRITEFUNCTION, &receive);
        set(CURLOPT_ERRORBUFFER, trouble.data());
        if (!to.tls_ca_file.empty()) set(CURLOPT_CAINFO, to.tls_ca_file.c_str());
        if (!to.tls_certificate_file.empty()) set(CURLOPT_SSLCERT, to.tls_certificate_file.c_str());
        if (!to.tls_key_file.empty()) set(CURLOPT_SSLKEY, to.tls_key_file.c_str());
    }

    template <class Value>
    void set(CURLoption option, Value value) {
        const CURLcode done = curl_easy_setopt(easy.get(), option, value);
        if (done != CURLE_OK) throw error{std::string{"telemetry: "} + curl_easy_strerror(done)};
    }

    /// Drives what was begun to its end. Empty when there is an answer.
    [[nodiscard]] std::string perform(std::chrono::steady_clock::time_point until) {
        for (;;) {
            int running = 0;
            if (const CURLMcode done = curl_multi_perform(multi.get(), &running); done != CURLM_OK) {
                return curl_multi_strerror(done);
            }
            int left = 0;
            if (const CURLMsg* const message = curl_multi_info_read(multi.get(), &left)) {
                if (message->data.result == CURLE_OK) return {};
                return trouble[0] != '\0' ? std::string{trouble.data()} : curl_easy_strerror(message->data.result);
            }
            if (is_aborted) return "no answer came before the end";
            const auto rest = std::chrono::ceil<std::chrono::milliseconds>(until - std::chrono::steady_clock::now());
            if (rest.count() <= 0) return "no answer came in time";
            constexpr std::chrono::milliseconds longest{1000};
            curl_multi_poll(multi.get(), nullptr, 0, static_cast<int>(std::min(rest, longest).count()), nullptr);
        }
    }

    std::string endpoint;
    const std::string agent = std::string{"OTel-OTLP-Exporter-Sluice/"} + version();
    std::array<char, CURL_ERROR_SIZE> trouble{};
    header_list headers;
    std::unique_ptr<CURL, easy_deleter> easy;
    std::unique_ptr<CURLM, multi_deleter> multi;
    std::atomic<bool> is_aborted{false};
};

http_transport::http_transport(const config::telemetry_settings& to) {
    require_library();
    handles_ = std::make_unique<handles>(to);
}

http_transport::~http_transport() = default;

answer http_transport::post(const std::string& path, const std::string& body, duration timeout) {
    handles& with = *handles_;
    const std::string url = with.endpoint + path;
    received got;
    with.trouble[0] = '\0';
    with.set(CURLOPT_URL, url.c_str());
    with.set(CURLOPT_POSTFIELDS, body.c_str());
    with.set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    with.set(CURLOPT_WRITEDATA, &got);
    if (curl_multi_add_handle(with.multi.get(), with.easy.get()) != CURLM_OK) {
        return {.trouble = "libcurl cannot begin a request"};
    }
    answer made;
    made.trouble = base::one_line(with.perform(std::chrono::steady_clock::now() + timeout));
    if (made.trouble.empty()) {
        long status = 0;
        curl_off_t wait = 0;
        curl_easy_getinfo(with.easy.get(), CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(with.easy.get(), CURLINFO_RETRY_AFTER, &wait);
        constexpr curl_off_t longest = 86'400;
        made.status = static_cast<int>(status);
        made.retry_after = std::chrono::seconds{std::clamp(wait, curl_off_t{0}, longest)};
        made.body = std::move(got.kept);
    }
    curl_multi_remove_handle(with.multi.get(), with.easy.get());
    return made;
}

void http_transport::abort() noexcept {
    handles_->is_aborted = true;
    curl_multi_wakeup(handles_->multi.get());
}
// NOLINTEND(cppcoreguidelines-pro-type-vararg,hicpp-vararg)

}  // namespace sluice::telemetry
