"""Bundles for hosts with dnf: their packages come along, and are enough where no repository answers."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from installer import answers, lab
from installer.lab import LabHost
from installer.own_index import default_index
from tests.lab.bundles import MIRROR, SOURCES_LEFT_ALONE, as_mirror, leave_only, manifest
from tests.lab.command_line import Operator
from tests.lab.identity_only import IDENTITY_ONLY
from tests.lab.one_host import one_host
from tests.lab.test_bundle import operator_of, own_address
from tests.package_index import PackageIndex

pytestmark = [pytest.mark.lab, pytest.mark.timeout(2400)]

NAME = "t-bundle-rpm"
#: What the agent is made of.
CODE = Path(lab.__file__).parents[1]
#: What no package manager of the host's own may have changed.
STATE = (
    "rpm -qa | sort; rpm -q gpg-pubkey; ls -A /var/tmp | grep -v systemd-private; cat /etc/yum.repos.d/*; ls /var/log"
)


@pytest.fixture
def host(request: pytest.FixtureRequest) -> Iterator[LabHost]:
    with one_host(NAME, request.param) as one:
        yield one


@pytest.mark.shows("offline-bundle")
@pytest.mark.parametrize(
    "host", ["fedora-43", *(pytest.param(name, marks=pytest.mark.long) for name in ("el-9", "el-10"))], indirect=True
)
def test_the_packages_come_along_and_install_without_any_other_repository(host: LabHost, tmp_path: Path) -> None:
    values = {**lab.answers([host]), **IDENTITY_ONLY, "CONFIG_SSH_KEY": str(host.private_key)}
    answers.write(tmp_path / "cloud.txt", answers.generate((), values))
    # What dnf notes whenever it is asked is there before, so that all else that is new can be told.
    host.run("dnf -q makecache", check=True)
    before = host.run(STATE).stdout
    operator, bundle = Operator(tmp_path), tmp_path / "cloud.tar"
    made = operator.run("bundle", f"--answer-file={tmp_path}/cloud.txt", f"--output={bundle}", "--json", timeout=1200)
    assert made.code == 0, made.out[-3000:] + made.err[-3000:]
    assert host.run(STATE).stdout == before, "nothing stays on the host, and nothing is installed"

    told = manifest(bundle)
    (platform,) = told["platforms"]
    names = {item["name"] for item in platform["packages"]}
    assert platform["name"] == host.platform
    assert {"mariadb-server", "memcached", "haproxy"} <= names
    # On EL a package brings the repository that has RabbitMQ, and is not installed.
    assert "rabbitmq-server" in names
    assert platform["lacks"] == ""
    members = {item["member"]: item["sha256"] for item in platform["packages"]}
    assert len(members) == len(platform["packages"]) > 20

    files = as_mirror(bundle, host)
    assert {
        f"packages/{host.platform}/{path.name}": hashlib.sha256(path.read_bytes()).hexdigest() for path in files
    } == members
    folder = f"{MIRROR}/packages/{host.platform}"
    checked = host.run(f"rpm -K {folder}/*.rpm", check=True).stdout.splitlines()
    assert len(checked) == len(files)
    assert all(line.endswith("OK") for line in checked)
    headers = host.run(f"rpm -qp --qf '%{{NAME}} %{{ARCH}}\\n' {folder}/*.rpm", check=True).stdout.split("\n")
    assert {tuple(line.split()) for line in headers if line} == {
        (item["name"], item["architecture"]) for item in platform["packages"]
    }
    only = f"--disablerepo='*' --repofrompath=bundle,file://{folder} --setopt=bundle.gpgcheck=0"
    done = host.run(f"dnf -q -y {only} install {' '.join(sorted(names))}")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    host.run(f"rpm -q {' '.join(sorted(names))}", check=True)


#: Makes, of a package that nobody has signed, one for each key and two that are damaged; prints nothing.
SIGN = """
set -e
mkdir -m 700 /srv/signed /srv/signed/gpg
cd /srv/signed
export GNUPGHOME=$PWD/gpg
cp $(ls /usr/share/stand-in/appstream/memcached-*.rpm | head -n 1) unsigned.rpm
for key in own other; do
    gpg --quiet --batch --passphrase '' --quick-gen-key $key@example.org rsa2048 sign never
    gpg --quiet --armor --export $key@example.org > $key.key
    cp unsigned.rpm $key.rpm
    rpmsign --define "_gpg_name $key@example.org" --define "_openpgp_sign_id $key@example.org" --addsign $key.rpm
