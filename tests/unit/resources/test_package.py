"""What package managers say, how it is understood, and how transactions survive."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from installer.agent.host import CommandFailed, Completed
from installer.resources import dnf, dnf_history, dpkg, held_services, locks, transaction
from installer.resources.base import CannotFix, FixFailed
from installer.resources.package import Package
from installer.resources.package_manager import of_distribution
from installer.resources.secret import Secret
from tests.unit.resources.fake_host import FakeHost

CASES = yaml.safe_load((Path(__file__).parent / "cases" / "packages.yaml").read_text())

#: A transaction that upgrades a and c and installs b.
CUT_OFF = dnf_history.Last(
    number=3,
    begun=1000,
    state=dnf_history.BEGUN,
    own=True,
    brought=frozenset({"a-2-1.noarch", "b-1-1.noarch", "c-2-1.noarch"}),
    replaced=frozenset({"a-1-1.noarch", "c-1-1.noarch"}),
)


def rpm(version: str, name: str, moment: int, instance: int, provides: str = "") -> str:
    """Return rpm's line of a package."""
    return f"{version}\t{name}.noarch\t{moment}\t{instance}\t{provides or name} \n"


@pytest.fixture(autouse=True)
def without_records(monkeypatch):
    monkeypatch.setattr(dnf_history, "cut_off", lambda: None)


@pytest.fixture
def policy(tmp_path, monkeypatch):
    path = tmp_path / "policy-rc.d"
    monkeypatch.setattr(held_services, "POLICY", path)
    return path


def answer(policy: Path, **env: str) -> int:
    return subprocess.run([policy, "mariadb", "start"], env={"PATH": os.environ["PATH"], **env}).returncode


def on(manager: str, answers: dict) -> FakeHost:
    host = FakeHost({"busctl": "", **answers})
    host.remember("package manager", lambda: manager)
    return host


@pytest.mark.parametrize("case", CASES["dpkg"], ids=lambda case: case["title"])
def test_dpkg_states(case):
    known = dpkg.parse(case["output"])
    assert {name: known.state(name, case.get("provided", True)) for name in case["states"]} == case["states"]
    assert known.half_configured == case.get("half_configured", [])


@pytest.mark.parametrize("case", CASES["rpm"], ids=lambda case: case["title"])
def test_rpm_missing(case):
    assert sorted(dnf.not_provided(case["output"])) == case["missing"]


@pytest.mark.parametrize("case", CASES["os_release"], ids=lambda case: case["text"])
def test_the_package_manager_follows_os_release(case):
    assert of_distribution(case["text"]) == case["manager"]


@pytest.mark.parametrize("case", CASES["apt_progress"], ids=lambda case: case["line"][:30])
def test_apt_lines_become_progress(case):
    progress = dpkg.Progress()
    for line in case.get("before", []):
        progress(line)
    assert progress(case["line"]) == case["told"]


@pytest.mark.parametrize("case", CASES["dnf_progress"], ids=lambda case: case["line"][:30])
def test_dnf_lines_become_progress(case):
    assert dnf.progress(case["line"].rstrip()) == case["told"]


@pytest.mark.parametrize("case", CASES["apt_failures"], ids=lambda case: case["title"])
def test_an_apt_failure_is_told_in_words(case):
    assert dpkg.why(case["output"]) == case["why"]
    assert bool(dpkg.NOT_FOUND.search(case["output"])) == case.get("not_found", False)


@pytest.mark.parametrize("case", CASES["dnf_failures"], ids=lambda case: case["why"])
def test_a_dnf_failure_is_told_in_words(case):
    assert dnf.why(case["output"]) == case["why"]
    assert bool(dnf.NOT_FOUND.search(case["output"])) == case.get("not_found", False)


@pytest.mark.parametrize("case", CASES["locks"], ids=lambda case: str(case["holder"]))
def test_the_holder_of_a_package_manager_lock_is_found(case):
    assert transaction.lock_holder(case["output"]) == case["holder"]


