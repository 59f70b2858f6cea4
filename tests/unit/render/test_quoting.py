"""Every kind of file, read back by its own parser."""

import ast
import re
import shlex
import subprocess

import pytest
import yaml

from installer import quoting
from installer.resources.secret import Secret

NASTY = [
    "plain",
    "",
    " leading",
    "trailing ",
    "\ttab\t",
    "'",
    '"',
    "'quoted'",
    '"quoted"',
    '"it\'s"',
    'it\'s "both"',
    "100%",
    "%(name)s %n %%",
    "$HOME ${HOME} $(id) `id`",
    "$$ \\$x \\\\$y $",
    "back\\slash\\",
    "\\",
    "\\n \\t",
    "#hash ;semicolon",
    "a # comment",
    "key=value: other",
    "[section]",
    "{{ jinja }} {% raw %}",
    "ünïcödé 日本 \U0001f511",
    "nbsp\u00a0end\u00a0",
    "next\u0085line\u2028separator\ufeff",
    "x" * 200,
    "&|<>*?~!",
    "- item",
    "null",
    "two\nlines",
    "two\r\nlines",
    "ends in one\n",
]


def written(kind, text):
    """Return the text as the kind of file writes it, or None where it refuses."""
    try:
        return kind.write(text)
    except quoting.Unwritable:
        return None


def check(kind, text, read, refused):
    made = written(kind, text)
    if made is None:
        assert refused(text)
    else:
        assert not refused(text)
        assert read(made) == text


@pytest.mark.parametrize("text", NASTY)
def test_oslo_config_reads_back_what_was_written(text, tmp_path):
    cfg = pytest.importorskip("oslo_config.cfg")

    def read(made):
        path = tmp_path / "service.conf"
        path.write_text(f"[DEFAULT]\nfirst = 1\nsecret = {made}\nafter = 1\n", encoding="utf-8")
        conf = cfg.ConfigOpts()
        conf.register_opts([cfg.StrOpt("secret"), cfg.StrOpt("HOME"), cfg.IntOpt("after")])
        conf([], default_config_files=[str(path)])
        assert conf.after == 1
        return conf.secret

    check(quoting.OSLO, text, read, lambda text: "\n" in text)


def test_oslo_config_reads_a_list_of_three(tmp_path):
    cfg = pytest.importorskip("oslo_config.cfg")
    path = tmp_path / "service.conf"
    made = quoting.OSLO.write(["a", "$b", '"c"'])
    path.write_text(f"[DEFAULT]\nnames = {made}\n")
    conf = cfg.ConfigOpts()
    conf.register_opts([cfg.ListOpt("names")])
    conf([], default_config_files=[str(path)])
    assert conf.names == ["a", "$b", '"c"']


@pytest.mark.parametrize("item", ["a,b", " a", ""])
def test_oslo_config_has_no_way_to_write_some_items_of_a_list(item):
    with pytest.raises(quoting.Unwritable):
        quoting.OSLO.write(["first", item])


@pytest.mark.parametrize("text", NASTY)
def test_mariadb_reads_back_what_was_written(text):
    check(quoting.OPTION_FILE, text, read_option, lambda text: False)


def read_option(made):
    """Read a value as MariaDB's mysys/my_default.c does: cut the comment, strip, unquote, unescape."""
    assert "\n" not in made
    quote, escaped, end = "", False, len(made)
    for place, char in enumerate(made):
        if char in "'\"" and not escaped:
            quote = "" if quote == char else quote or char
        if not quote and char == "#":
            end = place
            break
        escaped = bool(quote) and char == "\\" and not escaped
    text = made[:end].strip(" \t\n\r\v\f")
    if len(text) > 1 and text[0] in "'\"" and text[0] == text[-1]:
        text = text[1:-1]
    escapes = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "s": " ", '"': '"', "'": "'", "\\": "\\"}
    return re.sub(r"\\(.)", lambda found: escapes.get(found[1], found[0]), text)


@pytest.mark.parametrize("text", NASTY)
def test_uwsgi_reads_back_what_was_written(text):
    check(
        quoting.UWSGI,
        text,
        lambda made: made.replace("%%", "%"),
        lambda text: text != text.strip() or bool(re.search(r"[\n\t\x85\u2028]|\$\(", text)),
    )


@pytest.mark.parametrize("text", NASTY)
def test_a_systemd_unit_reads_back_what_was_written(text):
    check(
        quoting.UNIT,
        text,
        lambda made: shlex.split(made)[0].replace("%%", "%"),
        lambda text: not text or bool(re.search(r"[\n\t\x85\u2028$]", text)),
    )


@pytest.mark.parametrize("text", NASTY)
def test_haproxy_reads_back_what_was_written(text):
    # Strong quotes and the backslash outside of them mean to haproxy what they mean to a shell.
    check(
        quoting.HAPROXY,
        text,
        lambda made: shlex.split(made)[0],
        lambda text: bool(re.search(r"[\n\t\x85\u2028%]", text)),
    )


@pytest.mark.parametrize("text", NASTY)
def test_a_shell_reads_back_what_was_written(text):
    def read(made):
        script = f'export VALUE={made}\nprintf %s "$VALUE"; printf END'
        out = subprocess.run(["bash", "-c", script], capture_output=True, check=True).stdout.decode()
        return out.removesuffix("END")

    check(quoting.SHELL, text, read, lambda text: False)


@pytest.mark.parametrize("text", NASTY)
def test_yaml_reads_back_what_was_written(text):
    check(quoting.YAML, text, lambda made: yaml.safe_load(f"a: {made}\nb: [{made}, 1]\n")["a"], lambda text: False)


@pytest.mark.parametrize("text", NASTY)
def test_python_reads_back_what_was_written(text):
    check(quoting.PYTHON, text, ast.literal_eval, lambda text: False)


@pytest.mark.parametrize("text", NASTY)
def test_a_file_without_quoting_takes_plain_words_only(text):
    assert (written(quoting.WORDS, text) is not None) == (text in ("plain", "null", "x" * 200, "[section]"))


@pytest.mark.parametrize(
    ("kind", "yes"),
    [(quoting.OSLO, "true"), (quoting.OPTION_FILE, "ON"), (quoting.UNIT, "yes"), (quoting.PYTHON, "True")],
)
def test_a_boolean_is_written_in_the_words_of_the_file(kind, yes):
    assert kind.write(True) == yes


def test_a_list_of_secrets_is_written_in_clear():
    assert quoting.YAML.write([Secret("a"), "b"]) == '["a", "b"]'


def test_a_value_of_an_unknown_type_is_a_fault():
    with pytest.raises(TypeError, match="NoneType"):
        quoting.OSLO.write(None)


def test_a_refusal_does_not_repeat_the_value():
    with pytest.raises(quoting.Unwritable) as refused:
        quoting.OSLO.write(Secret("hidden\nword"))
    assert "hidden" not in str(refused.value)
