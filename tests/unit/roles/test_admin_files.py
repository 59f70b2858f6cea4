from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_a_password_of_any_letters_is_written_whatever_the_locale(tmp_path: Path) -> None:
    program = (
        "from pathlib import Path; import sys; from installer import admin_files\n"
        "path = Path(sys.argv[1])\n"
        "for _ in range(2): admin_files._write(path, 'p\\xe4sswort \\u0142 \\u4e2d')\n"
        "print(oct(path.stat().st_mode & 0o777))\n"
    )
    done = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", program, str(tmp_path / "rc")],
        env={"PYTHONPATH": str(ROOT), "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout.strip()) == (0, "0o600"), done.stderr
    assert (tmp_path / "rc").read_text(encoding="utf-8") == "pässwort ł 中"
