"""What the machine trusts and which package index it uses, for a lab host to trust and use the same."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from installer import own_index
from installer.own_index import Sources

_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
_DISTRIBUTION = Path("/usr/share/ca-certificates")
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


def own_authorities(bundle: str, distribution: Iterable[str]) -> dict[str, str]:
    """Return the CA certificates that somebody added to the machine's bundle.

    Args:
        bundle: text of the machine's CA bundle.
        distribution: texts of the certificates that its ca-certificates package ships.

    Returns:
        PEM text by file name; the name comes from the content, so the same certificate gets the same name.
    """
    shipped = {_squeeze(pem) for text in distribution for pem in _PEM.findall(text)}
    own = [pem for pem in _PEM.findall(bundle) if _squeeze(pem) not in shipped]
    return {f"machine-{hashlib.sha256(_squeeze(pem).encode()).hexdigest()[:16]}.crt": pem + "\n" for pem in own}


def _squeeze(pem: str) -> str:
    return "".join(pem.split())


def read_own_authorities() -> dict[str, str]:
    """Return the CA certificates that this machine trusts beyond its distribution's, by file name."""
    if not _BUNDLE.is_file():
        return {}
    shipped = (path.read_text(errors="replace") for path in sorted(_DISTRIBUTION.rglob("*.crt")))
    return own_authorities(_BUNDLE.read_text(errors="replace"), shipped)


def index_addresses(uv: Sources, pip: Sources) -> tuple[str | None, list[str]]:
    """Return the machine's Python package index and its extra ones, as far as a lab host can reach them.

    Args:
        uv: what the machine's uv is told of.
        pip: what its pip is told of.

    Returns:
        The index, or None where none is set, and the extra indexes; only http and https addresses.
    """
    main = uv.default or pip.default
    return (main if _remote(main) else None), list(dict.fromkeys(filter(_remote, [*uv.extra, *pip.extra])))


def _remote(address: str) -> bool:
    return address.startswith(("http://", "https://"))


def read_index_addresses() -> tuple[str | None, list[str]]:
    """Return the Python package index and the extra ones of this machine (see `index_addresses`)."""
    return index_addresses(own_index.uv_sources(os.environ), own_index.pip_sources(own_index.pip(os.environ)))


def pip_conf(index: str | None, extra: list[str], own_authorities: bool) -> str:
    """Return the text of a lab host's /etc/pip.conf; empty when it needs none."""
    lines = [f"index-url = {index}"] if index else []
    lines += ["extra-index-url ="] + [f"    {address}" for address in extra] if extra else []
    lines += [f"cert = {_BUNDLE}"] if own_authorities else []
    return "\n".join(["[global]", *lines, ""]) if lines else ""


def uv_toml(index: str | None, extra: list[str], own_authorities: bool) -> str:
    """Return the text of a lab host's /etc/uv/uv.toml; empty when it needs none."""
    lines = ["system-certs = true"] if own_authorities else []
    for address in extra:
        lines += ["[[index]]", f'url = "{address}"']
    if index:
        lines += ["[[index]]", f'url = "{index}"', "default = true"]
    return "\n".join([*lines, ""]) if lines else ""


def proxy_environment(environment: Mapping[str, str], network: str) -> dict[str, str]:
    """Return the machine's proxy variables for a lab host, the lab's own network left out of the proxying.

    Args:
        environment: the machine's environment variables.
        network: the lab's network, such as ``192.0.2.0/24``.
    """
    names = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    proxies = {name: environment[name] for name in names if environment.get(name)}
    if proxies:
        given = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
        direct = ",".join(filter(None, [given, "localhost", "127.0.0.1", ".lab", network]))
        proxies |= {"no_proxy": direct, "NO_PROXY": direct}
    return proxies
