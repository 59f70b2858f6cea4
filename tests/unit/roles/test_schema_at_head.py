import pytest

from roles.openstack import schema_at_head


@pytest.mark.parametrize(
    ("scripts", "heads"),
    [
        ({"a": "revision = 'a1'\ndown_revision = None\n"}, {"a1"}),
        ({"a": "revision = 'a1'\n", "deep/b": "revision = 'b1'\ndown_revision = 'a1'\n"}, {"b1"}),
        ({"a": "revision='a1'", "b": "revision: str = \"b1\"\ndown_revision: str | None = 'a1'"}, {"b1"}),
        ({"a": "revision = 'a'", "b": "revision = 'b'", "c": "revision = 'c'\ndown_revision = ('a', 'b')"}, {"c"}),
        (
            {"a": "revision = 'a'", "b": "revision = 'b'", "c": "revision = 'c'\ndown_revision = (\n 'a',\n 'b',\n)"},
            {"c"},
        ),
        ({"expand": "revision = 'e'", "contract": "revision = 'c'"}, {"e", "c"}),
        ({"env": "target_metadata = None\n"}, set()),
        ({"a": "revision = 'a1'\ndown_revision = None  # the first\n"}, {"a1"}),
    ],
)
def test_heads_are_the_revisions_that_none_comes_after(tmp_path, scripts, heads):
    for name, text in scripts.items():
        path = tmp_path / f"{name}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert schema_at_head.heads(tmp_path) == heads


def test_the_address_is_read_from_the_configuration_with_any_password(tmp_path):
    from installer.render import render
    from installer.resources.secret import Secret
    from installer.urls import database_url

    password = "p'\"%$(x)@:/# é日"
    made = render(
        "keystone/keystone.conf.j2",
        public_endpoint="https://one:5000",
        debug=False,
        connection=database_url("keystone", Secret(password), "2001:db8::1", "keystone"),
        memcached="127.0.0.1:11211",
    )
    (tmp_path / "keystone.conf").write_text(made.content)
    found = schema_at_head.address(str(tmp_path / "keystone.conf"), "database", "connection")
    # PyMySQL turns passwords into bytes as Latin-1; the server knows them as UTF-8.
    assert found.pop("password").encode("latin-1").decode() == password
    assert found == {"host": "2001:db8::1", "port": 3306, "user": "keystone", "database": "keystone"}


@pytest.mark.parametrize(
    ("at", "code"),
    [({"a1"}, 0), (set(), 1), ({"a0"}, 1), (OSError("no route"), 3)],
    ids=["at head", "empty", "old", "down"],
)
def test_the_exit_code_tells_done_from_not_done_from_unknown(tmp_path, monkeypatch, at, code):
    def current(server):
        if isinstance(at, Exception):
            raise at
        return at

    (tmp_path / "a.py").write_text("revision = 'a1'\n")
    (tmp_path / "s.conf").write_text("[database]\nconnection = mysql+pymysql://u:p@h/d\n")
    monkeypatch.setattr(schema_at_head, "current", current)
    assert schema_at_head.main(str(tmp_path / "s.conf"), "database", "connection", str(tmp_path)) == code


def test_a_folder_without_migrations_is_no_schema_that_is_done(tmp_path):
    (tmp_path / "s.conf").write_text("[database]\nconnection = mysql+pymysql://u:p@h/d\n")
    assert schema_at_head.main(str(tmp_path / "s.conf"), "database", "connection", str(tmp_path)) == 3
