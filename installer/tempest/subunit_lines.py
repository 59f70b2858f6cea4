"""Turns a subunit stream into lines of JSON: one when a test begins, one when it has ended.

The interpreter of Tempest's environment runs it; nothing of pystack can be imported here.
"""

import json
import sys
from typing import Any

import subunit
import testtools


class Begun:
    """Tells of tests that begin."""

    def startTestRun(self) -> None:  # noqa: N802 - the name is testtools'
        """Do nothing."""

    def stopTestRun(self) -> None:  # noqa: N802 - the name is testtools'
        """Do nothing."""

    def status(self, test_id: Any = None, test_status: Any = None, **_more: Any) -> None:
        """Tell of a test that begins."""
        if test_id and test_status == "inprogress":
            _tell({"test": test_id, "status": "begun"})


def _ended(test: dict[str, Any]) -> None:
    texts = {}
    for name, content in test["details"].items():
        if content.content_type.type == "text":
            texts[name] = content.as_text()
    begun, ended = test["timestamps"]
    _tell(
        {
            "test": test["id"],
            "status": "cut off" if test["status"] == "inprogress" else test["status"],
            "seconds": (ended - begun).total_seconds() if begun and ended else 0.0,
            "reason": texts.get("reason", "").strip(),
            "traceback": "\n".join(text for name, text in texts.items() if name.startswith("traceback")).strip(),
        }
    )


def _tell(line: dict[str, Any]) -> None:
    print(json.dumps(line), flush=True)


def main() -> None:
    """Read the stream from standard input to its end."""
    stream = subunit.ByteStreamToStreamResult(sys.stdin.buffer, non_subunit_name="output")
    result = testtools.CopyStreamResult([Begun(), testtools.StreamToDict(_ended)])
    result.startTestRun()
    stream.run(result)
    result.stopTestRun()


if __name__ == "__main__":
    main()
