"""Whether package sources and the Python package index can be reached from this host. Changes nothing."""

from __future__ import annotations

import base64
import glob
import http.client
import os
import re
import socket
import ssl
import urllib.error
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple

from installer.agent.host import Host
from installer.resources import dnf_configuration, python_index, repository
from installer.resources.package_manager import APT, package_manager
from installer.resources.texts import ini_files, text_of

PATIENCE = 8.0
#: A few sources tell what there is to tell; asking a hundred repositories would only be slow.
AT_MOST = 4
#: Answers that a download would get, too: no login, and those of a proxy or gateway with nobody behind it.
_NO_WAY = (401, 407, 502, 503, 504)
#: RFC 1928.
SOCKS_PORT = 1080
_LOGIN = ("username", "password")
_REMOTE = ("http://", "https://")
#: A mirror of the site on a disk of the host, and apt's copy of it.
_FOLDERS = ("file:", "copy:")
_TRUST_STORES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem")


def reach(index: Optional[str], proxies: Mapping[str, str], host: Host) -> List[Dict[str, str]]:
    """Return one entry per source asked: ``what`` (packages or index), ``url``, ``problem`` (empty: reached).

    Args:
        index: address of a Python package index; None asks none.
        proxies: proxy by scheme, as the answer file gives them; ``no``: what is reached without one.
        host: the host.
    """
    with ThreadPoolExecutor(max_workers=AT_MOST + 1) as pool:
        # The index is asked while the package manager says what its sources are.
        asked = [("index", index, pool.submit(_ask, index, index_proxies(proxies)))] if index else []
        urls = package_sources(host)[:AT_MOST]
        own = package_manager_proxies(host)
        asked = [("packages", url, pool.submit(_ask, url, package_proxies(url, own, proxies))) for url in urls] + asked
    found = [{"what": what, "url": split_login(url)[0], "problem": answer.result()} for what, url, answer in asked]
    if not urls:
        found.insert(0, {"what": "packages", "url": "", "problem": "no package source is configured"})
    return found


def index_of(given: str, default: Optional[str]) -> Optional[str]:
    """Return the package index that this host will use, as ``VirtualEnvironment`` does.

    Args:
        given: the answer file's, or nothing.
        default: the one that is asked where nothing is configured.
    """
    if given:
        return given
    own = uv_indexes(python_index.HOST_CONFIGURATION)
    return next(iter(python_index.read_pip().get("index-url", []) if own is None else own), default)


def uv_indexes(paths: Sequence[str]) -> Optional[List[str]]:
    """Return the addresses of indexes in uv's configuration files; None without such a file."""
    texts = list(map(text_of, filter(os.path.exists, paths)))
    found = [url for text in texts for url in re.findall(r'^\s*(?:index-)?url\s*=\s*"([^"]+)"', text, re.MULTILINE)]
    return found if texts else None


def index_proxies(given: Mapping[str, str]) -> Mapping[str, str]:
    """Return the proxy by scheme for the package index: the answer file's, else the one that the host has for it.

    Args:
        given: by scheme, as the answer file gives them.
    """
    pip = python_index.read_pip().get("proxy", [])
    if given or pip:
        return given or {"http": pip[0], "https": pip[0]}
    found = {name.lower(): value for name, value in python_index.host_proxies().items()}
    # uv is given all of them; the one for all schemes counts where a scheme has none of its own.
    both = {scheme: found["all_proxy"] for scheme in ("http", "https") if "all_proxy" in found}
    return {
        **both,
        **{scheme: found[f"{scheme}_proxy"] for scheme in ("http", "https", "no") if f"{scheme}_proxy" in found},
    }


def package_manager_proxies(host: Host) -> Dict[str, str]:
    """Return the proxies in the package manager's own configuration, by what they are for; see ``parse_apt_proxies``
    and ``parse_dnf_proxy``."""
    if package_manager(host) == APT:
        return parse_apt_proxies(host.run(["apt-config", "dump"], expect=None).out)
    return parse_dnf_proxy(dnf_configuration.texts())


