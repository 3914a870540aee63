#include <sluice/test.hpp>

#include "process/transition.hpp"
#include "testing/stage.hpp"

namespace sluice::test::detail {

namespace {

using sluice::detail::process_entry;

const process_entry& declared_process(const sluice::detail::registry& domain, std::string_view cpp_name) {
    const auto found = domain.processes.find(cpp_name);
    if (found != domain.processes.end()) return found->second;
    throw usage_error{"domain `" + domain.name + "` has no process manager `" + std::string{cpp_name} +
                      "`; declare it with `domain.process_manager<" + std::string{cpp_name} + ">()`"};
}

}  // namespace

struct process_stage::parts {
    parts(domain declared, const std::string& group, date_time start)
        : stage{std::move(declared), {.start = start}, [group](const consume::route& r) { return r.group == group; }} {}

    [[nodiscard]] sluice::process::process_transition last_step() const {
        const auto operations = stage.env().parts().databases.at(process->database)->open_operations();
        const auto last = operations->events(
            {.stream = process->category, .type = process->transition_type, .newest_first = true, .limit = 1});
        if (last.empty()) throw failure{"process manager " + process->fqn + " took no step"};
        return sluice::process::decode_transition(last.front());
    }

    testing_kit::stage stage;
    const process_entry* process = nullptr;
    int told = 0;  ///< events so far, for their ids
};

process_stage::process_stage(domain declared, std::string_view process, date_time start) {
    const std::string group = declared_process(declared.declared(), process).group;
    parts_ = std::make_unique<parts>(std::move(declared), group, start);
    parts_->process = &declared_process(parts_->stage.registry(), process);
}

process_stage::process_stage(process_stage&&) noexcept = default;
process_stage::~process_stage() = default;

void process_stage::tell(std::string_view event, const std::string& data) {
    const auto& domain = parts_->stage.registry();
    const auto known = domain.events.find(event);
    if (known == domain.events.end()) {
        throw usage_error{"event `" + std::string{event} + "` is not declared in domain `" + domain.name + "`"};
    }
    const std::string& category = domain.aggregate(known->second.aggregate).category;
    const std::string id = category + "-test-" + std::to_string(++parts_->told);
    parts_->stage.put("default", category, category + "-test", id, known->second.type, json::parse(data));
    pass(duration{0});
}

void process_stage::pass(duration time) {
    parts_->stage.advance(time);
    if (const std::string reason = parts_->stage.take_failure(); !reason.empty()) {
        throw failure{"process manager " + parts_->process->fqn + " failed: " + reason};
    }
}

std::vector<event_text> process_stage::take_commands() {
    std::vector<event_text> found;
    parts_->stage.for_each_new_event([&](const store::stream_event& each) {
        if (const auto* command = parts_->stage.registry().command_by_type(each.event.type)) {
            found.push_back({command->cpp_name, each.event.data});
        }
    });
    return found;
}

bool process_stage::is_complete() const { return parts_->last_step().is_complete; }
json::value process_stage::state() const { return parts_->last_step().state; }

}  // namespace sluice::test::detail
