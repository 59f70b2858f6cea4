"""SELinux in each state, on hosts with a kernel of their own: it stays as it is, and the cloud works in it."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from installer import answers, lab
from installer.lab import LabHost, PlatformNotPossible
from tests.lab import iscsi, on_platform
from tests.lab.command_line import Operator, Result
from tests.lab.identity_only import IDENTITY_ONLY
from tests.lab.instances import connected
from tests.lab.sdk import QUIET
from tests.lab.volumes import make_volume

pytestmark = [pytest.mark.lab, pytest.mark.long, pytest.mark.timeout(2400), QUIET]

NAME = "t-selinux"
#: What brings semanage and ausearch.
TOOLS = ("policycoreutils-python-utils", "auditd")
STATES = [
    pytest.param((platform, state), marks=pytest.mark.shows(f"selinux-{state}"), id=f"{platform}-{state}")
    for platform, state in (
        ("debian-13", "disabled"),
        ("debian-13", "permissive"),
        ("debian-13", "enforcing"),
        ("debian-12", "disabled"),
        ("debian-12", "permissive"),
        ("debian-12", "enforcing"),
        ("el-9", "enforcing"),
        ("el-10", "disabled"),
        ("el-10", "enforcing"),
        ("fedora-43", "enforcing"),
    )
]
#: What the policy is told, by the package manager of the platform.
PATH = "policy-path:/var/lib/pystack/volume-groups/.*"
TOLD = {
    "apt": {
        "policy-module:pystack-haproxy",
        "policy-module:pystack-rabbitmq",
        "policy-module:pystack-volumes",
        "policy-boolean:haproxy_bind_all_tcp_ports",
        "policy-boolean:haproxy_connect_all_tcp_ports",
        "policy-port:25672",
        PATH,
    },
    # What it is told else is in EL's and Fedora's own policy only, which a stand-in has not.
    "dnf": {PATH},
}
#: What the policy of Debian 12 has not: HAProxy is not confined there.
NOT_ON_DEBIAN_12 = {name for name in TOLD["apt"] if "haproxy" in name}
#: How somebody takes something back, what the plan shows then, and how much of that install has to set.
TAKEN_BACK = {
    "apt": (
        "semanage port -d -p tcp 25672 && semodule -X 400 -r pystack-volumes",
        ["policy-module:pystack-volumes", "policy-port:25672"],
        2,
    ),
    # Without the rule, the label that it gave is one too many; with the rule it is right as it is.
    "dnf": (
        f"semanage fcontext -d '{PATH.partition(':')[2]}'",
        ["label:/var/lib/pystack/volume-groups/cinder-volumes.img", PATH],
        1,
    ),
}
CONTENT = os.urandom(1 << 20)
#: The identity, image and volume services; volumes in a group in a file.
VOLUMES = {
    **IDENTITY_ONLY,
    "CONFIG_GLANCE_INSTALL": "y",
    "CONFIG_CINDER_INSTALL": "y",
    "CONFIG_CINDER_BACKEND": "lvm",
    "CONFIG_CINDER_VOLUMES_CREATE": "y",
    "CONFIG_CINDER_VOLUMES_SIZE": "3G",
}


@dataclass
class Confined:
    """A host in one state of SELinux, and an operator with an answer file for it."""

    host: LabHost
    state: str
    operator: Operator
    answer_file: Path

    def run(self, verb: str, *words: str) -> Result:
        return self.operator.run(verb, f"--answer-file={self.answer_file}", "--json", *words, timeout=2000)

    def findings(self, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
        """Return the exit code of preflight, and what it found of SELinux, by title."""
        done = self.run("preflight", *words)
        found = [event for event in done.events if event["event"] == "finding"]
        return done.code, {event["title"]: event for event in found if event["title"].startswith("SELinux")}

    def verdict(self) -> dict[str, Any]:
        """Return what verify says of denials."""
        return self.run("verify", "--only", "denials").event("verdict")

    def now(self) -> str:
        return self.host.run("getenforce; cat /etc/selinux/config", check=True).stdout


@pytest.fixture(scope="module", params=STATES)
def confined(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Confined]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    lab.down([host.name for host in lab.hosts() if host.name == NAME])
    platform, state = request.param
    try:
        (host,) = lab.up([NAME], platform, kernel="own", selinux=state, memory=3500)
    except PlatformNotPossible as refused:
        pytest.skip(str(refused))
    if state == "permissive":
        # One host is without what its distribution does not install by itself.
        host.run(f"apt-get -qq -y purge {' '.join(TOOLS)}", check=True)
    home = tmp_path_factory.mktemp("home")
    values = {
        **lab.answers([host]),
        **VOLUMES,
        "CONFIG_SSH_KEY": str(host.private_key),
        "CONFIG_SSL_CERT_DIR": str(home / "ca"),
    }
    answers.write(home / "cloud.txt", answers.generate((), values))
    yield Confined(host, state, Operator(home), home / "cloud.txt")
    lab.down([NAME])


def test_the_state_is_told_and_kept_unless_another_one_is_wanted(confined: Confined) -> None:
    before = confined.now()
    assert before.lower().startswith(confined.state)
    code, found = confined.findings()
    assert (code, found["SELinux"]["outcome"]) == (0, "success")
    assert found["SELinux"]["found"].startswith(confined.state)
    for wanted, state in (("require-enforcing", "enforcing"), ("permissive", "permissive")):
        code, found = confined.findings("--set", f"CONFIG_SELINUX={wanted}")
        assert (code == 0) is (state == confined.state), found
    assert confined.now() == before


def test_tools_that_are_missing_are_told_and_come_with_the_installation_where_it_needs_them(confined: Confined) -> None:
    found = confined.findings()[1].get("SELinux tools", {"found": ""})
    if confined.state == "permissive":
        assert found["found"] == "install brings semanage; no ausearch: verify reads the kernel's log instead"
    else:
        assert found["found"] == ""


def test_a_folder_with_a_wrong_label_is_named_where_selinux_is_on(confined: Confined) -> None:
    if confined.state == "disabled":
        assert "SELinux labels" not in confined.findings()[1]
        return
    assert confined.findings()[1]["SELinux labels"]["outcome"] == "success"
    confined.host.run("chcon -t tmp_t /opt", check=True)
    code, found = confined.findings()
    assert (code, found["SELinux labels"]["outcome"]) == ((3, "fail") if confined.state == "enforcing" else (0, "warn"))
    assert "/opt" in found["SELinux labels"]["found"]
    confined.host.run("restorecon /opt", check=True)


def test_the_plan_shows_what_the_policy_is_told(confined: Confined) -> None:
    changes = [event for event in confined.run("plan").events if event["event"] == "change"]
    told = {event["resource"] for event in changes if event["resource"].startswith("policy-")}
    if confined.state == "disabled":
        assert told == set()
    else:
        lacking = NOT_ON_DEBIAN_12 if confined.host.platform == "debian-12" else set()
        assert told == TOLD[on_platform.package_manager(confined.host)] - lacking


@pytest.mark.shows("identity", "images", "second-run")
def test_the_cloud_installs_in_every_state_and_a_second_run_changes_nothing(confined: Confined) -> None:
    before = confined.now()
    done = confined.run("install")
    assert done.code == 0, done.out[-4000:] + done.err[-4000:]
    again = confined.run("install")
    assert (again.code, again.event("summary")["changed"]) == (0, 0), again.out[-3000:]
    assert confined.now() == before


def works(confined: Confined) -> None:
    """Make an image, a volume of it, a snapshot; attach the volume over iSCSI, and read it back."""
    # Here the storage host is the initiator as well, which pystack has not made it.
    confined.host.run("modprobe iscsi_tcp && systemctl start iscsid", check=True)
    folder = confined.operator.home / ".config/pystack" / confined.host.address
    with connected(folder, "pystack") as admin:
        block = admin.block_storage
        image = admin.image.create_image(
            "content", disk_format="raw", container_format="bare", data=CONTENT, wait=True, allow_duplicates=True
        )
        made = make_volume(admin, confined.host, name="one", image_id=image.id)
        with iscsi.attached(admin, made, confined.host) as disk:
            read = confined.host.run(f"head -c {len(CONTENT)} {disk} | sha256sum", check=True).stdout
            assert read.split()[0] == hashlib.sha256(CONTENT).hexdigest()
        snapshot = block.create_snapshot(volume_id=made.id)
        block.wait_for_status(snapshot, "available", failures=["error"], wait=120)
        block.delete_snapshot(snapshot)
        block.wait_for_delete(snapshot, wait=120)
        block.delete_volume(made)
        block.wait_for_delete(made, wait=120)
        admin.image.delete_image(image)


@pytest.mark.shows("images", "volumes-lvm", "iscsi")
def test_volumes_work_and_nothing_is_denied_to_services(confined: Confined) -> None:
    works(confined)
    nothing_denied(confined)


def nothing_denied(confined: Confined) -> None:
    verdict = confined.verdict()
    if confined.state == "disabled":
        assert (verdict["outcome"], verdict["found"]) == ("skipped", "left out: it is off on every host")
        return
    assert (verdict["outcome"], verdict["found"]) == (
        "success",
        f"{confined.state}; nothing was denied to our services",
    )


@pytest.mark.shows("reboot", "volumes-lvm", "iscsi")
def test_after_a_reboot_the_same_holds(confined: Confined) -> None:
    before = confined.now()
    confined.host.reboot()
    confined.host.run(["systemctl", "is-system-running", "--wait"], timeout=600)
    deadline = time.monotonic() + 240
    # Its services load for a while.
    while (done := confined.run("verify", "--only", "login,endpoints,volume")).code != 0:
        assert time.monotonic() < deadline, done.out[-4000:] + done.err[-4000:]
    works(confined)
    nothing_denied(confined)
    assert confined.now() == before


def test_what_is_denied_to_a_service_fails_verify_and_is_named(confined: Confined) -> None:
    if confined.state == "disabled":
        return
    # A program in the domain of a service that its policy does not let in.
    confined.host.run(
        "systemd-run --wait --property=SELinuxContext=system_u:system_r:memcached_t:s0 /usr/bin/cat /etc/shadow"
    )
    verdict = confined.verdict()
    assert verdict["outcome"] == ("fail" if confined.state == "enforcing" else "warn")
    assert "memcached_t" in verdict["found"]
    done = confined.run("verify", "--only", "denials")
    assert done.code == (6 if confined.state == "enforcing" else 0)
    # A service that begins anew has a clean record.
    confined.host.run("systemctl restart memcached", check=True)
    nothing_denied(confined)


def test_what_somebody_took_back_is_shown_and_set_again(confined: Confined) -> None:
    if confined.state == "disabled":
        return
    command, shown, count = TAKEN_BACK[on_platform.package_manager(confined.host)]
    confined.host.run(command, check=True)
    changes = [event["resource"] for event in confined.run("plan").events if event["event"] == "change"]
    assert sorted(changes) == shown
    assert confined.run("install").event("summary")["changed"] == count
    assert confined.run("plan").code == 0
