#!/usr/bin/env bash
# reference_test.sh ROOT: the check of the reference accepts the headers as they are, and refuses what it must.
set -euo pipefail

root=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/include" "$work/docs"
cp "$root/docs/Doxyfile" "$root/docs/reference.md" "$work/docs"
failures=0

# expect VERDICT TITLE [TEXT]: with TEXT as one more public header
expect() {
    rm -rf "$work/include/sluice"
    cp -r "$root/include/sluice" "$work/include"
    if (($# > 2)); then printf 'namespace sluice {\n%s\n}\n' "$3" >"$work/include/sluice/added.hpp"; fi
    local found=accepted
    "$root/scripts/reference.sh" "$work" >"$work/log" 2>&1 || found=refused
    if [[ $found != "$1" ]]; then
        echo "$2: expected $1, was $found" >&2
        cat "$work/log" >&2
        failures=$((failures + 1))
    fi
}

expect accepted "the headers as they are"
expect accepted "a class that says all" $'/// A thing.\n///\n/// Thread safety: none.\nclass thing {};'
expect accepted "an error" $'/// It failed.\nclass thing : public error {};'
expect accepted "what is no user\'s" $'namespace detail { class thing {}; }'
expect refused "a class without a purpose" 'class thing {};'
expect refused "a class without a word on threads" $'/// A thing.\nclass thing {};'
expect refused "a parameter that is not there" $'/// Does it.\n/// @param speed  in metres per second\nvoid thing(int length);'

exit $((failures > 0))
