import re

import pytest

from installer import render as renderer
from installer.errors import AnswerFileError, InternalError
from installer.paths import TEMPLATES
from installer.quoting import OPTION_FILE, OSLO, format_of
from installer.render import render, rendered_file
from installer.resources.file import masked_difference
from installer.resources.secret import Secret

#: A setting whose value is one of ours. The names in a section of CONFIG_CINDER_BACKEND_OPTIONS need no quoting: what
#: they may hold is looked at when the answer file is read.
WHOLE = re.compile(r"([\w-]+|\{\{ key \}\}) = \{\{[^}]+\}\}|\[\{\{ settings\.name \}\}\]")


@pytest.fixture
def template(tmp_path, monkeypatch):
    """Return a function that makes a template and returns its name."""
    monkeypatch.setattr(renderer, "TEMPLATES", tmp_path)
    renderer._environment.cache_clear()

    def make(text, name="keystone/keystone.conf.j2"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
        return name

    yield make
    renderer._environment.cache_clear()


def test_every_value_is_quoted_for_the_kind_of_file(template):
    conf = template("[a]\nb = {{ value }}\nc = {{ yes }}\n")
    assert render(conf, value=" $x ", yes=True).content == '[a]\nb = " \\$x "\nc = true\n'
    script = template("export A={{ value }}\n", "admin/keystonerc.sh.j2")
    assert render(script, value=" $x ").content == "export A=' $x '\n"


def test_a_block_leaves_no_blank_line(template):
    assert render(template("[a]\n  {% if yes %}\nb = 1\n  {% endif %}\n"), yes=True).content == "[a]\nb = 1\n"


def test_a_secret_is_recorded_as_the_file_writes_it(template):
    made = render(template("[a]\nb = {{ secret }}\nc = {{ secret }}\n"), secret=Secret("a$b"))
    assert made.content == "[a]\nb = a\\$b\nc = a\\$b\n"
    assert [secret.reveal() for secret in made.secrets] == ["a\\$b"]


def test_a_secret_shows_neither_in_the_result_nor_in_a_diff(template):
    made = render(template("[a]\nb = {{ secret }}\n"), secret=Secret("new $word"))
    assert "word" not in repr(made)
    assert not any("word" in line for line in masked_difference("[a]\nb = old word\n", made.content, made.secrets))


def test_an_included_template_is_quoted_and_recorded_like_its_includer(template):
    template("d = {{ secret }}\n", "common/part.j2")
    made = render(template('[a]\n{% include "common/part.j2" %}\n'), secret=Secret("x$"))
    assert made.content == "[a]\nd = x\\$\n"
    assert made.secrets == (Secret("x\\$"),)


def test_a_value_that_cannot_be_written_names_the_line_and_not_the_value(template):
    name = template("[a]\n\npassword = {{ answers.CONFIG_KEYSTONE_DB_PW }}\n")
    with pytest.raises(AnswerFileError) as refused:
        render(name, answers={"CONFIG_KEYSTONE_DB_PW": Secret("hidden\nword")})
    assert "keystone/keystone.conf.j2, line 3 (password = {{ answers.CONFIG_KEYSTONE_DB_PW }})" in refused.value.message
    assert "hidden" not in refused.value.message
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "context"), [("{{ missing }}", {}), ("{{ a.b }}", {"a": {}}), ("{{ a }}", {"a": None})]
)
def test_a_template_without_its_values_is_our_fault(template, text, context):
    with pytest.raises(InternalError, match="line 1"):
        render(template(text), **context)


def test_a_template_of_an_unknown_kind_is_our_fault():
    with pytest.raises(LookupError, match="TABLE has no row"):
        format_of("keystone/keystone.unknown.j2")


def test_the_file_resource_carries_the_secrets(template):
    made = rendered_file("/etc/x", template("a = {{ s }}\n"), group="keystone", mode=0o640, s=Secret("w"))
    assert (made.path, made.content, made.secrets) == ("/etc/x", "a = w\n", (Secret("w"),))
    assert (made.owner, made.group, made.mode) == ("root", "keystone", 0o640)


def test_a_secret_of_one_template_is_not_recorded_with_the_next(template):
    render(template("a = {{ s }}\n"), s=Secret("w"))
    assert render(template("a = {{ s }}\n", "keystone/other.conf.j2"), s="open").secrets == ()


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.j2")), ids=lambda path: f"{path.parent.name}/{path.name}")
def test_every_template_has_a_kind_and_whole_values(path):
    """Quotes around part of a value would be read as part of it, where quotes count at its ends only."""
    name = str(path.relative_to(TEMPLATES))
    if not name.startswith("common/"):
        kind = format_of(name)
        for line in path.read_text().splitlines():
            if "{{" in line and kind in (OSLO, OPTION_FILE):
                assert WHOLE.fullmatch(line), line
