"""Studies shared by the tests of the shells: a lattice county in memory, a small demo county from its files."""

import json
import shutil
import sys
from dataclasses import dataclass

import pytest
from hypothesis import settings

from planner.store import save_study
from tests.reference.lattice import lattice_study

# The same examples in every run: whether a change passes must not hang on luck.
settings.register_profile("steady", derandomize=True)
settings.load_profile("steady")


def pytest_collection_modifyitems(items):
    """Put the tests that wait for a browser first: others fill the time, and none of them waits alone at the end."""
    items.sort(key=lambda item: "browser" not in item.keywords)


@dataclass(frozen=True)
class Answer:
    """What a command said."""

    code: int
    out: str
    err: str

    @property
    def document(self):
        """The one JSON document on standard output."""
        return json.loads(self.out)


@pytest.fixture
def planner(monkeypatch, capsys):
    """Run one command as the `planner` script does; gives its exit code and what it printed."""
    from planner.cli import main

    monkeypatch.setenv("PLANNER_LANG", "en")

    def run(*words):
        monkeypatch.setattr(sys, "argv", ["planner", *map(str, words)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
        said = capsys.readouterr()
        return Answer(code, said.out, said.err)

    return run


@pytest.fixture(scope="module")
def browser():
    """Chromium for one file of tests: its driver lets no other asyncio loop run in the process while it lives."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def lattice_file(tmp_path_factory):
    """The lattice county as a study file; to be read only."""
    path = tmp_path_factory.mktemp("lattice") / "lattice.gpkg"
    save_study(lattice_study(), path)
    return path


@pytest.fixture(scope="session")
def lattice_plan():
    """The plan of the lattice county."""
    from planner.plan.stages import make_plan
    from planner.scenario import Scenario

    return make_plan(lattice_study(), Scenario())


@pytest.fixture(scope="session")
def small_files(tmp_path_factory):
    """The files of a demo county of three towns, as a planner would have them."""
    from planner.demo.county import make_county
    from planner.demo.files import write_county
    from planner.demo.spec import scaled_spec

    folder = tmp_path_factory.mktemp("small_county")
    write_county(make_county(scaled_spec(3)), folder)
    return folder


@pytest.fixture(scope="session")
def small_study(small_files):
    """The same, imported."""
    from planner.demo.county import WORKING_CRS
    from planner.demo.files import demo_files
    from planner.replay import import_all
    from planner.study import new_study

    return import_all(new_study("小县", WORKING_CRS), demo_files(small_files))


@pytest.fixture(scope="session")
def small_export(small_study, tmp_path_factory):
    """An export of the small county with everything at its default."""
    from planner.outputs.export import write_export
    from planner.plan.stages import make_plan
    from planner.scenario import Scenario

    folder = tmp_path_factory.mktemp("small_export") / "export"
    write_export(make_plan(small_study, Scenario()), folder)
    return folder
