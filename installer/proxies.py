"""The proxies of the answer file, as programs on the hosts take them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from installer.resources.secret import Secret


def environment(answers: Mapping[str, Any]) -> tuple[tuple[str, Secret], ...]:
    """Return ``http_proxy``, ``https_proxy`` and ``no_proxy`` with their values, as far as they are given.

    Args:
        answers: the answer file; a proxy may have a password in its address.
    """
    wanted = {
        "http_proxy": answers["CONFIG_HTTP_PROXY"],
        "https_proxy": answers["CONFIG_HTTPS_PROXY"],
        "no_proxy": ",".join(map(str, answers["CONFIG_NO_PROXY"] or ())),
    }
    return tuple((name, Secret(str(value))) for name, value in wanted.items() if value)
