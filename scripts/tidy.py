#!/usr/bin/env python3
"""usage: scripts/tidy.py [BUILD_DIR] [PATH_PREFIX...]

Runs clang-tidy over the project's own sources (src/ and examples/, or the given prefixes), one process per core.
A source whose preprocessed text and checks have passed before is not looked at again; BUILD_DIR/tidy remembers.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import shlex
import subprocess
import sys

CLANG_TIDY = os.environ.get("CLANG_TIDY", "clang-tidy-14")
ROOT = pathlib.Path(__file__).resolve().parent.parent


def preprocessed(entry):
    """The text that the compiler sees, comments included: a NOLINT counts."""
    command = shlex.split(entry["command"])
    if pathlib.Path(command[0]).name == "ccache":
        command = command[1:]
    command[command.index("-o") + 1] = "-"
    command[command.index("-c")] = "-E"
    return subprocess.run([*command, "-C"], cwd=entry["directory"], check=True, capture_output=True).stdout


def fingerprint(entry):
    digest = hashlib.sha256(preprocessed(entry))
    for folder in pathlib.Path(entry["file"]).parents:
        checks = folder / ".clang-tidy"
        if checks.exists():
            digest.update(checks.read_bytes())
        if folder == ROOT:
            return digest.hexdigest()
    return digest.hexdigest()


def tidy(entry, build, memory):
    """The findings in one source, or an empty string."""
    known = memory / fingerprint(entry)
    if known.exists():
        return ""
    result = subprocess.run(
        # g++ knows warnings that clang does not.
        [CLANG_TIDY, "-p", str(build), "--quiet", "--extra-arg=-Wno-unknown-warning-option", entry["file"]],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode == 0:
        known.touch()
        return ""
    return result.stdout or result.stderr


def main():
    if set(sys.argv) & {"-h", "--help"}:
        print(__doc__)
        return 0
    build = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "build").resolve()
    prefixes = tuple(str(ROOT / prefix) for prefix in sys.argv[2:] or ["src/", "examples/"])
    memory = build / "tidy"
    memory.mkdir(exist_ok=True)
    commands = json.loads((build / "compile_commands.json").read_text())
    entries = {entry["file"]: entry for entry in commands if entry["file"].startswith(prefixes)}

    failed = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for findings in pool.map(lambda entry: tidy(entry, build, memory), entries.values()):
            if findings:
                failed += 1
                print(findings, flush=True)
    print(f"{len(entries) - failed} of {len(entries)} sources are clean")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
