"""SELinux: what the policy of a host denied the services of the cloud, from the host's audit log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from installer.engine.session import AgentSession
from installer.errors import HostUnreachable
from installer.outcome import Verdict
from installer.verify.live import Live

#: Hosts that are asked at once.
AT_ONCE = 16
#: Denials that a verdict shows; the log has them all.
SHOWN = 6
REMEDY = (
    "if the service is to do that, allow it on the host: `ausearch -m AVC -ts recent | audit2allow -M local`, read "
    "local.te, and `semodule -i local.pp`; then restart the service: verify counts what comes after its last start"
)


def verdicts(live: Live) -> Iterator[Verdict]:
    """Yield a verdict for each host whose kernel has a policy; one that says so where there is none."""
    addresses = [host.address for host in live.hosts]
    with ThreadPoolExecutor(max_workers=min(AT_ONCE, len(addresses) or 1)) as pool:
        answers = pool.map(lambda address: _ask(live, address), addresses)
        found = [one for address, answer in zip(addresses, answers, strict=True) for one in judge(address, answer)]
    yield from found or [Verdict("SELinux denies our services nothing", "skipped", "left out: it is off on every host")]


def _ask(live: Live, address: str) -> Mapping[str, Any]:
    try:
        connection = live.connect(address)
    except HostUnreachable as problem:
        return {"problem": problem.message}
    try:
        session = AgentSession(connection, live.listen, {})
        answer: Mapping[str, Any] = session.probe({"only": True, "denials": True}).result()["denials"]
        session.close()
        return answer
    except HostUnreachable as problem:
        return {"problem": problem.message}
    finally:
        connection.close()


def judge(address: str, answer: Mapping[str, Any]) -> Iterator[Verdict]:
    """Yield the verdict on a host: nothing where SELinux is off.

    Args:
        address: the host's.
        answer: see ``installer.agent.denials.denials``; or ``problem``: why it cannot be told.
    """
    title = f"SELinux on {address}"
    if "problem" in answer:
        found = f"it cannot be told what was denied: {answer['problem']}"
        yield Verdict(title, "warn", found, "", "run verify from where the hosts are reached by ssh")
        return
    mode, denials = answer["mode"], answer["found"]
    if mode == "absent":
        return
    enforces, refused = mode == "enforcing", [denial for denial in denials if denial["enforced"]]
    if enforces and refused:
        why = "what a service may not do fails, now or the first time that it is needed"
        yield Verdict(title, "fail", f"denied our services ({answer['log']}): {_words(refused)}", why, REMEDY)
    elif denials and not enforces:
        found = f"{mode}; where SELinux enforces, our services would be denied: {_words(denials)}"
        yield Verdict(title, "warn", found, "they would fail on a host that enforces", REMEDY)
    elif answer["failed"] or not answer["running"]:
        found = f"failed: {', '.join(answer['failed'])}" if answer["failed"] else "no service of the cloud runs here"
        remedy = "`ausearch -m AVC -ts recent` on the host tells; start the services, then verify again"
        yield Verdict(title, "warn", f"{mode}; {found}", "what these were denied cannot be told from others'", remedy)
    elif denials:
        # Types that the policy itself has permissive, as that of EL 10 has those of virtqemud and its like.
        found = f"{mode}; nothing was denied to our services; logged of domains that the policy lets through for now: "
        yield Verdict(title, "success", found + _words(denials))
    else:
        yield Verdict(title, "success", f"{mode}; nothing was denied to our services")


def _words(denials: Sequence[Mapping[str, Any]]) -> str:
    told = [
        f"{one['program']} ({one['source']}): {', '.join(one['permissions'])} of {one['kind']} {one['what']} "
        f"({one['target']})"
        for one in denials
    ]
    more = f" and {len(told) - SHOWN} more" if len(told) > SHOWN else ""
    return "; ".join(told[:SHOWN]) + more
