"""Nothing outside the study folder can be named from the browser."""

import pytest

from planner.errors import InputError
from planner.ui.folder import first_study, keep_upload, studies_in, study_folder, study_path


@pytest.mark.parametrize(
    "name", ["", "  ", "..", "../x", "a/b", "a\\b", "/etc/passwd", "C:x", ".hidden", "con", "x" * 81, "a\x00b", "a\nb"]
)
def test_a_name_that_leads_elsewhere_is_refused(tmp_path, name):
    with pytest.raises(InputError):
        study_path(tmp_path, name)


@pytest.mark.parametrize("name", ["county", "county.gpkg", "汉滨区 2024", "a-b_c.d"])
def test_a_plain_name_stays_in_the_folder(tmp_path, name):
    path = study_path(tmp_path, name)
    assert path.parent == tmp_path.resolve()
    assert path.suffix == ".gpkg"


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    folder = tmp_path / "studies"
    folder.mkdir()
    (folder / "x.gpkg").symlink_to(outside / "secret.gpkg")
    with pytest.raises(InputError):
        study_path(folder, "x")


def test_only_studies_are_listed(tmp_path):
    for name in ("b.gpkg", "a.gpkg", ".c.gpkg", "notes.txt"):
        (tmp_path / name).write_bytes(b"x")
    assert studies_in(tmp_path) == ["a.gpkg", "b.gpkg"]
    assert studies_in(tmp_path / "missing") == []


def test_the_folder_is_that_of_the_study_named_first(tmp_path, monkeypatch):
    assert study_folder([str(tmp_path / "x.gpkg")]) == tmp_path.resolve()
    monkeypatch.setenv("PLANNER_STUDY_FOLDER", str(tmp_path))
    assert study_folder([]) == tmp_path.resolve()
    assert first_study([]) is None
    (tmp_path / "county.gpkg").write_bytes(b"x")
    assert first_study([]) == tmp_path.resolve() / "county.gpkg"


@pytest.mark.parametrize(
    "name", ["../../x.csv", "..\\..\\x.csv", "/abs/x.csv", "a:b.csv", ".x.csv", "名.csv", "x" * 200 + ".csv"]
)
def test_an_upload_keeps_its_ending_and_stays_in_its_folder(name):
    path = keep_upload(name, b"a", "token")
    assert path.parent.name == "token"
    assert path.suffix == ".csv"
    assert path.read_bytes() == b"a"
