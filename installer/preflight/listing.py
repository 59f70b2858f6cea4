"""What preflight looks at, in words: the list in docs/operators-guide.md.

Run ``python -m installer.preflight.listing`` to write it anew.
"""

from __future__ import annotations

from installer import preflight
from installer.paths import ROOT
from installer.preflight import account_checks, answer_checks, between_hosts, host_checks, network_checks, source_checks

DOCUMENT = ROOT / "docs" / "operators-guide.md"
BEGIN = "<!-- what preflight looks at: written by python -m installer.preflight.listing -->"
END = "<!-- end -->"


def listing() -> str:
    """Return a line for every check: the sentence that its function begins with."""
    checks = (
        *preflight.CHECKS,
        *between_hosts.CHECKS,
        account_checks.check,
        network_checks.tunnels,
        host_checks.sources,
        source_checks.on_offer,
        answer_checks.fits,
    )
    return "".join(f"- {(look.__doc__ or '').strip().splitlines()[0]}\n" for look in checks)


def document(text: str) -> str:
    """Return the guide with the list as it is now.

    Args:
        text: the guide.

    Raises:
        ValueError: the marks between which the list stands are not there.
    """
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{DOCUMENT} has no {BEGIN} and {END}")
    return f"{head}{BEGIN}\n\n{listing()}\n{END}{tail}"


def main() -> None:
    """Write the list into the guide."""
    DOCUMENT.write_text(document(DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