def test_the_excerpt_of_a_long_output_is_where_the_first_error_is():
    output = "\n".join(
        [*(f"Setting up p{n} (1) ..." for n in range(300)), "mkdir: no room", "dpkg: error processing package p"]
    )
    lines = dpkg.excerpt(output + "\nnoise" * 50).splitlines()
    assert lines[-5:-2] == ["mkdir: no room", "dpkg: error processing package p", "noise"]
    assert len(lines) == 10


def test_whom_a_file_of_dnf_4_names_is_waited_for_with_the_file_that_may_be_left_from_a_power_cut(
    tmp_path, monkeypatch
):
    file = tmp_path / "rpmdb_lock.pid"
    file.write_text(str(os.getpid()))
    monkeypatch.setattr(locks, "PID_FILES", (str(file),))
    assert transaction.waiting_for(os.getpid()).endswith(
        f"as {file} says; if it has nothing to do with packages, remove that file"
    )
    file.write_text("99999999")
    assert transaction.waiting_for(os.getpid()).endswith("which holds the package manager's lock")


class TestQuery:
    def test_one_command_for_all_deb_packages(self, policy):
        host = on("apt", {"dpkg-query -W -f": "ii \ta\t\nrc \tb\t\niF \tc\t\n"})
        items = [Package("a"), Package("b"), Package("c"), Package("d"), Package("a2", absent=True)]
        assert Package.query(items, host) == {
            "package:a": {"state": "installed"},
            "package:b": None,
            "package:c": {"state": "half-configured"},
            "package:d": None,
            "package:a2": None,
        }
        assert len(host.ran) == 1

    def test_one_command_for_all_rpm_packages(self, policy):
        host = on("dnf", {"rpm -q --whatprovides": (1, "a\nno package provides b\n", "")})
        assert Package.query([Package("a"), Package("b")], host) == {
            "package:a": {"state": "installed"},
            "package:b": None,
        }
        assert host.ran == ["rpm -q --whatprovides --qf %{NAME}\\n a b"]

    def test_an_rpm_database_that_cannot_be_read_is_not_taken_for_an_empty_one(self, policy):
        host = on("dnf", {"rpm": (1, "", "error: cannot open Packages database in /var/lib/rpm")})
        with pytest.raises(CommandFailed, match="rpm cannot tell"):
            Package.query([Package("a")], host)

    def test_what_pystacks_cut_off_transaction_brought_is_half_configured_and_what_was_there_before_is_not(
        self, policy, monkeypatch
    ):
        monkeypatch.setattr(dnf_history, "cut_off", lambda: CUT_OFF)
        there = rpm("a-2-1.noarch", "a", 1000, 7, "a virtual") + rpm("b-1-1.noarch", "b", 999, 3)
        host = on("dnf", {"rpm -q --whatprovides": "a\na\nb\n", "rpm -q --qf": (1, there, "")})
        items = [Package("a"), Package("virtual"), Package("b")]
        assert Package.query(items, host) == {
            "package:a": {"state": "half-configured"},
            "package:virtual": {"state": "half-configured"},
            "package:b": {"state": "installed"},
        }

    def test_a_policy_left_behind_differs_until_it_is_cleared_away(self, policy):
        host = on("apt", {"dpkg-query -W -f": "ii \ta\t\nii \tb\t\n"})
        items = [Package("a"), Package("b")]
        held_services._place()
        states = Package.query(items, host)
        assert states["package:a"] == {"state": "installed", "services": "held back by a run that was cut off"}
        Package.fix_all([(items[0], states["package:a"])], host)
        assert not policy.exists()
        assert Package.query(items, host)["package:a"] == items[0].expected()


class TestListsAreOld:
    @pytest.fixture
    def root(self, tmp_path):
        (tmp_path / "var/lib/apt/lists/partial").mkdir(parents=True)
        (tmp_path / "etc/apt/sources.list.d").mkdir(parents=True)
        (tmp_path / "etc/apt/sources.list.d/debian.sources").touch()
        time.sleep(0.02)
        (tmp_path / "var/lib/apt/lists/m_dists_trixie_main_binary-amd64_Packages.lz4").touch()
        os.utime(tmp_path / "var/lib/apt/lists/partial")
        return tmp_path

    def test_fresh_ones_are_not(self, root):
        assert not dpkg.lists_are_old(time.time(), root)

    def test_a_day_later_they_are(self, root):
        assert dpkg.lists_are_old(time.time() + dpkg.DAY + 1, root)

    def test_missing_ones_are(self, root):
        for path in (root / "var/lib/apt/lists").glob("*Packages*"):
            path.unlink()
        assert dpkg.lists_are_old(time.time(), root)

    def test_ones_from_before_a_new_source_are(self, root):
        time.sleep(0.02)
        (root / "etc/apt/sources.list.d/new.sources").touch()
        assert dpkg.lists_are_old(time.time(), root)