done
cp own.rpm changed.rpm
printf ZZZZ | dd of=changed.rpm bs=1 seek=$(( $(stat -c %s own.rpm) - 20 )) conv=notrunc status=none
head -c 3000 own.rpm > short.rpm
"""
#: Has the agent's own code look at them on the host, and prints what it says.
LOOK = """
import json, sys, tempfile
sys.path.insert(0, "/srv/agent")
from installer.agent.host import Host
from installer.agent.package_signatures import damaged, signed
paths = [f"/srv/signed/{name}.rpm" for name in ("own", "other", "unsigned")]
good, bad = signed({"r": paths}, {"r": ["file:///srv/signed/own.key"]}, tempfile.mkdtemp(), Host())
broken = damaged(["/srv/signed/short.rpm", *paths, "/srv/signed/changed.rpm"], Host())
print(json.dumps([sorted(good), bad, damaged(paths, Host()), broken]))
"""


@pytest.mark.shows("offline-bundle")
@pytest.mark.parametrize("host", ["fedora-43"], indirect=True)
def test_rpm_tells_a_good_signature_from_another_one_and_from_none(host: LabHost) -> None:
    for package in ("agent", "resources"):
        shutil.copytree(CODE / package, host.root / "srv/agent/installer" / package)
    shutil.copy2(CODE / "__init__.py", host.root / "srv/agent/installer")
    host.run(SIGN, check=True)

    def looked() -> Any:
        return json.loads(host.run(["python3", "-c", LOOK], check=True).stdout)

    own, other, unsigned = (f"/srv/signed/{name}.rpm" for name in ("own", "other", "unsigned"))
    assert looked() == [[own], [other, unsigned], [], ["short.rpm", "changed.rpm"]]
    assert host.run("rpm -q gpg-pubkey").returncode != 0, "nothing is imported"
    host.run("rpmkeys --import /srv/signed/other.key", check=True)
    assert looked()[:2] == [[own], [unsigned]], "a key that rpm has is none of the repository, and is known"


@pytest.mark.shows("offline-bundle")
@pytest.mark.parametrize("host", ["fedora-43"], indirect=True)
@pytest.mark.long
def test_a_package_that_its_repository_has_lost_is_told_of_and_nothing_stays(host: LabHost, tmp_path: Path) -> None:
    values = {**lab.answers([host]), **IDENTITY_ONLY, "CONFIG_SSH_KEY": str(host.private_key)}
    answers.write(tmp_path / "cloud.txt", answers.generate((), values))
    host.run("rm /usr/share/stand-in/appstream/memcached-*.rpm", check=True)
    bundle = tmp_path / "cloud.tar"
    words = (f"--answer-file={tmp_path}/cloud.txt", f"--output={bundle}")
    made = Operator(tmp_path).run("bundle", *words, "--json", timeout=1200)
    assert made.code == 0, made.out[-3000:] + made.err[-3000:]
    (platform,) = manifest(bundle)["platforms"]
    said = f"the packages themselves are not in it: {host.address}: gone or not what the repository's metadata says: "
    assert platform["lacks"].startswith(f"{said}memcached-")
    assert "memcached" in {item["name"] for item in platform["packages"]}
    assert not any("member" in item for item in platform["packages"])
    assert host.run("ls -d /var/tmp/pystack-*").returncode != 0


#: Takes the place of dnf, and takes for ever.
SLOW = """#!/bin/sh
case " $* " in *" {} "*) sleep 3000 & wait;; esac
exec /usr/bin/dnf "$@"
"""


@pytest.mark.shows("offline-bundle")
@pytest.mark.parametrize("host", ["fedora-43"], indirect=True)
@pytest.mark.parametrize("word", ["--assumeno", "download"])
@pytest.mark.long
def test_ctrl_c_while_dnf_says_what_it_would_install_or_downloads_ends_it_and_nothing_stays(
    host: LabHost, tmp_path: Path, word: str
) -> None:
    values = {**lab.answers([host]), **IDENTITY_ONLY, "CONFIG_SSH_KEY": str(host.private_key)}
    answers.write(tmp_path / "cloud.txt", answers.generate((), values))
    program = host.root / "usr/local/sbin/dnf"
    program.write_text(SLOW.format(word))
    program.chmod(0o755)
    running = Operator(tmp_path).start(
        "bundle", f"--answer-file={tmp_path}/cloud.txt", f"--output={tmp_path}/cloud.tar"
    )
    waited("dnf is at it", lambda: host.run("pgrep -x sleep").returncode == 0, 900)
    assert (host.run("ls -d /var/tmp/pystack-packages-*").returncode == 0) is (word == "download")
    running.send_signal(signal.SIGINT)
    assert running.wait(60) != 0
    waited("dnf has ended", lambda: host.run("pgrep -x sleep").returncode != 0, 30)
    waited("the folder is gone", lambda: host.run("ls -d /var/tmp/pystack-*").returncode != 0, 30)


def waited(what: str, is_so: Callable[[], bool], seconds: float) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds:.0f} s: {what}"
        time.sleep(1)


@pytest.mark.shows("offline-bundle", "identity", "second-run")
@pytest.mark.parametrize("host", ["fedora-43", "el-9", "el-10"], indirect=True)
@pytest.mark.long
def test_a_host_with_neither_index_nor_repositories_is_installed_from_a_bundle(host: LabHost, tmp_path: Path) -> None:
    with PackageIndex(own_address(host), upstream=str(default_index())) as index:
        operator = operator_of([host], tmp_path, index)
        file, bundle = f"--answer-file={tmp_path}/cloud.txt", tmp_path / "cloud.tar"
        made = operator.run("bundle", file, f"--output={bundle}", "--json", timeout=1200)
        assert made.code == 0, made.out[-3000:] + made.err[-3000:]
    shutil.rmtree(tmp_path / ".cache/pystack")
    leave_only(bundle, host)
    words = ("install", file, f"--bundle={bundle}", "--json", *SOURCES_LEFT_ALONE)
    first = operator.run(*words, timeout=1800)
    assert first.code == 0, first.out[-3000:] + first.err[-3000:]
    assert host.run("rpm -qa 'centos-release-*'").stdout == ""
    second = operator.run(*words)
    assert second.code == 0, second.out[-3000:] + second.err[-3000:]
    assert second.event("summary")["changed"] == 0