def parse_apt_proxies(text: str) -> Dict[str, str]:
    """Return the proxies of ``apt-config dump`` by scheme, and by ``scheme::server``; empty: directly.

    Source: apt-transport-http(1), apt-transport-https(1).
    """
    found = re.findall(r'^Acquire::(https?)::Proxy(::[^\s"]+)? "(.*)";$', text, re.MULTILINE | re.IGNORECASE)
    return {
        scheme.lower() + server.lower(): "" if proxy.lower() in ("direct", "false") else proxy
        for scheme, server, proxy in found
        if proxy
    }


def parse_dnf_proxy(texts: Iterable[str]) -> Dict[str, str]:
    """Return the proxy of dnf's configuration files, the strongest last, for both schemes. Source: dnf.conf(5)."""
    main: Dict[str, str] = {}
    for parser in ini_files(texts):
        if parser.has_section("main"):
            main.update(parser.items("main"))
    proxy = main.get("proxy", "").strip()
    if proxy == "_none_":
        proxy = ""
    elif not proxy:
        return {}
    if proxy and main.get("proxy_username"):
        name, password = (urllib.parse.quote(main.get(f"proxy_{key}", "").strip(), safe="") for key in _LOGIN)
        proxy = proxy.replace("://", f"://{name}:{password}@", 1)
    return {"http": proxy, "https": proxy}


def package_proxies(url: str, own: Mapping[str, str], given: Mapping[str, str]) -> Mapping[str, str]:
    """Return the proxy by scheme through which the package manager asks an address.

    Args:
        url: the address.
        own: the package manager's own proxies, which go before all others.
        given: by scheme, as the answer file gives them.
    """
    parts = urllib.parse.urlsplit(url)
    # What apt is told of http counts for https, too, unless that has an entry of its own.
    for scheme in dict.fromkeys((parts.scheme, "http")):
        for key in (f"{scheme}::{parts.hostname}", scheme):
            if key in own:
                return {parts.scheme: own[key]} if own[key] else {}
    return given


def package_sources(host: Host) -> List[str]:
    """Return the addresses that the host's package manager would ask, each server's first one."""
    if package_manager(host) == APT:
        found = parse_apt_uris(host.run(["apt-get", "update", "--print-uris"], expect=None).out)
    else:
        found = parse_repositories(*repository.files_on_this_host(), dnf_variables(host))
    return [url for url in found if url.startswith((*_REMOTE, *_FOLDERS))]


def parse_apt_uris(text: str) -> List[str]:
    """Return one address per server from ``apt-get update --print-uris``."""
    return _one_per_server(re.findall(r"^'([^']+)'", text, re.MULTILINE))


def parse_repositories(texts: Sequence[str], overrides: Sequence[str], variables: Mapping[str, str]) -> List[str]:
    """Return one address per server for the repositories that are enabled.

    Args:
        texts: of .repo files.
        overrides: see ``installer.resources.repository.enabled``.
        variables: dnf's.
    """
    found = []
    enabled = repository.enabled(texts, overrides)
    for parser in ini_files(texts):
        for section in filter(enabled.get, parser.sections()):
            entry = dict(parser.items(section))
            url = entry.get("metalink") or entry.get("mirrorlist") or entry.get("baseurl", "").split("\n")[0]
            if url:
                found.append(filled(url, variables))
    return _one_per_server(found)


def _one_per_server(urls: Sequence[str]) -> List[str]:
    servers: Dict[str, str] = {}
    for url in urls:
        servers.setdefault("/".join(url.split("/")[:3]), url)
    return list(servers.values())


def filled(text: str, variables: Mapping[str, str]) -> str:
    """Return a text of dnf's configuration with its variables filled in, as far as they are known."""
    return re.sub(r"\$\{?(\w+)\}?", lambda match: variables.get(match.group(1), match.group(0)), text)


