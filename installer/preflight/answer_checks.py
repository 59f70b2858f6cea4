"""Whether the answer file fits the hosts as they are. Pure functions of what agents found."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from installer.cloud import Cloud
from installer.errors import AnswerFileError
from installer.outcome import Finding
from installer.roles import Role


def fits(cloud: Cloud, roles: Sequence[Role]) -> Iterator[Finding]:
    """What the answer file asks for can be had on its hosts: every role can say what must be true there."""
    told: set[str] = set()
    for role in roles:
        for host in cloud.hosts if role.wanted(cloud) else ():
            if host.groups & set(role.groups):
                try:
                    list(role.resources(cloud, host))
                except AnswerFileError as problem:
                    if problem.message not in told:
                        told.add(problem.message)
                        why = "the plan cannot be made"
                        yield Finding("answer file", "fail", problem.message, why, problem.remedy, host.address)
    if not told:
        yield Finding("answer file", "success", "fits the hosts")
