#include "operate/commands.hpp"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include <sluice/error.hpp>

#include "command/invocation.hpp"
#include "config/section.hpp"
#include "operate/request_error.hpp"

namespace sluice::operate {

command_request read_request(std::string_view text) {
    json::value line = json::parse(text);
    if (!line.is_object()) throw decode_error{"the line is no JSON object"};
    for (const auto& [key, value] : line.as_object()) {
        if (key == "command" || key == "data" || key == "idempotency_key") continue;
        throw decode_error{"unknown key `" + key + "`; a line is {\"command\": \"…\", \"data\": {…}}"};
    }
    command_request request{.command = line.at("command").as_string(), .data = {}};
    static_cast<void>(line.at("data"));  // must be there
    request.data = std::move(*line.as_object().find("data"));
    if (const json::value* const key = line.find("idempotency_key")) request.idempotency_key = key->as_string();
    return request;
}

json::value to_json(const command_answer& answer) {
    if (answer.message_id) return json::object{{"command", answer.command}, {"message_id", *answer.message_id}};
    return json::object{{"command", answer.command}, {"processed", 1}, {"failed", 0}, {"result", answer.result}};
}

void require_command(const detail::registry& domain, const std::string& command) {
    if (domain.command_by_name(command) != nullptr) return;
    std::vector<std::string> names;
    for (const auto& [cpp_name, entry] : domain.commands) names.push_back(entry.name);
    throw wrong_request(fmt::format("domain {} has no command `{}`; {}", domain.name, command,
                                    config::did_you_mean(command, names, "it knows", "it has none at all")));
}

command_runner::command_runner(commit::environment& env, process_options options, bool asynchronous)
    : options_{std::move(options)}, asynchronous_{asynchronous}, context_{command::make_context(env)} {}

command_answer command_runner::run(const command_request& request) {
    process_options options = options_;
    if (request.idempotency_key) options.idempotency_key = request.idempotency_key;
    command_answer answer{.command = request.command};
    if (asynchronous_) {
        answer.message_id = context_.submit(request.command, request.data, options);
    } else {
        answer.result = context_.process(request.command, request.data, options);
    }
    return answer;
}

}  // namespace sluice::operate
