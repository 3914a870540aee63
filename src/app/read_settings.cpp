#include "app/read_settings.hpp"

#include <variant>

#include "app/compose.hpp"

namespace sluice::app {

namespace {

struct settings_reader {
    config::domain_lookup domain;

    config::explained_configuration operator()(const settings::file_source& from) const {
        return config::explain(from.file, available_providers(), config::process_variable, domain);
    }
    config::explained_configuration operator()(const settings::text_source& from) const {
        return config::explain_text(from.toml, from.directory / "settings", available_providers(),
                                    config::process_variable, domain);
    }
    config::explained_configuration operator()(const settings::value_source& from) const {
        return config::explain_values(from.values, from.directory, available_providers(), domain);
    }
};

}  // namespace

config::explained_configuration read_settings(const settings& given, const std::string& domain) {
    return std::visit(settings_reader{[&domain] { return domain; }}, given.given());
}

}  // namespace sluice::app
