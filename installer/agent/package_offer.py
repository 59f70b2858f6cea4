"""Whether this host's dnf finds the packages that are to be installed. Changes nothing."""

from __future__ import annotations

import re
from typing import Any, Dict, Sequence

from installer.agent.host import CommandFailed
from installer.agent.package_list import Asking, Repositories
from installer.resources import dnf

#: Seconds for reading what is new of the lists of all repositories, and for waiting for whoever else is at work.
PATIENCE = 180.0
#: What dnf 4 and 5 say of repositories that they go on without.
_UNREAD = re.compile(r"Ignoring repositories|Failed to download metadata")


def lacking(names: Sequence[str], repositories: Sequence[str], asking: Asking) -> Dict[str, Any]:
    """Return ``missing``, of some packages those that no repository has; and ``problem``, why that cannot be told.

    Args:
        names: the packages; those that are installed are not asked for.
        repositories: ids of those that dnf is to use, too, if the host has them and leaves them off.
        asking: how dnf is asked.
    """
    try:
        absent = dnf.missing(names, asking.host) if names else ()
        if not absent:
            return {"missing": [], "problem": ""}
        wanted = [name for name in names if name in absent]
        # What none has is told of, and the others are looked at all the same.
        options = ["--assumeno", "--setopt=install_weak_deps=False", "--setopt=strict=False"]
        words = [*options, *Repositories(repositories).options(), "install", *wanted]
        said = asking.run(["dnf", *words], PATIENCE)
    except CommandFailed as failed:
        return {"missing": [], "problem": str(failed)}
    text = said.out + said.err
    if _UNREAD.search(text):
        return {"missing": [], "problem": dnf.why(dnf.NOT_FOUND.sub("", text)) or "a repository cannot be read"}
    return {"missing": list(dict.fromkeys(dnf.NOT_FOUND.findall(text))), "problem": ""}
