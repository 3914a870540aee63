#pragma once

#include <string>
#include <vector>

namespace sluice::envelope {

/// What stands beside the body of a message, where a broker carries that: `traceparent`, `ce-id`, …
struct header {
    std::string name;
    std::string value;

    friend bool operator==(const header&, const header&) = default;
};

/// In the order of their writing; a name may come more than once.
using header_list = std::vector<header>;

}  // namespace sluice::envelope
