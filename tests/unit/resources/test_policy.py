"""What an SELinux policy is told: read from the files of its tools, set by one call of them."""

from __future__ import annotations

import bz2
from pathlib import Path

import pytest

from installer.agent import selinux
from installer.agent.host import CommandFailed
from installer.resources import policy
from installer.resources.base import Resource, differs
from installer.resources.policy import PolicyBoolean, PolicyModule, PolicyPath, PolicyPort
from tests.unit.resources.fake_host import FakeHost

MODULE = PolicyModule("pystack-queue", "(allow a_t b_t (file (read)))\n")
BOOLEAN, PORT = PolicyBoolean("daemon_may"), PolicyPort(25672, "amqp_port_t")
FOLDER = "/var/lib/pystack/volume-groups"
PATH = PolicyPath(f"{FOLDER}/.*", "mount_loopback_t", below=FOLDER)


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A policy that knows a boolean and every type; what is kept of it is in the folder that is returned."""
    kernel, store = tmp_path / "kernel", tmp_path / "store"
    (kernel / "booleans").mkdir(parents=True)
    (kernel / "booleans/daemon_may").write_text("0 0")
    (kernel / "context").touch()
    store.mkdir()
    monkeypatch.setattr(selinux, "KERNEL", str(kernel))
    monkeypatch.setattr(policy, "store", lambda: str(store))
    monkeypatch.setattr(policy, "local_paths", lambda: str(store / "file_contexts.local"))
    return store


def state(resource: Resource) -> object:
    return type(resource).query([resource], FakeHost())[resource.id]


@pytest.mark.parametrize("resource", [MODULE, BOOLEAN, PORT], ids=lambda resource: resource.id)
def test_what_nobody_told_the_policy_differs(kept: Path, resource: Resource) -> None:
    assert differs(resource, state(resource))


def test_a_module_is_there_when_it_has_this_very_text_compressed_or_not(kept: Path) -> None:
    file = kept / "modules/400/pystack-queue/cil"
    file.parent.mkdir(parents=True)
    for data in (MODULE.content.encode(), bz2.compress(MODULE.content.encode())):
        file.write_bytes(data)
        assert not differs(MODULE, state(MODULE))
    file.write_bytes(bz2.compress(b"(allow a_t c_t (file (read)))\n"))
    assert differs(MODULE, state(MODULE))


def test_the_plan_shows_the_rules_of_a_module_as_other_tools_do(kept: Path) -> None:
    assert MODULE.explain(None, FakeHost()) == ["+ allow a_t b_t:file { read }"]


def test_a_switch_must_be_on_now_and_after_the_next_boot(kept: Path) -> None:
    (kept / "booleans.local").write_text("# auto-generated\n\nother=1\ndaemon_may=1\n")
    assert state(BOOLEAN) == {"now": "off", "at boot": "on"}
    (Path(selinux.KERNEL) / "booleans/daemon_may").write_text("1 1")
    assert not differs(BOOLEAN, state(BOOLEAN))
    (kept / "booleans.local").write_text("daemon_may=0\n")
    assert state(BOOLEAN) == {"now": "on", "at boot": "off"}


def test_a_policy_that_knows_no_such_switch_or_type_needs_none(kept: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(selinux, "KERNEL", str(kept / "nothing"))
    for resource in (BOOLEAN, PORT, PATH):
        assert not differs(resource, state(resource))


def test_a_port_has_the_type_that_was_kept_for_it(kept: Path) -> None:
    (kept / "ports.local").write_text(
        "# auto-generated\nportcon udp 25672 system_u:object_r:other_port_t:s0\n"
        "portcon tcp 25672 system_u:object_r:amqp_port_t:s0\nportcon tcp 1-9 system_u:object_r:x_port_t:s0\n"
    )
    assert not differs(PORT, state(PORT))
    assert state(PolicyPort(25672, "http_port_t")) == {"type": "amqp_port_t"}


def test_paths_have_the_type_that_was_kept_for_their_pattern(kept: Path) -> None:
    assert differs(PATH, state(PATH))
    (kept / "file_contexts.local").write_text(f"{PATH.pattern}    system_u:object_r:other_t:s0\n")
    assert state(PATH) == {"type": "other_t"}
    (kept / "file_contexts.local").write_text(f"{PATH.pattern}    system_u:object_r:mount_loopback_t:s0\n")
    assert not differs(PATH, state(PATH))


def test_a_port_or_path_that_the_policy_has_already_is_modified_instead_of_added(kept: Path) -> None:
    host = FakeHost(
        {
            "semanage port --add": (1, "", "ValueError: Port tcp/25672 already defined"),
            "semanage port --modify": "",
            "semanage fcontext --add": "",
        }
    )
    PORT.fix(None, host)
    PATH.fix(None, host)
    assert host.ran == [
        "semanage port --add -t amqp_port_t -p tcp 25672",
        "semanage port --modify -t amqp_port_t -p tcp 25672",
        f"semanage fcontext --add -t mount_loopback_t {FOLDER}/.*",
    ]


def test_what_fails_tells_why_it_could_not_be_added(kept: Path) -> None:
    host = FakeHost({"semanage port --add": (1, "", "no such type"), "semanage port --modify": (1, "", "not defined")})
    with pytest.raises(CommandFailed) as failed:
        PORT.fix(None, host)
    assert failed.value.completed.err == "no such type"


def test_all_modules_and_all_switches_are_one_call_each(kept: Path) -> None:
    host = FakeHost({"semodule -X 400 -i": "", "setsebool -P": ""})
    PolicyModule.fix_all([(MODULE, None), (PolicyModule("pystack-web", ""), None)], host)
    PolicyBoolean.fix_all([(BOOLEAN, None), (PolicyBoolean("other"), None)], host)
    assert len(host.ran) == 2
    assert host.ran[0].endswith("pystack-web.cil")
    assert host.ran[1] == "setsebool -P daemon_may=on other=on"


def test_paths_are_read_with_and_without_a_kind_of_file() -> None:
    text = "# x\n\n/srv/a(/.*)?    system_u:object_r:a_t:s0\n/srv/b -- system_u:object_r:b_t:s0\n/srv/c <<none>>\n"
    assert policy.kept_paths(text) == {"/srv/a(/.*)?": "a_t", "/srv/b": "b_t"}


@pytest.mark.parametrize(
    ("config", "tools", "found"),
    [
        ("SELINUX=enforcing\nSELINUXTYPE=targeted\n", "", "/var/lib/selinux/targeted/active"),
        ("SELINUX=enforcing\nSELINUXTYPE=default\n", "# store-root=/x\n", "/var/lib/selinux/default/active"),
        ("", "module-store = direct\nstore-root = /etc/selinux\n", "/etc/selinux/targeted/active"),
    ],
)
def test_the_policy_is_kept_where_its_tools_say(
    monkeypatch: pytest.MonkeyPatch, config: str, tools: str, found: str
) -> None:
    texts = {selinux.CONFIG: config, policy.TOOLS_CONFIG: tools}
    monkeypatch.setattr(policy, "text_of", texts.__getitem__)
    assert policy.store() == found
