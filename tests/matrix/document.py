"""docs/test-matrix.md, made from the results (pure)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from tests.matrix.declared import Feature
from tests.matrix.results import Kind, Result
from tests.matrix.times import HEAD, times

#: Tells whether a test that results name is still there.
Exists = Callable[[str], bool]
NOT_SEEN, NOT_THERE = "not seen", "not there"
_HEAD = """\
<!-- Made by `python -m tests.matrix` from tests/matrix/results.jsonl; do not edit. -->

# Test matrix

What was seen to work where, made from the results that tests recorded, and from what somebody wrote down in
[test-history.md](test-history.md) until 2026-11-27. To add results:

- Commit first, so that the commit names what is tested. `./run-tests --record`, with `--all` or the tests that are
  wanted, adds what they show to `tests/matrix/results.jsonl` and writes this document. Commit both.
- After an `install` or a `verify` on real machines: `python -m tests.matrix last`, or names of runs that
  `pystack status` lists, adds what these have shown.
- After a merge: `python -m tests.matrix` writes this document anew.

What the words mean:

- **real machine**: a machine with the platform on it.
- **lab real**: a throw-away host made of the distribution's own packages.
- **lab stand-in**: a throw-away host of Debian's programs with rpm, dnf and the names that documents say the platform
  has; [Stand-ins](#stand-ins) says what it cannot show.
- **written down**: no test has recorded it. Somebody ran tests by hand, wrote into the history that they passed, and
  copied that, never a failure, into the results. It counts only until a test records anything in its place.
- **not seen**: no test has shown it; where the lab cannot, below is why.
- **not there**: the platform, or pystack on it, does not have it; below is why.

With each are the day and the commit of the newest run that passed; `+changes`: with changes that were not committed.
**Fails**: the newest run of a test did not pass.
"""
_STAND_INS = """\
What passes on a stand-in (`installer/lab/stand_in/`) says nothing of these:

- Names. Those of packages, accounts, units and paths are from documents (`installer/platforms/sources.yaml`; for some
  none was noted), and a stand-in has them from the same authors as pystack: it cannot prove them.
- The platform's own SELinux policy. A stand-in has Debian's, and in it already the rules that pystack gives Debian
  (`disguise.py`). What pystack gives EL's and Fedora's policy (booleans, types of ports, modules) is not exercised, and
  libvirt does not confine instances (sVirt is off). "Enforcing" there says nothing of the platform's own policy.
- dnf 5, which Fedora has: its stand-in has Debian's dnf 4. "A host without Python gets it" is that dnf there, with
  Python moved away to where it alone looks.
- EL's Python 3.12. It is the interpreter of the machine that makes the lab, packed anew; on EL 10 libvirt's module for
  it is built from the package index.
"""
_TIMES = """\
A fresh installation, and the same command again on the same hosts in the same run of tests: the newest run that has
both, else the newest. The load is the machine's average of the last minute when a time was taken: much else runs beside
tests.
"""


def document(
    results: Sequence[Result],
    features: Mapping[str, Feature],
    platforms: Sequence[str],
    clouds: Mapping[str, str],
    exists: Exists,
) -> str:
    """Return the document.

    Args:
        results: the oldest first.
        features: by name, in the order of the rows.
        platforms: those that have a place whether or not they were seen; further ones come behind.
        clouds: what may have been installed where times were measured, to title.
        exists: what a test that is gone has recorded does not count.
    """
    newest = current(results, exists)
    further = sorted({one.platform for one in newest if one.platform} - set(platforms))
    columns = [*platforms, *further]
    cells = {(name, column): cell(newest, name, column) for name in features for column in columns}
    on_hosts = [name for name in features if features[name].needs != "no host"]
    absent = {key for key in cells if not cells[key] and features[key[0]].lacking(key[1])}
    cells |= dict.fromkeys(absent, NOT_THERE)
    without = [name for name in features if features[name].needs == "no host"]
    parts = [
        _HEAD,
        "## Stand-ins\n",
        _STAND_INS,
        "## Features by platform\n",
        table(
            ["feature", *columns],
            ([features[name].title, *(cells[name, one] or NOT_SEEN for one in columns)] for name in on_hosts),
        ),
        "## What needs no host\n",
        table(
            ["feature", "newest run"], ([features[name].title, cell(newest, name, "") or NOT_SEEN] for name in without)
        ),
        "## Written down by hand, not recorded\n",
        _list(written_down(newest, features, columns)),
        "## Not seen\n",
        _list(gaps(features, on_hosts, cells, columns)),
        "## Not there\n",
        _list(reasons(features, columns, absent)),
        "## Failing\n",
        _list(failing(newest)),
        "## Times\n",
        _TIMES,
        table(HEAD, times(counted(results, exists), columns, clouds)),
    ]
    return "\n".join(part for part in parts if part)


def counted(results: Iterable[Result], exists: Exists) -> list[Result]:
    """Return the results without what tests that are gone recorded."""
    return [one for one in results if one.written_down or exists(one.test)]


def current(results: Iterable[Result], exists: Exists) -> list[Result]:
    """Return the newest result that counts of each test by platform and kind of host."""
    return list({(one.test, one.platform, one.kind): one for one in counted(results, exists)}.values())


def cell(newest: Iterable[Result], feature: str, platform: str) -> str:
    """Return what is known of a feature on a platform: the best that passes, and what fails; empty when nothing is.

    Args:
        newest: see `current`.
        feature: its name.
        platform: empty: for tests that need no host.
    """
    found = counting(newest, feature, platform)
    told = []
    for kind in [*Kind, None]:
        here = [one for one in found if one.kind is kind]
        if failures := [one for one in here if not one.passed]:
            told.append(f"**fails** {_mark(failures, kind)}")
        elif here:
            return "; ".join([*told, _mark(here, kind)])
    return "; ".join(told)


def counting(newest: Iterable[Result], feature: str, platform: str) -> list[Result]:
    """Return the results that a cell rests on: those that were recorded, else those that were written down."""
    found = [one for one in newest if feature in one.shows and one.platform == platform]
    return [one for one in found if not one.written_down] or found


def _mark(results: Sequence[Result], kind: Kind | None) -> str:
    newest = max(results, key=lambda one: one.date)
    if newest.written_down:
        return f"written down {newest.date[:10]} {newest.commit}{f' ({kind.title})' if kind else ''}"
    return " ".join(filter(None, [kind.title if kind else "", newest.date[:10], newest.commit]))


def written_down(newest: Iterable[Result], features: Mapping[str, Feature], platforms: Sequence[str]) -> list[str]:
    """Return for each platform, and for what needs no host, how many cells rest on nothing recorded, and which."""
    told, results = [], list(newest)
    for platform in [*platforms, ""]:
        cells = {one.title: counting(results, name, platform) for name, one in features.items()}
        seen = {title: found for title, found in cells.items() if found}
        titles = [title for title, found in seen.items() if all(one.written_down for one in found)]
        if titles:
            told.append(f"**{platform or 'no host'}**: {len(titles)} of {len(seen)}: {'; '.join(titles)}.")
    return told


def gaps(
    features: Mapping[str, Feature],
    names: Sequence[str],
    cells: Mapping[tuple[str, str], str],
    platforms: Sequence[str],
) -> list[str]:
    """Return for each platform that lacks something what was not seen there; what needs an own kernel is told apart."""
    told = []
    for platform in platforms:
        missing = [features[name] for name in names if not cells[name, platform]]
        plain = "; ".join(one.gap(platform) for one in missing if not one.needs)
        own = "; ".join(one.gap(platform) for one in missing if one.needs)
        if len(missing) == sum(cells[name, platform] != NOT_THERE for name in names):
            told.append(f"**{platform}**: everything.")
        elif missing:
            parts = [f"{plain}." if plain else "", f"With a kernel of its own: {own}." if own else ""]
            told.append(f"**{platform}**: {' '.join(filter(None, parts))}")
    return told


def reasons(
    features: Mapping[str, Feature], platforms: Sequence[str], absent: Collection[tuple[str, str]]
) -> list[str]:
    """Return for each feature that platforms have not why, with the platforms of one reason together."""
    told = []
    for name, feature in features.items():
        lacking = [platform for platform in platforms if (name, platform) in absent]
        for why in dict.fromkeys(map(feature.lacking, lacking)):
            where = ", ".join(platform for platform in lacking if feature.lacking(platform) == why)
            told.append(f"{feature.title}: {where}: {why}")
    return told


def failing(newest: Iterable[Result]) -> list[str]:
    """Return the tests whose newest run failed, with where and when."""
    failed = [one for one in newest if not one.passed]
    return sorted(f"`{one.test}`: {' '.join(filter(None, [one.platform, _mark([one], one.kind)]))}" for one in failed)


def _list(lines: Sequence[str]) -> str:
    return "".join(f"- {line}\n" for line in lines) or "Nothing.\n"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(text.replace("|", r"\|") for text in line) + " |" for line in lines) + "\n"
