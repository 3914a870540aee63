#include <fmt/format.h>

#include <algorithm>

#include "base/one_line.hpp"
#include "console/command_form.hpp"
#include "console/console.hpp"
#include "console/layout.hpp"
#include "console/widgets.hpp"
#include "operate/request_error.hpp"

namespace sluice::console {

namespace {

operate::domain_view domain_of(const visit& of) {
    return operate::view_domain(of.where->require_declared().env->domain(), {});
}

std::string why_not(const console& in) {
    return in.settings().send_commands ? "" : "Commands are sent from here when console.send_commands is true.";
}

markup field_list(const std::vector<operate::declared_field>& fields) {
    markup list;
    for (const auto& each : fields) {
        if (!list.empty()) list += ", ";
        list += code(each.name) + " " + faint(each.kind + (each.required ? "" : ", optional"));
    }
    return list.empty() ? faint("none") : list;
}

http::http_answer show_commands(const console& in, const visit& of) {
    table list{"Commands"};
    list.column("Command").column("Fields").column("Handler");
    for (const operate::declared_command& each : domain_of(of).commands) {
        list.row({link(target(path_in(of, {"commands", each.name})), each.name), field_list(each.fields),
                  code(each.handler)});
    }
    markup content = list.render("The domain declares no command.");
    if (!in.settings().send_commands) content += paragraph(faint(why_not(in)));
    return page(in, of, {.title = "Commands", .section = "commands", .content = content});
}

/// @throws request_error
operate::declared_command command_of(const visit& of) {
    operate::require_command(of.where->require_declared().env->domain(), of.at("command"));
    auto domain = domain_of(of);
    return *std::ranges::find(domain.commands, of.at("command"), &operate::declared_command::name);
}

markup command_form(const visit& of, const operate::declared_command& command) {
    return change_form(
        target(path_in(of, {"commands", command.name})), of.form_token,
        command_fields(command, of.form) +
            text_field("key", "Idempotency key", of.form.get("key"),
                       "Repeating it with this key gives the first outcome; optional.") +
            check_field("later", "Only write it down; the engine runs it", of.form.get("later") == "yes") +
            button(fmt::format("Send {}", command.name), tone::good));
}

http::http_answer show_command(const console& in, const visit& of) {
    const auto command = command_of(of);
    const markup form = !in.settings().send_commands ? faint(why_not(in))
                        : !may_act(of)               ? why_no_actions(of)
                                                     : command_form(of, command);
    return page(in, of, {.title = command.name, .section = "commands", .content = panel("Send it", form)});
}

markup answer_text(const operate::command_answer& answer, const console& in, const visit& of) {
    if (answer.message_id) {
        return "Written down as " + link(target(path_in(of, {"messages", *answer.message_id})), *answer.message_id);
    }
    return answer.result.is_null() ? markup{"Done."}
                                   : "Done. Result:" + json_block(in.hides().shown(answer.result, of.who.role));
}

/// The command and its answer, or why it was not carried out above the form with what was given.
http::http_answer send_command(console& in, const visit& of) {
    if (!in.settings().send_commands) throw operate::conflict("commands_off", why_not(in));
    const auto command = command_of(of);
    const std::string back = target(path_in(of, {"commands", command.name}));
    operate::command_request request{.command = command.name, .data = command_data(command, of.form)};
    if (!of.form.get("key").empty()) request.idempotency_key = of.form.get("key");
    if (of.form.get("confirmed") != "yes") {
        return ask(in, of, "commands",
                   {.title = fmt::format("Send {}?", command.name),
                    .text = code_block(json::dump(request.data, json::style::pretty)),
                    .to = back,
                    .fields = of.form,
                    .agree = "Send",
                    .cancel = back});
    }
    try {
        const auto answer = of.where->send(request, of.form.get("later") == "yes");
        in.record(of, "commands.send", command.name, 1);
        return tell(in, of, "commands", command.name, answer_text(answer, in, of), back);
    } catch (const std::exception& e) {
        // What the handler throws may be anything, and is about this command.
        in.record(of, "commands.send", command.name, 0, e.what());
        return page(in, of,
                    {.title = command.name,
                     .section = "commands",
                     .content = notice(tone::bad, "It was not carried out.", base::one_line(e.what(), 2000)) +
                                panel("Send it", command_form(of, command)),
                     .status = 422});
    }
}

}  // namespace

void add_command_pages(router& to, console& of) {
    const std::string path = "/console/contexts/{context}/commands";
    to.add({.method = "GET", .path = path, .answer = [&of](const visit& by) { return show_commands(of, by); }});
    to.add({.method = "GET", .path = path + "/{command}", .answer = [&of](const visit& by) {
                return show_command(of, by);
            }});
    to.add({.method = "POST",
            .path = path + "/{command}",
            .needs = console_role::operating,
            .answer = [&of](const visit& by) { return send_command(of, by); }});
}

}  // namespace sluice::console
