"""Query, decide, fix, query again: what the agent does with resources. No IO of its own but through them."""

from __future__ import annotations

import itertools
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Sequence, Tuple

from installer.agent.host import CommandFailed, Completed, Host
from installer.resources.base import Actual, CannotFix, FixFailed, Resource, Unknown, differs

#: Lines of each stream that a failure shows: with the rest of a report they fit one screen.
TAIL_LINES = 10

Tell = Callable[[Dict[str, Any]], None]


class Step(NamedTuple):
    """The resources of one role on this host, in order."""

    name: str
    resources: Tuple[Resource, ...]


def query_all(resources: Sequence[Resource], host: Host) -> Dict[str, Actual]:
    """Return the actual state of every resource by id: one batch per type, the types side by side."""
    kinds: Dict[type, List[Resource]] = {}
    for resource in resources:
        kinds.setdefault(type(resource), []).append(resource)
    if not kinds:
        return {}
    states: Dict[str, Actual] = {}
    with ThreadPoolExecutor(max_workers=len(kinds)) as pool:
        futures = [pool.submit(kind.query, group, host) for kind, group in kinds.items()]  # type: ignore[attr-defined]
        for future in futures:
            states.update(future.result())
    return states


def changes(steps: Sequence[Step], host: Host) -> List[Dict[str, Any]]:
    """Return what would change, in order: step, resource, action (create, update, remove, unknown) and masked lines."""
    resources = [resource for step in steps for resource in step.resources]
    states = query_all(resources, host)
    differing = {resource.id for resource in resources if differs(resource, states[resource.id])}
    found = []
    for step in steps:
        for resource in step.resources:
            actual = states[resource.id]
            if resource.id in differing:
                lines = resource.explain(actual, host)
                found.append(_change(step, resource, _action(resource, actual), lines))
            else:
                reasons = resource.affected_by(differing)
                if reasons:
                    found.append(_change(step, resource, "update", reasons))
    return found


def apply(step: Step, host: Host, tell: Tell, stopped: Callable[[], bool]) -> Dict[str, Any]:
    """Bring a step's resources to their expected state, in order, and return how that went.

    Consecutive resources of one type are queried together and fixed together.

    Args:
        tell: takes events: ``resource`` (id), ``what`` (fixing, changed), ``seconds``.
        stopped: tells whether to stop before the next resource, because the controller is gone.

    Returns:
        ``changed`` (ids), ``unchanged`` (count), ``seconds``; and ``failure`` if a resource could not be fixed.
    """
    begun = time.monotonic()
    changed: List[str] = []
    unchanged = 0
    failure: Optional[Dict[str, Any]] = None
    for _, group in itertools.groupby(step.resources, key=type):
        if stopped():
            failure = {"resource": "", "message": "the link to the controller was lost", "stopped": True}
            break
        batch = list(group)
        try:
            fixed = _converge(batch, host, tell)
        except _NotConverged as problem:
            failure = problem.report
            break
        changed += fixed
        unchanged += len(batch) - len(fixed)
    result = {"changed": changed, "unchanged": unchanged, "seconds": time.monotonic() - begun}
    if failure is not None:
        result["failure"] = failure
    return result


class _NotConverged(Exception):
    def __init__(self, report: Dict[str, Any]) -> None:
        super().__init__(report["message"])
        self.report = report


def _converge(batch: List[Resource], host: Host, tell: Tell) -> List[str]:
    kind = type(batch[0])
    suspect = batch[0]
    try:
        states = kind.query(batch, host)
        differing = [(item, states[item.id]) for item in batch if differs(item, states[item.id])]
        if not differing:
            return []
        suspect = differing[0][0]
        explained = {item.id: item.explain(actual, host) for item, actual in differing}
        for item, _ in differing:
            tell({"resource": item.id, "what": "fixing"})
        begun = time.monotonic()
        kind.fix_all(differing, host)
        after = kind.query([item for item, _ in differing], host)
        seconds = time.monotonic() - begun
        for item, _ in differing:
            suspect = item
            if differs(item, after[item.id]):
                raise CannotFix(f"still not as expected after the fix: {'; '.join(item.explain(after[item.id], host))}")
            tell({"resource": item.id, "what": "changed", "seconds": seconds, "lines": explained[item.id]})
    except FixFailed as failed:
        cause = failed.__cause__ if isinstance(failed.__cause__, Exception) else failed
        raise _NotConverged(report(cause, failed.resource, host)) from cause
    except Exception as problem:
        raise _NotConverged(report(problem, suspect, host)) from problem
    return [item.id for item, _ in differing]


def report(problem: Exception, resource: Resource, host: Host) -> Dict[str, Any]:
    """Return what an operator needs to understand a failure: message, command, exit code, tails, diagnosis."""
    found: Dict[str, Any] = {"resource": resource.id, "message": str(problem) or type(problem).__name__}
    if isinstance(problem, CommandFailed):
        found["command"] = describe(problem.completed)
    elif not isinstance(problem, (CannotFix, OSError)):
        found["traceback"] = traceback.format_exc().splitlines()[-12:]
    try:
        found["diagnosis"] = resource.diagnose(host)
    except Exception as second:
        found["diagnosis"] = [f"(no diagnosis: {second})"]
    return found


def describe(completed: Completed) -> Dict[str, Any]:
    """Return how a command ended, with the last lines of both streams."""
    return {
        "argv": list(completed.argv),
        "code": completed.code,
        "out": completed.out.splitlines()[-TAIL_LINES:],
        "err": completed.err.splitlines()[-TAIL_LINES:],
    }


def _change(step: Step, resource: Resource, action: str, lines: List[str]) -> Dict[str, Any]:
    return {"step": step.name, "resource": resource.id, "action": action, "lines": lines}


def _action(resource: Resource, actual: Actual) -> str:
    if isinstance(actual, Unknown):
        return "unknown"
    if resource.expected() is None:
        return "remove"
    return "create" if actual is None else "update"
