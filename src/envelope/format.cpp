#include "envelope/format.hpp"

#include <utility>

#include "envelope/cloud_event.hpp"

namespace sluice::envelope {
namespace {

/// All forms are read in one way: a message says itself which one it has.
class json_format : public format {
public:
    [[nodiscard]] message read(std::string_view body, const header_list& head) const override {
        return is_cloud_event(head) ? message::from_cloud_event(structured_form(body, head)) : message::decode(body);
    }
};

/// Around the two texts of which every form is made.
constexpr std::size_t frame = 32;

class whole_envelope final : public json_format {
public:
    [[nodiscard]] std::vector<rendered_message> render(std::string_view data,
                                                       std::string_view metadata) const override {
        return {{.body = render_internal(data, metadata)}};
    }
    [[nodiscard]] std::size_t most_bytes(std::size_t data, std::size_t metadata) const noexcept override {
        return data + metadata + frame;
    }
};

class partner_format final : public json_format {
public:
    explicit partner_format(partner_terms terms) : terms_{std::move(terms)} {}

    [[nodiscard]] std::vector<rendered_message> render(std::string_view data,
                                                       std::string_view metadata) const override {
        return render_for_partner(data, metadata, terms_);
    }
    [[nodiscard]] std::size_t most_bytes(std::size_t data, std::size_t metadata) const noexcept override {
        // The smallest member, `"":0`, may have a text in its value's place.
        constexpr std::size_t smallest_member = 4;
        constexpr std::size_t escaped = 6;  // bytes of `\u001f`
        std::size_t most = data + metadata + frame;
        if (terms_.redact_with)
            most += (data + metadata) / smallest_member * (escaped * terms_.redact_with->size() + 2);
        if (terms_.form == message_form::sluice) return most;
        // Names of the attributes and the digits of the sequence; and what the configuration puts in, where a template
        // may name anything of the metadata again and again.
        constexpr std::size_t names_and_digits = 512;
        return most + names_and_digits + escaped * terms_.source.size() + (terms_.dataschema.size() + 1) * metadata;
    }

private:
    partner_terms terms_;
};

}  // namespace

std::shared_ptr<const format> internal_format() {
    static const auto one = std::make_shared<const whole_envelope>();
    return one;
}

std::shared_ptr<const format> external_format(partner_terms terms) {
    return std::make_shared<const partner_format>(std::move(terms));
}

}  // namespace sluice::envelope
