"""Which package index and proxies a host uses: its own configuration, carried over to uv."""

from __future__ import annotations

import json
import re
from typing import Dict, Iterable, List, Mapping, Optional, Sequence

from installer.resources.secret import Secret
from installer.resources.texts import ini_files, text_of

#: Where the host's own uv is configured; it reads these itself.
HOST_CONFIGURATION = ("/etc/uv/uv.toml", "/root/.config/uv/uv.toml")
#: Where pip is configured, the strongest last (https://pip.pypa.io/en/stable/topics/configuration/#location).
PIP_CONFIGURATION = ("/etc/xdg/pip/pip.conf", "/etc/pip.conf", "/root/.pip/pip.conf", "/root/.config/pip/pip.conf")

_PIP_KEYS = ("index-url", "extra-index-url", "find-links", "proxy")


def read_pip(paths: Sequence[str] = PIP_CONFIGURATION) -> Dict[str, List[str]]:
    """Return what the host's pip is told of indexes and proxies; see ``pip_settings``."""
    return pip_settings(filter(None, map(text_of, paths)))


def pip_settings(texts: Iterable[str]) -> Dict[str, List[str]]:
    """Return index-url, extra-index-url, find-links and proxy of pip's configuration files.

    Args:
        texts: the files, the strongest last; one that cannot be parsed counts for nothing.
    """
    settings: Dict[str, List[str]] = {}
    for parser in ini_files(texts):
        for section in ("global", "install"):
            for key in _PIP_KEYS:
                value = parser.get(section, key, fallback=None)
                if value is not None:
                    settings[key] = value.split()
    return settings


def configuration(index: Optional[Secret], proxies: Mapping[str, Secret], pip: Mapping[str, Sequence[str]]) -> str:
    """Return uv's configuration file.

    Args:
        index: the index to use; None for what pip uses.
        proxies: ``http_proxy``, ``https_proxy``, ``no_proxy``.
        pip: see ``pip_settings``.
    """
    # Every distribution is known by its hash: whichever index has it will do.
    lines = ['index-strategy = "unsafe-best-match"']
    found = {name: secret.reveal() for name, secret in proxies.items() if secret}
    if not found and pip.get("proxy"):
        found = {"http_proxy": pip["proxy"][0], "https_proxy": pip["proxy"][0]}
    for name in ("http_proxy", "https_proxy"):
        if name in found:
            lines.append(f"{name.replace('_', '-')} = {_quoted(found[name])}")
    if "no_proxy" in found:
        names = [name for name in re.split(r"[,\s]+", found["no_proxy"]) if name]
        lines.append(f"no-proxy = {_list(names)}")
    main, extra = ([index.reveal()], []) if index else (pip.get("index-url", []), pip.get("extra-index-url", []))
    if pip.get("find-links") and not index:
        lines.append(f"find-links = {_list(pip['find-links'])}")
    for address in extra:
        lines += ["[[index]]", f"url = {_quoted(address)}"]
    for address in main[:1]:
        lines += ["[[index]]", f"url = {_quoted(address)}", "default = true"]
    return "\n".join([*lines, ""])


def host_proxies(path: str = "/etc/environment") -> Dict[str, str]:
    """Return the proxies that the host gives to every login."""
    return environment_proxies(text_of(path))


def environment_proxies(text: str) -> Dict[str, str]:
    """Return the proxy variables of an environment file as pam_env reads it."""
    pairs = re.findall(r"^\s*(?:export\s+)?(\w+_proxy)\s*=\s*(.*?)\s*$", text, re.MULTILINE | re.IGNORECASE)
    return {name: value.strip("'\"") for name, value in pairs if value.strip("'\"")}


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _list(items: Sequence[str]) -> str:
    return f"[{', '.join(map(_quoted, items))}]"