class TestHeldServices:
    def test_only_our_transaction_is_denied(self, policy):
        with held_services.held_back() as hold:
            assert answer(policy, **hold) == 101
            assert answer(policy) == 0
        assert not policy.exists()

    @pytest.fixture
    def theirs(self, policy):
        policy.write_text("#!/bin/sh\nexit 42\n")
        policy.chmod(0o750)
        return policy.stat()

    def test_the_operators_policy_answers_everybody_else_and_comes_back(self, policy, theirs):
        with held_services.held_back() as hold:
            assert answer(policy, **hold) == 101
            assert answer(policy) == 42
        assert os.path.samestat(policy.stat(), theirs)
        assert os.listdir(policy.parent) == ["policy-rc.d"]

    def test_a_policy_that_is_a_link_comes_back_as_a_link(self, policy):
        (policy.parent / "target").write_text("#!/bin/sh\nexit 42\n")
        policy.symlink_to("target")
        with held_services.held_back():
            assert not policy.is_symlink()
        assert os.readlink(policy) == "target"

    @pytest.mark.parametrize("call", ["link", "replace"])
    def test_a_kill_at_any_step_leaves_the_operators_policy_in_force(self, policy, theirs, monkeypatch, call):
        def killed(*_, **__):
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(os, call, killed)
            with pytest.raises(KeyboardInterrupt):
                held_services._place()
        assert answer(policy) == 42
        held_services.let_go()
        assert os.path.samestat(policy.stat(), theirs)

    def test_one_that_the_operator_made_after_a_kill_counts(self, policy, theirs):
        held_services._place()
        policy.unlink()
        policy.write_text("#!/bin/sh\nexit 43\n")
        assert held_services.left_behind()
        held_services.let_go()
        assert policy.read_text() == "#!/bin/sh\nexit 43\n"
        assert not held_services.left_behind()


