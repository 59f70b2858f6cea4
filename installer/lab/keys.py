"""The lab's own SSH keys: one to log in with, one for each host to be known by."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True, repr=False)
class KeyPair:
    """An ed25519 key pair in OpenSSH's text forms.

    Args:
        private: the private key file's content.
        public: ``ssh-ed25519 AAAA…``, without a comment.
    """

    private: str
    public: str

    @property
    def fingerprint(self) -> str:
        """The fingerprint as ``ssh-keygen -l`` shows it: ``SHA256:…``."""
        return fingerprint(self.public)


def make() -> KeyPair:
    """Return a new key pair."""
    key = Ed25519PrivateKey.generate()
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
    )
    public = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
    return KeyPair(private.decode(), public.decode())


def fingerprint(public: str) -> str:
    """Return the SHA256 fingerprint of an OpenSSH public key (RFC 4253 blob, base64 without padding).

    Args:
        public: ``<type> <base64>``.
    """
    blob = base64.b64decode(public.split()[1])
    return "SHA256:" + base64.b64encode(hashlib.sha256(blob).digest()).decode().rstrip("=")
