"""Files for people: whole and proven, or not there; a limit on the size of files stands for a full disk."""

import sys
import zipfile
from contextlib import contextmanager

import numpy as np
import pandas as pd
import pytest

from planner.errors import InputError
from planner.ledger import Ledger
from planner.outputs.corrections import write_corrections
from planner.outputs.geotiff import write_surface
from planner.outputs.layers import write_layers
from planner.outputs.templates import write_template
from planner.study import Grid
from planner.written import is_whole_zip, write_text, written, written_together

LIMIT = 3_000


@contextmanager
def full_disk():
    """No file of this process may grow beyond `LIMIT` bytes."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (LIMIT, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def surface(path):
    values = np.random.default_rng(1).random((80, 90)).astype(np.float32)
    return write_surface(
        path, Grid(values, (30, 0, 0, 0, -30, 0), "EPSG:32649", "min"), np.ones((80, 90), np.int32), {}
    )


WRITERS = {
    "s.tif": surface,
    "t.txt": lambda path: write_text(path, "字" * LIMIT),
    "l.gpkg": lambda path: write_layers({"a": pd.DataFrame({"n": range(9)})}, path),
    "c.xlsx": lambda path: write_corrections(path, Ledger()),
    "f.xlsx": lambda path: write_template("facilities", path),
}


@pytest.mark.parametrize("name", WRITERS)
def test_what_is_written_is_there_and_alone(tmp_path, name):
    assert WRITERS[name](tmp_path / name) == tmp_path / name
    assert [file.name for file in tmp_path.iterdir()] == [name]


@pytest.mark.skipif(sys.platform == "win32", reason="file size limits are POSIX")
@pytest.mark.parametrize("name", WRITERS)
def test_a_full_disk_is_said_and_leaves_nothing(tmp_path, name):
    with full_disk(), pytest.raises(InputError, match="cannot be written"):
        WRITERS[name](tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_prove_itself_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(InputError, match="not whole"), written(path, lambda _: False) as part:
        part.write_text("new")
    assert [(file.name, file.read_text()) for file in tmp_path.iterdir()] == [("a.txt", "old")]


def test_a_writer_that_wrote_nothing_is_told(tmp_path):
    with pytest.raises(InputError, match="cannot be written"), written(tmp_path / "a.txt", lambda _: True):
        pass
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_archive_is_not_whole(tmp_path):
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "content")
    assert is_whole_zip(path)
    path.write_bytes(path.read_bytes().replace(b"content", b"contemt"))
    assert not is_whole_zip(path)
    path.write_bytes(b"no archive")
    assert not is_whole_zip(path)


def test_files_come_together_or_not_at_all(tmp_path):
    folder = tmp_path / "made" / "export"
    with pytest.raises(InputError, match="No such file"), written_together(folder, last="z") as part:
        write_text(part / "a", (part / "missing").read_text())
    assert not folder.exists()
    with written_together(folder, last="z") as part:
        (part / "z").write_text("last")
        (part / "a").write_text("first")
    assert sorted(file.name for file in folder.iterdir()) == ["a", "z"]
