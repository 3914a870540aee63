#include <fmt/format.h>
#include <unistd.h>

#include <sluice/json.hpp>

#include "base/failure_cause.hpp"
#include "cli/commands/commands.hpp"
#include "cli/terminal/failure.hpp"
#include "cli/terminal/line_reader.hpp"
#include "cli/terminal/progress.hpp"
#include "cli/terminal/stop_signals.hpp"
#include "cli/terminal/units.hpp"
#include "config/printable.hpp"
#include "operate/commands.hpp"

namespace sluice::cli {

namespace {

constexpr std::size_t longest_line = std::size_t{16} << 20;

struct process_arguments {
    std::string command;
    std::string data;
    bool asynchronous = false;
    std::string timeout;
    process_options options;
};

process_options options_of(const process_arguments& given) {
    process_options options = given.options;
    if (!given.timeout.empty()) options.timeout = parse_age(given.timeout);
    return options;
}

void show(const console& out, const operate::command_answer& answer) {
    if (out.json()) return out.print_json(to_json(answer));
    if (answer.message_id) return out.print(answer.command + " accepted: " + *answer.message_id);
    const json::value& result = answer.result;
    out.print(answer.command + " processed" + (result.is_null() ? "" : ": " + config::printable(json::dump(result))));
}

/// @throws failure (usage) for what is not JSON
operate::command_request to_request(const process_arguments& given) {
    try {
        return {.command = given.command, .data = json::parse(given.data)};
    } catch (const decode_error& e) {
        throw wrong_usage(fmt::format("the data of {} is not JSON: {}", given.command, e.what()));
    }
}

exit_code process_one(const session& in, const process_arguments& given) {
    const process_options options = options_of(given);
    const application opened = open_application(in);
    operate::require_command(opened.declared->declared(), given.command);
    const operate::command_request request = to_request(given);
    try {
        show(in.out, operate::command_runner{*opened.env, options, given.asynchronous}.run(request));
    } catch (const std::exception& e) {
        const verdict_on_error verdict = judge(e, exit_code::failed);
        // Only what the command met on its way counts; the configuration was in order.
        throw failure{verdict.how == exit_code::configuration ? exit_code::failed : verdict.how, verdict.code,
                      verdict.message};
    }
    return exit_code::ok;
}

/// Reads `{"command": …, "data": {…}}` per line from standard input, each its own unit of work.
class stream_processor {
public:
    stream_processor(const session& in, commit::environment& env, const process_arguments& given, int interrupt_fd)
        : in_{in},
          commands_{env, options_of(given), given.asynchronous},
          lines_{STDIN_FILENO, interrupt_fd, longest_line} {}

    int run(stop_signals& signals) {
        std::optional<int> signal;
        std::string_view line;
        for (auto read = line_reader::outcome::line; !signal && !outage_;) {
            signal = signals.poll();
            if (signal) break;
            read = lines_.next(line);
            if (read == line_reader::outcome::end) break;
            if (read == line_reader::outcome::interrupted) continue;
            ++line_number_;
            handle(read == line_reader::outcome::too_long ? std::nullopt : std::optional{line});
            progress_.update(processed_, failed_, lines_.consumed());
        }
        summarise(signal);
        constexpr int died_by_signal = 128;
        if (signal) return died_by_signal + *signal;
        if (outage_) return static_cast<int>(exit_code::unavailable);
        return static_cast<int>(failed_ > 0 ? exit_code::failed : exit_code::ok);
    }

private:
    void handle(std::optional<std::string_view> line) {
        try {
            if (!line) throw decode_error{fmt::format("the line is longer than {} bytes", longest_line)};
            if (line->find_first_not_of(" \t") == std::string_view::npos) return;
            commands_.run(operate::read_request(without_mark(*line)));
            ++processed_;
        } catch (const std::exception& e) {
            // Every line after this one would fail, too; so the file can be fed again from here.
            outage_ = base::cause_of(e) == base::failure_cause::outage;
            report(judge(e, exit_code::failed));
        }
    }

