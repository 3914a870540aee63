#!/usr/bin/env bash
# freeze.sh PID: stops a process (SIGSTOP) and ends when none of its threads runs any more. On a busy machine that takes a
# while, in which a server goes on answering.
set -euo pipefail

pid=${1:?"usage: freeze.sh PID"}
kill -STOP "$pid"
for ((waited = 0; waited < 6000; ++waited)); do
    # The state stands behind the name, which is in parentheses: proc(5). A thread that has ended runs no more, either.
    if ! cat "/proc/$pid"/task/*/stat 2>/dev/null | sed 's/.*) //' | grep -qv '^[TtZX]'; then exit; fi
    sleep 0.01
done
echo "freeze.sh: process $pid does not stop" >&2
exit 1
