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

/// Asks before a change. @param is_loss  nothing brings back what it takes away, and all is meant
/// @throws failure when the answer is no, or nobody can be asked about a loss
void require_consent(const session& in, const std::string& question, bool is_loss = false);

/// One `error CODE: message` block for people.
[[nodiscard]] std::string to_text(const config::finding& found, const console& on);

}  // namespace sluice::cli
