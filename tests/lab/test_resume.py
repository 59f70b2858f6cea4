"""Cut-off runs: whatever is killed, and whenever, the same command carries on and ends where it would have ended."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from installer import answers, lab
from installer.lab import LabHost
from tests.lab import on_platform, state
from tests.lab.command_line import Operator
from tests.lab.identity_only import IDENTITY_ONLY

pytestmark = [pytest.mark.lab, pytest.mark.shows("resume"), pytest.mark.timeout(3400)]


#: How the agent, and sshd's process for its link, call themselves.
AGENT = r"^[a-z/]*python3[.0-9]* -I -c import sys;sys\.version_info"
LINK = "^sshd-session: root@notty|^sshd: root@notty"

_SHORTER = "head -n -$(tac {0} | grep -n -m1 BEGIN | cut -d: -f1) {0} >shorter && mv shorter {0}"
#: What the collecting of authorities leaves when it is killed before its end, and what lists the links to them.
HALF_COLLECTED = {
    # update-ca-certificates makes the links and moves the bundle last.
    "apt": (
        "cd /etc/ssl/certs && rm *.0 && head -c 100000 ca-certificates.crt >ca-certificates.crt.new && "
        + _SHORTER.format("ca-certificates.crt"),
        "find /etc/ssl/certs -name '*.0' | sort",
    ),
    # update-ca-trust puts each bundle in place as a whole; this one is still that of before.
    "dnf": ("cd /etc/pki/ca-trust/extracted/pem && " + _SHORTER.format("tls-ca-bundle.pem"), "true"),
}


@dataclass
class OneHost:
    """A lab host, its answer file and an operator; its downloads are kept when it is reset."""

    host: LabHost
    operator: Operator
    answer_file: Path

    def install(self, *words: str) -> tuple[str, ...]:
        return ("install", f"--answer-file={self.answer_file}", "--json", *words)


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OneHost]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    home = tmp_path_factory.mktemp("home")
    kept = tmp_path_factory.mktemp("kept")
    for name in ("archives", "uv"):
        (kept / name).mkdir()
    lab.down([host.name for host in lab.hosts() if host.name == "t-resume"])
    (host,) = lab.up(
        ["t-resume"],
        # Packages of RPM hosts of the lab lie on their own disk.
        binds=[f"{kept}/archives:/var/cache/apt/archives", f"{kept}/uv:/var/cache/pystack/uv"],
    )
    values = {
        **lab.answers([host]),
        **IDENTITY_ONLY,
        "CONFIG_SSH_KEY": str(host.private_key),
        "CONFIG_SSL_CERT_DIR": str(home / "ca"),
    }
    answer_file = home / "cloud.txt"
    answers.write(answer_file, answers.generate((), values))
    yield OneHost(host, Operator(home), answer_file)
    lab.down(["t-resume"])


@pytest.fixture(scope="module")
def undisturbed(one: OneHost) -> tuple[dict[str, str], float]:
    """The state that an undisturbed run leaves, and how long it takes with warm caches."""
    first = one.operator.run(*one.install())
    assert first.code == 0, first.out[-3000:] + first.err[-3000:]
    one.host.reset()
    begun = time.monotonic()
    second = one.operator.run(*one.install())
    assert second.code == 0, second.out[-3000:] + second.err[-3000:]
    return state.files(one.host), time.monotonic() - begun


def kill_pystack(one: OneHost, process: subprocess.Popen[bytes]) -> None:
    process.kill()


def interrupt_pystack(one: OneHost, process: subprocess.Popen[bytes]) -> None:
    process.send_signal(signal.SIGINT)


def kill_the_agent(one: OneHost, process: subprocess.Popen[bytes]) -> None:
    while one.host.run(["pkill", "-KILL", "-f", AGENT]).returncode != 0 and process.poll() is None:
        time.sleep(0.1)


def cut_the_link(one: OneHost, process: subprocess.Popen[bytes]) -> None:
    while one.host.run(["pkill", "-KILL", "-f", LINK]).returncode == 1 and process.poll() is None:
        time.sleep(0.1)


def pull_the_plug(one: OneHost, process: subprocess.Popen[bytes]) -> None:
    one.host.kill9()
    one.host.start()


#: How pystack itself ends after each way; 0 when it was just about to end, 6 when it was just asking the cloud.
ENDS = {
    kill_pystack: (-signal.SIGKILL,),
    kill_the_agent: (4, 0),
    cut_the_link: (4, 0),
    interrupt_pystack: (130, 0),
    pull_the_plug: (4, 6, 0),
}
WAYS = tuple(ENDS)


def disturb(one: OneHost, count: int, seconds: float, seed: int) -> list[str]:
    """Cut runs off at random moments until it has happened ``count`` times; a finished host begins anew."""
    rng = random.Random(seed)
    told = []
    one.host.reset()
    while len(told) < count:
        way = WAYS[len(told) % len(WAYS)]
        process = one.operator.start(*one.install())
        moment = rng.uniform(1.0, max(4.0, seconds * 0.7))
        time.sleep(moment)
        if process.poll() is not None:
            assert process.returncode == 0, f"after {told}: exit {process.returncode}"
            one.host.reset()
            continue
        try:
            way(one, process)
            process.wait(120)
        finally:
            process.kill()
            process.wait()
        told.append(f"{way.__name__} after {moment:.1f} s: exit {process.returncode}")
        assert process.returncode in ENDS[way], told
        assert process.returncode != 6 or "verdict" in events_of_the_last_run(one.operator), told
    return told


def events_of_the_last_run(operator: Operator) -> set[str]:
    files = operator.home.glob(".local/state/pystack/runs/**/events.jsonl")
    newest = max(files, key=lambda path: path.stat().st_mtime)
    return {json.loads(line)["event"] for line in newest.read_text().splitlines()}


def converges_to(one: OneHost, expected: dict[str, str], told: list[str]) -> None:
    last = one.operator.run(*one.install())
    assert last.code == 0, f"{told}\n{last.out[-3000:]}\n{last.err[-3000:]}"
    assert state.differences(expected, state.files(one.host)) == [], told
    again = one.operator.run(*one.install())
    assert (again.code, again.event("summary")["changed"]) == (0, 0), told


def test_a_run_cut_off_once_in_each_way_ends_where_an_undisturbed_one_does(
    one: OneHost, undisturbed: tuple[dict[str, str], float]
) -> None:
    expected, seconds = undisturbed
    converges_to(one, expected, disturb(one, len(WAYS), seconds, seed=1))


@pytest.mark.long
def test_runs_cut_off_at_20_random_points_end_where_an_undisturbed_one_does(
    one: OneHost, undisturbed: tuple[dict[str, str], float]
) -> None:
    expected, seconds = undisturbed
    converges_to(one, expected, disturb(one, 20, seconds, seed=2026))


def test_a_lost_link_is_told_as_such_with_what_the_host_was_doing_and_exits_4(
    one: OneHost, undisturbed: tuple[dict[str, str], float]
) -> None:
    one.host.reset()
    process = subprocess.Popen(
        [str(one.operator.program), *one.install()],
        env=one.operator.env(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    time.sleep(5)
    cut_the_link(one, process)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 4, out[-2000:] + err[-2000:]
    assert "the link was lost" in err
    assert "role" in err or "packages" in err
    assert "run the same command again" in err


def test_authorities_of_which_half_were_collected_when_the_power_went_are_collected_anew(one: OneHost) -> None:
    assert one.operator.run(*one.install()).code == 0
    before = state.files(one.host)
    tear, links = HALF_COLLECTED[on_platform.package_manager(one.host)]
    hashed = one.host.run(links, check=True).stdout
    one.host.run(tear, check=True)
    assert one.operator.run(*one.install()).code == 0
    assert state.differences(before, state.files(one.host)) == []
    assert one.host.run(links, check=True).stdout == hashed


def test_a_host_on_which_somebody_else_installs_is_left_alone(one: OneHost) -> None:
    assert one.operator.run(*one.install()).code == 0
    note = '{"owner": "bob@elsewhere", "run": "r1", "since": 1}'
    holder = subprocess.Popen(
        [
            *one.host.ssh(),
            f"mkdir -p /run/pystack && echo '{note}' > /run/pystack/lock && exec flock /run/pystack/lock sleep 60",
        ]
    )
    time.sleep(1.5)
    before = state.files(one.host)
    try:
        refused = one.operator.run("install", f"--answer-file={one.answer_file}")
    finally:
        holder.kill()
        holder.wait()
        one.host.run(["pkill", "sleep"])
    assert refused.code == 3, refused.err
    assert "bob@elsewhere" in refused.err
    assert state.differences(before, state.files(one.host)) == []
