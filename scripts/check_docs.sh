#!/usr/bin/env bash
# check_docs.sh [--fix]: code in the documentation is code that the build compiles.
# A fenced block after `<!-- file: PATH -->` must equal that file; after `<!-- file: PATH#TAG -->` it must equal the lines
# between `// [TAG]` and `// [/TAG]` in it. --fix writes the blocks anew. Relative links lead to files and headings that
# exist; so do the tests, the tables and the columns that the pages name.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

fix=false
[[ ${1:-} == --fix ]] && fix=true
bad=0

rewritten() { # rewritten FILE: the file with its blocks filled from their sources
    awk '
    function source_text(name,    path, tag, line, text, inside) {
        path = name; tag = ""
        if (index(name, "#")) { path = substr(name, 1, index(name, "#") - 1); tag = substr(name, index(name, "#") + 1) }
        text = ""; inside = (tag == "")
        while ((status = (getline line < path)) > 0) {
            if (tag != "" && index(line, "[/" tag "]")) inside = 0
            if (inside) text = text line "\n"
            if (tag != "" && index(line, "// [" tag "]")) inside = 1
        }
        close(path)
        if (status < 0 || text == "") { print "no such source: " name > "/dev/stderr"; exit 1 }
        return text
    }
    /^<!-- file: .* -->$/ { wanted = $3; print; next }
    wanted != "" && /^```/ { print; printf "%s", source_text(wanted); wanted = ""; skipping = 1; next }
    skipping && /^```/ { skipping = 0 }
    !skipping { print }
    ' "$1"
}

for file in *.md docs/*.md; do
    if ! rewritten "$file" | cmp -s - "$file"; then
        if $fix; then
            text=$(rewritten "$file")
            printf '%s\n' "$text" >"$file"
        else
            echo "$file: a code block differs from its source; run scripts/check_docs.sh --fix"
            bad=1
        fi
    fi
done

# Every test that the guarantees and the comparison name exists: `suite.name` in a list, or in the third column.
tests_named_in() { # tests_named_in FILE
    sed -nE 's/^- (`[a-z_0-9]+\.[a-z_0-9.]+`)$/\1/p; s/^\|[^|]*\|[^|]*\|([^|]*)\|$/\1/p' "$1" |
        grep -oE '`[a-z_0-9]+\.[a-z_0-9.]+`' | tr -d '`' | sort -u
}
# Every promise of the guarantees' first table has a section with tests.
while read -r promise; do
    awk -v heading="### $promise:" 'index($0, heading) == 1 { inside = 1; next } /^#/ { inside = 0 }
        inside && /^- `/ { found = 1 } END { exit !found }' docs/guarantees.md || {
        echo "docs/guarantees.md: no test is named below a heading \"### $promise: …\""
        bad=1
    }
done < <(grep -oE '^\| P[0-9]+' docs/guarantees.md | cut -c3-)
declared=$(mktemp)
trap 'rm -f "$declared"' EXIT
{
    grep -rhoE 'TEST(_F|_P)?\([a-z_0-9A-Z]+, [a-z_0-9A-Z]+\)' tests --include='*_test.cpp' |
        sed -E 's/TEST(_F|_P)?\(([^,]+), ([^)]+)\)/\2.\3/'
    grep -rhoE 'NAME [a-z_0-9.]+' tests --include=CMakeLists.txt | sed 's/^NAME //'
} | sort -u >"$declared"
for page in docs/guarantees.md docs/compared.md; do
    while read -r test; do
        echo "$page: there is no test $test"
        bad=1
    done < <(tests_named_in "$page" | comm -23 - "$declared")
done
scripts/check_links.py || bad=1
scripts/check_storage.py || bad=1

# What a reader needs is in this repository: no reference leads to notes outside of it, neither in words nor in a test's name.
outside='\b(WIRE|DESIGN|WEAKNESSES|BEHAVIOURS|FAULTS|TRAPS|HOUSE)( [0-9BW]|\.md)|\b[BW][0-9]{1,3}\b|\b[bw][0-9]{1,3}_[a-z]|\bissue [0-9]'
if grep -rnE --include='*.[ch]pp' --include='*.md' --include='*.toml' --include='*.py' --include='CMakeLists.txt' \
    "$outside" -- *.md bench docs examples include src tests; then
    echo "these lines refer to notes outside the repository; say what they say, or link a page of docs/"
    bad=1
fi
exit $bad
