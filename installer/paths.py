"""Where the data folders are, in a checkout and in an installed wheel alike."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ANSWERS = ROOT / "answers"
ROLES = ROOT / "roles"
TEMPLATES = ROOT / "templates"
