"""Resource types of the system on a real host, driven through a real agent; what they did is looked at from outside."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from installer import lab
from installer.engine.session import AgentSession
from installer.errors import HostUnreachable
from installer.lab import LabHost
from installer.resources import dnf, load_all
from installer.resources.account import Group, User
from installer.resources.answering import Answering
from installer.resources.base import Resource
from installer.resources.command import Command
from installer.resources.file import File
from installer.resources.held_services import POLICY
from installer.resources.host_entry import HostEntry
from installer.resources.package import Package
from installer.resources.secret import Secret
from installer.resources.sysctl import Sysctl
from installer.resources.unit import Unit
from installer.transport.connect import connect
from installer.transport.login import Login
from roles.cinder.backends.base import initiator
from tests.lab import package_managers
from tests.unit.roles.test_roles import cloud_of

pytestmark = [pytest.mark.lab, pytest.mark.shows("resources"), pytest.mark.timeout(600)]

DAEMON = """[Unit]
Description=A service that ends at once when its file says so
[Service]
Type=simple
ExecStart=/bin/sh -c '. /etc/t-daemon.conf; [ -z "$BROKEN" ] || { echo it is broken; exit 7; }; exec sleep infinity'
ExecReload=/bin/true
[Install]
WantedBy=multi-user.target
"""


class Driven:
    """A lab host with an agent session on it; what differs is planned and applied as one step."""

    def __init__(self, host: LabHost) -> None:
        self.host = host
        self.manager = package_managers.of(host)
        self.events: list[dict[str, Any]] = []
        self._session: AgentSession | None = None

    def session(self) -> AgentSession:
        if self._session is None:
            login = Login("root", private_key=(self.host.private_key,), known_hosts=(self.host.known_hosts,))
            self._session = AgentSession(connect(self.host.address, login), self.events.append, {})
        return self._session

    def forget_session(self) -> None:
        self._session = None

    def plan(self, *resources: Resource) -> list[dict[str, Any]]:
        return self.session().plan({"step": list(resources)}).result(60)

    def begin(self, *resources: Resource) -> Any:
        self.plan(*resources)
        assert self.session().lock("tester@tests", "run", 300).result(310)
        return self.session().apply("step")

    def apply(self, *resources: Resource) -> dict[str, Any]:
        result: dict[str, Any] = self.begin(*resources).result(400)
        return result

    def converge(self, *resources: Resource) -> list[str]:
        """Apply, and see that nothing differs then; return the ids that were changed."""
        result = self.apply(*resources)
        assert "failure" not in result, result["failure"]
        assert self.apply(*resources)["changed"] == []
        assert self.plan(*resources) == []
        return list(result["changed"])

    def failure(self, *resources: Resource) -> dict[str, Any]:
        return dict(self.apply(*resources)["failure"])

    def sh(self, command: str) -> str:
        return self.host.run(command, check=True).stdout.strip()

    def progress(self) -> list[str]:
        return [event["text"] for event in self.events if event["event"] == "progress"]


@pytest.fixture(scope="module")
def machine() -> Iterator[LabHost]:
    if os.geteuid() != 0:
        pytest.skip("making lab hosts needs root")
    load_all()
    if "t-system" in [host.name for host in lab.hosts()]:
        lab.down(["t-system"])
    (host,) = lab.up(["t-system"])
    yield host
    lab.down(["t-system"])


@pytest.fixture
def driven(machine: LabHost) -> Iterator[Driven]:
    """The host as it is after the tests before."""
    made = Driven(machine)
    yield made
    made.session().close()


@pytest.fixture
def fresh(machine: LabHost) -> Iterator[Driven]:
    """The host as it was made, with package lists."""
    machine.reset()
    machine.run(package_managers.of(machine).lists, check=True)
    made = Driven(machine)
    yield made
    made.session().close()


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def lose_agent(driven: Driven, future: Any) -> None:
    """Kill the agent with signal 9 and see its session end."""
    driven.sh(f"kill -9 {json.loads(driven.sh('cat /run/pystack/lock'))['pid']}")
    with pytest.raises(HostUnreachable):
        future.result(20)
    driven.forget_session()


def cut_power(driven: Driven) -> None:
    """Stop the host at once, and start it again."""
    driven.host.kill9()
    driven.host.start()
    driven.forget_session()


class TestPackages:
    def test_they_come_in_one_transaction_and_their_services_wait(self, machine: LabHost) -> None:
        machine.reset()
        driven = Driven(machine)
        items = [Package("memcached"), Package("socat"), Package("bash"), Package("nano", absent=True)]
        assert driven.converge(*items) == ["package:memcached", "package:socat"]
        assert driven.sh("systemctl is-active memcached || true") == "inactive"
        assert driven.sh("systemctl is-enabled memcached || true") == driven.manager.unit_state
        assert driven.sh("stat -c %a /var/log/pystack /var/log/pystack/packages.log") == "750\n600"
        assert driven.sh(driven.manager.transactions) == "1"
        assert any(f"{driven.manager.settles} memcached" in text for text in driven.progress())
        assert driven.sh(f"ls {POLICY}* || true") == ""
        assert driven.converge(Package("socat", absent=True)) == ["package:socat"]
        driven.session().close()

    def test_a_policy_of_the_operator_stays_and_does_not_start_services(self, fresh: Driven) -> None:
        if not fresh.manager.holds:
            pytest.skip("packages ask policy-rc.d on Debian only; elsewhere presets say what starts: see the next test")
        fresh.sh(f"printf '#!/bin/sh\\nexit 0\\n' > {POLICY}; chmod 755 {POLICY}")
        before = fresh.sh(f"stat -c '%i %a %Y' {POLICY}")
        assert fresh.converge(Package("memcached")) == ["package:memcached"]
        assert fresh.sh("systemctl is-active memcached || true") == "inactive"
        assert fresh.sh(f"stat -c '%i %a %Y' {POLICY}; ls {POLICY}*") == f"{before}\n{POLICY}"

    def test_a_service_that_a_preset_of_the_operator_enables_does_not_start_either(self, fresh: Driven) -> None:
        if fresh.manager.holds:
            pytest.skip("Debian's packages enable their services whatever presets say")
        preset = "/etc/systemd/system-preset/10-own.preset"
        fresh.sh(f"mkdir -p {os.path.dirname(preset)}; echo 'enable memcached.service' > {preset}")
        assert fresh.converge(Package("memcached")) == ["package:memcached"]
        assert fresh.sh("systemctl is-enabled memcached; systemctl is-active memcached; true") == "enabled\ninactive"

    def test_a_killed_agent_tears_nothing_and_the_next_run_waits_and_converges(self, fresh: Driven) -> None:
        # On a fast disk all would be there before the next run asks for the lock.
        package_managers.offer(fresh.host, "t-slow", "sleep 20")
        items = [Package("mariadb-server"), Package("haproxy"), Package("t-slow")]
        future = fresh.begin(*items)
        until(lambda: any(fresh.manager.comes in text for text in fresh.progress()))
        lose_agent(fresh, future)
        assert fresh.sh(f"pgrep -xc {fresh.manager.name}") == "1"
        assert fresh.sh(f"ls {POLICY} || true") == fresh.manager.holds
        fresh.events.clear()
        fresh.converge(*items)
        assert any("waiting for run" in text for text in fresh.progress()), fresh.progress()
        assert fresh.sh(f"{fresh.manager.audit}; {fresh.manager.transactions}") == "1"
        assert fresh.sh("systemctl is-active mariadb || true") == "inactive"
        assert fresh.sh(f"ls {POLICY}* || true") == ""

    @pytest.mark.parametrize("moment", ["comes", "settles"])
    def test_a_power_cut_in_mid_transaction_is_repaired(self, fresh: Driven, moment: str) -> None:
        # What settles one takes its time, so that it is known what the cut meets.
        package_managers.offer(fresh.host, "t-slow", "[ -e /srv/quick ] || sleep 60; echo done > /srv/settled")
        name = {"comes": "mariadb-server", "settles": "t-slow"}[moment]
        words = {"comes": fresh.manager.comes, "settles": f"{fresh.manager.settles} t-slow"}[moment]
        future = fresh.begin(Package(name))
        until(lambda: any(words in text for text in fresh.progress()))
        cut_power(fresh)
        del future
        assert fresh.sh(fresh.manager.torn) != ""
        fresh.sh("touch /srv/quick")
        assert fresh.converge(Package(name)) == [f"package:{name}"]
        assert fresh.sh(f"{fresh.manager.audit}; ls {POLICY}* || true") == ""
        if moment == "settles":
            assert fresh.sh("cat /srv/settled") == "done"

    @pytest.mark.parametrize("own", [True, False], ids=["own", "another's"])
    def test_after_a_power_cut_while_one_replaces_another_pystack_repairs_its_own_only(
        self, fresh: Driven, own: bool
    ) -> None:
        if fresh.manager is not package_managers.DNF:
            pytest.skip("dpkg has one version of a package at any moment")
        slow = "[ ! -e /srv/slow ] || sleep 60; echo done > /srv/settled"
        package_managers.offer(fresh.host, "t-new", slow)
        fresh.converge(Package("t-new"))
        package_managers.offer(fresh.host, "t-new", slow, version="2")
        fresh.sh("rm /srv/settled; touch /srv/slow")
        begun = f"dnf -y {dnf.MARK if own else ''} upgrade t-new"
        fresh.sh(f"setsid {begun} >/dev/null 2>&1 </dev/null &")
        until(lambda: fresh.sh("rpm -q t-new") == "t-new-1-1.noarch\nt-new-2-1.noarch")
        # It is at work, not cut off.
        assert fresh.plan(Package("t-new")) == []
        cut_power(fresh)
        fresh.sh("rm /srv/slow")
        if own:
            assert fresh.plan(Package("t-new"))[0]["lines"] == ["  state: half-configured -> installed"]
            assert fresh.converge(Package("t-new")) == ["package:t-new"]
            assert fresh.sh("rpm -q t-new; cat /srv/settled; dnf -q check") == "t-new-2-1.noarch\ndone"
        else:
            assert fresh.plan(Package("t-new")) == []
            assert fresh.converge(Package("socat")) == ["package:socat"]
            assert fresh.sh("rpm -q t-new; ls /srv/settled || true") == "t-new-1-1.noarch\nt-new-2-1.noarch"

    def test_another_package_manager_is_waited_for_by_name(self, fresh: Driven) -> None:
        for hold in fresh.manager.held:
            fresh.events.clear()
            fresh.sh(f'setsid python3 -c "{hold}" >/dev/null 2>&1 </dev/null &')
            time.sleep(1)
            assert fresh.converge(Package("socat")) == ["package:socat"]
            waited = [text for text in fresh.progress() if "waiting for process" in text]
            assert any(f"python3 -c {hold[:12]}" in text for text in waited), fresh.progress()
            fresh.converge(Package("socat", absent=True))

    def test_an_unknown_name_is_told(self, fresh: Driven) -> None:
        failure = fresh.failure(Package("socat"), Package("no-such-package"))
        assert f"{fresh.manager.unknown} no-such-package" in failure["message"]
        assert fresh.manager.unknown_line in failure["command"]["out"]

    def test_a_package_that_cannot_be_configured_is_named_and_repaired_later(self, fresh: Driven) -> None:
        package_managers.offer(fresh.host, "t-bad", "ls /srv/fixed", moment="pre")
        failure = fresh.failure(Package("t-bad"))
        assert f"{fresh.manager.failed} t-bad" in failure["message"]
        assert any("/srv/fixed" in line for line in failure["command"]["out"]), failure
        assert fresh.plan(Package("t-bad"))[0]["lines"] == fresh.manager.after_failure
        fresh.sh("touch /srv/fixed")
        assert fresh.converge(Package("t-bad"), Package("socat")) == ["package:t-bad", "package:socat"]

    def test_a_script_whose_failure_rpm_takes_lightly_is_told(self, fresh: Driven) -> None:
        if fresh.manager is not package_managers.DNF:
            pytest.skip("dpkg takes no failure of a script lightly")
        package_managers.offer(fresh.host, "t-light", "ls /srv/fixed")
        assert fresh.converge(Package("t-light")) == ["package:t-light"]
        assert any(text.startswith("scripts failed: t-light; installed all the same") for text in fresh.progress())

    def test_a_host_has_a_name_among_initiators_before_the_initiator_starts(self, fresh: Driven) -> None:
        host = cloud_of((fresh.host.address,), fresh.host.platform).hosts[0]
        fresh.converge(*(item for item in initiator(host) if isinstance(item, (Package, Command))))
        fresh.host.run("grep ^InitiatorName=iqn. /etc/iscsi/initiatorname.iscsi", check=True)


class TestUnits:
    FILE = File("/etc/systemd/system/t-daemon.service", DAEMON)
    CONF = File("/etc/t-daemon.conf", "A=1\n")
    UNIT = Unit("t-daemon.service", reads=(FILE.path, CONF.path))

    def started(self, driven: Driven) -> str:
        return driven.sh("systemctl show -P ExecMainStartTimestampMonotonic t-daemon")

    def test_it_starts_and_a_second_time_nothing_changes(self, driven: Driven) -> None:
        assert driven.converge(self.FILE, self.CONF, self.UNIT) == [self.FILE.id, self.CONF.id, self.UNIT.id]
        assert driven.sh("systemctl is-active t-daemon; systemctl is-enabled t-daemon") == "active\nenabled"

    def test_it_restarts_when_what_it_reads_is_touched_and_only_then(self, driven: Driven) -> None:
        before = self.started(driven)
        driven.sh(f"touch {self.CONF.path}")
        (change,) = driven.plan(self.FILE, self.CONF, self.UNIT)
        assert change["lines"] == [f"  stale: [{self.CONF.path}] -> []"]
        assert driven.converge(self.FILE, self.CONF, self.UNIT) == [self.UNIT.id]
        assert self.started(driven) != before

    def test_a_plan_tells_that_it_will_restart(self, driven: Driven) -> None:
        changes = driven.plan(self.FILE, File(self.CONF.path, "A=2\n"), self.UNIT)
        assert [(change["resource"], change["lines"][-1]) for change in changes] == [
            (self.CONF.id, "+A=2"),
            (self.UNIT.id, f"restart: reads {self.CONF.path}"),
        ]

    def test_a_run_that_was_killed_between_file_and_restart_is_not_forgotten(self, driven: Driven) -> None:
        before = self.started(driven)
        driven.converge(File(self.CONF.path, "A=2\n"))
        assert driven.converge(File(self.CONF.path, "A=2\n"), self.UNIT) == [self.UNIT.id]
        assert self.started(driven) != before

    def test_a_changed_definition_is_loaded(self, driven: Driven) -> None:
        file = File(self.FILE.path, DAEMON.replace("A service", "The service"))
        assert driven.converge(file, self.UNIT) == [file.id, self.UNIT.id]
        assert driven.sh("systemctl show -P Description t-daemon").startswith("The service")

    def test_one_that_reloads_keeps_its_process(self, driven: Driven) -> None:
        before = self.started(driven)
        driven.sh(f"touch {self.CONF.path}")
        unit = Unit("t-daemon.service", reads=(self.CONF.path,), reload=True)
        assert driven.converge(unit) == [unit.id]
        assert self.started(driven) == before

    def test_a_reboot_changes_nothing(self, driven: Driven) -> None:
        driven.session().close()
        driven.forget_session()
        driven.host.reboot()
        assert driven.apply(self.UNIT)["changed"] == []

    def test_one_that_fails_shows_its_journal(self, driven: Driven) -> None:
        failure = driven.failure(File(self.CONF.path, "BROKEN=1\n"), self.UNIT)
        assert failure["resource"] == self.UNIT.id
        assert "active: failed (exit-code, status 7) -> yes" in failure["message"]
        assert "it is broken" in failure["diagnosis"]
        assert driven.converge(self.CONF, self.UNIT) == [self.CONF.id, self.UNIT.id]

    def test_a_masked_or_unknown_one_is_refused(self, driven: Driven) -> None:
        assert "systemd knows no unit t-none.service" in driven.failure(Unit("t-none.service"))["message"]
        driven.sh("systemctl mask -q getty@tty2.service")
        assert "is masked" in driven.failure(Unit("getty@tty2.service"))["message"]

    def test_it_is_stopped_and_disabled(self, driven: Driven) -> None:
        assert driven.converge(Unit("t-daemon.service", enabled=False, active=False))
        assert driven.sh("systemctl is-active t-daemon; systemctl is-enabled t-daemon; true") == "inactive\ndisabled"


class TestTheRest:
    def test_accounts(self, driven: Driven) -> None:
        items = [
            Group("t-cloud", gid=7163),
            Group("t-more"),
            User("t-cloud", "t-cloud", preferred_uid=7164, groups=("t-more",), comment="A service"),
            User("t-other", "t-cloud", preferred_uid=7164),
        ]
        assert len(driven.converge(*items)) == 4
        assert driven.sh("getent passwd t-cloud").startswith("t-cloud:x:7164:7163:A service:/nonexistent:")
        assert ":7164:" not in driven.sh("getent passwd t-other")
        driven.sh("usermod -a -G audio t-cloud")
        assert driven.converge(User("t-cloud", "t-cloud", groups=("t-more",), shell="/bin/sh", comment="A service"))
        assert driven.sh("id -nG t-cloud; getent passwd t-cloud | cut -d: -f7") == "t-cloud audio t-more\n/bin/sh"
        assert "renumber" in driven.failure(Group("t-cloud", gid=7999))["message"]

    def test_kernel_parameters(self, driven: Driven) -> None:
        items = [Sysctl("net.ipv4.conf.all.arp_ignore", "1"), Sysctl("net.ipv4.ip_local_port_range", "20000 60000")]
        assert driven.converge(*items) == [item.id for item in items]
        assert driven.sh("cat /proc/sys/net/ipv4/ip_local_port_range") == "20000\t60000"
        assert "only be set on the machine" in driven.failure(Sysctl("vm.swappiness", "3"))["message"]

    def test_host_entries(self, driven: Driven) -> None:
        driven.sh("echo '127.0.1.1 t-ctl.lab t-ctl' >> /etc/hosts")
        items = [HostEntry("192.0.2.11", ("t-ctl.lab", "t-ctl")), HostEntry("192.0.2.12", ("t-cmp.lab", "t-cmp"))]
        assert driven.converge(*items) == [item.id for item in items]
        assert driven.sh("getent ahostsv4 t-ctl | cut -d' ' -f1 | sort -u; stat -c %a /etc/hosts") == "192.0.2.11\n644"
        driven.sh("echo '198.51.100.1 t-cmp2' >> /etc/hosts")
        assert "198.51.100.1 t-cmp2" in driven.failure(HostEntry("192.0.2.13", ("t-cmp2",)))["message"]

    def test_commands_as_another_account_with_a_secret(self, driven: Driven) -> None:
        item = Command(
            "t-secret",
            ("sh", "-c", "umask 077; cat > /var/tmp/t-secret"),
            creates="/var/tmp/t-secret",
            user="nobody",
            stdin=Secret("top s3cret"),
        )
        assert driven.converge(item) == [item.id]
        assert driven.sh("cat /var/tmp/t-secret; stat -c '%U %a' /var/tmp/t-secret") == "top s3cretnobody 600"
        stamped = Command("t-stamp", ("true",), stamp="abc")
        assert driven.converge(stamped) == [stamped.id]

    def test_waiting_for_an_answer(self, driven: Driven) -> None:
        serve = "sleep 3; cd /var/tmp; exec python3 -m http.server 18080"
        driven.sh(f"setsid sh -c '{serve}' >/dev/null 2>&1 </dev/null &")
        item = Answering("t-web", url="http://127.0.0.1:18080/", limit=30)
        assert driven.plan(item)[0]["lines"] == ["  answers: Connection refused -> yes"]
        assert driven.converge(item) == [item.id]
        nobody = Answering("t-none", tcp="127.0.0.1:18081", limit=1)
        assert "did not answer within 1 s; last seen: Connection refused" in driven.failure(nobody)["message"]
