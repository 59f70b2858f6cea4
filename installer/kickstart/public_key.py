"""The operator's public key, without anything else that stands in its file."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from installer.errors import UsageError
from installer.transport.auth import Unusable, load
from installer.transport.login import Login

#: Types that pystack can log in with; see ``installer.transport.auth``.
TYPES = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "ssh-rsa")


def public_key(private: Path, login: Login) -> tuple[str, str]:
    """Return type and base64 of the public half: from the file beside the private key, else from the key itself.

    Args:
        private: the private key's file.
        login: it may ask for the key's passphrase.

    Raises:
        UsageError: there is neither.
    """
    beside = Path(f"{private}.pub")
    try:
        return parse(beside.read_text(errors="replace"))
    except OSError:
        pass
    except ValueError as problem:
        raise UsageError(f"{beside} is not a public key: {problem}", f"ssh-keygen -y -f {private} > {beside}") from None
    try:
        key = load(private, login)
    except Unusable as problem:
        raise UsageError(
            f"CONFIG_SSH_KEY has no public key: {beside} cannot be read, and {private} is not usable ({problem})",
            f"name your key: --set CONFIG_SSH_KEY=~/.ssh/id_ed25519; or make one: ssh-keygen -t ed25519 -f {private}",
        ) from None
    return key.get_name(), key.get_base64()


def parse(text: str) -> tuple[str, str]:
    """Return type and base64 of a public key as OpenSSH writes it; options and comment are dropped.

    Raises:
        ValueError: it is none of a type that pystack can log in with.
    """
    words = text.split()
    kind = next((word for word in words if word in TYPES), "")
    if not kind:
        raise ValueError(f"its type is none of {', '.join(TYPES)}")
    try:
        encoded = words[words.index(kind) + 1]
        blob = base64.b64decode(encoded, validate=True)
    except (IndexError, binascii.Error):
        raise ValueError("what follows the type is not base64") from None
    name = kind.encode()
    if not blob.startswith(len(name).to_bytes(4, "big") + name):
        raise ValueError("what follows the type is a key of another one")
    return kind, encoded
