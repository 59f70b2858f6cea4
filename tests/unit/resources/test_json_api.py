"""What the API of a service says, and what it means that it says nothing."""

import pytest

from installer.resources.json_api import NoAnswer, Refused, refusal


@pytest.mark.parametrize(
    ("status", "text", "kind", "words"),
    [
        (400, b'{"badRequest": {"code": 400, "message": "no such type"}}', Refused, "400 to GET u: no such type"),
        (404, b"<html>\noh</html>", Refused, "404 to GET u: <html> oh</html>"),
        (409, b'{"error": {"message": "Conflict occurred", "code": 409}}', Refused, "409 to GET u: Conflict occurred"),
        (500, b"<html>\noh</html>", Refused, "500 to GET u: <html> oh</html>"),
        (404, b"[1, 2]", Refused, "404 to GET u: [1, 2]"),
        (503, b"No server is available", NoAnswer, "u does not answer yet: 503"),
    ],
)
def test_what_an_error_of_a_service_means(status: int, text: bytes, kind: type[Exception], words: str) -> None:
    problem = refusal(status, text, "GET u")
    assert type(problem) is kind
    assert words in str(problem)
