#include "cli/terminal/completion.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <set>
#include <string_view>
#include <vector>

namespace sluice::cli {

namespace {

using words = std::vector<std::string>;

/// A text in single quotes, for any of the shells but fish.
std::string shell_word(std::string_view text) {
    std::string made = "'";
    for (const char c : text) made += c == '\'' ? std::string{"'\\''"} : std::string(1, c);
    return made + '\'';
}

std::string quoted_for_fish(std::string_view text) {
    std::string made = "'";
    for (const char c : text) {
        if (c == '\'' || c == '\\') made += '\\';
        made += c;
    }
    return made + '\'';
}

/// The name of a shell function: letters, digits and underscores.
std::string function_name(std::string_view program) {
    std::string name = "_";
    for (const char c : program) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
    return name;
}

/// Calls `each` for a command and all below it, with its path (`sluice outbox list`) and the options that hold there.
void walk(
    const command_outline& at, const std::string& path, std::vector<outlined_option> above,
    const std::function<void(const command_outline&, const std::string&, const std::vector<outlined_option>&)>& each) {
    for (const outlined_option& own : at.options) {
        const auto is_known = [&](const outlined_option& other) { return other.names == own.names; };
        if (std::ranges::none_of(above, is_known)) above.push_back(own);
    }
    each(at, path, above);
    for (const command_outline& below : at.commands) walk(below, path + " " + below.name, above, each);
}

words names_of(const std::vector<outlined_option>& options, const std::function<bool(const outlined_option&)>& which) {
    std::set<std::string> names;
    for (const outlined_option& each : options) {
        if (which(each)) names.insert(each.names.begin(), each.names.end());
    }
    return {names.begin(), names.end()};
}

/// Of all commands the options whose value follows, to be left out when the command is looked for.
struct valued_options {
    words paths{};
    words others{};
};

valued_options valued_options_of(const command_outline& program) {
    std::set<std::string> paths;
    std::set<std::string> others;
    walk(program, program.name, {}, [&](const auto&, const auto&, const auto& options) {
        for (const auto& name : names_of(options, [](const auto& o) { return o.is_path(); })) paths.insert(name);
        for (const auto& name : names_of(options, [](const auto& o) { return o.takes_value() && !o.is_path(); })) {
            others.insert(name);
        }
    });
    return {{paths.begin(), paths.end()}, {others.begin(), others.end()}};
}

/// `'sluice outbox' | 'sluice outbox list'`: all paths but that of the program.
std::string known_paths(const command_outline& program) {
    words paths;
    walk(program, program.name, {}, [&](const auto&, const std::string& path, const auto&) {
        if (path != program.name) paths.push_back(shell_word(path));
    });
    return fmt::format("{}", fmt::join(paths, " | "));
}

/// A case pattern; what matches nothing when there are none.
std::string pattern_of(const words& names) { return names.empty() ? "''" : fmt::format("{}", fmt::join(names, " | ")); }

/// `name:purpose` for zsh's _describe.
std::string described(const std::string& name, const std::string& purpose) {
    std::string text;
    for (const char c : name) text += c == ':' ? std::string{"\\:"} : std::string(1, c);
    return shell_word(text + ":" + purpose);
}

}  // namespace

std::string bash_completion(const command_outline& program) {
    const auto valued = valued_options_of(program);
    std::string cases;
    walk(program, program.name, {}, [&](const command_outline& at, const std::string& path, const auto& options) {
        words commands;
        for (const command_outline& below : at.commands) commands.push_back(below.name);
        cases += fmt::format("        {}) commands='{}' options='{}' ;;\n", shell_word(path), fmt::join(commands, " "),
                             fmt::join(names_of(options, [](const auto&) { return true; }), " "));
    });
    return fmt::format(
        R"(# Completion of {program} for bash, made by `{program} completion bash`.
{function}() {{
    local path={program} commands= options= before= word i
    local current=${{COMP_WORDS[COMP_CWORD]}} previous=${{COMP_WORDS[COMP_CWORD - 1]}}
    # Bash takes --option=value apart at the sign.
    if [[ $current == '=' ]]; then
        current=
    elif [[ $previous == '=' ]]; then
        previous=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${{COMP_WORDS[i]}}
        case $before in {paths} | {others} | '=') before=$word && continue ;; esac
        case "$path $word" in {known}) path="$path $word" ;; esac
        before=$word
    done
    COMPREPLY=()
    case $previous in
        {paths}) mapfile -t COMPREPLY < <(compgen -f -- "$current"); compopt -o filenames 2>/dev/null; return ;;
        {others}) return ;;
    esac
    case $path in
{cases}    esac
    if [[ $current == -* || -z $commands ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$options" -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -W "$commands" -- "$current")
    fi
}}
complete -F {function} {program}
)",
        fmt::arg("program", program.name), fmt::arg("function", function_name(program.name)),
        fmt::arg("paths", pattern_of(valued.paths)), fmt::arg("others", pattern_of(valued.others)),
        fmt::arg("known", known_paths(program)), fmt::arg("cases", cases));
}

