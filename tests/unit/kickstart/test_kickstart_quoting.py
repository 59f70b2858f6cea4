"""Whatever a value holds, the file means what it means with a harmless value, or is refused."""

import dataclasses
import string

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from installer.errors import AnswerFileError, UsageError
from installer.kickstart import FORMS, Machine, Mirror

PLAIN = Machine(
    host="192.0.2.10",
    hostname="host-192-0-2-10",
    user="operator",
    public_key=("ssh-ed25519", "AAAA"),
    system_disk="/dev/sda",
    volume_group="cinder-volumes",
    volumes_disk="/dev/sdb",
    interface="eno1",
    time_servers=("ntp.example.org",),
    proxy="http://192.0.2.5:3128",
)
WORD = set(f"{string.ascii_letters}{string.digits}_./:@+=-")
MARK = "harmless7"
FIELDS = {
    "host": lambda text: text,
    "hostname": lambda text: text,
    "user": lambda text: text,
    "public_key": lambda text: ("ssh-ed25519", text),
    "system_disk": lambda text: f"/dev/{text}",
    "volume_group": lambda text: text,
    "volumes_disk": lambda text: f"/dev/{text}",
    "interface": lambda text: text,
    "time_servers": lambda text: (text, "ntp.example.org"),
    "proxy": lambda text: text,
    "mirror": lambda text: Mirror("http", "mirror.example.org", f"/{text}"),
}
META = st.text(
    st.one_of(st.sampled_from("abz09-_. \t\n\r'\"\\$`;&|<>(){}[]*?!#%~^,:=@/+"), st.characters()),
    min_size=1,
    max_size=12,
).filter(lambda text: text != "root")


def made(platform, field, text):
    return FORMS[platform].render(dataclasses.replace(PLAIN, **{field: FIELDS[field](text)}))


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("platform", ["el-10", "debian-13"])
@given(text=META)
@settings(max_examples=60, deadline=None)
def test_a_value_in_a_kickstart_or_preseed_file_is_nothing_but_a_word_or_refused(platform, field, text):
    try:
        content = made(platform, field, text)
    except (AnswerFileError, UsageError):
        return
    harmless = made(platform, field, MARK)
    assert content == harmless.replace(MARK, text)
    assert MARK not in harmless or not set(text) - WORD


@pytest.mark.parametrize("field", FIELDS)
@given(text=META)
@settings(max_examples=60, deadline=None)
def test_autoinstall_reads_back_every_value_or_it_is_refused(field, text):
    try:
        content = made("ubuntu-24.04", field, text)
    except (AnswerFileError, UsageError):
        return

    def put(item):
        if isinstance(item, dict):
            return {put(key): put(value) for key, value in item.items()}
        if isinstance(item, list):
            return [put(one) for one in item]
        return item.replace(MARK, text) if isinstance(item, str) else item

    assert yaml.safe_load(content) == put(yaml.safe_load(made("ubuntu-24.04", field, MARK)))


@pytest.mark.parametrize(
    "text", ["-rf", "a b", "$(id)", "a;b", "%end", "a'b", 'a"b', "a\nrootpw x", "~", "*", "", "a,b"]
)
@pytest.mark.parametrize("platform", ["el-9", "fedora-43", "debian-12"])
def test_what_an_installer_would_read_a_meaning_into_is_refused_by_the_line_it_would_stand_in(platform, text):
    with pytest.raises(AnswerFileError, match=r"kickstart/.* line \d+ .*hostname"):
        made(platform, "hostname", text)
