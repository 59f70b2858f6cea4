"""Clouds on lab hosts that several tests look at. Every lab host of the tests has a name that begins with ``t-``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from installer import answers, lab
from installer.lab import LabHost, LabRefused, platforms
from tests.lab import on_platform
from tests.lab.command_line import Operator, with_ssh_config
from tests.lab.identity_only import IDENTITY_ONLY
from tests.lab.own_lab import apart
from tests.matrix import recording, results, writing
from tests.matrix.recording import Measured, Recorder

SUDO_PASSWORD = 'it\'s "hard" $(to) guess \\ %s ü'
#: What no file format, shell, SQL statement or URL may trip over; 200 characters.
NASTY = ("a'b\"c\\d`e$(touch /tmp/owned)${HOME}%s%%;--/*{{x}}{% y %}<&>|!*?[]~#=: \tü€語\nsecond line" + "x" * 200)[
    :199
] + "Z"


def pytest_configure(config: pytest.Config) -> None:
    """Watch which hosts tests use; keep what they show where that was asked for."""
    if wanted := config.getoption("--platform"):
        try:
            wanted = config.option.platform = platforms.find(wanted).name
        except LabRefused as refused:
            raise pytest.UsageError(f"--platform: {refused}; {refused.remedy}") from refused
    keep = results.FILE if config.getoption("--record") else None
    recording.install(config, keep, writing.write, wanted)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give tests of ``each_kind`` a platform of each package manager, or the one that was asked for alone."""
    if "each_kind" in metafunc.fixturenames:
        given = metafunc.config.getoption("--platform")
        slow = {name for mark in metafunc.definition.iter_markers("long_on") for name in mark.args}
        platforms = [
            pytest.param(name, marks=pytest.mark.long if name in slow else ())
            for name in ([given] if given else on_platform.EACH_KIND)
        ]
        metafunc.parametrize("each_kind", platforms, scope="module")


@pytest.fixture(scope="session")
def measured(request: pytest.FixtureRequest) -> Measured:
    """Keeps how long an installation took."""
    recorder = request.config.pluginmanager.get_plugin(recording.PLUGIN)
    assert isinstance(recorder, Recorder)
    return recorder.measured


@dataclass
class CloudOnHosts:
    """An installed cloud on two hosts."""

    operator: Operator
    answer_file: Path
    controller: LabHost
    backend: LabHost
    first_output: str


@pytest.fixture(scope="module")
def own_lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A lab of the module's own, of which nothing is left afterwards."""
    with apart(tmp_path_factory.mktemp("lab")):
        yield


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudOnHosts]:
    """The identity service alone; see ``on_two_hosts``."""
    with on_two_hosts(tmp_path_factory.mktemp("home"), IDENTITY_ONLY) as made:
        yield made


@contextmanager
def on_two_hosts(home: Path, wanted: Mapping[str, str]) -> Iterator[CloudOnHosts]:
    """Yield a cloud of two hosts, one with root and one with a sudo user and a password; database and queue are on it.

    Args:
        home: the operator's.
        wanted: parameter to text: which services it has.
    """
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    lab.down([host.name for host in lab.hosts() if host.name in ("t-one", "t-two")])
    (one,) = lab.up(["t-one"])
    (two,) = lab.up(["t-two"], sudo_user="operator", sudo_password=SUDO_PASSWORD)
    operator = with_ssh_config(
        home,
        {
            one.address: {"User": "root", "IdentityFile": str(one.private_key)},
            two.address: {"User": "operator", "IdentityFile": str(two.private_key)},
        },
    )
    values = {
        **on_platform.answers([one, two]),
        **wanted,
        "CONFIG_COMPUTE_HOSTS": one.address,
        "CONFIG_STORAGE_HOST": one.address,
        "CONFIG_MARIADB_HOST": two.address,
        "CONFIG_AMQP_HOST": two.address,
        "CONFIG_KEYSTONE_ADMIN_PW": NASTY,
        "CONFIG_KEYSTONE_DB_PW": NASTY,
        "CONFIG_AMQP_AUTH_PASSWORD": NASTY.replace("/", ""),
        "CONFIG_MARIADB_PW": NASTY,
        "CONFIG_GLANCE_DB_PW": NASTY,
        # No configuration file of OpenStack can hold a line break.
        "CONFIG_GLANCE_KS_PW": NASTY.replace("\n", " "),
        "CONFIG_SSL_CERT_DIR": str(home / "ca"),
    }
    answer_file = home / "cloud.txt"
    answers.write(answer_file, answers.generate((), values))
    done = operator.on_terminal(
        "install", f"--answer-file={answer_file}", answers={"assword": SUDO_PASSWORD}, timeout=1200
    )
    assert done.code == 0, done.out[-6000:]
    yield CloudOnHosts(operator, answer_file, one, two, done.out)
    lab.down(["t-one", "t-two"])


@dataclass
class AllInOne:
    """A cloud of everything that the answer file has on one host, volumes and backups included."""

    operator: Operator
    answer_file: Path
    controller: LabHost
    password: str

    @property
    def authority(self) -> Path:
        """The CA certificate, as the operator got it."""
        return self.operator.home / ".config/pystack" / self.controller.address / "ca.crt"

    @property
    def clouds(self) -> Path:
        """The operator's clouds.yaml."""
        return self.authority.with_name("clouds.yaml")


@pytest.fixture(scope="session")
def all_in_one(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, measured: Measured
) -> Iterator[AllInOne]:
    """One host with the whole cloud; volumes are files of a share, backups files of a folder."""
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    home = tmp_path_factory.mktemp("home")
    # Clouds of several platforms can be looked at side by side.
    name = "-".join(filter(None, ("t-all", request.config.getoption("--platform"))))
    lab.down([host.name for host in lab.hosts() if host.name == name])
    (host,) = lab.up([name], external=True)
    operator = with_ssh_config(home, {host.address: {"User": "root", "IdentityFile": str(host.private_key)}})
    values = {
        **on_platform.answers([host]),
        "CONFIG_KEYSTONE_ADMIN_PW": "an 'admin' $(of) all",
        "CONFIG_CINDER_BACKUP": "posix",
        # test_verify.py starts some.
        "CONFIG_VERIFY_INSTANCES": "n",
        "CONFIG_SSL_CERT_DIR": str(home / "ca"),
    }
    answer_file = home / "cloud.txt"
    answers.write(answer_file, answers.generate((), values))
    done = operator.run("install", f"--answer-file={answer_file}", timeout=1800)
    assert done.code == 0, (done.out + done.err)[-6000:]
    measured(host.platform, "whole-cloud", fresh_seconds=done.seconds)
    yield AllInOne(operator, answer_file, host, values["CONFIG_KEYSTONE_ADMIN_PW"])
    lab.down([name])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let those that share the whole cloud come last, so that it does not run beside all the others."""
    items.sort(key=lambda item: "all_in_one" in getattr(item, "fixturenames", ()))
