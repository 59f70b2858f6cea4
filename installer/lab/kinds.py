"""The kinds of lab hosts there are, by the word that asks for them."""

from __future__ import annotations

from pathlib import Path

from installer.lab.container import Container
from installer.lab.own_kernel import OwnKernel
from installer.lab.places import LabRefused
from installer.lab.runner import Runner, Wish

KINDS: dict[str, type[Runner]] = {"shared": Container, "own": OwnKernel}


def find(wish: Wish) -> type[Runner]:
    """Return what runs a host like that.

    Raises:
        LabRefused: when there is no such kind, or it cannot have what is wished for.
    """
    if wish.kernel not in KINDS:
        raise LabRefused(
            f"the kernel of a lab host cannot be '{wish.kernel}'",
            "Choose 'shared', this machine's own in a container, or 'own', a kernel for this host alone.",
        )
    kind = KINDS[wish.kernel]
    kind.check(wish)
    return kind


def clear(folder: Path) -> None:
    """End and remove what a run that was cut off left of a host, of whichever kind."""
    for kind in KINDS.values():
        leftover = kind(folder, folder.name, Path(), Wish())
        leftover.kill()
        leftover.release()
        leftover.destroy()
