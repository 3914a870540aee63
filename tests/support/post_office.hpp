#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <sluice/sluice.hpp>

/// A small domain whose handlers do what a test tells them: it receives parcels from abroad, posts a letter for each,
/// and stamps every letter that was posted.
namespace post {

/// What the handlers went through, and what they shall do. Thread safe.
class script {
public:
    /// Runs in every handler, before it does anything; what it throws fails the handler. The text is the letter's id.
    void on_handle(std::function<void(const std::string& letter)> hook) {
        const std::lock_guard lock{mutex_};
        hook_ = std::move(hook);
    }

    void enter(const std::string& handler, const std::string& letter) {
        std::function<void(const std::string&)> hook;
        {
            const std::lock_guard lock{mutex_};
            seen_[handler].push_back(letter);
            hook = hook_;
        }
        if (hook) hook(letter);
    }

    /// The letters that a handler was given, each as often as it was tried.
    [[nodiscard]] std::vector<std::string> seen(const std::string& handler) const {
        const std::lock_guard lock{mutex_};
        const auto found = seen_.find(handler);
        return found == seen_.end() ? std::vector<std::string>{} : found->second;
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, std::vector<std::string>> seen_;
    std::function<void(const std::string&)> hook_;
};

class letter;

struct letter_posted {
    static constexpr sluice::event_of<letter> contract{.published = true, .name = "LetterPosted"};
    sluice::identifier letter_id;
};

struct letter_stamped {
    static constexpr sluice::event_of<letter> contract{.name = "LetterStamped"};
    sluice::identifier letter_id;
    int stamps = 0;
};

class letter : public sluice::aggregate<letter> {
public:
    letter() = default;
    explicit letter(sluice::identifier id) : letter_id_{std::move(id)} {
        raise(letter_posted{.letter_id = letter_id_});
    }
    void stamp() {
        ++stamps_;
        raise(letter_stamped{.letter_id = letter_id_, .stamps = stamps_});
    }
    [[nodiscard]] int stamps() const { return stamps_; }

private:
    sluice::identifier letter_id_;
    int stamps_ = 0;

    BOOST_DESCRIBE_CLASS(letter, (), (), (), (letter_id_, stamps_))
};

struct post_letter {
    static constexpr sluice::command_of<letter> contract{.name = "PostLetter"};
    sluice::identifier letter_id;
};

struct stamp_letter {
    static constexpr sluice::command_of<letter> contract{.name = "StampLetter"};
    sluice::identifier letter_id;
};

/// Posts a letter, or stamps it once more when it is there already: a second effect of one message shows.
struct letter_commands {
    void operator()(const post_letter& c, sluice::context& in) const {
        const auto letters = in.repository<letter>();
        if (letter* known = letters.find(c.letter_id.str())) {
            known->stamp();
        } else {
            letters.add(letter{c.letter_id});
        }
    }
    void operator()(const stamp_letter& c, sluice::context& in) const {
        hook->enter("commands", c.letter_id.str());
        in.repository<letter>().get(c.letter_id.str()).stamp();
    }

    std::shared_ptr<script> hook;
};

struct stamp_clerk {
    void operator()(const letter_posted& e, sluice::context& in) const {
        hook->enter("stamp_clerk", e.letter_id.str());
        in.process(stamp_letter{.letter_id = e.letter_id});
    }

    std::shared_ptr<script> hook;
};

struct parcel_counter {
    void operator()(const sluice::message& m, sluice::context& in) const {
        const std::string id = m.data().at("parcel_id").as_string();
        hook->enter("parcel_counter", id);
        in.process(post_letter{.letter_id = id});
    }

    std::shared_ptr<script> hook;
};

inline sluice::domain make_domain(const std::shared_ptr<script>& hook) {
    sluice::domain domain{"post"};
    domain.aggregate<letter>().events<letter_posted, letter_stamped>();
    domain.command_handler<letter_commands, post_letter, stamp_letter>(letter_commands{.hook = hook});
    domain.event_handler<stamp_clerk, letter_posted>(stamp_clerk{.hook = hook});
    domain.subscriber<parcel_counter>({.broker = "default", .stream = "abroad::parcel"}, parcel_counter{.hook = hook});
    return domain;
}

/// A message of the producing context, which this one knows only by its wire form.
inline std::string parcel_arrived(const std::string& message_id, const std::string& parcel_id) {
    return R"({"data":{"parcel_id":")" + parcel_id + R"("},"metadata":{"headers":{"id":")" + message_id +
           R"(","type":"Abroad.ParcelArrived.v1","stream":"abroad::parcel-)" + parcel_id + R"("}}})";
}

/// A clock that a test moves.
class moved_clock final : public sluice::clock {
public:
    [[nodiscard]] sluice::date_time now() const override { return sluice::date_time::from_micros(micros_.load()); }
    [[nodiscard]] sluice::instant monotonic_now() const override {
        return sluice::instant{sluice::duration{steady_.load()}};
    }
    void advance(sluice::duration by) {
        micros_ += by.count();
        steady_ += by.count();
    }
    /// Somebody sets the calendar by that much.
    void set_calendar_ahead(sluice::duration by) { micros_ += by.count(); }

private:
    std::atomic<std::int64_t> micros_{sluice::date_time::parse("2026-11-23T08:00:00Z").micros()};
    std::atomic<std::int64_t> steady_{micros_.load()};
};

}  // namespace post
