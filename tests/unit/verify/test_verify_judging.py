"""What verify makes of what it sees. Nothing is asked here."""

from pathlib import Path

import pytest
import yaml

from installer.report.words import clean
from installer.verify import disks, endpoints, instances, services, storage
from installer.verify.disks import GIB, Disk
from installer.verify.failing import CheckFailed

FOLDER = Path(__file__).parent


def cases(name):
    return [pytest.param(case, id=case["name"]) for case in yaml.safe_load((FOLDER / name).read_text())]


@pytest.mark.parametrize("case", cases("services.yaml"))
def test_services_are_judged(case):
    listed = [services.Service(**{**item, "heard": str(item["heard"])}) for item in case["listed"]]
    verdicts = services.judge("service", listed, case["wanted"])
    assert [verdict.title for verdict in verdicts] == [wanted["title"] for wanted in case["verdicts"]]
    for verdict, wanted in zip(verdicts, case["verdicts"], strict=True):
        assert verdict.outcome == wanted["outcome"]
        for field in ("found", "why", "remedy"):
            assert wanted.get(field, "") in getattr(verdict, field)


def test_an_engine_that_was_restarted_is_up_though_its_former_life_is_listed_as_down():
    def engine(host, status, at):
        return {"binary": "heat-engine", "hostname": host, "status": status, "updated_at": f"2026-11-22T10:0{at}:00"}

    listed = [engine("one", "up", 1), engine("one", "down", 2), engine("two", "down", 1), engine("two", "down", 3)]
    found = {one.host: (one.up, one.heard) for one in services.of_engines(listed)}
    assert found == {"one": (True, "2026-11-22T10:01:00"), "two": (False, "2026-11-22T10:03:00")}


@pytest.mark.parametrize("case", cases("disks.yaml"))
def test_a_guests_disks_are_read(case):
    assert disks.parse(case["printed"]) == [Disk(*fields) for fields in case["disks"]]


VDA, VDB, NUMBERED = Disk("vda", GIB), Disk("vdb", GIB), Disk("vdc", GIB, "c9d81482-0592-4004-a")
VOLUME = "c9d81482-0592-4004-a123-000000000000"


@pytest.mark.parametrize(
    ("now", "before", "found"),
    [
        ([VDA, VDB], [VDA], VDB),
        ([VDA], [VDA], None),
        ([VDA, VDB, NUMBERED], [VDA], NUMBERED),
        ([VDA, NUMBERED], [VDA, NUMBERED], NUMBERED),
        ([VDA, Disk("vdb", GIB, "another-volume")], [VDA], None),
    ],
    ids=["the new one", "none", "the one with its number", "there before already", "another volume's"],
)
def test_a_volume_is_found_among_a_guests_disks(now, before, found):
    assert disks.volume_among(now, before, VOLUME) == found


def test_a_guest_without_a_disk_fails():
    with pytest.raises(CheckFailed, match="no disk"):
        disks.root_disk([])


@pytest.mark.parametrize(("size", "words"), [(GIB, "1 GiB"), (GIB * 3 // 2, "1.5 GiB"), (32 << 20, "32 MiB")])
def test_sizes_are_told_in_words(size, words):
    assert disks.gib(size) == words


@pytest.mark.parametrize(
    ("size", "flavor", "outcome"),
    [(GIB, 1, "success"), (GIB, 2, "fail"), (32 << 20, 0, "success"), (32 << 20, 1, "fail")],
)
def test_an_ephemeral_disk_has_the_flavors_size_or_the_images_where_the_flavor_has_none(size, flavor, outcome):
    verdict = storage.judge_ephemeral(Disk("vda", size), flavor, 32 << 20, "pystack-test")
    assert verdict.outcome == outcome
    assert disks.gib(size) in verdict.found
    assert f"{flavor} GiB" in verdict.found


@pytest.mark.parametrize(
    ("disk", "outcome"),
    [
        (Disk("vda", 2 * GIB, VOLUME[:20]), "success"),
        (Disk("vda", 2 * GIB), "success"),
        (Disk("vda", GIB, VOLUME[:20]), "fail"),
        (Disk("vda", 2 * GIB, "another"), "fail"),
    ],
)
def test_the_disk_of_an_instance_from_a_volume_is_that_volume(disk, outcome):
    assert storage.judge_boot_disk(disk, 2, VOLUME, 1).outcome == outcome


@pytest.mark.parametrize(("read", "outcome"), [("a" * 64, "success"), ("b" * 64, "fail")])
def test_a_volume_brings_back_what_was_written(read, outcome):
    assert storage.judge_data(VDB, "a" * 64, read).outcome == outcome


@pytest.mark.parametrize("case", cases("faults.yaml"))
def test_an_instance_in_error_is_told_with_novas_own_reason_and_where_to_look(case):
    problem = instances.not_started("i", case["fault"], case["host"])
    assert case["found"] in problem.message
    assert case["remedy"] in problem.remedy
    assert problem.message == clean(problem.message)
    assert "Traceback" not in problem.message


@pytest.mark.parametrize("case", cases("unreached.yaml"))
def test_an_instance_that_lets_nobody_in_is_told_with_its_console_and_what_to_do(case):
    problem = instances.not_let_in(case["seen"], case["console"], "two", case["leads_out"])
    assert (problem.outcome, list(problem.lines)) == (case["outcome"], case["console"])
    assert case["remedy"] in problem.remedy


@pytest.mark.parametrize(
    ("code", "days", "outcome"),
    [(200, 800, "success"), (401, 800, "success"), (300, 15, "success"), (200, 3, "warn"), (503, 800, "fail")],
)
def test_endpoints_are_judged_by_answer_and_certificate(code, days, outcome):
    verdict = endpoints.judge("endpoint", "image", code, days, "do this")
    assert (verdict.outcome, verdict.remedy != "") == (outcome, outcome != "success")
    assert str(code) in verdict.found