class TestTransaction:
    @pytest.fixture
    def log(self, tmp_path):
        path = tmp_path / "log" / "packages.log"
        transaction.begin(path)
        return path

    def test_output_goes_to_a_private_log_and_to_progress(self, log):
        host = FakeHost()
        ended = transaction.run(["sh", "-c", "echo one; echo two >&2; exit 3"], host, lambda line: f"<{line}>", log=log)
        assert (ended.code, ended.out) == (3, "one\ntwo\n")
        assert host.told[-1] == "<two>"
        assert log.stat().st_mode & 0o777 == 0o600
        assert log.parent.stat().st_mode & 0o777 == 0o750

    def test_its_result_holds_its_own_output_only(self, log):
        host = FakeHost()
        transaction.run(["echo", "first"], host, lambda line: None, log=log)
        assert transaction.run(["echo", "second"], host, lambda line: None, log=log).out == "second\n"
        assert log.read_text() == "first\nsecond\n"

    def test_a_program_that_does_not_exist_is_said_so(self, log):
        with pytest.raises(CommandFailed, match="no-such-program cannot be started"):
            transaction.run(["no-such-program"], FakeHost(), lambda line: None, log=log)

    def test_it_waits_for_the_holder_of_the_lock_by_name(self, log, tmp_path, monkeypatch):
        monkeypatch.setattr(time, "sleep", lambda seconds, sleep=time.sleep: sleep(min(seconds, 0.05)))
        script = f"""
            if [ -e {tmp_path}/second ]; then exit 0; fi
            touch {tmp_path}/second
            echo 'E: Could not get lock /x. It is held by process {os.getpid()} (apt)'; exit 100
        """
        host = FakeHost()
        assert transaction.run(["sh", "-c", script], host, lambda line: None, log=log).code == 0
        own = Path("/proc/self/cmdline").read_text().split("\0")[0]
        assert host.told[0].startswith(f"waiting for process {os.getpid()} ({own}")

    def test_it_finds_out_who_holds_the_lock_of_rpm(self, monkeypatch):
        said = (
            "RPM: error: can't create transaction lock on /var/lib/rpm/.rpm.lock (Resource temporarily unavailable)\n"
        )
        monkeypatch.setattr(locks, "holder", {"/var/lib/rpm/.rpm.lock": 4711}.get)
        assert transaction.lock_holder(said) == 4711
        monkeypatch.setattr(locks, "holder", lambda path: None)
        assert transaction.lock_holder(said) == 0
        assert "another process held a moment ago" in transaction.waiting_for(0)

    def test_it_gives_up_on_a_lock_that_is_never_free(self, log):
        script = "echo 'E: Could not get lock /x. It is held by process 1 (apt)'; exit 100"
        with pytest.raises(CannotFix, match="waiting for process 1 "):
            transaction.run(["sh", "-c", script], FakeHost(), lambda line: None, log=log, locked=-0.1)

    @pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
    def test_it_gives_up_on_a_silent_one_and_leaves_it_running(self, log):
        with pytest.raises(CannotFix, match=r"process (\d+)\) has said nothing") as caught:
            transaction.run(["sleep", "20"], FakeHost(), lambda line: None, log=log, silence=0.1)
        process = int(str(caught.value).split("(process ")[1].split(")")[0])
        os.kill(process, signal.SIGKILL)
        del caught
        gc.collect()

    @pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
    def test_services_stay_held_back_in_one_that_was_given_up_on_until_the_next_run(self, log, policy):
        script = f"sleep 0.5; {policy} mariadb start; echo answer $?"
        with pytest.raises(CannotFix), held_services.held_back() as hold:
            transaction.run(["sh", "-c", script], FakeHost(), lambda line: None, hold, log=log, silence=0.1)
        deadline = time.monotonic() + 10
        while "answer" not in log.read_text() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert log.read_text() == "answer 101\n"
        assert held_services.left_behind()
        held_services.let_go()
        assert not policy.exists()
        gc.collect()

    def test_it_goes_on_with_the_lock_when_its_parent_is_killed(self, log, tmp_path):
        parent = textwrap.dedent(f"""
            import os, pathlib, fcntl
            from installer.agent.host import Host
            from installer.resources import transaction
            lock = os.open({str(tmp_path / "lock")!r}, os.O_RDWR | os.O_CREAT)
            fcntl.flock(lock, fcntl.LOCK_EX)
            script = "for n in 1 2 3 4 5 6; do echo line $n || exit 9; sleep 0.1; done; touch {tmp_path}/done"
            transaction.run(["sh", "-c", script], Host(lock_fd=lock), lambda line: None, log=pathlib.Path({str(log)!r}))
        """)
        process = subprocess.Popen([sys.executable, "-c", parent], cwd=Path(__file__).parents[3])
        while "line 2" not in log.read_text():
            time.sleep(0.01)
        process.kill()
        process.wait()
        assert not (tmp_path / "done").exists()
        subprocess.run(["flock", tmp_path / "lock", "true"], check=True, timeout=10)
        assert (tmp_path / "done").exists()
        assert log.read_text().endswith("line 6\n")