def dnf_variables(host: Host, root: str = "") -> Dict[str, str]:
    """Return what dnf fills into its configuration, by name.

    Args:
        host: the host.
        root: a folder of which the files with values of variables count, too.
    """
    release = host.run(["rpm", "-E", "%{?fedora}%{?rhel}"], expect=None).out.strip()
    more = [f"{root}{folder}" for folder in dnf_configuration.VARIABLES] if root else []
    folders = [*dnf_configuration.variable_folders(), *more]
    # EL's major release is all that the macro tells.
    found = dict.fromkeys(("releasever", "releasever_major"), release)
    found.update(dict.fromkeys(("basearch", "arch"), os.uname().machine))
    for path in (path for folder in folders for path in sorted(glob.glob(f"{folder}/*"))):
        found[os.path.basename(path)] = text_of(path).strip()
    return found


def split_login(url: str) -> Tuple[str, str]:
    """Return an address without the login in it, and that login as ``user:password`` (empty: there is none)."""
    parts = urllib.parse.urlsplit(url)
    login, _, place = parts.netloc.rpartition("@")
    return parts._replace(netloc=place).geturl(), urllib.parse.unquote(login)


def needs_no_proxy(url: str, direct: str) -> bool:
    """Tell whether an address is asked directly: names with commas between them, each for its subdomains, too."""
    server = urllib.parse.urlsplit(url).hostname or ""
    names = [name.strip().lstrip(".").lower() for name in direct.split(",")]
    return any(name == "*" or server == name or server.endswith(f".{name}") for name in names if name)


def _ask(url: str, proxies: Mapping[str, str]) -> str:
    """Return why an address cannot be reached, or nothing. Any answer of the server itself counts as reached."""
    if url.startswith(_FOLDERS):
        folder = urllib.parse.unquote(urllib.parse.urlsplit(url).path)
        # apt names a file there that only some repositories have.
        return "" if os.path.exists(folder) or os.path.exists(os.path.dirname(folder)) else f"{folder} is not there"
    through = (
        {}
        if needs_no_proxy(url, proxies.get("no", ""))
        else {scheme: proxy for scheme, proxy in proxies.items() if scheme != "no"}
    )
    proxy = through.get(urllib.parse.urlsplit(url).scheme, "")
    if proxy.startswith("socks"):
        # apt, dnf and uv can go through it; this agent, with the standard library only, cannot.
        return _knock(proxy)
    # Given even when empty: the agent's own environment says nothing of what a package manager will do.
    handlers: List[Any] = [urllib.request.ProxyHandler(through)]
    if url.startswith("https://"):
        store = next((path for path in _TRUST_STORES if os.path.exists(path)), None)
        try:
            handlers.append(urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=store)))
        except ssl.SSLError as problem:
            return f"{store} cannot be read as certificates: {problem}"
    plain, login = split_login(url)
    request = urllib.request.Request(plain, method="HEAD")  # noqa: S310 - http and https only, see below
    if login:
        request.add_header("Authorization", f"Basic {base64.b64encode(login.encode()).decode()}")
    if not url.startswith(_REMOTE):
        return "not an address that can be asked"
    try:
        with urllib.request.build_opener(*handlers).open(request, timeout=PATIENCE):
            return ""
    except urllib.error.HTTPError as answer:
        return f"the server answers {answer.code} {answer.reason}" if answer.code in _NO_WAY else ""
    except (OSError, ValueError, http.client.HTTPException) as problem:
        return str(getattr(problem, "reason", problem)) or type(problem).__name__


def _knock(proxy: str) -> str:
    """Return why a proxy cannot be reached, or nothing."""
    parts = urllib.parse.urlsplit(proxy)
    try:
        with socket.create_connection((parts.hostname or "", parts.port or SOCKS_PORT), timeout=PATIENCE):
            return ""
    except (OSError, ValueError) as problem:
        return f"the proxy {split_login(proxy)[0]} cannot be reached: {problem}"
