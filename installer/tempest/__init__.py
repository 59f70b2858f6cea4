"""Tempest, OpenStack's own test suite: its smoke set, run against the live cloud from this machine."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from installer.answers import Answers
from installer.outcome import Verdict
from installer.report.words import count
from installer.resources.secret import Secret
from installer.tempest import asking, environment, leftovers, results
from installer.tempest.configuration import Site, configuration, without_secrets
from installer.tempest.facts import Facts, gaps, workers
from installer.tempest.running import Tempest, provide_ping
from installer.tempest.tally import FAILED, Tally, class_of
from installer.urls import dashboard_url
from roles.provision.role import PUBLIC

if TYPE_CHECKING:
    from installer.verify.live import Live

#: What Tempest writes, below the folder of the run.
FOLDER = "tempest"


def verdicts(live: Live) -> Iterator[Verdict]:
    """Yield failures of the smoke set as they occur, then what was skipped and the totals, then what was left over.

    The folder of the run keeps configuration (its secrets masked), log, results and Tempest's own records.

    Args:
        live: the cloud.

    Raises:
        CheckFailed: Tempest cannot be installed or does not work.
        openstack.exceptions.SDKException, keystoneauth1.exceptions.ClientException: a service does not answer.
    """
    answers = live.answers
    live.tell("asking the cloud what it has")
    facts = asking.ask(live.admin, str(answers["CONFIG_PROVISION_IMAGE_NAME"]), PUBLIC)
    for what, why in gaps(facts):
        yield Verdict(f"{results.TITLE}: {what}", "warn", f"not tested: {why}", "nobody knows whether it works", "")
    index = Secret(str(answers["CONFIG_PACKAGE_INDEX"])) if answers["CONFIG_PACKAGE_INDEX"] else None
    programs = environment.prepare(str(answers["CONFIG_OPENSTACK_RELEASE"]), index, live.tell, live.asks_index)
    folder = live.records / FOLDER
    folder.mkdir(mode=0o700, parents=True)
    before = leftovers.inventory(live.admin, facts.services)
    try:
        with tempfile.TemporaryDirectory(prefix="pystack-tempest-") as private:
            made = configuration(facts, site(live, folder))
            _write(folder / "tempest.conf", without_secrets(made))
            _write(Path(private) / "tempest.conf", made.content)
            provide_ping(Path(private), programs)
            tempest = Tempest(programs, Path(private), Path(private) / "tempest.conf", live.authority, folder)
            yield from _smoke(live, tempest, facts)
    finally:
        # After Ctrl-C too: what was cut off has cleared nothing up.
        remaining = _cleared(live, facts, before)
    yield _clean(remaining)


def site(live: Live, folder: Path) -> Site:
    """Return what the answer file says for tempest.conf.

    Args:
        live: the cloud.
        folder: where Tempest leaves what it writes.
    """
    answers: Answers = live.answers
    return Site(
        identity_url=live.url,
        region=live.region,
        admin=str(answers["CONFIG_KEYSTONE_ADMIN_USERNAME"]),
        password=answers["CONFIG_KEYSTONE_ADMIN_PW"],
        authority=live.authority,
        dashboard_url=dashboard_url(answers) if answers["CONFIG_HORIZON_INSTALL"] else "",
        ssh_user=str(answers["CONFIG_PROVISION_IMAGE_SSH_USER"]),
        type_drivers=tuple(map(str, answers["CONFIG_NEUTRON_ML2_TYPE_DRIVERS"] or ())),
        backup_driver=str(answers["CONFIG_CINDER_BACKUP"] or ""),
        folder=folder,
    )


def _smoke(live: Live, tempest: Tempest, facts: Facts) -> Iterator[Verdict]:
    live.tell("looking for the tests of the smoke set")
    tally = Tally(tempest.smoke_tests())
    at_once = workers(os.cpu_count() or 1, facts.compute_hosts)
    begun = time.monotonic()
    for line in tempest.run(at_once):
        if line["status"] == "begun":
            live.tell(f"{tally.ended} of {len(tally.tests)} done, now {_short(line['test'])}")
        for outcome in tally.take(line):
            if outcome.what == FAILED:
                yield results.failure(outcome, str(tempest.folder))
    for outcome in tally.finish():
        yield results.failure(outcome, str(tempest.folder))
    seconds = time.monotonic() - begun
    _write(tempest.folder / "results.txt", results.page(tally, seconds))
    yield from results.conclusion(tally, seconds, str(tempest.folder))


def _cleared(live: Live, facts: Facts, before: list[leftovers.Thing]) -> list[leftovers.Thing]:
    """Remove what Tempest has left, and return what cannot be removed."""

    def tell(text: str) -> None:
        # Where nobody reads the output any more, things must go all the same.
        with suppress(BrokenPipeError):
            live.tell(text)

    tell("looking for what Tempest has left")
    found = leftovers.left(before, leftovers.inventory(live.admin, facts.services))
    if not found:
        return []
    tell(f"removing {count(len(found), 'thing')} that Tempest has left")
    leftovers.remove(live.admin, found)
    remaining = leftovers.left(before, leftovers.inventory(live.admin, facts.services))
    tell(f"still there: {', '.join(map(str, remaining))}" if remaining else "all of it is gone")
    return remaining


def _clean(remaining: list[leftovers.Thing]) -> Verdict:
    title = f"{results.TITLE}: nothing is left"
    if not remaining:
        return Verdict(title, "success", "everything that it made is gone")
    return Verdict(
        title,
        "fail",
        f"there are still {', '.join(map(str, remaining))}",
        "something cannot be deleted, or what was deleted does not go away",
        "look for these in the logs of the services, and delete them",
    )


def _short(test: str) -> str:
    """Return class and name of a test."""
    return f"{class_of(test).rpartition('.')[2]}.{test.rpartition('.')[2]}".partition("[")[0]


def _write(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
