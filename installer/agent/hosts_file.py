"""What /etc/hosts of this host says, but for what pystack wrote there. Changes nothing."""

from __future__ import annotations

from typing import Any, Dict, List

from installer.resources import host_entry
from installer.resources.texts import text_of

#: Lists of unwanted servers can be long; names of hosts stand at the beginning.
AT_MOST = 300


def hosts_file(path: str = "/etc/hosts") -> List[Dict[str, Any]]:
    """Return the first lines that map anything: ``number`` from 1, ``text``, ``address``, ``names`` in lower case.

    Args:
        path: the file.
    """
    lines = [line for line in host_entry.parse(text_of(path)) if line.address and not line.ours]
    return [
        {"number": line.number, "text": line.text.strip(), "address": line.address, "names": list(line.names)}
        for line in lines[:AT_MOST]
    ]
