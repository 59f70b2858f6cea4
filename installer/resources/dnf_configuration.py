"""What dnf's own configuration on this host says (dnf.conf(5), dnf5.conf(5))."""

from __future__ import annotations

import glob
import os
import re
from typing import List, Sequence, Tuple

from installer.resources.texts import ini_files, text_of

#: Where dnf 5 looks for parts of it.
PARTS = ("/usr/share/dnf5/libdnf.conf.d", "/etc/dnf/libdnf5.conf.d")
OWN = "/etc/dnf/dnf.conf"
#: Folders of files with repositories, and with values of variables; the strongest last.
REPOSITORIES = ("/usr/share/dnf5/repos.d", "/etc/distro.repos.d", "/etc/yum/repos.d", "/etc/yum.repos.d")
VARIABLES = ("/usr/share/dnf5/vars.d", "/etc/yum/vars", "/etc/dnf/vars")
_SEPARATOR = re.compile(r"[\s,]+")


def files(parts: Sequence[str] = PARTS) -> List[str]:
    """Return dnf's configuration files, the strongest last: parts by their names, then its own (seen with dnf 5.4).

    Args:
        parts: folders of the parts; one in a later folder takes the place of one that is called the same.
    """
    found = {os.path.basename(path): path for folder in parts for path in glob.glob(f"{folder}/*.conf")}
    return [*(found[name] for name in sorted(found)), OWN]


def texts() -> List[str]:
    """Return what dnf's configuration files hold, the strongest last."""
    return list(map(text_of, files()))


def words(text: str) -> Tuple[str, ...]:
    """Return the items of a list as files of dnf's have it (dnf.conf(5), "Types of options")."""
    return tuple(filter(None, _SEPARATOR.split(text)))


def repository_folders() -> Tuple[str, ...]:
    """Return the folders in which dnf looks for repositories: those that ``reposdir`` says, or its own."""
    return _said("reposdir") or REPOSITORIES


def variable_folders() -> Tuple[str, ...]:
    """Return the folders in which dnf looks for values of variables: those that ``varsdir`` says, or its own."""
    return _said("varsdir") or VARIABLES


def _said(option: str) -> Tuple[str, ...]:
    """Return the words of a list in the main section, as the strongest file has it."""
    found: Tuple[str, ...] = ()
    for parser in ini_files(texts()):
        if parser.has_option("main", option):
            found = words(parser.get("main", option))
    return found
