"""Services and agents: each that should be there is there, and up."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from installer.outcome import Verdict
from installer.verify.failing import CheckFailed
from installer.verify.live import Live

#: Seconds for which one that is down may still come up: it says that it lives once in a while, a restarted one anew.
GRACE = 30.0
#: By what the network service calls its agents: their unit.
AGENT_UNITS = {
    "OVN Controller agent": "ovn-controller",
    "OVN Controller Gateway agent": "ovn-controller",
    "OVN Neutron agent": "openstack-neutron-ovn-agent",
    "OVN Metadata agent": "openstack-neutron-ovn-agent",
}
#: What each service is for: why it matters that it is down.
WHY = {
    "nova-compute": "no instance can be started, stopped or reached by its console on this host",
    "nova-conductor": "where no other one is up, no instance can be started",
    "nova-scheduler": "where no other one is up, no instance can be started",
    "cinder-scheduler": "where no other one is up, no volume can be made",
    "cinder-volume": "volumes of this backend cannot be made, attached or removed",
    "cinder-backup": "no backup can be made or brought back",
    "heat-engine": "where no other one is up, no stack can be built or removed",
    "ovn-controller": "instances on this host get no network; floating addresses that lead through it do not answer",
    "openstack-neutron-ovn-agent": "instances that boot on this host get neither their keys nor their names",
}


@dataclass(frozen=True)
class Service:
    """A service or agent, as the API lists it.

    Args:
        name: the program's, or what the API calls it.
        host: where it runs, as it calls itself.
        up: whether it said lately that it lives.
        heard: when it said so last, as the API writes it.
        unit: systemd's name of it.
        enabled: whether it takes work.
        reason: why it does not, if an operator said so.
    """

    name: str
    host: str
    up: bool
    heard: str
    unit: str
    enabled: bool = True
    reason: str = ""


def compute(live: Live) -> Iterator[Verdict]:
    """Yield the verdicts on the services of Nova."""
    wanted = {
        "nova-conductor": len(live.group("controller")),
        "nova-scheduler": len(live.group("controller")),
        "nova-compute": len(live.group("compute")),
    }
    return _verdicts(live, "compute service", wanted, lambda: list(map(of_binary, live.admin.compute.services())))


def network(live: Live) -> Iterator[Verdict]:
    """Yield the verdicts on the agents of Neutron."""
    wanted = {
        "ovn-controller": len(set(live.group("compute") + live.group("network"))),
        "openstack-neutron-ovn-agent": len(live.group("compute")),
    }
    return _verdicts(live, "network agent", wanted, lambda: list(map(of_agent, live.admin.network.agents())))


def volume(live: Live) -> Iterator[Verdict]:
    """Yield the verdicts on the services of Cinder."""
    wanted = {
        "cinder-scheduler": len(live.group("controller")),
        "cinder-volume": len(live.group("storage")) * len(live.answers["CONFIG_CINDER_BACKEND"]),
        "cinder-backup": len(live.group("storage")) if live.answers["CONFIG_CINDER_BACKUP"] else 0,
    }
    return _verdicts(live, "volume service", wanted, lambda: list(map(of_binary, live.admin.block_storage.services())))


def orchestration(live: Live) -> Iterator[Verdict]:
    """Yield the verdicts on the engines of Heat."""
    wanted = {"heat-engine": len(live.group("controller"))}

    def ask() -> list[Service]:
        answer = live.admin.orchestration.get("/services")
        answer.raise_for_status()
        return of_engines(answer.json()["services"])

    return _verdicts(live, "orchestration service", wanted, ask)


def of_engines(listed: Sequence[Mapping[str, Any]]) -> list[Service]:
    """Return a service for each host with Heat's engines: one that restarts is listed anew, and what it was as down."""
    hosts: dict[str, Mapping[str, Any]] = {}
    for engine in sorted(listed, key=lambda one: (one["status"] == "up", str(one["updated_at"]))):
        hosts[engine["hostname"]] = engine
    return [
        Service(one["binary"], host, one["status"] == "up", str(one["updated_at"] or ""), f"openstack-{one['binary']}")
        for host, one in hosts.items()
    ]


def of_binary(listed: Any) -> Service:
    """Return a service as Nova and Cinder list it."""
    return Service(
        listed.binary,
        listed.host,
        listed.state == "up",
        str(listed.updated_at or ""),
        f"openstack-{listed.binary}",
        listed.status == "enabled",
        str(getattr(listed, "disabled_reason", "") or ""),
    )


def of_agent(listed: Any) -> Service:
    """Return an agent as Neutron lists it."""
    unit = AGENT_UNITS.get(listed.agent_type, listed.binary)
    up, enabled = bool(listed.is_alive), bool(listed.is_admin_state_up)
    return Service(listed.agent_type, listed.host, up, str(listed.last_heartbeat_at or ""), unit, enabled)


def _verdicts(live: Live, noun: str, wanted: Mapping[str, int], ask: Callable[[], list[Service]]) -> Iterator[Verdict]:
    found: list[Service] = []

    def look() -> tuple[bool | None, str]:
        found[:] = ask()
        bad = [verdict.title for verdict in judge(noun, found, wanted) if verdict.failed]
        return None if bad else True, ", ".join(bad)

    try:
        live.wait(f"every {noun} to be up", GRACE, look)
    except CheckFailed as problem:
        if not found:
            raise problem from None
    yield from judge(noun, found, wanted)


def judge(noun: str, found: Sequence[Service], wanted: Mapping[str, int]) -> list[Verdict]:
    """Return the verdicts on services: one for each that is down, missing or disabled; one for all that are up.

    Args:
        noun: what they are called.
        found: those that the API lists.
        wanted: how many of each the answer file asks for, by program or unit.
    """
    verdicts = [_bad(noun, service) for service in found if not (service.up and service.enabled)]
    for name, number in wanted.items():
        known = sum(name in (service.name, service.unit) for service in found)
        if known < number:
            verdicts.append(
                Verdict(
                    f"{noun} {name}",
                    "fail",
                    f"the answer file asks for it on {number} host{'s' * (number != 1)}, and {known} ever reported",
                    WHY.get(name, ""),
                    "run `pystack install` again; if it stays away, on its host: "
                    f"journalctl -u '*{name.removeprefix('openstack-')}*' -n 50",
                )
            )
    good = sorted({f"{service.name} on {service.host}" for service in found if service.up and service.enabled})
    if good:
        verdicts.append(Verdict(f"{noun}s that are up", "success", ", ".join(good)))
    return verdicts


def _bad(noun: str, service: Service) -> Verdict:
    title = f"{noun} {service.name} on {service.host}"
    why = WHY.get(service.name, WHY.get(service.unit, ""))
    if service.up:
        found = f"disabled{f': {service.reason}' if service.reason else ' by an operator'}"
        remedy = "where that is not wanted any more, enable it, for example `openstack compute service set --enable`"
        return Verdict(title, "warn", found, "it takes no new work", remedy)
    since = f"down; it said last that it lives at {service.heard.partition('.')[0]} (UTC)" if service.heard else "down"
    remedy = (
        f"on {service.host}: `systemctl status {service.unit}` and `journalctl -u {service.unit} -n 50` say why; "
        "`pystack install` starts it again"
    )
    return Verdict(title, "fail", since, why, remedy)
