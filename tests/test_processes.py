"""Every command that speaks JSON, as a process of its own in a pipe: what it writes there is one document."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from planner.cli import app
from tests.reference.lattice import lattice_study

ROOT = Path(__file__).resolve().parents[1]
COMMANDS = typer.main.get_command(app).commands
SPEAKS_JSON = {
    name
    for name, command in COMMANDS.items()
    if any("--json" in option.opts for option in command.params) and not getattr(command, "commands", None)
}
# What each needs beside the study; {study}, {folder} and {table} are filled in.
WORDS = {
    "coverage": "{study}", "completeness": "{study}", "circles": "{study} --profile walk --out {folder}/c.geojson",
    "surface": "{study} --profile walk --out {folder}/s.tif", "what-if": "{study} --close F1", "gaps": "{study}",
    "route": "{study} --from F1 --profile walk", "settlements": "{study}", "site": "{study} --n-new 1 --profile walk",
    "tiers": "{study}", "declared": "{study} --preset zhaohua --no-keep", "checklist": "{study}", "standards": "",
    "verdicts": "{study}", "equity": "{study}", "belts": "{study} --road 断头路", "clusters": "{study}",
    "check": "{study}", "frames": "{table} --study {study}", "new": "{folder}/new.gpkg --name 县 --crs EPSG:4545",
    "network": "{study}", "import": "{study} facilities {table} --frame EPSG:32649", "inspect": "{table}",
    "duplicates": "{study}", "export": "{study} --out {folder}/export", "plan": "{study}",
    "ledger": "{study}", "demo": "--county zhaohua --out {folder}/demo",
}  # fmt: skip
QUICK = ("site", "check")


def run(*words, **options):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PLANNER_LANG": "en"}
    return subprocess.run(
        [sys.executable, "-m", "planner", *words],
        capture_output=True,
        env=environment,
        check=False,
        timeout=300,
        **options,
    )


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """A study, a table of places and a folder, by the names of `WORDS`."""
    from planner.store import save_study

    folder = tmp_path_factory.mktemp("processes")
    study = folder / "county.gpkg"
    save_study(lattice_study(), study)
    place = lattice_study().table("facilities").geometry.iloc[0]
    (folder / "t.csv").write_text(f"名称,层级,x,y\n甲,站,{place.x},{place.y}\n", encoding="utf-8")
    return {"study": study, "table": folder / "t.csv", "folder": folder}


def document_of(places, name, tmp_path):
    study = tmp_path / "county.gpkg"
    shutil.copy(places["study"], study)
    words = WORDS[name].format(**{**places, "study": study, "folder": tmp_path}).split()
    done = run(name, *words, "--json")
    assert done.returncode == 0, done.stderr.decode()
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", QUICK)
def test_a_piped_command_writes_one_document(places, name, tmp_path):
    assert document_of(places, name, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SPEAKS_JSON - set(QUICK) - {"replay"}))
def test_every_piped_command_writes_one_document(places, name, tmp_path):
    assert document_of(places, name, tmp_path) is not None


def test_what_c_writes_goes_to_standard_error():
    code = "import os, planner.streams as s; s.keep_stdout_clean(); os.write(1, b'banner'); print('{}')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT)
    assert (done.stdout.strip(), done.stderr) == (b"{}", b"banner")


def test_a_solver_made_by_a_library_user_is_silent_too():
    code = (
        "import highspy; from planner.siting.programs.mip import quiet_highs; quiet_highs(highspy);"
        " quiet_highs(highspy); print('{}')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == b"{}"


def test_a_reader_that_leaves_early_is_no_defect(places):
    words = [sys.executable, "-m", "planner", "coverage", str(places["study"]), "--json"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    process.stdout.close()
    with process.stderr:
        said = process.stderr.read().decode()
    process.wait(timeout=120)
    assert "Traceback" not in said
    assert "Exception" not in said
