#!/usr/bin/env bash
# manual_test.sh SLUICE: the manual pages are good roff, there is one for each command, and they say what --help says.
set -euo pipefail
sluice=$1
directory=$(mktemp -d)
trap 'rm -rf "$directory"' EXIT

"$sluice" man --directory "$directory/man1" --date 2026-11-23
cd "$directory/man1"
failed=0
complain() { echo "$1" && failed=1; }

if command -v mandoc >/dev/null; then mandoc -Tlint -W style *.1 || complain "mandoc finds faults"; fi
if command -v man >/dev/null; then
    for page in *.1; do
        warnings=$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l "$page" 2>&1 >/dev/null || true)
        [[ ! $warnings ]] || complain "man: $page: $warnings"
    done
fi

commands=$("$sluice" --help | sed -n '/^Subcommands:/,/^$/s/^  \([a-z]\+\) .*/\1/p')
[[ $commands ]] || complain "--help names no commands"
for command in $commands; do
    [[ -s sluice-$command.1 ]] || complain "there is no page for $command"
    [[ $("$sluice" man "$command" --date 2026-11-23) == "$(cat "sluice-$command.1")" ]] ||
        complain "\`sluice man $command\` differs from the file"
done
text=$(MANWIDTH=80 LC_ALL=C.UTF-8 man -l sluice-outbox.1 2>/dev/null || mandoc sluice-outbox.1)
for expected in 'sluice outbox discard \[OPTION\]... \[MESSAGE_ID\]' '\-\-older-than=AGE' 'At most so many'; do
    grep -qe "$expected" <<<"$text" || complain "sluice-outbox.1 lacks: $expected"
done
"$sluice" man nonsense 2>/dev/null && complain "a page for a command that does not exist"
exit "$failed"
