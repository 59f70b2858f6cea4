"""The errors of pystack: each class owns its exit code; each message says what, where, why and what to do next."""

from __future__ import annotations


class PystackError(Exception):
    """Something the operator can understand and act on.

    Args:
        message: what is wrong and where, in one or a few lines.
        remedy: what to do next; empty when the message says it all.
    """

    exit_code = 1
    show_traceback = False

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class UsageError(PystackError):
    """The command line cannot be carried out as it was given."""

    exit_code = 2


class AnswerFileError(PystackError):
    """The answer file has problems; all of them are in the message."""

    exit_code = 2


class PreflightRefused(PystackError):
    """A preflight check found what would make the installation fail; nothing was changed."""

    exit_code = 3


class HostUnreachable(PystackError):
    """A host cannot be reached, its key is not trusted, or the login was refused.

    Args:
        host: the address from the answer file.
    """

    exit_code = 4

    def __init__(self, host: str, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.host = host


class ResourceFailed(PystackError):
    """A resource could not be brought to its expected state."""

    exit_code = 5


class VerificationFailed(PystackError):
    """The cloud is installed but does not do what it must."""

    exit_code = 6


class InternalError(PystackError):
    """A fault in pystack itself."""

    exit_code = 1
    show_traceback = True
