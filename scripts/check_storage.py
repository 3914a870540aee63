#!/usr/bin/env python3
"""check_storage.py: docs/storage.md names every table and column of the migrations, and no other ones; and no read
model may have the name of one of these tables.

A table is a heading "### `name`"; its columns are the first cells of the rows below it, each one name in backquotes.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
MIGRATIONS = (
    "src/store/sqlite/migrations.cpp",
    "src/store/postgresql/migrations.cpp",
    "src/broker/sqlite/schema.cpp",
)
NO_COLUMN = {"PRIMARY", "UNIQUE", "CONSTRAINT", "CHECK", "FOREIGN"}


def items_of(body):
    """The parts between the commas of a table's outer parentheses."""
    parts, depth, start = [], 0, 0
    for at, char in enumerate(body):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if depth == 0 and char == ",":
            parts.append(body[start:at])
            start = at + 1
    return parts + [body[start:]]


def body_after(text, begin):
    """What is between the parenthesis before `begin` and the one that closes it."""
    depth = 1
    for at in range(begin, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return text[begin:at]
    sys.exit("check_storage.py: a CREATE TABLE has no end")


VIEW = frozenset({"(a view)"})


def schema_of(source):
    """Tables with their columns, and views. SQL that C++ cuts into several literals is joined first."""
    text = re.sub(r'"\s*\n\s*"', "", (ROOT / source).read_text(encoding="utf-8"))
    tables, altered = {}, ""
    step = re.compile(
        r"CREATE TABLE (?:IF NOT EXISTS )?@?(?P<create>\w+)\s*\(|ALTER TABLE @?(?P<alter>\w+)"
        r"|ADD COLUMN (?P<add>\w+)|DROP COLUMN (?P<remove>\w+)|RENAME TO (?P<rename>\w+)|DROP TABLE @?(?P<drop>\w+)"
        r"|CREATE VIEW @?(?P<view>\w+)"
    )
    for found in step.finditer(text):
        name = found[found.lastgroup]
        if found.lastgroup == "create":
            words = (item.split() for item in items_of(body_after(text, found.end())))
            tables[name] = {word[0] for word in words if word and word[0].split("(")[0] not in NO_COLUMN}
        elif found.lastgroup == "view":
            tables[name] = VIEW
        elif found.lastgroup == "alter":
            altered = name
        elif found.lastgroup == "add":
            tables[altered].add(name)
        elif found.lastgroup == "remove":
            tables[altered].discard(name)
        elif found.lastgroup == "rename":
            tables[name] = tables.pop(altered)
        else:
            tables.pop(name, None)
    return tables


def documented(page):
    tables, current = {}, None
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = re.fullmatch(r"### `(\w+)`", line)
            current = tables.setdefault(heading[1], set()) if heading else None
        elif current is not None and (row := re.match(r"\| `(\w+)` \|", line)):
            current.add(row[1])
    return tables


def names_kept_from_read_models():
    """Those in table_rules.cpp, where a name that ends in _ stands for all that begin so."""
    rules = (ROOT / "src/domain/table_rules.cpp").read_text(encoding="utf-8")
    lists = re.findall(r"taken(?:_prefixes)?\{([^}]*)\}", rules)
    return [name for each in lists for name in re.findall(r'"(\w+)"', each)]


def main():
    stored = {}
    for source in MIGRATIONS:
        for table, columns in schema_of(source).items():
            stored.setdefault(table, set()).update(columns)
    page = "docs/storage.md"
    told = documented(page)
    wrong = [f"there is no table {name}" for name in told.keys() - stored.keys()]
    for table, columns in stored.items():
        if columns == VIEW:  # it may be told of or not; its columns are those of tables
            continue
        if table not in told:
            wrong.append(f"the table {table} is missing; add a section ### `{table}`")
            continue
        wrong += [f"the column {table}.{name} is missing" for name in columns - told[table]]
        wrong += [f"there is no column {table}.{name}" for name in told[table] - columns]
    for each in sorted(wrong):
        print(f"{page}: {each}")
    kept = names_kept_from_read_models()
    free = [t for t in sorted(stored) if not any(t == k or (k.endswith("_") and t.startswith(k)) for k in kept)]
    for table in free:
        print(f"src/domain/table_rules.cpp: a read model may be called {table}, which is a table; add it to `taken`")
    return 1 if wrong or free else 0


if __name__ == "__main__":
    sys.exit(main())
