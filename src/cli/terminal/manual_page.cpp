#include "cli/terminal/manual_page.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

namespace sluice::cli {

namespace {

/// Text as roff has it: backslashes, hyphens that are minus signs, and no request by a dot or quote that begins a word.
std::string roff(std::string_view text) {
    std::string made;
    bool begins_word = true;  // and so perhaps a line
    for (const char c : text) {
        if (begins_word && (c == '.' || c == '\'')) made += "\\&";
        begins_word = c == '\n' || c == ' ';
        if (c == '\\') {
            made += "\\e";
        } else if (c == '-') {
            made += "\\-";
        } else {
            made += c;
        }
    }
    return made;
}

std::string bold(std::string_view text) { return "\\fB" + roff(text) + "\\fR"; }
std::string italic(std::string_view text) { return "\\fI" + roff(text) + "\\fR"; }

/// Broken at blanks, as it is good manners in roff: a line holds 78 bytes, unless a word is longer.
std::string wrapped(std::string_view text) {
    constexpr std::size_t longest = 78;
    std::string made;
    std::size_t length = 0;
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of(" \n"), text.size());
        const std::string_view word = text.substr(0, end);
        if (length > 0 && length + 1 + word.size() > longest) {
            made += '\n';
            length = 0;
        } else if (length > 0) {
            made += ' ';
            ++length;
        }
        made += word;
        length += word.size();
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return made;
}

/// Plain text as a paragraph of its own lines.
std::string paragraph(std::string_view text) { return wrapped(roff(text)) + "\n"; }

std::string upper(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return text;
}

/// `-y`, `--yes`, with what stands for the value.
std::string label_of(const outlined_option& option) {
    std::string label;
    for (const std::string& each : option.names) label += (label.empty() ? "" : ", ") + bold(each);
    return option.takes_value() ? label + "=" + italic(option.placeholder) : label;
}

/// @param text  roff
std::string entry(const std::string& label, const std::string& text) {
    return ".TP\n" + label + "\n" + wrapped(text) + "\n";
}

std::string entries(const std::vector<outlined_option>& options) {
    std::string text;
    for (const outlined_option& each : options) {
        const std::string variable = each.variable.empty() ? "" : " (environment variable " + bold(each.variable) + ")";
        text += entry(label_of(each), roff(each.purpose) + variable);
    }
    return text;
}

std::string arguments_text(const command_outline& command) {
    std::string text;
    for (const outlined_option& each : command.arguments) {
        text += each.required ? " " + italic(each.names.front()) : " [" + italic(each.names.front()) + "]";
    }
    return text;
}

std::vector<outlined_option> without_help(const std::vector<outlined_option>& options) {
    std::vector<outlined_option> kept;
    for (const outlined_option& each : options) {
        if (std::ranges::find(each.names, "--help") == each.names.end()) kept.push_back(each);
    }
    return kept;
}

std::string synopsis_of(const command_outline& command, const std::string& path) {
    std::string text;
    if (command.commands.empty()) {
        const bool has_options = !without_help(command.options).empty();
        text += ".PP\n" + bold(path) + (has_options ? " [" + italic("OPTION") + "]..." : "") + arguments_text(command) +
                "\n";
    }
    for (const command_outline& below : command.commands) text += synopsis_of(below, path + " " + below.name);
    return text;
}

std::string description_of(const command_outline& command, const std::string& path) {
    std::string text = command.purpose.empty() ? "" : paragraph(command.purpose + ".");
    for (const outlined_option& each : command.arguments) {
        text += entry(italic(each.names.front()), roff(each.purpose));
    }
    text += entries(without_help(command.options));
    for (const command_outline& below : command.commands) {
        text += ".SS " + bold(path + " " + below.name) + "\n" + description_of(below, path + " " + below.name);
    }
    return text;
}

class writer {
public:
    writer(const command_outline& program, const manual_terms& terms) : program_{program}, terms_{terms} {}

    [[nodiscard]] manual_page of_program() const {
        std::string text = header(program_.name, program_.purpose);
        text += ".SH SYNOPSIS\n" + bold(program_.name) + " [" + italic("OPTION") + "]... " + italic("COMMAND") + " [" +
                italic("ARGUMENT") + "]...\n";
        text += ".SH OPTIONS\nThey may stand before or after the command.\n" + entries(program_.options);
        text += ".SH COMMANDS\n";
        for (const command_outline& each : program_.commands) {
            text += entry(bold(program_.name + "-" + each.name) + "(1)", roff(each.purpose));
        }
        text += exit_status();
        text += ".SH FILES\n" +
                entry(italic("domain.toml"), "The configuration, unless " + bold("--config") + " names another file.");
        text += ".SH SEE ALSO\n";
        for (const command_outline& each : program_.commands) {
            text += ".BR " + roff(program_.name + "-" + each.name) + " (1)" +
                    (&each == &program_.commands.back() ? "\n" : ",\n");
        }
        return {program_.name, text};
    }

    [[nodiscard]] manual_page of(const command_outline& command) const {
        const std::string name = program_.name + "-" + command.name;
        const std::string path = program_.name + " " + command.name;
        std::string text = header(name, command.purpose);
        text += ".SH SYNOPSIS\n" + without_first_paragraph(synopsis_of(command, path));
        text += ".SH DESCRIPTION\n" + description_of(command, path);
        text += ".PP\nOptions of all commands are in\n.BR " + roff(program_.name) + " (1).\n";
        text += exit_status();
        text += ".SH SEE ALSO\n.BR " + roff(program_.name) + " (1)\n";
        return {name, text};
    }

private:
    /// A paragraph at the beginning of a section begins nothing.
    static std::string without_first_paragraph(const std::string& text) {
        constexpr std::string_view paragraph = ".PP\n";
        return text.starts_with(paragraph) ? text.substr(paragraph.size()) : text;
    }

    [[nodiscard]] std::string header(const std::string& name, std::string purpose) const {
        while (purpose.ends_with('.')) purpose.pop_back();
        const std::string title = wrapped(roff(name) + " \\- " + roff(purpose));
        return fmt::format(".TH {} 1 {} \"{}\" \"User commands\"\n.SH NAME\n{}\n", roff(upper(name)), terms_.date,
                           roff(terms_.version), title);
    }

    [[nodiscard]] std::string exit_status() const { return ".SH EXIT STATUS\n" + paragraph(terms_.exit_codes); }

    const command_outline& program_;
    const manual_terms& terms_;
};

}  // namespace

std::vector<manual_page> manual_pages(const command_outline& program, const manual_terms& terms) {
    const writer pages{program, terms};
    std::vector<manual_page> all{pages.of_program()};
    for (const command_outline& each : program.commands) all.push_back(pages.of(each));
    return all;
}

}  // namespace sluice::cli
