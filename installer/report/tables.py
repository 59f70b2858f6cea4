"""Findings, plan and summary as lines of text. Pure."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from installer.outcome import Change, Finding, RoleResult, Summary
from installer.report.lines import MARKS, STYLES
from installer.report.words import clean, count, cut, seconds

Line = tuple[str, str]

#: Of hosts with the same finding so many are named.
_HOSTS_NAMED = 4
_ORDER = ("fail", "warn", "success", "skipped")
_SIGNS = {"create": ("+", "green"), "update": ("~", "yellow"), "remove": ("-", "red"), "unknown": ("?", "dim")}


def findings(found: Sequence[Finding], width: int = 80, title: str = "preflight") -> list[Line]:
    """Return what checks found: failures first, with why and remedy; then warnings; the good news as one count."""
    lines: list[Line] = []
    for outcome in _ORDER[:2]:
        for hosts, finding in _together(finding for finding in found if finding.outcome == outcome):
            lines += _finding(finding, hosts, width)
    numbers = {outcome: sum(finding.outcome == outcome for finding in found) for outcome in _ORDER}
    style = STYLES["fail" if numbers["fail"] else "warn" if numbers["warn"] else "success"]
    left_out = f", {numbers['skipped']} left out" if numbers["skipped"] else ""
    good = f"{numbers['success']} good{left_out}"
    total = f"{title}: {numbers['fail']} failed, {count(numbers['warn'], 'warning')}, {good}"
    return [*lines, (total, style)]


def _together(found: Iterable[Finding]) -> list[tuple[list[str], Finding]]:
    """Return findings with their hosts; what is the same on several hosts comes once."""
    groups: dict[Finding, list[str]] = {}
    for finding in found:
        alike = replace(finding, host="", lines=tuple(finding.lines), commands=tuple(finding.commands))
        groups.setdefault(alike, []).append(finding.host)
    return [([host for host in hosts if host], finding) for finding, hosts in groups.items()]


def _finding(finding: Finding, hosts: Sequence[str], width: int) -> list[Line]:
    more = f" and {len(hosts) - _HOSTS_NAMED} more" if len(hosts) > _HOSTS_NAMED else ""
    place = f"{', '.join(hosts[:_HOSTS_NAMED])}{more}: " if hosts else ""
    style = STYLES[finding.outcome]
    lines: list[Line] = [(f"{MARKS[finding.outcome]} {clean(place + finding.title)}", style)]
    for label, text in (("found", finding.found), ("why", finding.why), ("remedy", finding.remedy)):
        if text:
            wrapped = textwrap.wrap(clean(text), max(width - 10, 30), break_on_hyphens=False) or [""]
            lines.append((f"  {label:7} {wrapped[0]}", ""))
            lines += [(f"  {'':7} {line}", "") for line in wrapped[1:]]
    # Each on a line of its own and never wrapped, so that it can be copied.
    lines += [(f"  {'' if index else 'run':7} {clean(command)}", "") for index, command in enumerate(finding.commands)]
    lines += [(f"  {'':7} | {clean(line)}", "dim") for line in finding.lines]
    return lines


def platforms(hosts: Mapping[str, object]) -> list[Line]:
    """Return a line per host for what it runs, by address."""
    return [(clean(f"{address}: {platform}"), "") for address, platform in hosts.items()]


def plan(changes: Sequence[Change], hosts: Mapping[str, object] | None = None) -> list[Line]:
    """Return what would change as a diff: by host, by role, each resource with its lines; totals at the end.

    Args:
        changes: what would change.
        hosts: what each host runs, by address.
    """
    lines: list[Line] = []
    for host in dict.fromkeys(change.host for change in changes):
        runs = (hosts or {}).get(host)
        lines.append((f"{host} ({clean(runs)})" if runs else host, "bold"))
        here = [change for change in changes if change.host == host]
        for role in dict.fromkeys(change.role for change in here):
            lines.append((f"  {role}", "bold"))
            for change in (change for change in here if change.role == role):
                sign, style = _SIGNS.get(change.action, ("~", "yellow"))
                lines.append((f"    {sign} {clean(change.resource)}", style))
                lines += [(f"        {clean(line)}", _diff_style(line)) for line in change.lines]
    return [*lines, plan_totals(changes)]


def plan_totals(changes: Sequence[Change]) -> Line:
    """Return the one line that says how much would change."""
    if not changes:
        return "nothing would change: every host is as the answer file wants it", "green"
    numbers = {action: sum(change.action == action for change in changes) for action in _SIGNS}
    hosts = count(len({change.host for change in changes}), "host")
    unknown = f", {numbers['unknown']} not known yet," if numbers["unknown"] else ""
    known = f"{numbers['create']} to create, {numbers['update']} to update, {numbers['remove']} to remove"
    return f"{known}{unknown} on {hosts}", "bold"


def _diff_style(line: str) -> str:
    return {"+": "green", "-": "red"}.get(line[:1], "")


def summary(result: Summary, width: int = 80) -> list[Line]:
    """Return how an installation went: a line per role (and host, if there are several), then the totals."""
    hosts = list(dict.fromkeys(item.host for item in result.results))
    told = [item for item in result.results if item.changed or item.outcome != "converged"]
    lines: list[Line] = []
    if told:
        name = max([len("role"), *(len(_title(item, hosts)) for item in told)])
        name = min(name, width - 42)
        lines.append((f"{'role':{name}}  {'outcome':9}  {'changed':>7}  {'unchanged':>9}  {'time':>10}", "dim"))
        for item in told:
            time = "-" if item.outcome == "skipped" else seconds(item.seconds)
            numbers = f"{item.outcome:9}  {len(item.changed):7}  {item.unchanged:9}  {time:>10}"
            lines.append((f"{cut(_title(item, hosts), name):{name}}  {numbers}", STYLES.get(item.outcome, "")))
    return [*lines, summary_totals(result)]


def summary_totals(result: Summary) -> Line:
    """Return the one line that says how it went."""
    failed, skipped = len(result.failed), sum(item.outcome == "skipped" for item in result.results)
    bad = f", {count(failed, 'role')} failed, {skipped} skipped" if failed or skipped else ""
    line = f"{result.changed} changed, {result.unchanged} unchanged{bad}, in {seconds(result.seconds)}"
    return line, "bold red" if failed else "bold green"


def _title(item: RoleResult, hosts: Sequence[str]) -> str:
    return f"{item.host}: {item.role}" if len(hosts) > 1 else item.role


def columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """Return rows of cells as lines whose cells stand below each other; the last cell is as long as it is."""
    held = [[clean(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*held, strict=True)]
    widths[-1:] = [0]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)) for row in held]
