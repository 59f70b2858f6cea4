import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from installer.agent import wire
from installer.resources.secret import Secret

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text().filter(lambda key: key != "$secret"), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.lists(json_values | st.binary(max_size=5000), max_size=5))
def test_frames_come_back_as_they_were_sent_whatever_the_order(values: list[object]) -> None:
    stream = io.BytesIO()
    wire.Writer(stream).send(*values)
    stream.seek(0)
    assert [wire.read_frame(stream.read) for _ in values] == values


def test_a_secret_crosses_as_a_secret() -> None:
    frame = wire.encode({"password": Secret("it's $(mine)")})
    assert wire.read_frame(io.BytesIO(frame).read) == {"password": Secret("it's $(mine)")}


def test_a_long_message_is_compressed() -> None:
    frame = wire.encode({"text": "again " * 10_000})
    assert len(frame) < 1_000
    assert wire.read_frame(io.BytesIO(frame).read) == {"text": "again " * 10_000}


def test_what_a_login_shell_prints_first_is_skipped() -> None:
    stream = io.BytesIO(b"Welcome to the machine!\r\n" + wire.READY + wire.encode(7))
    assert wire.skip_to_ready(stream.read) == b"Welcome to the machine!\r\n"
    assert wire.read_frame(stream.read) == 7


@pytest.mark.parametrize("cut", [0, 1, 4, 5, 9])
def test_a_stream_that_ends_early_is_a_lost_link(cut: int) -> None:
    with pytest.raises(wire.LinkLost):
        wire.read_frame(io.BytesIO(wire.encode({"do": "probe"})[:cut]).read)


def test_text_instead_of_an_agent_is_told_in_the_error() -> None:
    with pytest.raises(wire.LinkLost, match="python3: command not found"):
        wire.skip_to_ready(io.BytesIO(b"sh: python3: command not found\n").read)


@pytest.mark.parametrize("problem", [BrokenPipeError(), EOFError(), ValueError("closed file")])
def test_writing_to_a_side_that_is_gone_is_a_lost_link(problem: Exception) -> None:
    class Gone(io.BytesIO):
        def write(self, data: object) -> int:
            raise problem

    with pytest.raises(wire.LinkLost):
        wire.Writer(Gone()).send({"do": "probe"})
