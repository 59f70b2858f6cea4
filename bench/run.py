"""Measures pystack: python bench/run.py hosts|noop|install. Results are shown, and kept in bench/results/."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    names = parser.add_subparsers(dest="name", required=True)
    one = names.add_parser("hosts", help="cost by number of hosts, beside Ansible and pyinfra")
    one.add_argument(
        "--counts", type=int, nargs="+", default=[1, 10, 50], metavar="N", help="numbers of hosts, growing"
    )
    one.add_argument(
        "--ansible-up-to",
        type=int,
        default=50,
        metavar="N",
        help="leave Ansible out above N hosts: it takes 10 minutes",
    )
    for name, help_text in (
        ("noop", "an unchanged re-run, beside Ansible, and its round trips"),
        ("install", "a fresh installation by role"),
    ):
        one = names.add_parser(name, help=help_text)
        one.add_argument("--host", default="bench", metavar="NAME", help="lab host to use, made if need be")
        one.add_argument("--keep", action="store_true", help="leave that host for the next time")
        one.add_argument("--whole", action="store_true", help="the whole cloud, not the identity service alone")
    given = parser.parse_args()
    if given.name == "hosts":
        import hosts

        hosts.run(given.counts, given.ansible_up_to)
    elif given.name == "noop":
        import noop

        noop.run(given.host, given.keep, given.whole)
    else:
        import install

        install.run(given.host, given.keep, given.whole)
