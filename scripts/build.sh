# Sourced by ./run and ./test: configures and builds one directory with a single line of progress.

# The whole output goes to DIRECTORY/build.log, whose end is shown when something fails.

# build_preset PRESET DIRECTORY "CMAKE_ARGUMENTS..." [TARGET...]
build_preset() {
    local preset=$1 directory=$2 arguments=$3
    shift 3
    # shellcheck disable=SC2086  # the arguments are a list of words
    configure_preset "$preset" "$directory" $arguments && build_targets "$directory" "$@"
}

# configure_preset PRESET DIRECTORY [CMAKE_ARGUMENT...]
configure_preset() {
    local preset=$1 directory=$2
    shift 2
    mkdir -p "$directory"
    if ! cmake --preset "$preset" "$@" >"$directory/build.log" 2>&1; then
        build_failed "$directory/build.log"
        return 1
    fi
}

# build_targets DIRECTORY [TARGET...]
build_targets() {
    local directory=$1 log=$1/build.log
    shift
    if ! NINJA_STATUS='[%f/%t] ' ninja -C "$directory" "$@" 2>&1 | tee -a "$log" | show_progress "building $directory"; then
        build_failed "$log"
        return 1
    fi
}

# On a terminal the line is rewritten in place; elsewhere it is printed once, at the end.
show_progress() {
    local title=$1 line last=
    while IFS= read -r line; do
        [[ $line =~ ^\[([1-9][0-9]*/[0-9]+)\] ]] || continue
        last=${BASH_REMATCH[1]}
        if [[ -t 1 ]]; then printf '\r\033[K%s %s' "$title" "$last"; fi
    done
    if [[ -t 1 ]]; then
        printf '\r\033[K'
    elif [[ $last ]]; then
        printf '%s %s\n' "$title" "$last"
    fi
}

build_failed() {
    local log=$1
    echo "the build failed; the end of $log:" >&2
    if grep -qE '(^FAILED:|error:|CMake Error)' "$log"; then
        grep -E -A 12 -m 5 '(^FAILED:|error:|CMake Error)' "$log" | cut -c 1-400 >&2
    else
        tail -n 40 "$log" >&2
    fi
}
