#include "fuzz/targets.hpp"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <sluice/error.hpp>
#include <sluice/json.hpp>
#include <sluice/message.hpp>
#include <sluice/plugin.hpp>
#include <sluice/time.hpp>

#include "app/compose.hpp"
#include "app/plugin_loader.hpp"
#include "base/unique_fd.hpp"
#include "base/utf8.hpp"
#include "broker/kafka/endpoint.hpp"
#include "broker/kafka/entry_name.hpp"
#include "broker/kafka/place_note.hpp"
#include "broker/kafka/topic_name.hpp"
#include "broker/nats/acknowledgement.hpp"
#include "broker/nats/endpoint.hpp"
#include "broker/nats/group_consumer.hpp"
#include "broker/nats/group_register.hpp"
#include "broker/nats/jetstream.hpp"
#include "broker/nats/subject.hpp"
#include "broker/rabbitmq/content.hpp"
#include "broker/rabbitmq/endpoint.hpp"
#include "broker/rabbitmq/message_properties.hpp"
#include "broker/redis/dead_letter_text.hpp"
#include "broker/redis/endpoint.hpp"
#include "broker/redis/entry_id.hpp"
#include "broker/redis/journal.hpp"
#include "broker/redis/outage.hpp"
#include "broker/redis/resp.hpp"
#include "broker/webhook/answer_reader.hpp"
#include "broker/webhook/endpoint.hpp"
#include "broker/webhook/incoming.hpp"
#include "broker/webhook/retry_after.hpp"
#include "broker/webhook/secrets.hpp"
#include "cli/terminal/line_reader.hpp"
#include "config/document.hpp"
#include "config/loader.hpp"
#include "config/problems.hpp"
#include "console/access.hpp"
#include "console/markup.hpp"
#include "console/target.hpp"
#include "envelope/envelope.hpp"
#include "envelope/header_rules.hpp"
#include "http/metrics_format.hpp"
#include "http/server.hpp"
#include "operate/commands.hpp"
#include "store/postgresql/server_address.hpp"

