"""Volumes on one host: made, filled from an image, snapped, cloned, grown, backed up, and gone again."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from typing import Any

import openstack
import pytest

from tests.lab import config_validator
from tests.lab.conftest import AllInOne
from tests.lab.sdk import QUIET

pytestmark = [
    pytest.mark.lab,
    pytest.mark.shows("volumes-nfs"),
    pytest.mark.long,
    pytest.mark.timeout(2400),
    QUIET,
]

CONTENT = os.urandom(1 << 20) * 4
#: Copying a sparse GiB on a machine that is busy with other hosts takes minutes.
PATIENCE = 300


@pytest.fixture(scope="module")
def connection(all_in_one: AllInOne) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OS_CLIENT_CONFIG_FILE", str(all_in_one.clouds))
        found = openstack.connect(cloud="pystack")
        yield found
        found.close()


@pytest.fixture(scope="module")
def image(connection: Any) -> Iterator[Any]:
    made = connection.image.create_image(
        name="content", disk_format="raw", container_format="bare", data=CONTENT, validate_checksum=True
    )
    yield made
    connection.image.delete_image(made)


@pytest.fixture
def things(connection: Any) -> Iterator[list[tuple[Callable[..., Any], Any]]]:
    """What a test made, with what deletes it; deleted backwards, each before the one that it came from."""
    made: list[tuple[Callable[..., Any], Any]] = []
    yield made
    for delete, thing in reversed(made):
        delete(thing)
        until_gone(lambda thing=thing: thing.fetch(connection.block_storage))


def until(get: Callable[[], Any], status: str = "available") -> Any:
    deadline = time.monotonic() + PATIENCE
    while True:
        found = get()
        if found.status == status:
            return found
        assert "error" not in found.status, found.to_dict()
        assert time.monotonic() < deadline, found.to_dict()
        time.sleep(1)


def until_gone(get: Callable[[], Any]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            found = get()
        except openstack.exceptions.NotFoundException:
            return
        assert "error" not in found.status, found.to_dict()
        time.sleep(1)
    raise AssertionError(f"{get()} is still there")


def new_volume(connection: Any, things: list[Any], **values: Any) -> Any:
    storage = connection.block_storage
    volume = storage.create_volume(size=values.pop("size", 1), **values)
    things.append((storage.delete_volume, volume))
    return until(lambda: storage.get_volume(volume.id))


def test_every_part_of_cinder_is_up_under_the_name_of_its_host(connection: Any, all_in_one: AllInOne) -> None:
    name = all_in_one.controller.run(["hostname"]).stdout.strip()
    services = {(service.binary, service.host): service.state for service in connection.block_storage.services()}
    assert services == {
        ("cinder-scheduler", name): "up",
        ("cinder-volume", f"{name}@nfs"): "up",
        ("cinder-backup", name): "up",
    }


def test_a_volume_without_a_type_is_kept_at_the_first_backend(connection: Any, things: list[Any]) -> None:
    volume = new_volume(connection, things, name="plain")
    assert volume.volume_type == "nfs"
    assert volume.host.endswith("@nfs#nfs")


@pytest.mark.shows("images")
def test_a_volume_of_an_image_holds_it_and_so_do_its_clone_and_the_image_made_of_it(
    connection: Any, things: list[Any], image: Any
) -> None:
    storage = connection.block_storage
    volume = new_volume(connection, things, name="filled", image_id=image.id)
    assert volume.is_bootable
    clone = new_volume(connection, things, name="clone", source_volume_id=volume.id)
    copy = storage.upload_volume_to_image(clone, "copy", disk_format="raw", container_format="bare")
    try:
        until(lambda: connection.image.get_image(copy["image_id"]), "active")
        until(lambda: storage.get_volume(clone.id))
        read = connection.image.download_image(copy["image_id"], stream=True)
        assert next(read.iter_content(len(CONTENT))) == CONTENT
        read.close()
    finally:
        connection.image.delete_image(copy["image_id"])


def test_a_snapshot_becomes_a_volume(connection: Any, things: list[Any]) -> None:
    storage = connection.block_storage
    volume = new_volume(connection, things, name="source")
    snapshot = storage.create_snapshot(volume_id=volume.id, name="snapshot")
    things.append((storage.delete_snapshot, snapshot))
    until(lambda: storage.get_snapshot(snapshot.id))
    assert new_volume(connection, things, name="of it", snapshot_id=snapshot.id).size == 1


def test_a_volume_grows(connection: Any, things: list[Any]) -> None:
    volume = new_volume(connection, things, name="small")
    connection.block_storage.extend_volume(volume, 2)
    assert until(lambda: connection.block_storage.get_volume(volume.id)).size == 2


@pytest.mark.shows("backups")
def test_a_backup_is_made_and_brought_back(connection: Any, things: list[Any]) -> None:
    storage = connection.block_storage
    volume = new_volume(connection, things, name="precious")
    backup = storage.create_backup(volume_id=volume.id, name="backup")
    things.append((storage.delete_backup, backup))
    until(lambda: storage.get_backup(backup.id))
    storage.restore_backup(backup.id, volume_id=volume.id)
    until(lambda: storage.get_backup(backup.id))
    until(lambda: storage.get_volume(volume.id))


def test_what_is_deleted_leaves_the_share(connection: Any, all_in_one: AllInOne) -> None:
    assert list(connection.block_storage.volumes()) == []
    assert all_in_one.controller.run(["ls", f"/srv/volumes/{all_in_one.controller.name}"]).stdout.split() == []


def test_the_list_of_shares_is_closed_to_others(all_in_one: AllInOne) -> None:
    mode = all_in_one.controller.run(["stat", "-c", "%a %U %G", "/etc/cinder/nfs_shares"]).stdout.split()
    assert mode == ["640", "root", "cinder"]


def test_cinders_configuration_has_no_unknown_key(all_in_one: AllInOne) -> None:
    assert config_validator.problems(all_in_one.controller, "/etc/cinder/cinder.conf") == ""


def test_the_database_is_cleared_of_what_was_deleted(all_in_one: AllInOne) -> None:
    ran = all_in_one.controller.run(["systemctl", "start", "openstack-cinder-db-purge.service"])
    assert ran.returncode == 0, ran.stderr


@pytest.mark.shows("own-settings")
def test_the_operators_own_setting_wins_and_is_left_alone(all_in_one: AllInOne) -> None:
    host, folder = all_in_one.controller, "/etc/cinder/cinder.conf.d"
    host.run(f"printf '[DEFAULT]\\ndebug = true\\n' > {folder}/site.conf", check=True)
    try:
        host.run(["systemctl", "restart", "openstack-cinder-volume", "openstack-cinder-api"], check=True)
        for unit in ("openstack-cinder-volume", "openstack-cinder-api"):
            until_written(host, unit, " DEBUG ")
        again = all_in_one.operator.run("install", f"--answer-file={all_in_one.answer_file}", "--json")
        assert again.code == 0, again.out[-3000:]
        assert host.run(["cat", f"{folder}/site.conf"]).stdout == "[DEFAULT]\ndebug = true\n"
    finally:
        host.run(["rm", f"{folder}/site.conf"], check=True)
        all_in_one.operator.run("install", f"--answer-file={all_in_one.answer_file}")


def until_written(host: Any, unit: str, text: str) -> None:
    deadline = time.monotonic() + 60
    since = host.run(["systemctl", "show", "-P", "ExecMainStartTimestamp", unit]).stdout.strip()
    while time.monotonic() < deadline:
        written = host.run(["journalctl", "-u", unit, "--since", since, "-o", "cat", "--no-pager"]).stdout
        if text in written:
            return
        host.run(["curl", "-sk", "https://localhost:8776/"])
        time.sleep(1)
    raise AssertionError(f"{unit} did not write {text!r}: {written[-2000:]}")


def test_a_share_that_cannot_be_mounted_is_told_with_cinders_own_words(all_in_one: AllInOne) -> None:
    words = ("install", f"--answer-file={all_in_one.answer_file}")
    wrong = f"{all_in_one.controller.address}:/nowhere"
    failed = all_in_one.operator.run(*words, "--set", f"CONFIG_CINDER_NFS_MOUNTS={wrong}")
    told = " ".join((failed.out + failed.err).split())
    assert failed.code == 5, told
    assert "could not be set up" in told
    assert f"Failed to mount {wrong}" in told
    back = all_in_one.operator.run(*words)
    assert back.code == 0, back.out[-3000:]


@pytest.mark.shows("second-run")
def test_a_second_run_changes_nothing(all_in_one: AllInOne) -> None:
    again = all_in_one.operator.run("install", f"--answer-file={all_in_one.answer_file}", "--json")
    assert again.code == 0, again.out[-3000:]
    assert (again.event("summary")["changed"], again.event("summary")["failed"]) == (0, 0)