std::string zsh_completion(const command_outline& program) {
    const auto valued = valued_options_of(program);
    std::string cases;
    walk(program, program.name, {}, [&](const command_outline& at, const std::string& path, const auto& all) {
        words commands;
        for (const command_outline& below : at.commands) commands.push_back(described(below.name, below.purpose));
        words options;
        for (const outlined_option& each : all) {
            for (const std::string& name : each.names) options.push_back(described(name, each.purpose));
        }
        cases += fmt::format("        {})\n            commands=({})\n            options=({}) ;;\n", shell_word(path),
                             fmt::join(commands, " "), fmt::join(options, " "));
    });
    return fmt::format(
        R"(#compdef {program}
# Completion of {program} for zsh, made by `{program} completion zsh`.
{function}() {{
    local path_={program} before= word i
    local -a commands options
    for ((i = 2; i < CURRENT; i++)); do
        word=$words[i]
        case $before in {paths} | {others}) before=$word && continue ;; esac
        case "$path_ $word" in {known}) path_="$path_ $word" ;; esac
        before=$word
    done
    case $words[CURRENT-1] in
        {paths}) _files; return ;;
        {others}) _message value; return ;;
    esac
    if [[ $words[CURRENT] == --*=* ]]; then
        compset -P '*='
        _files
        return
    fi
    case $path_ in
{cases}    esac
    if [[ $words[CURRENT] == -* ]] || (( ! $#commands )); then
        _describe -o option options
    else
        _describe command commands
    fi
}}
if [[ $funcstack[1] == {function} ]]; then
    {function} "$@"
else
    compdef {function} {program}
fi
)",
        fmt::arg("program", program.name), fmt::arg("function", function_name(program.name)),
        fmt::arg("paths", pattern_of(valued.paths)), fmt::arg("others", pattern_of(valued.others)),
        fmt::arg("known", known_paths(program)), fmt::arg("cases", cases));
}

std::string fish_completion(const command_outline& program) {
    const auto valued = valued_options_of(program);
    const std::string at = function_name(program.name) + "_at";
    words valued_names = valued.paths;
    valued_names.insert(valued_names.end(), valued.others.begin(), valued.others.end());
    words paths;
    std::string lines;
    walk(program, program.name, {}, [&](const command_outline& command, const std::string& path, const auto& all) {
        paths.push_back(quoted_for_fish(path));
        const std::string condition = quoted_for_fish(at + " " + quoted_for_fish(path));
        for (const command_outline& below : command.commands) {
            lines += fmt::format("complete -c {} -n {} -f -a {} -d {}\n", program.name, condition, below.name,
                                 quoted_for_fish(below.purpose));
        }
        for (const outlined_option& each : all) {
            std::string names;
            for (const std::string& name : each.names) {
                names += name.starts_with("--") ? " -l " + name.substr(2) : " -s " + name.substr(1);
            }
            const char* const value = each.is_path() ? " -r -F" : each.takes_value() ? " -x" : " -f";
            lines += fmt::format("complete -c {} -n {}{}{} -d {}\n", program.name, condition, names, value,
                                 quoted_for_fish(each.purpose));
        }
    });
    return fmt::format(
        R"(# Completion of {program} for fish, made by `{program} completion fish`.
function {at} --description 'True when the command line is at this command'
    set -l path {program}
    set -l before
    for word in (commandline -opc)[2..]
        if contains -- "$before" {valued}
            set before $word
            continue
        end
        if contains -- "$path $word" {paths}
            set path "$path $word"
        end
        set before $word
    end
    test "$path" = "$argv[1]"
end
complete -c {program} -f
{lines})",
        fmt::arg("program", program.name), fmt::arg("at", at), fmt::arg("valued", fmt::join(valued_names, " ")),
        fmt::arg("paths", fmt::join(paths, " ")), fmt::arg("lines", lines));
}

}  // namespace sluice::cli
