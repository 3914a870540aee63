#include "envelope/format.hpp"

#include <utility>

namespace sluice::envelope {
namespace {

/// Either form is read in one way: a partner may send the whole envelope.
class json_format : public format {
public:
    [[nodiscard]] message read(std::string_view body, const header_list& /*head*/) const override {
        return message::decode(body);
    }
};

class whole_envelope final : public json_format {
public:
    [[nodiscard]] std::vector<rendered_message> render(std::string_view data,
                                                       std::string_view metadata) const override {
        return {{.body = render_internal(data, metadata)}};
    }
};

class stripped_envelope final : public json_format {
public:
    explicit stripped_envelope(extension_list allowed) : allowed_{std::move(allowed)} {}

    [[nodiscard]] std::vector<rendered_message> render(std::string_view data,
                                                       std::string_view metadata) const override {
        return render_external_versions(data, metadata, allowed_);
    }

private:
    extension_list allowed_;
};

}  // namespace

std::shared_ptr<const format> internal_format() {
    static const auto one = std::make_shared<const whole_envelope>();
    return one;
}

std::shared_ptr<const format> external_format(extension_list allowed) {
    return std::make_shared<const stripped_envelope>(std::move(allowed));
}

}  // namespace sluice::envelope
