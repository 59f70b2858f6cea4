"""Runs the steps of a plan, each as soon as what it needs has converged, on all hosts at once."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from typing import Any

from installer.errors import PystackError
from installer.outcome import Event, RoleResult
from installer.plan import Key, Step

Apply = Callable[[Step], Future[dict[str, Any]]]


def run(steps: Sequence[Step], apply: Apply, listen: Callable[[Event], None]) -> list[RoleResult]:
    """Run steps to their end and return how each went, in the order in which they ended.

    After a failure no new step starts; those that run come to their end; the rest is skipped.

    Args:
        steps: the plan.
        apply: starts a step on its host and returns the future of the agent's result.
        listen: takes ``step`` events.
    """
    waiting = {step.key: step for step in steps}
    running: dict[Key, tuple[Step, float]] = {}
    ended: queue.Queue[tuple[Key, Future[dict[str, Any]]]] = queue.Queue()
    converged: set[Key] = set()
    results: list[RoleResult] = []
    failed = False
    while True:
        if not failed:
            for step in [step for step in waiting.values() if not (step.needs & _known(steps)) - converged]:
                del waiting[step.key]
                running[step.key] = (step, time.monotonic())
                listen({"event": "step", "host": step.host, "step": step.name, "what": "started"})
                apply(step).add_done_callback(lambda future, key=step.key: ended.put((key, future)))  # type: ignore[misc]
        if not running:
            break
        key, future = ended.get()
        step, begun = running.pop(key)
        result = _result(step, future, time.monotonic() - begun)
        results.append(result)
        listen(_event(result))
        if result.outcome == "converged":
            converged.add(key)
        else:
            failed = True
    for step in waiting.values():
        skipped = RoleResult(step.host, step.name, "skipped")
        results.append(skipped)
        listen(_event(skipped))
    return results


def _known(steps: Sequence[Step]) -> frozenset[Key]:
    return frozenset(step.key for step in steps)


def _result(step: Step, future: Future[dict[str, Any]], seconds: float) -> RoleResult:
    problem = future.exception()
    if isinstance(problem, PystackError):
        lost: Event = {
            "resource": "",
            "message": problem.message,
            "remedy": problem.remedy,
            "exit_code": problem.exit_code,
        }
        return RoleResult(step.host, step.name, "failed", seconds=seconds, failure=lost)
    if problem is not None:
        raise problem
    found: Mapping[str, Any] = future.result()
    failure = found.get("failure")
    outcome = "failed" if failure else "converged"
    return RoleResult(step.host, step.name, outcome, found["changed"], found["unchanged"], seconds, failure)


def _event(result: RoleResult) -> Event:
    return {
        "event": "step",
        "host": result.host,
        "step": result.role,
        "what": result.outcome,
        "changed": len(result.changed),
        "unchanged": result.unchanged,
        "seconds": result.seconds,
        **({"failure": result.failure} if result.failure else {}),
    }
