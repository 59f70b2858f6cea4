"""The identity service on two hosts, with passwords that no file, shell, statement or URL may trip over."""

from __future__ import annotations

import os
import re
import subprocess
import warnings

import openstack
import pytest
import testinfra
from keystoneauth1 import exceptions
from keystoneauth1.session import Session

from installer.lab import LabHost
from installer.resources.secret import Secret
from installer.verify.live import login_as
from tests.lab.conftest import NASTY, SUDO_PASSWORD, CloudOnHosts

pytestmark = [
    pytest.mark.lab,
    pytest.mark.shows("identity"),
    pytest.mark.timeout(1500),
]


def inside(host: LabHost) -> testinfra.host.Host:
    return testinfra.get_host(
        f"ssh://{host.user}@{host.address}",
        ssh_extra_args=f"-o UserKnownHostsFile={host.known_hosts} -o IdentitiesOnly=yes",
        ssh_identity_file=str(host.private_key),
    )


def login(cloud: CloudOnHosts, password: str = NASTY) -> Session:
    """Return a session that has logged in from outside, trusting the cloud's authority alone."""
    url = f"https://{cloud.controller.address}:5000/v3"
    auth = login_as(url, "admin", Secret(password))
    session = Session(
        auth=auth, verify=str(cloud.operator.home / ".config/pystack" / cloud.controller.address / "ca.crt")
    )
    session.get_token()
    return session


@pytest.mark.shows("secrets")
def test_the_admin_logs_in_with_a_200_character_password_of_every_kind_of_character(cloud: CloudOnHosts) -> None:
    assert len(NASTY) == 200
    projects = login(cloud).get(f"https://{cloud.controller.address}:5000/v3/projects").json()["projects"]
    assert {project["name"] for project in projects} == {"admin", "service"}


@pytest.mark.parametrize("wrong", ["wrong", NASTY[:-1], NASTY[:72], NASTY.strip() + " "])
def test_a_wrong_password_is_refused_even_if_only_its_last_character_differs(cloud: CloudOnHosts, wrong: str) -> None:
    with pytest.raises(exceptions.Unauthorized):
        login(cloud, wrong)


def test_the_catalogue_names_the_identity_service_under_tls(cloud: CloudOnHosts) -> None:
    catalogue = login(cloud).get(f"https://{cloud.controller.address}:5000/v3/auth/catalog").json()["catalog"]
    urls = {endpoint["url"] for entry in catalogue if entry["type"] == "identity" for endpoint in entry["endpoints"]}
    assert urls == {f"https://{cloud.controller.address}:5000/v3"}


@pytest.mark.shows("second-run")
def test_a_second_run_changes_nothing(cloud: CloudOnHosts) -> None:
    again = cloud.operator.on_terminal(
        "install", f"--answer-file={cloud.answer_file}", "--json", answers={"assword": SUDO_PASSWORD}
    )
    assert again.code == 0, again.out[-3000:]
    summary = again.event("summary")
    assert (summary["changed"], summary["failed"]) == (0, 0)
    assert summary["unchanged"] > 50


@pytest.mark.shows("second-run")
def test_plan_says_that_there_is_nothing_to_do_and_exits_0(cloud: CloudOnHosts) -> None:
    plan = cloud.operator.on_terminal("plan", f"--answer-file={cloud.answer_file}", answers={"assword": SUDO_PASSWORD})
    assert plan.code == 0, plan.out[-3000:]


def test_plan_shows_a_changed_setting_as_a_diff_and_exits_10_and_changes_nothing(cloud: CloudOnHosts) -> None:
    words = ("plan", f"--answer-file={cloud.answer_file}", "--set", "CONFIG_DEBUG_MODE=y")
    first = cloud.operator.on_terminal(*words, answers={"assword": SUDO_PASSWORD})
    assert first.code == 10, first.out[-3000:]
    assert re.search(r"\+\s*debug = true", first.out)
    assert "openstack-keystone" in first.out
    again = cloud.operator.on_terminal(*words, answers={"assword": SUDO_PASSWORD})
    assert again.code == 10


def test_verify_finds_nothing_wrong(cloud: CloudOnHosts) -> None:
    assert cloud.operator.run("verify", f"--answer-file={cloud.answer_file}").code == 0


def test_units_run_and_start_at_boot_where_the_answer_file_put_them(cloud: CloudOnHosts) -> None:
    controller, backend = inside(cloud.controller), inside(cloud.backend)
    for host, names in (
        (controller, ("openstack-keystone", "haproxy", "memcached")),
        (backend, ("mariadb", "rabbitmq-server")),
    ):
        for name in names:
            service = host.service(name)
            assert service.is_running, name
            assert service.is_enabled, name
    assert not controller.service("mariadb").is_running
    assert not backend.service("openstack-keystone").is_running


