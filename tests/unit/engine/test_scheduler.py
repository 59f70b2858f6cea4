from __future__ import annotations

from concurrent.futures import Future
from typing import Any

from installer.engine.scheduler import run
from installer.errors import HostUnreachable
from installer.plan import Step


def step(host: str, name: str, *needs: tuple[str, str]) -> Step:
    return Step(host, name, (), frozenset(needs))


class Hosts:
    """Answers steps in the order of being started, and remembers that order."""

    def __init__(self, **failures: Any) -> None:
        self.started: list[tuple[str, str]] = []
        self.failures = failures

    def apply(self, step: Step) -> Future[dict[str, Any]]:
        self.started.append(step.key)
        future: Future[dict[str, Any]] = Future()
        failure = self.failures.get(step.name)
        if isinstance(failure, Exception):
            future.set_exception(failure)
        else:
            future.set_result(
                {"changed": [], "unchanged": 1, "seconds": 0.1, **({"failure": failure} if failure else {})}
            )
        return future


def outcomes(steps: list[Step], hosts: Hosts) -> dict[tuple[str, str], str]:
    return {(result.host, result.role): result.outcome for result in run(steps, hosts.apply, lambda event: None)}


def test_a_step_starts_only_when_what_it_needs_has_converged() -> None:
    hosts = Hosts()
    outcomes([step("a", "keystone", ("b", "mariadb"), ("a", "base")), step("a", "base"), step("b", "mariadb")], hosts)
    assert hosts.started.index(("a", "keystone")) == 2


def test_a_failure_lets_no_further_step_start_and_the_rest_is_skipped() -> None:
    hosts = Hosts(mariadb={"resource": "unit:mariadb", "message": "no"})
    found = outcomes([step("b", "mariadb"), step("a", "keystone", ("b", "mariadb"))], hosts)
    assert found == {("b", "mariadb"): "failed", ("a", "keystone"): "skipped"}


def test_steps_that_run_beside_a_failing_one_come_to_their_end() -> None:
    hosts = Hosts(mariadb={"resource": "unit:mariadb", "message": "no"})
    found = outcomes([step("b", "mariadb"), step("c", "rabbitmq")], hosts)
    assert found == {("b", "mariadb"): "failed", ("c", "rabbitmq"): "converged"}


def test_a_host_that_goes_away_fails_its_step_with_the_reason_and_exit_code_4() -> None:
    hosts = Hosts(base=HostUnreachable("a", "a: the link was lost", "run again"))
    (result,) = run([step("a", "base")], hosts.apply, lambda event: None)
    assert result.failure == {"resource": "", "message": "a: the link was lost", "remedy": "run again", "exit_code": 4}


def test_needs_on_hosts_outside_of_the_limit_do_not_hold_a_step_back() -> None:
    hosts = Hosts()
    assert outcomes([step("a", "keystone", ("elsewhere", "mariadb"))], hosts) == {("a", "keystone"): "converged"}
