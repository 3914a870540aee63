# Sourced by the demonstrations: how they tell a person what happens. $demo is where their logs lie, $patience how many
# seconds they wait for anything.

bold='' dim='' plain=''
if [[ -t 1 && -z ${NO_COLOR:-} ]]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; fi

headline() { printf '\n%s%s%s\n' "$bold" "$1" "$plain"; }
say() { printf '  %s\n' "$@"; }
indented() { sed 's/^/    /'; }
command_line() { printf '    %s$ %s%s\n' "$dim" "$1" "$plain"; }

fail() {
    printf '\nThe demonstration failed: %s\nThe logs: %s\n' "$1" "$demo/*/server*.log" >&2
    exit 1
}

wait_until() { # wait_until WHAT COMMAND...
    local what=$1 tries=$((patience * 20))
    shift
    until "$@"; do
        ((tries-- > 0)) || fail "$what did not happen within $patience seconds"
        sleep 0.05
    done
}
