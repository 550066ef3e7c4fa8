""".csv: headers, the label column, and complaints that name row, column and value as a spreadsheet counts them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from npae.data import Dataset, load
from npae.errors import InputError


def _load(folder: Path, text: str | bytes) -> Dataset:
    path = folder / "own.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return load(str(path), dtype="float64")


@pytest.mark.parametrize(
    "text",
    ["1,2.5\n-3e1,0\n", "a,b\n1,2.5\n-3e1,0", "\ufeffa,b\r\n1,2.5\r\n\r\n-3e1,0\r\n\r\n", '"a","b"\n"1", 2.5 \n-3e1,0\n'],
    ids=["no header", "header", "spreadsheet", "quoted"],
)
def test_numbers_are_read_with_and_without_a_header(tmp_path: Path, text: str) -> None:
    data = _load(tmp_path, text)
    np.testing.assert_array_equal(data.train, [[1, 2.5], [-30, 0]])
    assert data.train_labels is None
    assert data.image_shape is None


@pytest.mark.parametrize("text", ["\ufefflabel,a,b\n3,1,2\n0,4,5\n", "a,label,b\n1,3,2\n4,0.0,5\n", "0,1,label\n1,2,3\n4,5,0\n"])
def test_the_column_headed_label_becomes_labels(tmp_path: Path, text: str) -> None:
    data = _load(tmp_path, text)
    np.testing.assert_array_equal(data.train, [[1, 2], [4, 5]])
    assert data.train_labels is not None
    assert data.train_labels.dtype == np.int64
    assert data.train_labels.tolist() == [3, 0]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("1,2\n3,x\n", r"row 2, column 2 is 'x'; expected a finite number"),
        ("a,b\n1,2\n3,x\n", r"row 3, column 2 \('b'\) is 'x'"),
        ("1,x\n1,2\n", "row 1, column 2 is 'x'"),
        ("1,2\n3,\n", "row 2, column 2 is ''"),
        ("1,2\nnan,3\n", "row 2, column 1 is 'nan'"),
        ("1,2\n3,inf\n", "row 2, column 2 is 'inf'"),
        ("1,2\n3,1e999\n", "row 2, column 2 is '1e999'"),
        ("1,2\n3,1_000\n", "row 2, column 2 is '1_000'"),
        ("1,2\n\n3,4,5\n", "row 3 has 3 cells; expected 2"),
        ("a,b\n1\n", "row 2 has 1 cells; expected 2"),
        ("label,a\n1.5,2\n", r"column 1 \('label'\) is '1.5'; expected a class number"),
        ("label,a\ncat,2\n", r"column 1 \('label'\) is 'cat'"),
        ("label,a,label\n1,2,3\n", "2 columns are called 'label'"),
        (",a\n0,1\n", "column 1 has no name"),
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,b\n", "no numbers beside its header and labels"),
        ("label\n1\n", "no numbers beside its header and labels"),
        ("1;2\n3;4\n", "row 2, column 1|no numbers"),
        (b"\xff\xfe1\x00", "not a text file"),
        ('1,"2\n', "not a text file"),
    ],
)
def test_what_is_not_a_table_of_numbers_is_refused_where_it_happens(tmp_path: Path, text: str | bytes, complaint: str) -> None:
    with pytest.raises(InputError, match=rf"own\.csv: .*({complaint})"):
        _load(tmp_path, text)


@settings(deadline=None, max_examples=100)
@given(
    rows=st.lists(
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3),
        min_size=1,
        max_size=6,
    )
)
def test_every_float64_survives_a_csv(tmp_path_factory: pytest.TempPathFactory, rows: list[list[float]]) -> None:
    text = "\n".join(",".join(map(repr, row)) for row in rows)
    np.testing.assert_array_equal(_load(tmp_path_factory.getbasetemp(), text).train, rows)


@settings(deadline=None, max_examples=300)
@given(body=st.one_of(st.binary(max_size=60), st.text(alphabet='0123456789.,-e"\n\r ;labex_\0', max_size=60).map(str.encode)))
def test_random_bytes_are_read_or_refused_and_never_crash(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    try:
        data = _load(tmp_path_factory.getbasetemp(), body)
    except InputError as refusal:
        message = str(refusal)
    else:
        message = "own.csv"
        assert np.isfinite(data.train).all()
    assert "own.csv" in message
    assert "\n" not in message
