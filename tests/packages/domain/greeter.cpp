#include <sluice/sluice.hpp>

/// The least that can be built with an installed Sluice.
namespace greeter {

class Guest;

struct Greeted {
    static constexpr sluice::event_of<Guest> contract{};
    sluice::identifier guest_id;
};

class Guest : public sluice::aggregate<Guest> {
public:
    Guest() = default;
    explicit Guest(const sluice::identifier& id) : guest_id_{id} { raise(Greeted{.guest_id = id}); }

private:
    sluice::identifier guest_id_;
    BOOST_DESCRIBE_CLASS(Guest, (), (), (), (guest_id_))
};

struct Greet {
    static constexpr sluice::command_of<Guest> contract{};
    sluice::identifier guest_id;
};

struct desk {
    void operator()(const Greet& command, sluice::context& greeter) const {
        greeter.repository<Guest>().add(Guest{command.guest_id});
    }
};

sluice::domain make_domain() {
    sluice::domain greeter{"greeter"};
    greeter.aggregate<Guest>().events<Greeted>();
    greeter.command_handler<desk, Greet>();
    return greeter;
}

}  // namespace greeter

SLUICE_DOMAIN(greeter::make_domain)
