#include "operate/causation_tree.hpp"

#include <algorithm>
#include <utility>

#include <sluice/json.hpp>

#include "operate/json_forms.hpp"

namespace sluice::operate {

namespace {

std::string domain_text(const json::value& metadata, std::string_view key) {
    const json::value* const domain = metadata.find("domain");
    return domain == nullptr ? std::string{} : domain->string_or(key, "");
}

}  // namespace

traced_message make_traced(std::string database, store::stream_event at) {
    const json::value metadata = embedded(at.event.metadata);
    return {.database = std::move(database),
            .at = std::move(at),
            .kind = domain_text(metadata, "kind"),
            .causation_id = domain_text(metadata, "causation_id")};
}

std::string correlation_of(const store::logged_event& event) {
    return domain_text(embedded(event.metadata), "correlation_id");
}

causation_tree::causation_tree(std::vector<traced_message> messages) {
    std::ranges::stable_sort(messages, [](const traced_message& a, const traced_message& b) {
        if (a.database == b.database) return a.at.seq < b.at.seq;
        return a.at.event.created_at < b.at.event.created_at;
    });
    for (traced_message& each : messages) {
        std::string id = each.at.event.message_id;
        if (index_.emplace(id, nodes_.size()).second) nodes_.push_back({std::move(id), std::move(each)});
    }
    const std::size_t logged = nodes_.size();
    for (std::size_t effect = 0; effect < logged; ++effect) {
        const std::string cause_id = nodes_[effect].message->causation_id;
        if (cause_id.empty()) continue;
        const std::size_t cause = node_of_cause(cause_id);
        if (would_close_a_circle(effect, cause)) continue;
        nodes_[effect].cause = cause;
        nodes_[cause].effects.push_back(effect);
    }
    // A node that is known as a cause only was made when its first effect was seen: it belongs at that place.
    const auto first_message = [this](std::size_t root) {
        return nodes_[root].message ? root : nodes_[root].effects.front();
    };
    for (std::size_t each = 0; each < nodes_.size(); ++each) {
        if (!nodes_[each].cause) roots_.push_back(each);
    }
    std::ranges::stable_sort(roots_, {}, first_message);
}

std::optional<std::size_t> causation_tree::find(std::string_view id) const {
    const auto found = index_.find(id);
    return found == index_.end() ? std::nullopt : std::optional{found->second};
}

std::vector<std::size_t> causation_tree::path_to(std::size_t last) const {
    std::vector<std::size_t> path{last};
    while (const auto cause = nodes_[path.back()].cause) path.push_back(*cause);
    std::ranges::reverse(path);
    return path;
}

std::size_t causation_tree::node_of_cause(const std::string& id) {
    const auto [place, is_new] = index_.emplace(id, nodes_.size());
    if (is_new) nodes_.push_back({.id = id});
    return place->second;
}

bool causation_tree::would_close_a_circle(std::size_t effect, std::size_t cause) const {
    for (std::optional<std::size_t> above = cause; above; above = nodes_[*above].cause) {
        if (*above == effect) return true;
    }
    return false;
}

}  // namespace sluice::operate
