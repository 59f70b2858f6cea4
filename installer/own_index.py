"""Which Python package index and proxies this machine's own uv or pip is told of."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from uv import find_uv_bin

from installer.resources.python_index import pip_settings
from installer.resources.texts import text_of

_UV_VARIABLES = (
    "UV_CONFIG_FILE",
    "UV_DEFAULT_INDEX",
    "UV_INDEX",
    "UV_INDEX_URL",
    "UV_EXTRA_INDEX_URL",
    "UV_FIND_LINKS",
)


@dataclass(frozen=True)
class Sources:
    """Where distributions come from.

    Args:
        default: address of the package index; it may hold a login. Empty: none is told of.
        extra: addresses of others that are asked, too.
        find_links: pages or folders with files.
        proxy: the proxy for all of them; empty leaves it to the environment.
    """

    default: str = ""
    extra: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    proxy: str = ""

    @property
    def indexes(self) -> tuple[str, ...]:
        """All package indexes."""
        return tuple(filter(None, [self.default, *self.extra]))


def sources(given: str = "", environment: Mapping[str, str] = os.environ) -> Sources:
    """Return where this machine's Python distributions come from.

    Args:
        given: an index that goes before every configuration; empty leaves it to uv's or else pip's.
        environment: variables, stronger than files.
    """
    if given:
        return Sources(given, proxy=pip_sources(pip(environment)).proxy)
    told = uv_sources(environment) if uv_is_configured(environment) else pip_sources(pip(environment))
    return told if told.default else replace(told, default=default_index() or "")


def uv_sources(environment: Mapping[str, str]) -> Sources:
    """Return what this machine's uv is told of; see ``parse_uv``."""
    return parse_uv(map(text_of, map(str, uv_files(environment))), environment)


def parse_uv(texts: Iterable[str], environment: Mapping[str, str]) -> Sources:
    """Return what uv's configuration says.

    See https://docs.astral.sh/uv/concepts/indexes/.

    Args:
        texts: its files, the strongest last; one that cannot be parsed counts for nothing.
        environment: variables, stronger than files.
    """
    main, extra, links, proxy = "", list[str](), list[str](), ""
    for text in texts:
        try:
            told: dict[str, Any] = tomllib.loads(text)
        except tomllib.TOMLDecodeError:
            continue
        listed = [index for index in told.get("index", ()) if index.get("url") and not index.get("explicit")]
        defaults = [index["url"] for index in listed if index.get("default")]
        main = _first(defaults) or told.get("index-url", main)
        extra = [index["url"] for index in listed if not index.get("default")] + told.get("extra-index-url", extra)
        links = told.get("find-links", links)
        proxy = told.get("https-proxy", told.get("http-proxy", proxy))
    main = environment.get("UV_DEFAULT_INDEX") or environment.get("UV_INDEX_URL") or main
    for name in ("UV_INDEX", "UV_EXTRA_INDEX_URL"):
        # An entry may have a name in front: NAME=URL.
        extra += [re.sub(r"^[\w.-]+=", "", entry) for entry in environment.get(name, "").split()]
    links = [*links, *filter(None, re.split(r"[,\s]+", environment.get("UV_FIND_LINKS", "")))]
    return Sources(main, tuple(extra), tuple(links), proxy)


def pip_sources(told: Mapping[str, Sequence[str]]) -> Sources:
    """Return what pip is told of; the argument is what ``pip`` returns."""
    return Sources(
        _first(told.get("index-url", ())),
        tuple(told.get("extra-index-url", ())),
        tuple(told.get("find-links", ())),
        _first(told.get("proxy", ())),
    )


def default_index() -> str | None:
    """Return the address of the package index that uv asks when nothing else is configured, as its help states it."""
    told = subprocess.run([find_uv_bin(), "help", "pip", "install"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"--default-index.*?by default: <?(https?://[^\s>)]+)", told, re.DOTALL)
    return found.group(1) if found else None


def uv_files(environment: Mapping[str, str]) -> list[Path]:
    """Return uv's configuration files that are there, the strongest last."""
    given = environment.get("UV_CONFIG_FILE")
    files = [Path(given)] if given else [Path("/etc/uv/uv.toml"), settings(environment) / "uv" / "uv.toml"]
    return [path for path in files if path.exists()]


def uv_is_configured(environment: Mapping[str, str]) -> bool:
    """Tell whether this machine's uv is told of an index, or anything else."""
    return any(environment.get(name) for name in _UV_VARIABLES) or bool(uv_files(environment))


def pip(environment: Mapping[str, str]) -> dict[str, list[str]]:
    """Return what this machine's pip is told of indexes: its files, then its environment.

    See https://pip.pypa.io/en/stable/topics/configuration/#location.
    """
    files = ["/etc/xdg/pip/pip.conf", "/etc/pip.conf", str(Path.home() / ".pip" / "pip.conf")]
    files += [str(settings(environment) / "pip" / "pip.conf"), environment.get("PIP_CONFIG_FILE", "")]
    return parse_pip(map(text_of, filter(None, files)), environment)


def parse_pip(texts: Iterable[str], environment: Mapping[str, str]) -> dict[str, list[str]]:
    """Return what pip's configuration says; see ``installer.resources.python_index.pip_settings``.

    Args:
        texts: its files, the strongest last.
        environment: variables, stronger than files.
    """
    found = pip_settings(filter(None, texts))
    for key in ("index-url", "extra-index-url", "find-links", "proxy"):
        value = environment.get(f"PIP_{key.upper().replace('-', '_')}", "")
        if value:
            found[key] = value.split()
    return found


def settings(environment: Mapping[str, str]) -> Path:
    """Return the operator's folder for configuration."""
    given = environment.get("XDG_CONFIG_HOME", "")
    return Path(given) if given.startswith("/") else Path.home() / ".config"


def _first(items: Iterable[str]) -> str:
    return next(iter(items), "")
