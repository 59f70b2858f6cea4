"""Wheels are fetched once, checked against the lock, and what lacks is told all at once."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest

from installer.own_index import Sources
from installer.wheels.fetching import FetchFailed, fetch
from installer.wheels.index import Index
from installer.wheels.store import File, Store
from tests.package_index import PackageIndex, lock, sha256, source, wheel
from tests.unit.wheels.conftest import Locks

MANYLINUX = "cp{0}-cp{0}-manylinux_2_17_x86_64"


def quiet(text: str) -> None:
    """Say nothing."""


def test_wheels_of_another_python_than_this_one_are_fetched_each_once(
    index: PackageIndex, asked: Index, store: Store, locks: Locks
) -> None:
    both = [index.add(wheel("a", "1", MANYLINUX.format(python))) for python in ("312", "313")]
    every = index.add(wheel("b", "2"))
    text = lock(("a==1", both[0]), ("b==2", every)).replace(
        "sha256:" + both[0], f"sha256:{both[0]} \\\n    --hash=sha256:{both[1]}"
    )
    wanted = [locks(text, "3.12"), locks(text, "3.13")]
    found = fetch(wanted, asked, store, quiet)
    assert [file.name for file in found[wanted[0].name]] == [f"a-1-{MANYLINUX.format(312)}.whl", "b-2-py3-none-any.whl"]
    assert [file.sha256 for file in found[wanted[1].name]] == [both[1], every]
    assert store.path(every).read_bytes() == index.files["b-2-py3-none-any.whl"]
    assert set(index.asked.values()) == {1}
    before = index.requests
    assert fetch(wanted, asked, Store(store.folder), quiet) == found
    assert index.requests == before, "what is kept is not asked for again, by another process either"


def test_a_file_that_is_not_what_the_lock_names_is_refused_and_thrown_away(
    index: PackageIndex, asked: Index, store: Store, locks: Locks
) -> None:
    good = index.add(wheel("a", "1"))
    index.lies["a-1-py3-none-any.whl"] = good
    index.add(wheel("a", "1", text="changed on the way"))
    with pytest.raises(FetchFailed, match=r"a-1-py3-none-any\.whl: what came has the sha256 .* thrown away"):
        fetch([locks(lock(("a==1", good)))], asked, store, quiet)
    assert not list(store.folder.iterdir())
    assert not store.has(good)


def test_everything_that_lacks_is_named_at_once(index: PackageIndex, asked: Index, store: Store, locks: Locks) -> None:
    there = index.add(wheel("a", "1"))
    newer = index.add(wheel("b", "2", "cp313-cp313-manylinux_2_17_x86_64"))
    with pytest.raises(FetchFailed) as failed:
        fetch([locks(lock(("a==1", there), ("b==2", newer), ("c==3", "0" * 64)))], asked, store, quiet)
    assert failed.value.message.splitlines() == [
        f"{name}: {index.url} has no wheel of the lock for Python 3.12 on x86_64" for name in ("b==2", "c==3")
    ]
    assert failed.value.exit_code == 5


def test_what_has_no_wheel_comes_as_its_source_with_what_builds_it(
    index: PackageIndex, asked: Index, store: Store, locks: Locks
) -> None:
    text = lock(("a==1", index.add(source("a", "1"))), built=("a",))
    build = lock(("maker==1", index.add(wheel("maker", "1"))))
    plain = lock(("b==1", index.add(wheel("b", "1"))))
    built, other = locks(text, build=build), locks(plain, build=build)
    found = fetch([built, other], asked, store, quiet)
    assert [file.name for file in found[built.name]] == ["a-1.tar.gz", "maker-1-py3-none-any.whl"]
    assert [file.name for file in found[other.name]] == ["b-1-py3-none-any.whl"]


def test_an_index_that_does_not_answer_is_named_without_its_login(store: Store, locks: Locks) -> None:
    with PackageIndex() as gone:
        pass
    index = Index(Sources(gone.url.replace("//", "//me:hidden@")))
    with pytest.raises(FetchFailed) as failed:
        fetch([locks(lock(("a==1", "0" * 64)))], index, store, quiet)
    index.close()
    assert failed.value.message.startswith(f"the package index cannot be used: {gone.url}: ")
    assert "hidden" not in failed.value.message


def test_a_kept_file_that_was_damaged_is_fetched_again(
    index: PackageIndex, asked: Index, store: Store, locks: Locks
) -> None:
    wanted = [locks(lock(("a==1", index.add(wheel("a", "1")))))]
    ((file,),) = fetch(wanted, asked, store, quiet).values()
    store.path(file.sha256).write_bytes(b"damaged")
    again = Store(store.folder)
    fetch(wanted, asked, again, quiet)
    assert again.path(file.sha256).read_bytes() == index.files[file.name]


def test_what_was_stopped_fetches_nothing_more_and_leaves_nothing_half(
    index: PackageIndex, asked: Index, store: Store, locks: Locks
) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(FetchFailed, match="it was stopped"):
        fetch([locks(lock(("a==1", index.add(wheel("a", "1")))))], asked, store, quiet, stop)
    assert not index.asked
    (store.folder / ".new-4194305.abcdefgh").touch()  # above the highest process number that Linux gives
    assert not list(Store(store.folder).folder.iterdir())


@pytest.mark.parametrize("named", ["nothing", "another", "one too many"])
def test_a_list_that_is_not_what_the_lock_names_is_not_used(
    index: PackageIndex, asked: Index, store: Store, locks: Locks, named: str
) -> None:
    good = index.add(wheel("a", "1"))
    wanted = locks(lock(("a==1", good)))
    other = File("b-1-py3-none-any.whl", store.add([b"other"], {sha256(b"other")}))
    right = File("a-1-py3-none-any.whl", good)
    store.add([index.files[right.name]], {good})
    store.note(wanted.name, {"nothing": [], "another": [other], "one too many": [right, other]}[named])
    assert fetch([wanted], asked, store, quiet) == {wanted.name: (right,)}


def test_ctrl_c_does_not_wait_for_an_index_that_has_fallen_silent(
    index: PackageIndex, asked: Index, store: Store, locks: Locks, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest, silent, answer = index.add(wheel("a", "1")), threading.Event(), index._file

    def fall_silent(name: str, command: str) -> bytes | None:
        threading.Timer(0.2, os.kill, [os.getpid(), signal.SIGINT]).start()
        silent.wait(20)
        return answer(name, command)

    monkeypatch.setattr(index, "_file", fall_silent)
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        fetch([locks(lock(("a==1", digest)))], asked, store, quiet)
    asked.close()
    assert time.monotonic() - begun < 10
    silent.set()
