#include <sluice/sluice.hpp>

namespace parcels {

class Parcel;

// Events of a parcel. Only the first is part of the public contract.
struct ParcelSent {
    static constexpr sluice::event_of<Parcel> contract{.published = true};
    sluice::identifier parcel_id;
    sluice::string<60> destination;
};

struct ParcelWeighed {
    static constexpr sluice::event_of<Parcel> contract{};
    sluice::identifier parcel_id;
    int grams;
};

// The consistency boundary: private state that methods change by raising events.
class Parcel : public sluice::aggregate<Parcel> {
public:
    Parcel() = default;
    explicit Parcel(sluice::identifier parcel_id) : parcel_id_{std::move(parcel_id)} {}

    void weigh(int grams) {
        grams_ = grams;
        raise(ParcelWeighed{.parcel_id = parcel_id_, .grams = grams});
    }
    void send(const sluice::string<60>& destination) {
        raise(ParcelSent{.parcel_id = parcel_id_, .destination = destination});
    }
    void check(sluice::violations& v) const {
        if (grams_ <= 0) v.add("grams", "a parcel weighs something");
    }

private:
    sluice::identifier parcel_id_;
    int grams_ = 0;
    // Lists all private members, because C++ cannot. A forgotten member refuses the start.
    BOOST_DESCRIBE_CLASS(Parcel, (), (), (), (parcel_id_, grams_))
};

// A command and its handler.
struct SendParcel {
    static constexpr sluice::command_of<Parcel> contract{};
    sluice::identifier parcel_id;
    int grams;
    sluice::string<60> destination;
};

struct parcel_commands {
    void operator()(const SendParcel& command, sluice::context& parcels) const {
        Parcel& parcel = parcels.repository<Parcel>().add(Parcel{command.parcel_id});
        parcel.weigh(command.grams);
        parcel.send(command.destination);
    }
};

sluice::domain make_domain() {
    sluice::domain parcels{"parcels"};
    parcels.aggregate<Parcel>().events<ParcelSent, ParcelWeighed>();
    parcels.command_handler<parcel_commands, SendParcel>();
    return parcels;
}

}  // namespace parcels

SLUICE_DOMAIN(parcels::make_domain)
