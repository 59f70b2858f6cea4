"""Every event as one line of JSON, for programs."""

from __future__ import annotations

import json
from typing import TextIO

from installer.masking import Masking
from installer.outcome import Event


class JsonLines:
    """Writes events as they come, each at once.

    Args:
        stream: where to.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._plain = Masking()

    def take(self, event: Event) -> None:
        """Write an event; secrets among its values are masked by their type."""
        self._stream.write(json.dumps(self._plain.data(event)) + "\n")
        self._stream.flush()

    def rest(self) -> None:
        """Do nothing."""
