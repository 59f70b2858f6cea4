"""Which Python package index and proxies this machine's own uv or pip is told of."""

from __future__ import annotations

import os
import re
import subprocess
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
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
        indexes: addresses of package indexes; one may hold a login.
        find_links: pages or folders with files.
        proxy: the proxy for all of them; empty leaves it to the environment.
    """

    indexes: tuple[str, ...]
    find_links: tuple[str, ...] = ()
    proxy: str = ""


def sources(given: str = "", environment: Mapping[str, str] = os.environ) -> Sources:
    """Return where this machine's Python distributions come from.

    Args:
        given: an index that goes before every configuration; empty leaves it to uv's or else pip's.
        environment: variables, stronger than files.
    """
    if given:
        return Sources((given,), proxy=_first(pip(environment).get("proxy", ())))
    if uv_is_configured(environment):
        return uv_sources(map(text_of, map(str, uv_files(environment))), environment)
    told = pip(environment)
    main = told.get("index-url") or list(filter(None, [default_index()]))
    return Sources(
        (*main[:1], *told.get("extra-index-url", ())), tuple(told.get("find-links", ())), _first(told.get("proxy", ()))
    )


def uv_sources(texts: Iterable[str], environment: Mapping[str, str]) -> Sources:
    """Return what uv's configuration says; what it leaves open is uv's own default.

    See https://docs.astral.sh/uv/concepts/indexes/.

    Args:
        texts: its files, the strongest last.
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
    return Sources(tuple(filter(None, [*extra, main or default_index() or ""])), tuple(links), proxy)


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
    found = pip_settings(filter(None, map(text_of, filter(None, files))))
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
