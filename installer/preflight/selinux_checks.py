"""SELinux in whichever state it is; pystack never changes the state. Pure functions of what agents found."""

from __future__ import annotations

from collections.abc import Iterator

from installer.outcome import Finding
from installer.preflight.seen import Check, Seen

#: By CONFIG_SELINUX, the state that the operator wants now and after every boot.
WANTED = {"require-enforcing": "enforcing", "permissive": "permissive"}


def state(seen: Seen) -> Iterator[Finding]:
    """SELinux is, and stays after the next boot, in the state that the answer file wants."""
    told = seen.facts["selinux"]
    now, at_boot = told["now"], told["at_boot"]
    wanted = WANTED.get(str(seen.cloud.answers["CONFIG_SELINUX"]))
    if wanted and now == "absent":
        yield seen.bad(
            "SELinux",
            f"there is none on this host, and CONFIG_SELINUX={seen.cloud.answers['CONFIG_SELINUX']} asks for it",
            "what is asked for cannot be had without a policy",
            "set CONFIG_SELINUX=keep, or install a policy and boot with it",
        )
    elif wanted and (now != wanted or at_boot != wanted):
        yield seen.bad(
            "SELinux",
            f"{now} now, {at_boot} after the next boot; CONFIG_SELINUX asks for {wanted}",
            "pystack works in every state and changes none by itself",
            _remedy(now, wanted),
        )
    elif now != at_boot:
        yield seen.bad(
            "SELinux",
            f"{now} now, {at_boot} after the next boot",
            "what works now may be denied then, or the other way round; files written without SELinux have no labels",
            "let both be the same: SELINUX in /etc/selinux/config, or reboot first",
            outcome="warn",
        )
    elif now == "absent":
        yield seen.good("SELinux", "none")
    else:
        yield seen.good("SELinux", f"{now}{', policy ' + told['policy'] if told['policy'] else ''}")


def labels(seen: Seen) -> Iterator[Finding]:
    """Where SELinux is on, folders have the labels of its policy."""
    told = seen.facts["selinux"]
    if told["now"] not in ("enforcing", "permissive"):
        return
    if not told["unlabelled"]:
        yield seen.good("SELinux labels", "as the policy says")
        return
    yield seen.bad(
        "SELinux labels",
        f"not those of the policy: {', '.join(told['unlabelled'])}",
        "files made in there get wrong labels, too, and services are denied them",
        "label the host anew (fixfiles -F onboot), then reboot it",
        outcome="fail" if told["now"] == "enforcing" else "warn",
    )


def tools(seen: Seen) -> Iterator[Finding]:
    """Where SELinux is on, its tools are there, or come with pystack."""
    missing = seen.facts["selinux"]["missing"]
    brought = [tool for tool in missing if tool == "semanage"]
    if "restorecon" in missing:
        yield seen.bad(
            "SELinux tools",
            "there is no restorecon",
            "new files cannot be labelled, and services are denied them",
            "install policycoreutils",
        )
    elif brought or "ausearch" in missing:
        found = [f"install brings {tool}" for tool in brought]
        found += ["no ausearch: verify reads the kernel's log instead"] if "ausearch" in missing else []
        yield seen.good("SELinux tools", "; ".join(found))


def _remedy(now: str, wanted: str) -> str:
    always = f"write SELINUX={wanted} into /etc/selinux/config"
    if now == "disabled":
        return (
            f"{always}, label the host anew at the next boot (fixfiles -F onboot), and reboot; or CONFIG_SELINUX=keep"
        )
    return f"{always}, and setenforce {int(wanted == 'enforcing')}; or CONFIG_SELINUX=keep"


CHECKS: tuple[Check, ...] = (state, labels, tools)
