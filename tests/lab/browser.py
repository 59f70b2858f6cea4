"""Debian's Chromium without a screen, as a user of the cloud has it: it trusts the cloud's authority, and no test tells
it to look away. Everything that goes wrong on its pages is noted."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from installer.lab import network as lab_network
from installer.lab import places

#: A page of a busy machine takes its time, the first after a start most of all.
PATIENCE = 60
#: Faults of the dashboard itself that its users do not see, by what a message or an address says.
KNOWN_FAULTS = (
    # The launch form asks for what describes OS::Cinder::Volumes, a kind that Glance calls OS::Cinder::Volume, and the
    # dashboard fails where it finds nothing (Horizon 27.0.0: launch-instance-model.service.js, futurist_utils.py). The
    # form itself hides this, and shows all that it has.
    r"OS::Cinder::Volumes",
    # A pie of the hosts' pinned CPUs, where there are none, is drawn grey and with errors (hypervisors/index.html).
    r"/admin/hypervisors/: Error: <path> attribute d: Expected number",
    # The page of noVNC's that Nova leads to names no picture of its own, so that browsers look for one.
    r":6080/favicon\.ico",
)
#: Debian's packages by the program that is needed of them.
PACKAGES = {"chromium": "chromium", "certutil": "libnss3-tools"}
#: Chromium drops what it loads whenever the machine gets or loses an interface, as it does while other lab hosts come
#: and go; in a network namespace of its own it does not see them.
NAMESPACE = "t-browser"


class Browser:
    """A page, and what went wrong on it.

    Args:
        page: of playwright.
        origin: the address of the dashboard's host, ``https://HOST``.
        pictures: folder of the screenshots.
    """

    def __init__(self, page: Any, origin: str, pictures: Path) -> None:
        self.page = page
        self.origin = origin
        self.faults: list[str] = []
        self.websockets: list[Any] = []
        self._pictures = pictures
        self._taken = 0
        page.set_default_timeout(PATIENCE * 1000)
        page.on("pageerror", lambda error: self._note(f"error of a script on {page.url}: {error}"))
        page.on("console", self._console)
        page.on("response", self._response)
        page.on("requestfailed", self._request)
        page.on("websocket", lambda link: self.websockets.append(link))

    def _note(self, fault: str) -> None:
        if fault not in self.faults and not any(re.search(known, fault) for known in KNOWN_FAULTS):
            self.faults.append(fault)

    def _console(self, message: Any) -> None:
        if message.type == "error":
            self._note(f"console of {self.page.url}: {message.text} ({message.location.get('url')})")

    def _response(self, answer: Any) -> None:
        if answer.status >= 400:
            self._note(f"{answer.status} {answer.url}")

    def _request(self, request: Any) -> None:
        # A page that is left lets go of what it was still loading.
        if request.failure != "net::ERR_ABORTED":
            self._note(f"{request.url}: {request.failure}")

    def open(self, address: str) -> None:
        """Open an address, and wait until all of it is loaded."""
        self.page.goto(address)

    def picture(self, name: str) -> None:
        """Look at the page as it is: keep a screenshot, and note pictures, fonts and messages of failure on it."""
        self._taken += 1
        self.page.screenshot(path=self._pictures / f"{self._taken:02d}-{name}.png")
        broken = "all => all.filter(one => one.complete && one.src && !one.naturalWidth).map(one => one.src)"
        fonts = "() => Array.from(document.fonts).filter(one => one.status == 'error').map(one => one.family)"
        for what in (*self.page.locator("img").evaluate_all(broken), *self.page.evaluate(fonts)):
            self._note(f"{name}: {what} is broken")
        for text in self.page.locator(".alert-danger:visible, .alert-warning:visible").all_inner_texts():
            self._note(f"{name}: {text.strip()}")

    def until(self, look: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
        """Wait, while the page lives on, until it shows something."""
        for _ in range(int(seconds * 2)):
            if look():
                return
            self.page.wait_for_timeout(500)
        self.picture("too-late")
        raise AssertionError(f"after {seconds} s: no {what} on {self.page.url}")


@contextmanager
def chromium(home: Path, authority: Path | None) -> Iterator[Any]:
    """Yield Chromium, with a home of its own.

    Args:
        home: an empty folder.
        authority: the certificate that it trusts beside the public ones.
    """
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    missing = [package for program, package in PACKAGES.items() if shutil.which(program) is None]
    if missing:
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "-qq", "update"], env=quiet, check=True)
        subprocess.run(["apt-get", "-qq", "-y", "--no-install-recommends", "install", *missing], env=quiet, check=True)
    if authority is not None:
        trust(home, authority)
    program = home / "chromium"
    program.write_text(f'#!/bin/sh\nexec ip netns exec {NAMESPACE} {shutil.which("chromium")} "$@"\n')
    program.chmod(0o755)
    # A desktop's folders would be read instead of those of the home.
    environ = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")}
    with own_namespace(), playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=program,
            args=["--no-sandbox", "--no-proxy-server"],
            env={**environ, "HOME": str(home)},
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def own_namespace() -> Iterator[None]:
    """Have a network namespace of which the one interface is in the network of the lab hosts."""
    inner = lab_network.current()
    assert inner is not None
    wired = f"link add {NAMESPACE} master {places.BRIDGE} up type veth peer name eth0 netns {NAMESPACE}"
    inside = [
        f"address add {inner[-2]}/{inner.prefixlen} dev eth0",
        # An address that comes a second later would be one more change.
        "link set eth0 addrgenmode none",
        "link set lo up",
        "link set eth0 up",
    ]
    # One that was cut off leaves both behind, and a process in the namespace keeps its end of the cable.
    for kind in ("link", "netns"):
        subprocess.run(["ip", kind, "delete", NAMESPACE], check=False, capture_output=True)
    places.command(["ip", "netns", "add", NAMESPACE])
    try:
        for words in (wired, *(f"-netns {NAMESPACE} {words}" for words in inside)):
            places.command(["ip", *words.split()])
        yield
    finally:
        places.command(["ip", "netns", "delete", NAMESPACE])


def trust(home: Path, authority: Path) -> None:
    """Put an authority where Chromium on Linux looks for those of its user (docs/linux/cert_management.md of it)."""
    database = home / ".pki/nssdb"
    database.mkdir(parents=True)
    for words in (("-N", "--empty-password"), ("-A", "-n", "cloud", "-t", "C,,", "-i", str(authority))):
        subprocess.run(["certutil", "-d", f"sql:{database}", *words], check=True, capture_output=True, timeout=PATIENCE)


def pictures(default: Path) -> Path:
    """Return where screenshots are kept: in the folder PYSTACK_SCREENSHOTS where it is set."""
    folder = Path(os.environ.get("PYSTACK_SCREENSHOTS") or default)
    folder.mkdir(parents=True, exist_ok=True)
    return folder
