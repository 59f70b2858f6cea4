"""The key that lets the demo user into instances: its private half stays on the machine that runs pystack."""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

NAME = "demo_key"


def prepare(folder: Path, write: bool) -> str:
    """Return the public key as OpenSSH writes it; a key that is there already is used.

    Args:
        folder: where the admin's files of the cloud are.
        write: keep one that had to be made (0600, with ``.pub`` beside it); otherwise it lives in memory only.

    Raises:
        OSError: the folder cannot be read or written.
    """
    public = folder / f"{NAME}.pub"
    if public.exists():
        return public.read_text().strip()
    key = Ed25519PrivateKey.generate()
    text = key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()
    if write:
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH, serialization.NoEncryption()
        )
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / NAME, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(private)
        # Written last: with it the key is whole.
        public.write_text(f"{text}\n")
    return text
