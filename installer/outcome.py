"""What came of a command: changes, role results, findings, verdicts. Plain data for reports and the journal."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

Event = dict[str, Any]
Listener = Callable[[Event], None]


@dataclass(frozen=True)
class Change:
    """One resource that differs from the plan on one host.

    Args:
        host: address.
        role: the role it belongs to.
        resource: ``kind:name``.
        action: create, update, remove, or unknown where the state cannot be known yet.
        lines: what would change, secrets masked.
    """

    host: str
    role: str
    resource: str
    action: str
    lines: Sequence[str]


@dataclass(frozen=True)
class RoleResult:
    """How a role went on a host.

    Args:
        host: address.
        role: its name.
        outcome: converged, failed or skipped.
        changed: ids of the resources that were changed.
        unchanged: count of those that needed nothing.
        seconds: wall time on the host.
        failure: what the agent reported (see ``installer.agent.apply.report``), if it failed.
    """

    host: str
    role: str
    outcome: str
    changed: Sequence[str] = ()
    unchanged: int = 0
    seconds: float = 0.0
    failure: Event | None = None


@dataclass(frozen=True)
class Summary:
    """How an installation went.

    Args:
        results: one per role and host, in the order in which they ended.
        seconds: wall time of the whole run.
    """

    results: Sequence[RoleResult] = field(default_factory=tuple)
    seconds: float = 0.0

    @property
    def failed(self) -> list[RoleResult]:
        """The roles that failed."""
        return [result for result in self.results if result.outcome == "failed"]

    @property
    def changed(self) -> int:
        """How many resources were changed."""
        return sum(len(result.changed) for result in self.results)

    @property
    def unchanged(self) -> int:
        """How many resources needed nothing."""
        return sum(result.unchanged for result in self.results)


@dataclass(frozen=True)
class Finding:
    """What a preflight check or a verification found.

    Args:
        title: what was looked at.
        outcome: success, warn, fail, or skipped where it was left out.
        found: what is the case, in one line.
        why: why it matters; empty for a success.
        remedy: what to do; empty for a success.
        host: address; empty when it concerns the cloud as a whole.
        lines: what tells more, such as the end of an instance's console.
        check: name of the verification's check that found it.
        commands: the remedy as commands for root's shell on the host, where it can be had so.
    """

    title: str
    outcome: str
    found: str
    why: str = ""
    remedy: str = ""
    host: str = ""
    lines: Sequence[str] = ()
    check: str = ""
    commands: Sequence[str] = ()

    @property
    def failed(self) -> bool:
        """Whether it forbids to go on."""
        return self.outcome == "fail"


#: A verification's finding.
Verdict = Finding
