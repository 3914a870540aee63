#include <sluice/sluice.hpp>

/// Meters whose every reading is published: streams of many events for partners.
namespace meters {

class Meter;

struct MeterRead {
    static constexpr sluice::event_of<Meter> contract{.published = true};
    sluice::identifier meter_id;
    int reading = 0;
};

class Meter : public sluice::aggregate<Meter> {
public:
    Meter() = default;
    explicit Meter(sluice::identifier id) : meter_id_{std::move(id)} {}

    void read() { raise(MeterRead{.meter_id = meter_id_, .reading = ++readings_}); }

private:
    sluice::identifier meter_id_;
    int readings_ = 0;
    BOOST_DESCRIBE_CLASS(Meter, (), (), (), (meter_id_, readings_))
};

struct ReadMeter {
    static constexpr sluice::command_of<Meter> contract{};
    sluice::identifier meter_id;
};

struct meter_commands {
    void operator()(const ReadMeter& command, sluice::context& meters) const {
        auto repository = meters.repository<Meter>();
        if (!repository.find(command.meter_id.str())) repository.add(Meter{command.meter_id});
        repository.get(command.meter_id.str()).read();
    }
};

sluice::domain make_domain() {
    sluice::domain meters{"meters"};
    meters.aggregate<Meter>().events<MeterRead>();
    meters.command_handler<meter_commands, ReadMeter>();
    return meters;
}

}  // namespace meters

SLUICE_DOMAIN(meters::make_domain)
