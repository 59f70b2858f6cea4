"""The whole cloud from a bundle, on a host that reaches nobody but the machine that installs it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from installer import answers, lab
from installer.lab import LabHost
from installer.platforms import facts, find
from tests.lab import on_platform
from tests.lab.bundles import SOURCES_LEFT_ALONE, leave_only, manifest
from tests.lab.command_line import Operator
from tests.lab.one_host import one_host

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(5400)]

NAME = "t-cut-off"
TABLE = "pystack_test_cut_off"
NO_TABLE = f"table ip {TABLE} {{}}\ndelete table ip {TABLE}\n"
#: This machine drops what a host would send through it. Name servers are not counted: programs ask them of themselves,
#: as for the name of an address that logs in.
RULES = """
table ip {table} {{
  counter dropped {{}}
  chain forward {{
    type filter hook forward priority filter - 1;
    ip saddr != {{ {addresses} }} accept
    meta l4proto {{ tcp, udp }} th dport 53 drop
    counter name dropped drop
  }}
}}
"""
#: Reserved for documents (RFC 5737), so that nobody has it.
ELSEWHERE = "192.0.2.1"


@pytest.fixture
def host(request: pytest.FixtureRequest) -> Iterator[LabHost]:
    with one_host(NAME, request.param, external=True) as one:
        yield one


@contextmanager
def cut_off(host: LabHost) -> Iterator[None]:
    """Let a host reach only itself and this machine, and see that it is so."""
    addresses = ", ".join(filter(None, (host.address, host.external_address)))
    nft("-f", "-", stdin=NO_TABLE + RULES.format(table=TABLE, addresses=addresses))
    try:
        reached = host.run(["timeout", "5", "bash", "-c", f"exec 3<>/dev/tcp/{ELSEWHERE}/443"])
        assert reached.returncode != 0
        assert dropped() > 0, "what the host sends elsewhere comes by here"
        nft("reset", "counter", "ip", TABLE, "dropped")
        yield
    finally:
        nft("-f", "-", stdin=NO_TABLE)


def dropped() -> int:
    """Return how many packets the host has sent elsewhere in vain."""
    *_, listed = json.loads(nft("--json", "list", "counter", "ip", TABLE, "dropped"))["nftables"]
    return int(listed["counter"]["packets"])


def nft(*words: str, stdin: str = "") -> str:
    return subprocess.run(["nft", *words], input=stdin, capture_output=True, text=True, check=True).stdout


@pytest.mark.shows("bundle", "whole-cloud", "second-run")
@pytest.mark.parametrize("host", ["debian-12", "debian-13", "el-9", "el-10", "fedora-43"], indirect=True)
def test_the_whole_cloud_is_installed_from_a_bundle_where_nothing_else_is_reached(
    host: LabHost, tmp_path: Path
) -> None:
    values = {
        **lab.answers([host]),
        # A bundle does not have what pystack makes an image of.
        **on_platform.image(host),
        "CONFIG_VERIFY_INSTANCES": "n",
        "CONFIG_SSH_KEY": str(host.private_key),
        "CONFIG_SSL_CERT_DIR": str(tmp_path / "ca"),
    }
    answers.write(tmp_path / "cloud.txt", answers.generate((), values))
    operator, file, bundle = Operator(tmp_path), f"--answer-file={tmp_path}/cloud.txt", tmp_path / "cloud.tar"
    made = operator.run("bundle", file, f"--output={bundle}", "--json", timeout=1800)
    assert made.code == 0, made.out[-3000:] + made.err[-3000:]
    (platform,) = manifest(bundle)["platforms"]
    assert platform["lacks"] == ""
    # Nothing is kept of it but the bundle.
    shutil.rmtree(tmp_path / ".cache/pystack")
    # Nor what the consoles of instances in browsers are shown with.
    leave_only(bundle, host, ("novnc",) if facts(find(host.platform), "nova")["novnc"] else ())
    words = ("install", file, f"--bundle={bundle}", "--json", *SOURCES_LEFT_ALONE)
    with cut_off(host):
        first = operator.run(*words, timeout=1800)
        assert first.code == 0, first.out[-6000:] + first.err[-3000:]
        verified = operator.run("verify", file, "--json", "--set", "CONFIG_VERIFY_INSTANCES=y", timeout=1200)
        assert verified.code == 0, verified.out[-4000:] + verified.err[-3000:]
        second = operator.run(*words)
        assert (second.code, second.event("summary")["changed"]) == (0, 0), second.out[-3000:] + second.err[-3000:]
        assert dropped() == 0