    /// Some editors and shells begin a file with a byte order mark.
    [[nodiscard]] std::string_view without_mark(std::string_view line) const {
        constexpr std::string_view mark = "\xEF\xBB\xBF";
        if (line_number_ == 1 && line.starts_with(mark)) line.remove_prefix(mark.size());
        return line;
    }

    void report(const verdict_on_error& error) {
        if (!outage_) ++failed_;
        progress_.clear();
        if (in_.out.json()) {
            in_.out.print_line(json::object{{"line", line_number_},
                                            {"error", json::object{{"code", error.code}, {"message", error.message}}}});
        } else {
            std::fputs(fmt::format("line {}: {}\n", line_number_, config::printable(error.message)).c_str(), stderr);
        }
    }

    void summarise(std::optional<int> signal) {
        const double seconds = progress_.elapsed().count();
        progress_.clear();
        if (in_.out.json()) {
            in_.out.print_line(json::object{{"processed", processed_},
                                            {"failed", failed_},
                                            {"interrupted", signal.has_value()},
                                            {"outage", outage_},
                                            {"seconds", seconds}});
        } else {
            std::string end;
            if (signal) end = fmt::format("; stopped after line {}", line_number_);
            if (outage_) end = fmt::format("; stopped at line {}, which was not processed", line_number_);
            in_.out.print(fmt::format("{} processed, {} failed{}", count_text(processed_), count_text(failed_), end));
        }
    }

    const session& in_;
    operate::command_runner commands_;
    line_reader lines_;
    progress_bar progress_{STDIN_FILENO};
    std::int64_t line_number_ = 0;
    std::int64_t processed_ = 0;
    std::int64_t failed_ = 0;
    bool outage_ = false;  ///< it met one
};

int process_stream(const session& in, const process_arguments& given) {
    if (!given.data.empty())
        throw wrong_usage("`process -` reads its data from standard input and takes no more words");
    if (given.options.idempotency_key) {
        throw wrong_usage("a key names one request; give each line of `process -` an \"idempotency_key\" of its own");
    }
    stop_signals signals;
    const application opened = open_application(in);
    return stream_processor{in, *opened.env, given, signals.fd()}.run(signals);
}

int run(const session& in, const process_arguments& given) {
    if (given.command == "-") return process_stream(in, given);
    if (given.data.empty()) {
        throw wrong_usage(fmt::format("JSON is missing; for a command without fields write: sluice process {} '{{}}'",
                                      given.command));
    }
    return static_cast<int>(process_one(in, given));
}

}  // namespace

void add_process(command& root) {
    const auto given = std::make_shared<process_arguments>();
    root.add("process", "Run a command of the domain in a unit of work of its own")
        .argument("COMMAND", given->command,
                  "Name of the command, or - for lines of JSON on standard input:\n"
                  R"({"command": "ShipOrder", "data": {"order_id": "o-1"}})")
        .optional_argument("JSON", given->data, R"(The command's fields, for example '{"order_id": "o-1"}')")
        .flag("--async", given->asynchronous, "Only write the command down; the engine runs it")
        .number("--priority", given->options.priority, {-100, 100}, "-100 to 100; low ones may take the backfill lane")
        .option("--correlation-id", "TEXT", given->options.correlation_id, "Continue this correlation")
        .option("--traceparent", "TEXT", given->options.traceparent,
                "Continue this trace of W3C Trace Context: 00-<32 hex>-<16 hex>-<2 hex>")
        .option("--idempotency-key", "TEXT", given->options.idempotency_key,
                "Repeating the command with this key gives the first outcome")
        .option("--timeout", "TEXT", given->timeout, "The handler begins within this time (90s, 10m) or not at all")
        .runs(run, given);
}

}  // namespace sluice::cli
