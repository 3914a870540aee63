#include <sluice/sluice.hpp>

/// A context that follows the counters of another one.
namespace watcher {

class Note;

struct NoteTaken {
    static constexpr sluice::event_of<Note> contract{};
    sluice::identifier note_id;
};

class Note : public sluice::aggregate<Note> {
public:
    Note() = default;
    explicit Note(const sluice::identifier& id) : note_id_{id} { raise(NoteTaken{.note_id = id}); }

private:
    sluice::identifier note_id_;
    BOOST_DESCRIBE_CLASS(Note, (), (), (), (note_id_))
};

struct TakeNote {
    static constexpr sluice::command_of<Note> contract{};
    sluice::identifier note_id;
};

struct note_commands {
    void operator()(const TakeNote& command, sluice::context& watcher) const {
        watcher.repository<Note>().add(Note{command.note_id});
    }
};

struct counter_events {
    void operator()(const sluice::message& m, sluice::context& watcher) const {
        if (!m.type().names("CounterCreated")) return;
        watcher.process(TakeNote{.note_id = m.data().at("counter_id").as_string()});
    }
};

sluice::domain make_domain() {
    sluice::domain watcher{"watcher"};
    watcher.aggregate<Note>().events<NoteTaken>();
    watcher.command_handler<note_commands, TakeNote>();
    watcher.subscriber<counter_events>({.broker = "counters", .stream = "tiny::counter"});
    return watcher;
}

}  // namespace watcher

SLUICE_DOMAIN(watcher::make_domain)
