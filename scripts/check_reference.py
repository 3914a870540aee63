#!/usr/bin/env python3
"""check_reference.py XML_FOLDER: every public class says what it is for, and how it behaves among threads.

A class may leave the latter to a class that it derives from.
"""
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def read(path):
    return ElementTree.parse(path).getroot().find("compounddef")


def text_of(compound):
    return "".join("".join(compound.find(part).itertext()) for part in ("briefdescription", "detaileddescription"))


def problems_of(name, compound, classes):
    if not text_of(compound).strip():
        yield f"{name} does not say what it is for"
    bases = [classes[base.get("refid")] for base in compound.iterfind("basecompoundref") if base.get("refid") in classes]
    if not any("Thread safety:" in text_of(each) for each in [compound, *bases]):
        yield f"{name} does not say how it behaves among threads; add a line `/// Thread safety: …`"


def main(folder):
    classes = {path.stem: read(path) for kind in ("class", "struct") for path in folder.glob(f"{kind}*.xml")}
    problems = []
    for compound in classes.values():
        name = compound.findtext("compoundname")
        if compound.get("prot") == "public" and name.startswith("sluice::"):
            problems += problems_of(name, compound, classes)
    print("\n".join(sorted(problems)), end="\n" if problems else "")
    return 1 if problems or not classes else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1])))