namespace sluice::fuzz {

namespace {

void require(bool holds, const char* rule) {
    if (!holds) throw std::logic_error{rule};
}

/// What `read` makes of the input; nothing when it is refused with an error of this type, as a reader must.
template <class Refusal, class Read>
auto attempt(const Read& read) -> std::optional<decltype(read())> {
    try {
        return read();
    } catch (const Refusal& e) {
        require(e.what()[0] != '\0', "a refusal says why");
        return std::nullopt;
    }
}

std::optional<json::value> parse(std::string_view text) {
    return attempt<decode_error>([&] { return json::parse(text); });
}

/// Whatever can be read can be written and read again: as the same value, and in canonical form as the same text.
void fuzz_json(std::string_view input) {
    const std::optional<json::value> v = parse(input);
    if (!v) return;
    require(parse(json::dump(*v, json::style::compact)) == v, "compact reads back as the same value");
    require(parse(json::dump(*v, json::style::pretty)) == v, "pretty reads back as the same value");
    for (const json::style s : {json::style::canonical, json::style::python}) {
        const std::string once = json::dump(*v, s);
        const std::optional<json::value> read = parse(once);
        require(read && json::dump(*read, s) == once, "a normal form is a fixed point");
    }
}

void fuzz_date_time(std::string_view input) {
    const auto time = attempt<decode_error>([&] { return date_time::parse(input); });
    if (time) require(date_time::parse(time->to_string()) == *time, "a time reads back as the same instant");
}

/// Stored metadata is a fixed point, and what leaves for a partner is JSON without a private key.
void fuzz_envelope(std::string_view input) {
    const auto value = parse(input);
    if (!value) return;
    const auto metadata = attempt<decode_error>([&] { return envelope::decode_metadata(*value); });
    if (!metadata) return;
    if (const auto given = attempt<error>([&] { return envelope::render_for_partner("{}", input, {}); })) {
        require(given->front().body == envelope::render_external("{}", input), "so is what others have stored");
    }
    const std::string stored = envelope::encode_metadata(*metadata);
    require(envelope::encode_metadata(envelope::decode_metadata(json::parse(stored))) == stored,
            "stored metadata reads back as itself");
    const json::value external = json::parse(envelope::render_external("{}", stored));
    if (const auto* const extensions = external.at("metadata").find("extensions")) {
        for (const auto& [key, member] : extensions->as_object()) require(!key.starts_with('_'), "private keys stay");
    }
    const auto versions = attempt<error>([&] { return envelope::render_for_partner("{}", stored, {}); });
    if (!versions) return;
    require(!versions->empty(), "the current version always leaves");
    require(versions->front().body == envelope::render_external("{}", stored),
            "what is spliced is what decoding would have made");
}

void fuzz_message(std::string_view input) {
    const auto m = attempt<decode_error>([&] { return message::decode(input); });
    if (!m) return;
    require(m->data().is_object(), "the payload is an object");
    const std::string problem = envelope::header_problem(*m);
    const bool is_storable = base::is_storable(m->id()) && m->id().size() <= envelope::longest_name_bytes;
    require(is_storable || !problem.empty(), "an id that no store keeps is a problem");
}

void fuzz_toml(std::string_view input) {
    const auto unset = [](const std::string&) { return std::optional<std::string>{}; };
    const auto read = attempt<config::invalid_configuration>(
        [&] { return config::parse(input, "domain.toml", app::available_providers(), unset); });
    if (read) require(read->outbox.messages_per_tick >= 1, "what was read keeps its rules");
}

/// The text of one value: what is replaced in it is replaced once, and what is wrong is named.
void fuzz_variables(std::string_view input) {
    config::node root{.value = config::node::table{{"key", {.value = std::string{input}}}}};
    std::vector<config::problem> found;
    const auto lookup = [](const std::string& name) {
        return name.size() % 2 == 0 ? std::optional<std::string>{"${" + name + "}"} : std::nullopt;
    };
    config::substitute(root, lookup, found);
    const auto* const value = root.find("key");
    require(value != nullptr && std::holds_alternative<std::string>(value->value), "a text stays a text");
    if (input.find("${") == std::string_view::npos) {
        require(found.empty() && std::get<std::string>(value->value) == input, "other texts stay as they are");
    }
    for (const config::problem& each : found) require(!config::to_text("f", each).empty(), "a problem says what it is");
}

/// Everything that a reply says.
std::string spell(const broker::redis::reply& said, int depth = 0) {
    if (depth > 20) return "deep";
    if (said.is_nil()) return "nil";
    if (said.is_error()) return "-" + std::string{said.text()};
    if (said.is_text()) return "+" + std::string{said.text()};
    if (!said.is_array()) return ":" + std::to_string(said.integer());
    std::string all = "[";
    for (std::size_t i = 0; i < said.size(); ++i) all += spell(said[i], depth + 1) + ",";
    return all + "]";
}

std::string replies_in(std::string_view bytes, std::size_t piece) {
    broker::redis::reply_reader reader;
    std::string all;
    try {
        while (!bytes.empty()) {
            reader.feed(bytes.substr(0, piece));
            bytes.remove_prefix(std::min(piece, bytes.size()));
            while (const auto said = reader.next()) {
                all += spell(*said) + "\n";
                static_cast<void>(attempt<error>([&] { return said->field("name").has_value(); }));
            }
        }
    } catch (const broker::redis::outage&) {
        all += "!";
    }
    return all;
}

/// However the bytes are cut on their way, they say the same.
void fuzz_redis_reply(std::string_view input) {
    if (input.size() > 4096) return;
    require(replies_in(input, input.size()) == replies_in(input, 3), "the cuts of the network do not matter");
}

/// Ends every address, so that none is a piece of the advice that a refusal gives.
constexpr std::string_view end_of_address = "zq9Zq9";

bool quotes(std::string_view refusal, std::string_view address) {
    constexpr std::size_t too_short_to_tell = 24;
    return address.size() >= too_short_to_tell && refusal.find(address) != std::string_view::npos;
}

/// An address that is refused is not quoted, and one that is taken shows no password.
void fuzz_redis_address(std::string_view input) {
    const std::string uri = std::string{input}.append(end_of_address);
    try {
        const broker::redis::endpoint where = broker::redis::parse_uri(uri);
        const bool shown = where.name().find(where.password) != std::string::npos;
        require(where.password.size() < 12 || !shown, "the name shows no password");
    } catch (const configuration_error& e) {
        const std::string_view what = e.what();
        require(!what.empty() && !quotes(what, uri), "no address is quoted");
    }
}

void fuzz_amqp_address(std::string_view input) {
    const std::string uri = std::string{input}.append(end_of_address);
    try {
        const broker::rabbitmq::endpoint where = broker::rabbitmq::parse_uri(uri);
        const bool shown = where.name().find(where.password) != std::string::npos;
        require(where.password.size() < 12 || !shown, "the name shows no password");
    } catch (const configuration_error& e) {
        const std::string_view what = e.what();
        require(!what.empty() && !quotes(what, uri), "no address is quoted");
    }
}

std::string amqp_events_in(std::string_view bytes, std::size_t piece) {
    broker::rabbitmq::frame_reader frames;
    broker::rabbitmq::content_reader events;
    std::string all;
    try {
        while (!bytes.empty()) {
            frames.feed(bytes.substr(0, piece));
            bytes.remove_prefix(std::min(piece, bytes.size()));
            while (const auto got = frames.next()) {
                if (!events.take(*got)) continue;
                const auto& said = events.current();
                const auto headers = broker::rabbitmq::headers_of(said.properties);
                all += fmt::format("{} {} {} {}", said.what.number, said.body, headers.key, headers.content_type);
                for (const auto& each : headers.head) all += each.name + each.value;
            }
        }
    } catch (const broker::rabbitmq::outage&) {
        all += "!";
    }
    return all;
}

/// However the bytes are cut on their way, they say the same.
void fuzz_amqp_frames(std::string_view input) {
    require(amqp_events_in(input, input.size()) == amqp_events_in(input, 3), "the cuts of the network do not matter");
}

void fuzz_kafka_address(std::string_view input) {
    const std::string uri = std::string{input}.append(end_of_address);
    try {
        const broker::kafka::endpoint where = broker::kafka::parse_uri(uri);
        require(where.password.size() < 12 || where.servers.find(where.password) == std::string::npos,
                "the servers show no password");
    } catch (const configuration_error& e) {
        const std::string_view what = e.what();
        require(!what.empty() && !quotes(what, uri), "no address is quoted");
    }
}

/// What other software may have committed for a group, and what a stream or an entry may be called.
void fuzz_kafka_text(std::string_view input) {
    using namespace broker::kafka;
    constexpr std::int64_t floor = 1000;
    if (const auto note = read_note(input, floor)) {
        require(note->done.size() <= 100'000, "a note is small");
        const auto again = read_note(write_note(*note, floor), floor);
        require(again && again->stream == note->stream && again->domain == note->domain && again->next == note->next,
                "a note is read as it was written");
    }
    if (const auto name = entry_name::parse(input)) {
        require(entry_name::parse(name->text())->offset == name->offset, "an entry has one name");
    }
    const std::string topic = topic_of("", input);
    require(!is_topic_name(topic) || topic.find(':') == std::string::npos, "no topic has a colon");
}

void fuzz_nats_address(std::string_view input) {
    const std::string uri = std::string{input}.append(end_of_address);
    try {
        const broker::nats::endpoint where = broker::nats::parse_uri(uri);
        for (const std::string& secret : {where.password, where.token}) {
            require(secret.size() < 12 || where.name().find(secret) == std::string::npos, "the name shows no secret");
        }
    } catch (const configuration_error& e) {
        const std::string_view what = e.what();
        require(!what.empty() && !quotes(what, uri), "no address is quoted");
    }
}

/// What a server, or another client, may write into what we read: acknowledgements, subjects, headers, the register.
void fuzz_nats_text(std::string_view input) {
    using namespace broker::nats;
    const auto read = read_acknowledgement({.token = {}, .reply = {}, .data = std::string{input}});
    if (const auto* said = std::get_if<broker::verdict>(&read)) {
        if (const auto* no = std::get_if<broker::refused>(said)) {
            require(no->reason.size() < 300 && no->reason.find('\n') == std::string::npos,
                    "a reason is one short line");
        }
    }
    if (const auto mark = delivery_mark::parse(input)) {
        require(input.find(mark->consumer) != std::string_view::npos, "a mark refers to its text");
    }
    static_cast<void>(header_in(input, "Nats-Msg-Id"));
    if (const auto entry = read_register_entry(input)) {
        const auto again = read_register_entry(write_register_entry(*entry));
        require(again && again->group == entry->group && again->consumer == entry->consumer, "an entry survives");
    }
    if (problem_of_subject(input).empty()) {
        require(input.find_first_of(" \r\n\t*>") == std::string_view::npos, "a subject breaks no line");
    }
    if (problem_of_header("name", input).empty()) {
        require(input.find_first_of("\r\n") == std::string_view::npos, "a header breaks no line");
    }
}

void fuzz_postgresql_address(std::string_view input) {
    if (input.find('\0') != std::string_view::npos) return;  // libpq takes a C string
    const std::string conninfo = std::string{input}.append(end_of_address);
    // What is said of every address that is not shown. A password that is a piece of it is no secret.
    static const std::string advice =
        store::postgresql::server_address{{.conninfo = "postgresql://user:pass word@host/database"}}.name();
    try {
        const store::postgresql::server_address where{{.conninfo = conninfo}};
        const auto password = where.settings().find("password");
        if (password == where.settings().end() || password->second.size() < 12) return;
        if (advice.find(password->second) != std::string::npos) return;
        require(where.name().find(password->second) == std::string::npos, "the name shows no password");
    } catch (const configuration_error& e) {
        const std::string_view what = e.what();
        require(!what.empty() && !quotes(what, conninfo), "no address is quoted");
    }
}

/// A page that can be read is the page that the writer writes.
void fuzz_journal(std::string_view input) {
    using namespace broker::redis;
    const auto page = read_journal_page(input);
    if (!page) return;
    const auto again = read_journal_page(write_journal_page(*page));
    require(again && again->number == page->number && again->position == page->position &&
                again->since == page->since && again->items == page->items,
            "a page reads back as itself");
}

void fuzz_dead_letter(std::string_view input) {
    using namespace broker;
    static_cast<void>(redis::read_dead_letter(input));
    // Whatever the message is, its letter gives it back byte for byte.
    const delivery buried{.entry = "1-0", .stream = "s", .body = std::string{input}, .key = "k"};
    const std::string letter =
        redis::dead_letter_text(buried, "1-0", {.group = "g", .consumer = "c"}, {"reason", "code", 1, {}}, {});
    const auto read = redis::read_dead_letter(letter);
    require(read && read->entry.body == input, "a dead letter keeps the message");
    require(read->entry.group == "g" && read->entry.reason == "reason", "a dead letter keeps why");
}

void fuzz_entry_id(std::string_view input) { static_cast<void>(broker::redis::entry_id::parse(input)); }

/// Lines of `sluice process -`: none is longer than allowed, and together they are the input.
void fuzz_lines(std::string_view input) {
    constexpr std::size_t longest = 32;
    const base::unique_fd file{::memfd_create("lines", MFD_CLOEXEC)};
    require(::write(file.get(), input.data(), input.size()) == static_cast<ssize_t>(input.size()), "a file in memory");
    ::lseek(file.get(), 0, SEEK_SET);
    cli::line_reader lines{file.get(), -1, longest};
    std::size_t count = 0;
    std::string_view line;
    for (auto read = lines.next(line); read != cli::line_reader::outcome::end; read = lines.next(line)) {
        require(read != cli::line_reader::outcome::interrupted, "nothing interrupts");
        if (read == cli::line_reader::outcome::line) {
            require(line.size() <= longest && line.find('\n') == std::string_view::npos, "a line is a line");
            static_cast<void>(parse(line));
        }
        require(++count <= input.size() + 1, "there are not more lines than bytes");
    }
    require(lines.consumed() <= input.size(), "nothing is counted twice");
}

/// One line of them: what it asks for, written down, asks for the same.
void fuzz_command_request(std::string_view input) {
    const auto asked = attempt<decode_error>([&] { return operate::read_request(input); });
    if (!asked) return;
    json::object line{{"command", asked->command}, {"data", asked->data}};
    if (asked->idempotency_key) line.set("idempotency_key", *asked->idempotency_key);
    const operate::command_request again = operate::read_request(json::dump(line));
    require(
        again.command == asked->command && again.data == asked->data && again.idempotency_key == asked->idempotency_key,
        "a request reads back as itself");
}

/// The fuzzer's own clock interrupts what waits, and a machine on which much else runs may have no port for a moment.
base::unique_fd connected_to(std::uint16_t port) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    constexpr int tries = 100;
    for (int i = 0; i < tries; ++i) {
        base::unique_fd client{::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        if (::connect(client.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0) return client;
        if (errno != EINTR) std::this_thread::sleep_for(std::chrono::milliseconds{20});
    }
    throw std::logic_error{fmt::format("it listens: {}", std::generic_category().message(errno))};
}

/// The probe port answers or closes whatever is sent to it, and lives.
void fuzz_http(std::string_view input) {
    static http::http_server server{{.port = 0, .ports_to_try = 1, .max_header_bytes = 1024},
                                    [](const http::http_request& request) {
                                        require(request.path.size() <= 1024, "the path is bounded");
                                        static_cast<void>(http::choose_metrics_format(request.list("accept")));
                                        return http::http_answer{.body = "{}"};
                                    },
                                    "server.health.port"};
    const base::unique_fd client = connected_to(server.port());
    static_cast<void>(::send(client.get(), input.data(), input.size(), MSG_NOSIGNAL));
    ::shutdown(client.get(), SHUT_WR);
    std::string answer;
    std::array<char, 4096> piece{};
    for (ssize_t got = 0; (got = ::recv(client.get(), piece.data(), piece.size(), 0)) > 0;) {
        answer.append(piece.data(), static_cast<std::size_t>(got));
    }
    require(answer.empty() || answer.starts_with("HTTP/1."), "what it says is HTTP");
}

/// The path and, behind the first line, the query or form of a request to the console; and any text as part of a page.
void fuzz_console_request(std::string_view input) {
    const auto end = std::min(input.find('\n'), input.size());
    if (const auto segments = console::segments_of(input.substr(0, end))) {
        for (const std::string& each : *segments) {
            require(!each.empty() && each != "." && each != "..", "no segment leads out");
            require(base::is_storable(each), "a segment is text");
        }
        require(console::segments_of(console::target(*segments)) == segments || segments->empty(),
                "a path that is written is read back");
    }
    if (const auto form = console::form_values::read(input.substr(end))) {
        const auto again = console::form_values::read(form->to_query());
        require(again.has_value(), "a query that is written is read back");
        require(again->to_query() == form->to_query(), "the second time is like the first");
    }
    require(console::markup{input}.html().find_first_of("<>\"'") == std::string::npos, "text is no markup");
    if (console::is_known_host(input, {})) {
        require(input.find('/') == std::string_view::npos || input.find(':') < input.find('/'), "a host is no path");
    }
}

/// What a library says about itself, be it a domain or not.
void fuzz_plugin(std::string_view input) {
    plugin_entry entry{.magic = plugin_magic, .version = nullptr, .make = nullptr};
    if (input.empty()) return;
    if (input.front() == 'm') entry.magic = static_cast<unsigned>(input.size());
    const std::string version{input.substr(1)};
    if (input.front() != 'n') entry.version = version.c_str();
    try {
        app::require_fitting("libshop.so", &entry);
        require(entry.magic == plugin_magic && entry.version != nullptr, "only a domain library fits");
    } catch (const configuration_error& e) {
        require(e.what()[0] != '\0', "a refusal says why");
    }
}

bool is_one_line(std::string_view text) { return text.find_first_of("\r\n") == std::string_view::npos; }

void fuzz_webhook_address(std::string_view input) {
    const auto at = attempt<configuration_error>([&] { return broker::webhook::read_endpoint(std::string{input}); });
    static_cast<void>(attempt<configuration_error>([&] { return broker::webhook::read_secrets(input); }));
    if (!at) return;
    require(!at->host.empty() && at->port != 0, "an endpoint has a host and a port");
    const std::string target = at->target("shop::order/x y");
    require(target.starts_with('/') && is_one_line(target) && target.find(' ') == std::string::npos,
            "a request line cannot be split");
    require(is_one_line(at->authority()) && is_one_line(at->name()), "nor can a header");
}

/// An answer says the same, however its bytes come.
void fuzz_webhook_answer(std::string_view input) {
    broker::webhook::answer_reader whole;
    whole.put(input);
    broker::webhook::answer_reader pieces;
    for (const char each : input) pieces.put({&each, 1});
    const auto final_status = [](const auto& of) { return of.head().status >= 200 ? of.head().status : 0U; };
    require(final_status(whole) == final_status(pieces), "the status is the same however it comes");
    require(whole.words().size() <= 512 && whole.head().receipt.size() <= 256, "nothing fills the memory");
    whole.put_end();
    using state = broker::webhook::answer_reader::state;
    require(whole.now() == state::complete || whole.now() == state::broken, "it ends with the connection");
    const auto pause = broker::webhook::read_retry_after(whole.head().retry_after, whole.head().date, date_time{});
    require(pause >= duration{0} && pause <= broker::webhook::longest_retry_after, "a pause has bounds");
}

/// Lines `name: value`, an empty line, and a body.
void fuzz_webhook_request(std::string_view input) {
    envelope::header_list headers;
    while (!input.empty() && input.front() != '\n') {
        const auto line = input.substr(0, input.find('\n'));
        const auto colon = std::min(line.find(": "), line.size());
        headers.push_back({.name = std::string{line.substr(0, colon)},
                           .value = std::string{line.substr(std::min(colon + 2, line.size()))}});
        input.remove_prefix(std::min(line.size() + 1, input.size()));
    }
    const std::string target = headers.empty() ? std::string{"/"} : headers.front().value;
    const broker::webhook::incoming_head head{.method = "POST", .target = target, .headers = headers};
    const broker::webhook::receiving_terms terms{
        .keys = {std::string(32, 'k')},
        .objection_to = [](const std::string&) { return std::optional<broker::webhook::turned_down>{}; }};
    const auto no = broker::webhook::why_not_read(head, terms);
    if (no) return require(no->status >= 400 && is_one_line(no->reason), "a refusal says why");
    const auto got = broker::webhook::receive(head, std::string{input}, terms, date_time{});
    require(std::holds_alternative<broker::webhook::turned_down>(got), "nobody guesses a signature");
}

constexpr std::array all{target{"amqp_address", fuzz_amqp_address},
                         target{"amqp_frames", fuzz_amqp_frames},
                         target{"command_request", fuzz_command_request},
                         target{"console_request", fuzz_console_request},
                         target{"date_time", fuzz_date_time},
                         target{"dead_letter", fuzz_dead_letter},
                         target{"entry_id", fuzz_entry_id},
                         target{"envelope", fuzz_envelope},
                         target{"http", fuzz_http},
                         target{"journal", fuzz_journal},
                         target{"json", fuzz_json},
                         target{"kafka_address", fuzz_kafka_address},
                         target{"kafka_text", fuzz_kafka_text},
                         target{"lines", fuzz_lines},
                         target{"message", fuzz_message},
                         target{"plugin", fuzz_plugin},
                         target{"postgresql_address", fuzz_postgresql_address},
                         target{"nats_address", fuzz_nats_address},
                         target{"nats_text", fuzz_nats_text},
                         target{"redis_address", fuzz_redis_address},
                         target{"redis_reply", fuzz_redis_reply},
                         target{"toml", fuzz_toml},
                         target{"variables", fuzz_variables},
                         target{"webhook_address", fuzz_webhook_address},
                         target{"webhook_answer", fuzz_webhook_answer},
                         target{"webhook_request", fuzz_webhook_request}};

}  // namespace

std::span<const target> targets() { return all; }

const target* target_named(std::string_view name) {
    const auto* const found = std::ranges::find_if(all, [&](const target& each) { return name == each.name; });
    return found == all.end() ? nullptr : found;
}

}  // namespace sluice::fuzz
