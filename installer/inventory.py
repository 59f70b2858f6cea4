"""Which hosts there are, and what each is for, as the answer file says."""

from __future__ import annotations

from collections.abc import Iterable

from installer.answers import Answers
from installer.cloud import CloudHost

#: The parameter that names each group's hosts.
GROUP_PARAMETERS = {
    "controller": "CONFIG_CONTROLLER_HOST",
    "network": "CONFIG_NETWORK_HOSTS",
    "compute": "CONFIG_COMPUTE_HOSTS",
    "storage": "CONFIG_STORAGE_HOST",
    "database": "CONFIG_MARIADB_HOST",
    "queue": "CONFIG_AMQP_HOST",
}


def hosts(answers: Answers) -> tuple[CloudHost, ...]:
    """Return every host once, in the order in which the groups name them, with all of its groups."""
    groups: dict[str, set[str]] = {}
    for group, parameter in GROUP_PARAMETERS.items():
        if not answers.is_used(parameter):
            continue
        for address in _addresses(answers[parameter]):
            groups.setdefault(address, set()).add(group)
    return tuple(CloudHost(address, frozenset(names)) for address, names in groups.items())


def _addresses(value: object) -> Iterable[str]:
    if value is None:
        return ()
    if isinstance(value, (list, tuple)):
        return [str(item) for item in value if str(item)]
    return [str(value)] if str(value) else ()
