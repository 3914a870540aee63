#include "console/console.hpp"
#include "console/layout.hpp"
#include "console/widgets.hpp"

namespace sluice::console {

namespace {

constexpr std::size_t actions_on_a_page = 200;

http::http_answer show_audit(console& in, const visit& of) {
    table list{"What was done"};
    list.column("When")
        .column("Who")
        .column("What")
        .column("Context")
        .column("About")
        .column("Count", true)
        .column("Outcome");
    const date_time now = in.now();
    for (const audit_entry& each : in.audit().latest(actions_on_a_page)) {
        list.row({time_ago(each.at, now),
                  each.who.empty() ? faint("nobody known") : markup{each.who} + " " + faint(each.by), code(each.action),
                  each.context, each.target, amount(static_cast<std::int64_t>(each.count)),
                  each.error.empty() ? badge(tone::good, "done") : badge(tone::bad, "failed") + " " + each.error});
    }
    return page(in, of,
                {.title = "Actions",
                 .section = "actions",
                 .content = paragraph(faint("What people did with this console since it was started, newest first. The "
                                            "log has all of it, in lines `console.action`.")) +
                            list.render("Nothing was done yet.")});
}

}  // namespace

void add_session_pages(router& to, console& of) {
    to.add({.method = "GET", .path = "/console/login", .needs = console_role::none, .answer = [&of](const visit& by) {
                return of.show_login(by, 200, "");
            }});
    to.add({.method = "POST",
            .path = "/console/login",
            .needs = console_role::none,
            .answer = [&of](visit& by) { return of.log_in(by); },
            .is_own_proof = true});
    to.add({.method = "POST", .path = "/console/logout", .needs = console_role::none, .answer = [&of](visit& by) {
                return of.log_out(by);
            }});
    to.add({.method = "GET", .path = "/console/live", .answer = [&of](visit& by) { return of.live(by); }});
    to.add(
        {.method = "GET", .path = "/console/actions", .answer = [&of](const visit& by) { return show_audit(of, by); }});
}

}  // namespace sluice::console
