#include "process/transition.hpp"

#include <sluice/error.hpp>

namespace sluice::process {

namespace {

json::value to_json(const std::map<std::string, detail::armed_timer, std::less<>>& timers) {
    json::object all;
    for (const auto& [name, timer] : timers) {
        all.set(name, json::object{{"id", timer.id}, {"due", timer.due.to_string()}});
    }
    return all;
}

process_transition read(const json::value& data) {
    process_transition found;
    found.state = data.at("state");
    static_cast<void>(found.state.as_object());
    found.handler_name = data.at("handler_name").as_string();
    found.is_complete = data.at("is_complete").as_bool();
    if (const json::value* timers = data.find("timers")) {
        for (const auto& [name, timer] : timers->as_object()) {
            found.timers.emplace(name, detail::armed_timer{.id = timer.at("id").as_string(),
                                                           .due = date_time::parse(timer.at("due").as_string())});
        }
    }
    return found;
}

}  // namespace

std::string encode_transition(std::string_view state, std::string_view handler_name,
                              const detail::process_memory& memory) {
    std::string text = R"({"state":)";
    text += state;
    text += R"(,"handler_name":)";
    json::append_string(text, handler_name);
    text += R"(,"is_complete":)";
    text += memory.complete ? "true" : "false";
    if (!memory.timers.empty()) {
        text += R"(,"timers":)";
        json::dump_to(text, to_json(memory.timers));
    }
    text += '}';
    return text;
}

process_transition decode_transition(const store::stream_event& stored) {
    try {
        return read(json::parse(stored.event.data));
    } catch (const error& e) {
        throw decode_error{"event " + std::to_string(stored.position) + " of stream `" + stored.event.stream +
                           "` is no transition of a process manager: " + e.what() +
                           "; nothing else may be written to its stream"};
    }
}

}  // namespace sluice::process