class TestFix:
    @pytest.fixture
    def runs(self, policy, tmp_path, monkeypatch):
        """Answer package managers from a list of (code, output), and note how they were called."""
        calls, answers = [], []

        def run(argv, host, read, env=None):
            calls.append((list(argv), dict(env or {}), policy.exists()))
            code, out = answers.pop(0) if answers else (0, "")
            return Completed(tuple(argv), code, out, "")

        monkeypatch.setattr(transaction, "run", run)
        monkeypatch.setattr(transaction, "begin", lambda: None)
        monkeypatch.setattr(dpkg, "lists_are_old", lambda now: False)
        monkeypatch.setattr(dpkg, "_updates_pending", lambda: False)
        return SimpleNamespace(calls=calls, answers=answers)

    @staticmethod
    def verbs(runs):
        words = ("install", "update", "--configure", "remove")
        return [next(word for word in argv if word in words) for argv, _, _ in runs.calls]

    def test_one_transaction_with_services_held_back(self, runs):
        host = on("apt", {"dpkg-query": "ii \tx\t\n"})
        Package.fix_all(
            [(Package("a"), None), (Package("b"), None), (Package("c", absent=True), {"state": "installed"})], host
        )
        ((argv, env, held),) = runs.calls
        assert argv[-4:] == ["install", "a", "b", "c-"]
        assert held
        assert env["PYSTACK_HOLDS_SERVICES"]
        assert not held_services.left_behind()

    def test_half_configured_packages_are_finished_first(self, runs):
        host = on("apt", {"dpkg-query": "iF \tsomething-else\t\n"})
        Package.fix_all([(Package("a"), None)], host)
        assert self.verbs(runs) == ["--configure", "install", "install"]
        assert "-f" in runs.calls[1][0]

    def test_lists_are_read_again_once_when_a_package_is_not_found(self, runs):
        host = on("apt", {"dpkg-query": ""})
        runs.answers += [(100, "E: Unable to locate package a\n"), (0, ""), (0, "")]
        Package.fix_all([(Package("a"), None)], host)
        assert self.verbs(runs) == ["install", "update", "install"]

    def test_a_failure_names_packages_and_lets_services_go(self, runs):
        host = on("apt", {"dpkg-query": ""})
        runs.answers += [(100, "dpkg: error processing package b (--configure):\n")]
        with pytest.raises(FixFailed) as failed:
            Package.fix_all([(Package("a"), None), (Package("b"), None)], host)
        assert failed.value.resource == Package("b")
        assert "failed while being installed or configured: b" in str(failed.value.__cause__)
        assert not held_services.left_behind()

    def test_a_failure_that_is_about_none_of_them_is_told_as_it_is(self, runs):
        host = on("apt", {"dpkg-query": ""})
        runs.answers += [(100, "E: You don't have enough free space in /var/cache/apt/archives/.\n")]
        with pytest.raises(CommandFailed, match="enough free space"):
            Package.fix_all([(Package("a"), None), (Package("b"), None)], host)

    def test_rpm_installs_in_one_transaction_and_removes_in_another(self, runs):
        host = on("dnf", {})
        Package.fix_all(
            [(Package("a"), None), (Package("b"), None), (Package("c", absent=True), {"state": "installed"})], host
        )
        assert [argv for argv, _, _ in runs.calls] == [
            ["dnf", "-y", "--comment=pystack", "--setopt=install_weak_deps=False", "install", "a", "b"],
            ["dnf", "-y", "--comment=pystack", "--setopt=clean_requirements_on_remove=False", "remove", "c"],
        ]

    @pytest.fixture
    def torn(self, monkeypatch):
        """A host after a power cut, and what rpm answers there at each further question."""
        monkeypatch.setattr(dnf_history, "cut_off", lambda: CUT_OFF)
        host = on("dnf", {})
        answers = []

        def asked(argv, **_):
            host.ran.append(" ".join(argv))
            return Completed(tuple(argv), 0, answers.pop(0), "")

        monkeypatch.setattr(host, "run", asked)
        return SimpleNamespace(host=host, answers=answers)

    CAME = rpm("a-2-1.noarch", "a", 1000, 7) + rpm("b-1-1.noarch", "b", 1001, 8)
    ANEW = rpm("a-2-1.noarch", "a", 2000, 9) + rpm("b-1-1.noarch", "b", 2000, 10)
    DNF = ("dnf", "-y", "--comment=pystack")

    def test_what_came_with_pystacks_cut_off_transaction_is_installed_anew_and_then_what_it_replaces_erased(
        self, runs, torn
    ):
        # Of c the new version had not come: the old one is all that there is.
        old = rpm("a-1-1.noarch", "a", 500, 1) + rpm("c-1-1.noarch", "c", 500, 2)
        torn.answers += [self.CAME, self.ANEW, old]
        Package.fix_all([(Package("a"), {"state": "half-configured"}), (Package("d"), None)], torn.host)
        assert [argv for argv, _, _ in runs.calls] == [
            [*self.DNF, "reinstall", "a-2-1.noarch", "b-1-1.noarch"],
            ["rpm", "-e", "a-1-1.noarch"],
            [*self.DNF, "--setopt=install_weak_deps=False", "install", "a", "d"],
        ]

    def test_nothing_is_done_when_nothing_had_come(self, runs, torn):
        torn.answers += [rpm("b-1-1.noarch", "b", 999, 3)]
        Package.fix_all([(Package("d"), None)], torn.host)
        assert len(runs.calls) == 1

    @pytest.mark.parametrize("fails", [False, True], ids=["dnf 4", "dnf 5"])
    def test_what_a_repository_has_in_a_newer_version_only_is_upgraded(self, runs, torn, fails):
        anew = rpm("a-2-1.noarch", "a", 2000, 9)
        torn.answers += [self.CAME, anew + rpm("b-1-1.noarch", "b", 1001, 8), anew, ""]
        gone = "Installed packages for argument 'b-1-1.noarch' are not available in repositories in the same version"
        runs.answers += (
            [(1, f"Failed to resolve the transaction:\n{gone}, cannot reinstall.\n")] if fails else [(0, "")]
        )
        Package.fix_all([(Package("d"), None)], torn.host)
        assert [argv[3:] for argv, _, _ in runs.calls][:-1] == [
            ["reinstall", "a-2-1.noarch", "b-1-1.noarch"],
            *([["reinstall", "a-2-1.noarch"]] if fails else []),
            ["upgrade", "b.noarch"],
        ]

    def test_what_no_repository_has_any_more_is_named_although_dnf_says_that_all_went_well(self, runs, torn):
        torn.answers += [self.CAME, self.ANEW[:40] + self.CAME, self.CAME]
        with pytest.raises(CommandFailed, match=r"cannot be installed anew: a-2-1.noarch, b-1-1.noarch; dnf said"):
            Package.fix_all([(Package("d"), None)], torn.host)

    def test_what_others_need_in_the_older_version_is_not_erased_and_rpms_words_say_so(self, runs, torn):
        torn.answers += [self.CAME, self.ANEW, rpm("a-1-1.noarch", "a", 500, 1)]
        runs.answers += [(0, ""), (1, "error: Failed dependencies:\n\ta = 1 is needed by (installed) z-1-1.noarch\n")]
        words = r"^rpm: Failed dependencies; a = 1 is needed by \(installed\) z-1-1.noarch \(the whole"
        with pytest.raises(CommandFailed, match=words):
            Package.fix_all([(Package("d"), None)], torn.host)

    def test_a_script_that_failed_at_a_removal_is_told_as_such(self, runs):
        host = on("dnf", {})
        runs.answers += [(0, "Complete!\nError in PREUN scriptlet in rpm package a\n")]
        Package.fix_all([(Package("a", absent=True), {"state": "installed"})], host)
        assert host.told[0].startswith("scripts failed: a; removed all the same")

    def test_a_script_that_failed_without_consequences_is_told(self, runs):
        host = on("dnf", {})
        runs.answers += [(0, "Complete!\nError in POSTIN scriptlet in rpm package a\n")]
        Package.fix_all([(Package("a"), None)], host)
        assert host.told == [
            "scripts failed: a; installed all the same (see /var/log/pystack/packages.log on the host)"
        ]

    @pytest.mark.parametrize("family", ["deb", "rpm"])
    def test_every_transaction_goes_through_the_proxies(self, runs, family):
        proxies = (("https_proxy", Secret("http://me:hidden@proxy.example:3128")),)
        host = on(family, {"dpkg-query": ""})
        Package.fix_all(
            [(Package("a", proxies=proxies), None), (Package("b", absent=True, proxies=proxies), {"state": "x"})], host
        )
        assert {env["https_proxy"] for _, env, _ in runs.calls} == {"http://me:hidden@proxy.example:3128"}
        assert "hidden" not in str([argv for argv, _, _ in runs.calls])
