#!/usr/bin/env bash
# check_docs_test.sh SOURCE: the check of the documentation refuses a tree in which one thing is wrong, and says which.
set -euo pipefail

source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$source"/{bench,docs,examples,include,packaging,scripts,src,tests} "$source"/*.md "$work"
failures=0

# refused NEEDLE FILE SED: after the edit of the file the check fails and its output has the needle.
refused() {
    local needle=$1 file=$work/$2 edit=$3 found
    cp "$file" "$work/untouched"
    sed -i "$edit" "$file"
    if cmp -s "$file" "$work/untouched"; then
        echo "$2: the edit $edit changes nothing" >&2
        failures=$((failures + 1))
    elif found=$("$work/scripts/check_docs.sh" 2>&1); then
        echo "$2 with $edit was accepted" >&2
        failures=$((failures + 1))
    elif [[ $found != *"$needle"* ]]; then
        echo "$2 with $edit: expected $needle in: $found" >&2
        failures=$((failures + 1))
    fi
    cp "$work/untouched" "$file"
}

if ! found=$("$work/scripts/check_docs.sh" 2>&1); then
    echo "the tree as it is was refused: $found" >&2
    exit 1
fi

refused 'a code block differs' README.md 's/^class Parcel;$/class Packet;/'
refused 'leads nowhere' README.md 's/(docs\/guarantees.md)/(docs\/guarantee.md)/'
refused 'leads nowhere' docs/operations.md 's/(wire-format.md#keys)/(wire-format.md#key)/'
refused 'there is no test' docs/guarantees.md '0,/^- `fork\./s//- `spoon./'
refused 'there is no test' docs/compared.md 's/`message_type\.names/`message_type.calls/'
refused 'no test is named below' docs/guarantees.md 's/^### P9:/### P90:/'
refused 'the column outbox_row.receipt is missing' docs/storage.md '/^| `receipt` |/d'
refused 'there is no column lease.colour' docs/storage.md 's/^| `rescan` |.*/&\n| `colour` | none |/'
refused 'the table snapshot is missing' docs/storage.md 's/^### `snapshot`$/### `snapshots`/'
refused 'the column lease.shade is missing' src/store/postgresql/migrations.cpp \
    's/ALTER TABLE @lease ADD COLUMN overtaken/ALTER TABLE @lease ADD COLUMN shade text, ADD COLUMN overtaken/'
refused 'notes outside' src/base/hex.hpp '$a // as in DESIGN 4'
refused 'notes outside' tests/unit/base/uuid_test.cpp '$a // B330: a number that no reader can look up'

((failures == 0))
