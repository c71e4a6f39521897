# SPDX-License-Identifier: GPL-2.0
"""What `lab prove` calls."""

import argparse
import os
import sys

from .spec import SPEC, Spec


def parse():
    parser = argparse.ArgumentParser(prog="fwprove", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)

    prove = commands.add_parser("prove", help="prove both objects")
    prove.add_argument("--rust", required=True, help="the object of the Rust handlers")
    prove.add_argument("--c", required=True, help="the object of the C handlers")
    prove.add_argument("--rust-layout", required=True, help="layout.c, compiled for the Rust kernel")
    prove.add_argument("--c-layout", required=True, help="layout.c, compiled for the C kernel")
    prove.add_argument("--linker", default="ld.lld", help="a linker for arm64 (ld.lld)")
    prove.add_argument("--mutants", type=int, default=12, metavar="N",
                       help="how many mistakes to try (12); 0 for none, -1 for all")
    prove.add_argument("--json", help="write what was found to this file, too")

    docs = commands.add_parser("docs", help="the tables of the acceptance page")
    what = docs.add_mutually_exclusive_group(required=True)
    what.add_argument("--check", metavar="PAGE", help="fail if they are not the specification's")
    what.add_argument("--write", metavar="PAGE", help="write them anew")
    return parser.parse_args()


def docs(options):
    from .docs import rewritten

    path = options.check or options.write
    with open(path, encoding="utf-8") as file:
        page = file.read()
    made = rewritten(page, Spec())
    if options.check and made != page:
        sys.exit(f"{path} has other tables than {SPEC}: run `lab prove --docs`")
    if options.write and made != page:
        part = f"{path}.part"
        with open(part, "w", encoding="utf-8") as file:
            file.write(made)
        os.replace(part, path)
        print(f"wrote {path}")


def main():
    options = parse()
    try:
        if options.command == "docs":
            return docs(options)
        # Loads angr, which the tables do not need.
        from .proof import prove

        return 0 if prove(options) else 1
    except (OSError, ValueError) as error:
        return f"fwprove: {error}"


if __name__ == "__main__":
    sys.exit(main())