def test_keystone_runs_as_its_own_user_and_listens_on_loopback_behind_haproxy(cloud: CloudOnHosts) -> None:
    out = cloud.controller.run(["ss", "-Hltnp"]).stdout
    listening = {line.split()[3]: line for line in out.splitlines()}
    assert "haproxy" in next(line for place, line in listening.items() if place.endswith(":5000"))
    assert "uwsgi" in listening["127.0.0.1:15000"]
    (number,) = set(re.findall(r"pid=(\d+)", listening["127.0.0.1:15000"])[:1])
    assert cloud.controller.run(["ps", "-o", "user=", "-p", number]).stdout.strip() == "keystone"


@pytest.mark.shows("secrets")
@pytest.mark.parametrize(
    "path", ["/etc/keystone/keystone.conf", "/root/keystonerc_admin", "/etc/openstack/clouds.yaml"]
)
def test_files_with_secrets_are_closed_to_others(cloud: CloudOnHosts, path: str) -> None:
    mode = cloud.controller.run(["stat", "-c", "%a %U", path]).stdout.split()
    assert mode in (["640", "root"], ["600", "root"])


def test_keystonerc_admin_and_clouds_yaml_log_in_as_they_are(cloud: CloudOnHosts) -> None:
    command = "/opt/pystack/*/bin/openstack token issue -f value -c id"
    with_rc = cloud.controller.run(f"bash -c 'source /root/keystonerc_admin && {command}'")
    assert with_rc.returncode == 0, with_rc.stderr
    folder = cloud.operator.home / ".config/pystack" / cloud.controller.address
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        # The SDK announces its own future; it is not ours to change.
        warnings.simplefilter("ignore")
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(folder / "clouds.yaml"))
        assert openstack.connect(cloud="pystack").authorize()
    assert {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {"0o600"}


@pytest.mark.shows("secrets")
def test_no_secret_shows_on_the_screen_in_the_journal_or_in_a_process(cloud: CloudOnHosts) -> None:
    pieces = [NASTY, NASTY[:40], NASTY[-60:], SUDO_PASSWORD]
    runs = cloud.operator.home / ".local/state/pystack/runs"
    texts = [cloud.first_output] + [path.read_text("utf-8", "replace") for path in runs.rglob("*") if path.is_file()]
    for host in (cloud.controller, cloud.backend):
        texts.append(host.run(["ps", "-eo", "args"]).stdout)
        texts.append(
            subprocess.run(["journalctl", "--root", str(host.root)], capture_output=True, text=True, check=False).stdout
        )
    for text in texts:
        for piece in pieces:
            assert piece not in text
    assert oct(runs.stat().st_mode & 0o777) == "0o700"


@pytest.mark.shows("secrets")
def test_the_password_did_not_run_as_a_command_anywhere(cloud: CloudOnHosts) -> None:
    for host in (cloud.controller, cloud.backend):
        assert host.run(["test", "-e", "/tmp/owned"]).returncode == 1
    assert not os.path.exists("/tmp/owned")


def test_a_new_admin_password_is_set_and_the_old_one_refused_and_only_what_reads_it_changes(
    cloud: CloudOnHosts,
) -> None:
    new = "another 'one' $(too)"
    words = ("install", f"--answer-file={cloud.answer_file}", "--json")
    changed = cloud.operator.on_terminal(
        *words, "--set", f"CONFIG_KEYSTONE_ADMIN_PW={new}", answers={"assword": SUDO_PASSWORD}
    )
    assert changed.code == 0, changed.out[-3000:]
    resources = {
        event["resource"] for event in changed.events if event["event"] == "resource" and event["what"] == "changed"
    }
    assert not [name for name in resources if name.startswith(("unit:", "package:", "file:/etc/keystone"))], resources
    login(cloud, new)
    with pytest.raises(exceptions.Unauthorized):
        login(cloud)
    back = cloud.operator.on_terminal(*words, answers={"assword": SUDO_PASSWORD})
    assert back.code == 0
    login(cloud)


@pytest.mark.shows("reboot")
def test_after_a_reboot_of_both_hosts_everything_comes_back_and_nothing_differs(cloud: CloudOnHosts) -> None:
    for host in (cloud.backend, cloud.controller):
        host.reboot()
    verified = cloud.operator.run("verify", f"--answer-file={cloud.answer_file}")
    for _ in range(30):
        if verified.code == 0:
            break
        verified = cloud.operator.run("verify", f"--answer-file={cloud.answer_file}")
    assert verified.code == 0, verified.out
    plan = cloud.operator.on_terminal("plan", f"--answer-file={cloud.answer_file}", answers={"assword": SUDO_PASSWORD})
    assert plan.code == 0, plan.out[-3000:]
