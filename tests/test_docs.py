"""The documents say what the code does: commands, options, names, columns, examples, figures."""

import re
from pathlib import Path

import pytest
import typer.main

import planner
from planner.cli import app
from planner.inputs.intake import read_class_map
from planner.scenario import scenario_from_toml
from planner.store import save_study

ROOT = Path(__file__).parents[1]
READMES = {"en": "README.md", "zh": "README.zh.md"}
PAGES = sorted([*(ROOT / name for name in READMES.values()), *(ROOT / "docs").rglob("*.md")])
COMMANDS = typer.main.get_command(app).commands


def words(page):
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page, kind):
    return re.findall(rf"^```{kind}\n(.*?)^```$", words(page), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("page", READMES.values())
@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_and_option_is_named(page, command):
    line = re.search(rf"^\| `planner {command}\b.*$", words(page), re.MULTILINE)
    assert line, f"planner {command}"
    options = {name for option in COMMANDS[command].params for name in (*option.opts, *option.secondary_opts)}
    missing = [name for name in options if name.startswith("-") and f"`{name}" not in line.group()]
    assert not missing, f"planner {command} {missing}"


@pytest.mark.parametrize("page", READMES.values())
def test_commands_shown_exist_with_their_options(page):
    shown = [line.split() for block in blocks(page, "(?:sh|bat)") for line in block.splitlines()]
    shown = [line for line in shown if line[:1] == ["planner"]]
    assert {line[1] for line in shown} == set(COMMANDS)
    for line in shown:
        known = {name for option in COMMANDS[line[1]].params for name in option.opts}
        assert {word for word in line if word.startswith("--")} <= known, line


@pytest.mark.parametrize("page", READMES.values())
def test_make_targets_shown_exist(page):
    targets = set(re.findall(r"^(\w+):", words("Makefile"), re.MULTILINE))
    shown = set(re.findall(r"(?:^|`)make (\w+)", words(page), re.MULTILINE))
    assert {"setup", "demo", "app", "test", "check", "bench"} <= shown <= targets


@pytest.mark.parametrize("page", READMES.values())
def test_every_public_name_is_in_the_readme(page):
    text = words(page)
    assert [name for name in planner.__all__ if f"`{name}`" not in text] == []


def test_the_data_page_is_what_the_contracts_say():
    from scripts.data_page import page

    assert words("docs/data.md") == page(), "python scripts/data_page.py > docs/data.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(page):
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if target.startswith("http"):
            continue
        file, _, anchor = target.partition("#")
        goal = (page.parent / file).resolve() if file else page
        assert goal.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.+)$", goal.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", title).lower().replace(" ", "-") for title in titles}, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_files_named_exist(page):
    text = page.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:planner|tests|scripts|docs|benchmarks)/[\w/]+\.\w+)`", text):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize("page", READMES.values())
def test_the_examples_of_toml_are_read(page, tmp_path):
    classes, scenario = blocks(page, "toml")
    (tmp_path / "classes.toml").write_text(classes, encoding="utf-8")
    assert read_class_map(tmp_path / "classes.toml")["县道"] == "secondary"
    read = scenario_from_toml(scenario)
    assert list(read.profiles) == ["elderly_walk"]
    assert read.profiles["elderly_walk"].distance_m(15) == pytest.approx(540)


def test_both_readmes_show_the_same_code():
    assert [re.sub(r" *#.*", "", block) for block in blocks("README.md", "python")] == [
        re.sub(r" *#.*", "", block) for block in blocks("README.zh.md", "python")
    ]


@pytest.mark.slow
def test_the_library_example_runs(small_study, tmp_path, monkeypatch, capsys):
    (tmp_path / "demo-out").mkdir()
    save_study(small_study, tmp_path / "demo-out" / "county.gpkg")
    monkeypatch.chdir(tmp_path)
    *_, example = blocks("README.md", "python")
    exec(compile(example, "README.md", "exec"), {})
    assert capsys.readouterr().out.rstrip().endswith("True")
