#!/usr/bin/env python3
"""usage: scripts/tidy.py [BUILD_DIR] [PATH_PREFIX...]

Runs clang-tidy over the project's own sources (src/ and examples/, or the given prefixes), one process per core.
Most of its time goes into the included headers, so the sources of a folder are read as one; where they do not go
together, because two of them give a name two meanings, each is read by itself.
What has passed before, by its preprocessed text and its checks, is not looked at again; BUILD_DIR/tidy remembers.
"""

import concurrent.futures
import dataclasses
import hashlib
import itertools
import json
import os
import pathlib
import shlex
import subprocess
import sys

CLANG_TIDY = os.environ.get("CLANG_TIDY", "clang-tidy-14")
ROOT = pathlib.Path(__file__).resolve().parent.parent


@dataclasses.dataclass(frozen=True, order=True)
class Source:
    folder: str
    options: tuple  # of the compiler
    path: str
    directory: str  # where the compiler runs

    @staticmethod
    def of(entry):
        command = shlex.split(entry["command"])
        output = command.index("-o")
        options = [*command[1:output], *command[output + 2 :]]
        options.remove("-c")
        options.remove(entry["file"])
        # What g++ has precompiled is nothing to clang-tidy; without it, it even sees a missing include.
        if "-include" in options and "-Xclang" not in options:
            precompiled = options.index("-include")
            del options[precompiled : precompiled + 2]
        return Source(str(pathlib.Path(entry["file"]).parent), tuple(options), entry["file"], entry["directory"])


def joined(sources):
    """One source that includes all."""
    return "".join(f'#include "{source.path}"  // NOLINT(bugprone-suspicious-include)\n' for source in sources)


def checks_for(folder):
    """The nearest configuration, as clang-tidy looks for it."""
    return next(parent / ".clang-tidy" for parent in (folder, *folder.parents) if (parent / ".clang-tidy").exists())


def fingerprint(sources, compiler, checks):
    """Of the text that the compiler sees, comments included: a NOLINT counts."""
    text = subprocess.run(
        [compiler, *sources[0].options, "-E", "-C", "-x", "c++", "-"],
        cwd=sources[0].directory,
        input=joined(sources).encode(),
        check=True,
        capture_output=True,
    ).stdout
    return hashlib.sha256(text + checks.read_bytes()).hexdigest()


def tidy(sources, compiler, memory):
    """The findings in sources of one folder with the same options, or an empty string."""
    first = sources[0]
    checks = checks_for(pathlib.Path(first.folder))
    known = memory / fingerprint(sources, compiler, checks)
    if known.exists():
        return ""
    together = known.with_suffix(".cpp")
    together.write_text(joined(sources))
    # g++ knows warnings that clang does not, and sees what is shadowed in a source of its own.
    options = [*first.options, "-Wno-unknown-warning-option", "-Wno-shadow"]
    result = subprocess.run(
        [CLANG_TIDY, "--quiet", f"--config-file={checks}", together, "--", *options],
        cwd=first.directory,
        capture_output=True,
        text=True,
        check=False,
    )
    together.unlink()
    if result.returncode == 0:
        known.touch()
        return ""
    findings = result.stdout or result.stderr
    if "[clang-diagnostic-error]" in findings and len(sources) > 1:
        print(f"{first.folder}: its sources do not go together and are read one by one", flush=True)
        return "".join(tidy([source], compiler, memory) for source in sources)
    return findings


def main():
    if set(sys.argv) & {"-h", "--help"}:
        print(__doc__)
        return 0
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
    prefixes = tuple(str(ROOT / prefix) for prefix in sys.argv[2:] or ["src/", "examples/"])
    memory = build / "tidy"
    memory.mkdir(exist_ok=True)
    commands = json.loads((build / "compile_commands.json").read_text())
    if any("/Unity/" in entry["file"] for entry in commands):
        sys.exit(
            f"{build} was configured with joined sources; "
            "run `cmake --preset dev -B build/single -DSLUICE_JOIN_SOURCES=OFF` and give build/single"
        )
    compiler = shlex.split(commands[0]["command"])[0]
    entries = {entry["file"]: entry for entry in commands if entry["file"].startswith(prefixes)}
    sources = sorted(map(Source.of, entries.values()))
    groups = [list(group) for _, group in itertools.groupby(sources, lambda each: (each.folder, each.options))]
    groups.sort(key=len, reverse=True)

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for findings in pool.map(lambda group: tidy(group, compiler, memory), groups):
            if findings:
                failed += 1
                print(findings, flush=True)
    print(f"{len(sources)} sources: " + (f"findings in {failed} of {len(groups)} folders" if failed else "clean"))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
