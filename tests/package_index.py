"""A package index for tests: serves files that they make, or passes on another one's; counts who asks for what."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import tarfile
import threading
import urllib.request
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote, urlsplit

JSON = "application/vnd.pypi.simple.v1+json"


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def wheel(name: str, version: str, tags: str = "py3-none-any", text: str = "") -> tuple[str, bytes]:
    """Return the file name and the content of a wheel with one module, which is called like the distribution."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"text = {text!r}\n",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
        + "".join(f"Tag: {tag}\n" for tag in [tags]),
    }
    record = [
        f"{path},sha256={base64.urlsafe_b64encode(hashlib.sha256(data.encode()).digest()).rstrip(b'=').decode()},{len(data)}"
        for path, data in files.items()
    ]
    files[f"{info}/RECORD"] = "\n".join([*record, f"{info}/RECORD,,", ""])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in files.items():
            archive.writestr(zipfile.ZipInfo(path), data)
    return f"{name}-{version}-{tags}.whl", packed.getvalue()


def source(name: str, version: str) -> tuple[str, bytes]:
    """Return the file name and the content of a source distribution."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        data = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
        entry = tarfile.TarInfo(f"{name}-{version}/PKG-INFO")
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return f"{name}-{version}.tar.gz", packed.getvalue()


@dataclass
class PackageIndex:
    """A package index at ``url`` while it is entered.

    Args:
        address: where it listens.
        upstream: address of an index that is passed on; empty for files of its own.
    """

    address: str = "127.0.0.1"
    upstream: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    #: What the pages say a file is, in place of what it is.
    lies: dict[str, str] = field(default_factory=dict)
    #: Files that the server cannot give at the moment.
    broken: set[str] = field(default_factory=set)
    #: How often each file was asked for, and by which addresses.
    asked: Counter[str] = field(default_factory=Counter)
    askers: set[str] = field(default_factory=set)
    requests: int = 0

    def add(self, file: tuple[str, bytes]) -> str:
        """Serve a file; returns its sha256."""
        self.files[file[0]] = file[1]
        return sha256(file[1])

    def __enter__(self) -> PackageIndex:
        index = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                index._answer(self)

            def do_HEAD(self) -> None:
                index._answer(self)

            def log_message(self, *words: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer((self.address, 0), Handler)
        self._server.daemon_threads = True
        self._server.block_on_close = False
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://{self.address}:{self._server.server_port}/simple"
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Be gone."""
        self._server.shutdown()
        self._server.server_close()

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        self.requests += 1
        self.askers.add(request.client_address[0])
        kind, _, rest = urlsplit(request.path).path.strip("/").partition("/")
        found = self._page(unquote(rest)) if kind == "simple" else self._file(unquote(rest), request.command)
        fault = unquote(rest) in self.broken
        request.send_response(503 if fault else 404 if found is None else 200)
        request.send_header("Content-Type", JSON if kind == "simple" else "application/octet-stream")
        request.send_header("Content-Length", str(len(found or b"")))
        request.end_headers()
        if request.command != "HEAD":
            request.wfile.write(found or b"")

    def _page(self, name: str) -> bytes | None:
        if not name:
            return b"{}"
        if self.upstream:
            page = json.loads(_get(f"{self.upstream.rstrip('/')}/{name}/"))
            for file in page["files"]:
                file["url"] = f"/files/{quote(file['url'], safe='')}"
                file.pop("core-metadata", None)
                file.pop("data-dist-info-metadata", None)
            return json.dumps(page).encode()
        files = [
            {"filename": file, "url": f"/files/{file}", "hashes": {"sha256": self.lies.get(file, sha256(data))}}
            for file, data in self.files.items()
            if re.match(rf"{re.escape(name)}-", file.replace("_", "-"), re.IGNORECASE)
        ]
        page = {"meta": {"api-version": "1.0"}, "name": name, "files": files}
        return json.dumps(page).encode() if files else None

    def _file(self, name: str, command: str) -> bytes | None:
        if command == "GET":
            self.asked[name.rpartition("/")[2]] += 1
        return _get(name) if self.upstream else self.files.get(name)


def _get(url: str) -> bytes:
    asked = urllib.request.Request(url, headers={"Accept": JSON})
    with urllib.request.urlopen(asked, timeout=60) as answer:
        content: bytes = answer.read()
        return content


def lock(*pins: tuple[str, str], built: tuple[str, ...] = ()) -> str:
    """Return a lock as uv writes it: requirements with one hash each."""
    lines = ["# made", "--only-binary=:all:", *(f"--no-binary={name}" for name in built)]
    return "\n".join([*lines, *(f"{requirement} \\\n    --hash=sha256:{digest}" for requirement, digest in pins), ""])
