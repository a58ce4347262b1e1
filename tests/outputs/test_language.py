"""Every output speaks the language that was asked for; names that users gave stay."""

import pandas as pd
import pyogrio

from planner.outputs.export import write_export
from planner.outputs.wording import in_words, with_names


def test_lists_of_names_are_set_apart_as_the_language_does():
    table = pd.DataFrame({"villages": ["甲村、乙村", None], "name": ["甲、乙", "丙"]})
    assert list(with_names(table, "en")["villages"].astype(object).where(lambda s: s.notna(), None)) == [
        "甲村, 乙村",
        None,
    ]
    assert list(in_words(table, "en")["name"]) == ["甲、乙", "丙"]
    assert with_names(table, "zh") is table


def test_english_layers_name_gaps_and_items_in_english(lattice_plan, tmp_path):
    write_export(lattice_plan, tmp_path, "en")
    layers = {name for name, _ in pyogrio.list_layers(tmp_path / "results.gpkg")}
    said = {"gaps": ["name"], "rectification": ["lacks", "partial", "not_judged"], "proposals": ["villages", "towns"]}
    for layer in layers & set(said):
        table = pyogrio.read_dataframe(tmp_path / "results.gpkg", layer=layer)
        for column in said[layer]:
            words = " ".join(table[column].dropna().astype(str))
            assert "、" not in words, (layer, column)
            assert not {"一带", "附近", "境内", "有场所"} & set(words.split()), (layer, column)
    if "gaps" in layers:
        names = pyogrio.read_dataframe(tmp_path / "results.gpkg", layer="gaps")["name"]
        assert all(name.startswith(("around", "in ", "near", "gap")) for name in names.str.lower()), list(names[:3])
