#pragma once

#include <sluice/sluice.hpp>

namespace bank {

class Transfer;

struct TransferRequested {
    static constexpr sluice::event_of<Transfer> contract{};
    sluice::identifier transfer_id;
    sluice::identifier from;
    sluice::identifier to;
    std::int64_t cents;
};

struct TransferDelayed {
    static constexpr sluice::event_of<Transfer> contract{};
    sluice::identifier transfer_id;
};

// What the customers' other services may know of it.

struct TransferCompleted {
    static constexpr sluice::event_of<Transfer> contract{.published = true};
    sluice::identifier transfer_id;
    std::int64_t cents = 0;
};

struct TransferFailed {
    static constexpr sluice::event_of<Transfer> contract{.published = true};
    sluice::identifier transfer_id;
    sluice::text reason;
};

enum class transfer_status { requested, completed, failed };

/// What a customer asked for and what became of it; its steps are the business of `TransferProcess`.
class Transfer : public sluice::aggregate<Transfer> {
public:
    Transfer() = default;
    Transfer(const sluice::identifier& transfer_id, const sluice::identifier& from, const sluice::identifier& to,
             std::int64_t cents)
        : transfer_id_{transfer_id}, cents_{cents} {
        raise(TransferRequested{.transfer_id = transfer_id, .from = from, .to = to, .cents = cents});
    }

    void complete() {
        status_ = transfer_status::completed;
        raise(TransferCompleted{.transfer_id = transfer_id_, .cents = cents_});
    }
    void fail(const sluice::text& reason) {
        status_ = transfer_status::failed;
        raise(TransferFailed{.transfer_id = transfer_id_, .reason = reason});
    }
    void be_late() {
        if (status_ == transfer_status::requested) raise(TransferDelayed{.transfer_id = transfer_id_});
    }

    [[nodiscard]] transfer_status status() const { return status_; }

    void check(sluice::violations& v) const {
        if (cents_ <= 0) v.add("cents", "a transfer moves something");
    }

private:
    sluice::identifier transfer_id_;
    std::int64_t cents_ = 0;
    transfer_status status_ = transfer_status::requested;
    BOOST_DESCRIBE_CLASS(Transfer, (), (), (), (transfer_id_, cents_, status_))
};

}  // namespace bank
