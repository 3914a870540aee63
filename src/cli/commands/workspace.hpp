#pragma once

#include <string>

#include "cli/cli.hpp"
#include "cli/terminal/console.hpp"
#include "config/check.hpp"
#include "operate/installation.hpp"

namespace sluice::cli {

using operate::application;
using operate::declared_installation;
using operate::installation;
using operate::intent;
using operate::read_models;

/// What the commands share: where the installation is found, by the common options, and the output.
struct session {
    operate::site site;
    console out;
};

/// A domain that can run. Warnings are shown before anything is written, errors end the command.
/// @throws configuration_error, store_error
[[nodiscard]] application open_application(const session& in, read_models tables = read_models::required);

/// One `error CODE: message` block for people.
[[nodiscard]] std::string to_text(const config::finding& found, const console& on);

}  // namespace sluice::cli
