#!/usr/bin/env bash
# readme_test.sh TREE [COMMAND...]: follows TREE/README.md from its top, as a reader with an empty home would.
#
# A block of code that names a file becomes a file of the folder in which the reader is then; the lines of the blocks
# without a language are run one after the other in one shell. Where a line begins with `$ `, the lines below it are what
# it prints. The given COMMANDs are left out, because they are tests of their own.
set -euo pipefail

tree=$(realpath "$1")
shift
left_out=("$@")
work=$(mktemp -d)
readonly patience=60  # seconds

end_services() {
    local services
    services=$(jobs -p)
    # shellcheck disable=SC2086  # a list of numbers
    [[ ! $services ]] || kill -TERM $services 2>/dev/null || true
    wait || true
}
trap 'end_services; rm -rf "$work"' EXIT

fail() {
    printf '%s\n' "$@" >&2
    for log in "$work"/*.log "$HOME"/*/*.log; do [[ -s $log ]] && tail -n 30 "$log" >&2; done
    exit 1
}

wait_until() { # wait_until WHAT CONDITION...
    local what=$1 until=$((SECONDS + patience))
    shift
    until "$@"; do
        ((SECONDS < until)) || fail "waited $patience seconds in vain for $what"
        sleep 0.1
    done
}

export HOME=$work/home
mkdir "$HOME"

# ---- the blocks

is_left_out() {
    local each
    for each in "${left_out[@]}"; do [[ $1 != "$each" ]] || return 0; done
    return 1
}

commands=0
expected=  # what the last command with a prompt prints
printed=

compare_output() {
    [[ $expected == "$printed" ]] || fail "README.md says:" "$expected" "and this came:" "$printed"
    expected= printed=
}

run_command() { # run_command LINE
    local line=$1
    line=${line%%  #*}
    line=${line%"${line##*[![:space:]]}"}
    [[ $line ]] || return 0
    if is_left_out "$line"; then
        printf -- '--- left out: %s\n' "$line"
        return 0
    fi
    printf -- '--- %s\n' "$line"
    commands=$((commands + 1))
    local begun=$SECONDS
    eval "$line" || fail "\`$line\` ends with $?"
    printf -- '    after %d s\n' $((SECONDS - begun))
}

run_block_line() {
    if [[ $1 == '$ '* ]]; then
        compare_output
        printf -- '--- %s\n' "${1#$ }"
        printed=$(eval "${1#$ }" 2>&1 || true)
        commands=$((commands + 1))
    elif [[ $printed ]]; then
        expected+=${expected:+$'\n'}$1
    else
        run_command "$1"
    fi
}

cd "$tree"
block=none file=
while IFS= read -r line <&3; do
    case $block:$line in
        none:'<!-- file: '*) file=${line#'<!-- file: '} file=${file% -->} file=${file##*/} ;;
        none:'```') block=commands ;;
        none:'```'*)
            block=file
            if [[ $file ]]; then : >"$file"; fi
            ;;
        *:'```')
            compare_output
            block=none file=
            ;;
        commands:*) run_block_line "$line" ;;
        file:*) if [[ $file ]]; then printf '%s\n' "$line" >>"$file"; fi ;;
    esac
done 3<"$tree/README.md"
((commands >= 8)) || fail "only $commands commands were found in README.md"

# ---- what README.md says of them

rows() { sluice outbox list --json | grep -c "\"type\": \"[^\"]*$1\." || true; }
all_are_published() { [[ $(sluice outbox list --status published --json | grep -c '"target_broker"') == 3 ]]; }
wait_until 'three published rows' all_are_published
[[ $(rows ParcelSent) == 2 && $(rows ParcelWeighed) == 1 ]] || fail "$(sluice outbox list)"
[[ -f parcels.db ]] || fail 'the database is not parcels.db'
grep -q 'server.database .*parcels.db.* from=built-in' server.log || fail 'the log does not name the built-in database'
(unset SLUICE_DOMAIN && build/parcel_service status >/dev/null) || fail 'parcel_service does not take the same commands'

kill -TERM %1
wait %1 || fail "the server ends with $?"

# ---- what `./run` promises

# What `cmake --install` lays down is built by what `./run` builds, whatever else this tree has built.
grep -q '^build_targets build installed_parts ' "$tree/run" || fail './run does not build what is installed'
built=$(ninja -C "$tree/build" -t query installed_parts)
while IFS= read -r installed; do
    [[ $built == *"/${installed##*/}"* ]] || fail "$installed is installed, but no part of the target installed_parts"
done < <(find "$HOME/sluice" -type f \( -name '*.a' -o -name 'sluice' \))

# Arguments are judged before anything is built: here there is nothing that could be.
mkdir "$work/bare"
cp -r "$tree/run" "$tree/examples" "$tree/scripts" "$work/bare/"
status=0
"$work/bare/run" --bogus >"$work/bogus.log" 2>&1 || status=$?
[[ $status == 2 && ! -e $work/bare/build ]] || fail "\`./run --bogus\` ends with $status"
grep -q 'unknown argument `--bogus`' "$work/bogus.log" || fail '`./run --bogus` does not say what is wrong'
