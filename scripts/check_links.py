#!/usr/bin/env python3
"""check_links.py: relative links of the pages lead to files and headings that exist."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
LINK = re.compile(r"\]\(([^)# :]*)(?:#([^)]*))?\)")


def lines_outside_code(path):
    inside = False
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("```"):
            inside = not inside
        elif not inside:
            yield line


def anchors_of(path):
    """The fragments that GitHub gives to the headings of a page."""
    found = {}
    for line in lines_outside_code(path):
        if heading := re.match(r"#+ (.*)", line):
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
            name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
            count = found[name] = found.get(name, -1) + 1
            yield f"{name}-{count}" if count else name


def main():
    wrong, anchors = 0, {}
    for page in sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]):
        for target, fragment in (link for line in lines_outside_code(page) for link in LINK.findall(line)):
            path = (page.parent / target).resolve() if target else page
            if path.suffix == ".md" and path.exists() and path not in anchors:
                anchors[path] = set(anchors_of(path))
            if not path.exists() or (fragment and fragment not in anchors.get(path, ())):
                print(f"{page.relative_to(ROOT)}: the link {target}{'#' if fragment else ''}{fragment} leads nowhere")
                wrong = 1
    return wrong


if __name__ == "__main__":
    sys.exit(main())
