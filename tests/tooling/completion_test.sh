#!/usr/bin/env bash
# completion_test.sh SLUICE: sources the completion of each shell in that shell and asks it, as a key press would.
set -euo pipefail
sluice=$1
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT
cd "$directory"
touch domain.toml other.toml

failed=0
# expect SHELL LINE WORDS...: the line's last word is completed to all of these and to nothing else.
expect() {
    local shell=$1 line=$2 got wanted
    shift 2
    got=$("complete_in_$shell" "$line" | sort -u | xargs)
    wanted=$(printf '%s\n' "$@" | sort -u | xargs)
    [[ $got != "$wanted" ]] || return 0
    echo "$shell: \`$line\` is completed to: $got"
    echo "  instead of: $wanted"
    failed=1
}

# The last word may be empty: the line then ends with a blank.
complete_in_bash() {
    LINE=$1 bash --norc -c '
        source ./sluice.bash
        read -ra COMP_WORDS <<<"${LINE//=/ = }"
        [[ $LINE != *" " && $LINE != *= ]] || COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _sluice
        printf "%s\n" "${COMPREPLY[@]}"'
}
complete_in_zsh() {
    LINE=$1 zsh -f -c '
        compdef() { : }
        _describe() { local array=$@[-1]; print -l -- ${${(P)array}%%:*} }
        _files() { print -l -- *(N) }
        _message() { : }
        compset() { : }
        source ./sluice.zsh
        words=(${=LINE})
        [[ $LINE != *" " ]] || words+=("")
        CURRENT=$#words
        local current=$words[CURRENT]
        _sluice | while read -r word; do [[ $word != $current* ]] || print -r -- $word; done'
}
complete_in_fish() {
    LINE=$1 fish --no-config -c 'source ./sluice.fish; complete -C "$LINE"' | cut -f1
}

for shell in bash zsh fish; do
    if ! command -v "$shell" >/dev/null; then
        echo "$shell is not installed: its completion is not tried"
        continue
    fi
    "$sluice" completion "$shell" >sluice.$shell
    "$shell" -n sluice.$shell
    expect "$shell" "sluice outbox " backfill backfills discard list retire retry show
    expect "$shell" "sluice outbox re" retire retry
    expect "$shell" "sluice --json outbox li" list
    # What follows an option that takes a value is no command.
    expect "$shell" "sluice --domain outbox lanes " pause resume
    expect "$shell" "sluice server --wo" --workers
    expect "$shell" "sluice outbox discard --y" --yes
    expect "$shell" "sluice outbox list --f" --follow
    expect "$shell" "sluice dlq list --co" --config
    expect "$shell" "sluice nonsense --conf" --config
    expect "$shell" "sluice outbox list --limit " ""
    expect "$shell" "sluice --config domain" domain.toml
    rm sluice.$shell
done

# Bash takes a word apart at the sign.
"$sluice" completion bash >sluice.bash
expect bash "sluice --config=other" other.toml

# A program of another name completes that name.
ln -s "$sluice" shop.service-1
./shop.service-1 completion bash >program.bash
grep -q '^complete -F _shop_service_1 shop.service-1$' program.bash || { echo "the name of the program is lost"; failed=1; }
exit "$failed"
