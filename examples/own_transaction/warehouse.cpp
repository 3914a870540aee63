// A program with its own database code that publishes events without adopting aggregates: `warehouse pick hammer 3`.
// Every other command line is one of sluice's: `warehouse db setup`, `warehouse server`, `warehouse status`.

#include <sqlite3.h>

#include <cstdlib>
#include <exception>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <sluice/sluice.hpp>

namespace warehouse {

// [declaration]
class Item;  // lives in the table `item` of this program, not in Sluice

struct ItemPicked {
    static constexpr sluice::event_of<Item> contract{.published = true};
    sluice::identifier item_id;
    int quantity{};
};

sluice::domain make_domain() {
    sluice::domain warehouse{"warehouse"};
    warehouse.stream<Item>().events<ItemPicked>();
    return warehouse;
}
// [/declaration]

struct closer {
    void operator()(sqlite3* db) const noexcept { sqlite3_close(db); }
    void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};

/// Runs one statement with its parameters in order.
void execute(sqlite3* db, const char* sql, const std::vector<std::string>& values = {}) {
    sqlite3_stmt* prepared = nullptr;
    if (sqlite3_prepare_v2(db, sql, -1, &prepared, nullptr) != SQLITE_OK) throw std::runtime_error{sqlite3_errmsg(db)};
    const std::unique_ptr<sqlite3_stmt, closer> statement{prepared};
    int index = 0;
    for (const auto& value : values) sqlite3_bind_text(prepared, ++index, value.c_str(), -1, SQLITE_TRANSIENT);
    if (sqlite3_step(prepared) != SQLITE_DONE) throw std::runtime_error{sqlite3_errmsg(db)};
}

// [pick]
void pick(sqlite3* db, const sluice::transactional_outbox& outbox, const std::string& item, int quantity) {
    execute(db, "BEGIN IMMEDIATE");
    try {
        execute(db, "UPDATE item SET stock = stock - ?1 WHERE id = ?2", {std::to_string(quantity), item});
        if (sqlite3_changes(db) != 1) throw std::runtime_error{"there is no item " + item};
        outbox.enqueue(db, ItemPicked{.item_id = item, .quantity = quantity});
        execute(db, "COMMIT");  // stock, event and outbox rows, or none of them
    } catch (...) {
        execute(db, "ROLLBACK");
        throw;
    }
}
// [/pick]

int run(const std::string& item, int quantity) {
    sqlite3* opened = nullptr;
    const int code = sqlite3_open("warehouse.db", &opened);
    const std::unique_ptr<sqlite3, closer> db{opened};
    if (code != SQLITE_OK) throw std::runtime_error{sqlite3_errmsg(opened)};
    execute(db.get(), "CREATE TABLE IF NOT EXISTS item (id TEXT PRIMARY KEY, stock INTEGER CHECK (stock >= 0))");
    execute(db.get(), "INSERT OR IGNORE INTO item VALUES ('hammer', 10), ('saw', 5)");
    pick(db.get(), sluice::transactional_outbox{make_domain(), "domain.toml"}, item, quantity);
    std::cout << "picked " << quantity << " of " << item << '\n';
    return EXIT_SUCCESS;
}

}  // namespace warehouse

int main(int argc, char** argv) {
    try {
        if (argc == 4 && std::string{argv[1]} == "pick") return warehouse::run(argv[2], std::stoi(argv[3]));
    } catch (const std::exception& e) {
        std::cerr << "warehouse: " << e.what() << '\n';
        return EXIT_FAILURE;
    }
    return sluice::run(argc, argv, warehouse::make_domain);
}
