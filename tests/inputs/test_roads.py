"""Road layers with Chinese or OSM classes, in every container, against hand-worked toy lines."""

import zipfile

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from shapely import LineString

from planner.errors import CrsError, InputError
from planner.inputs.options import ImportOptions
from planner.inputs.roads import lines as roads
from planner.inputs.roads.lines import plain_word, read_road_lines, road_classes, road_classes_from_toml
from planner.inputs.roads.osm import NO_ROADS
from tests.reference.real_data import NETWORKS, require

CRS = "EPSG:32649"
# A cross of two roads that share the vertex (300100, 3600000), and a road that passes over without a vertex.
EAST = LineString([(300_000, 3_600_000), (300_100, 3_600_000), (300_200, 3_600_000)])
NORTH = LineString([(300_100, 3_599_900), (300_100, 3_600_000), (300_100, 3_600_100)])
OVER = LineString([(300_150, 3_599_900), (300_150, 3_600_100)])


@pytest.fixture
def lines(tmp_path):
    """Write lines with attributes as a layer and return its path."""

    def write(geometry, name="道路.geojson", crs=CRS, **columns):
        columns.setdefault("道路等级", ["乡道"] * len(geometry))
        table = gpd.GeoDataFrame(columns, geometry=geometry, crs=crs)
        path = tmp_path / name
        if name.endswith("parquet"):
            table.to_parquet(path)
        elif name.endswith("geojson"):
            table.to_crs(4326).to_file(path, COORDINATE_PRECISION=12)
        elif name.endswith("shp"):
            table.to_file(path, encoding="GB18030")
        else:
            table.to_file(path)
        return path

    return write


def words(read):
    return [finding["problem"] for finding in read.ledger.to_records("en")]


def test_lines_are_split_where_they_share_a_vertex(lines):
    read = read_road_lines(lines([EAST, NORTH, OVER], name="道路.gpkg"), CRS)
    assert list(read.roads["road_id"]) == ["r1-1", "r1-2", "r2-1", "r2-2", "r3-1"]
    ends = list(zip(read.roads["from_node"], read.roads["to_node"], strict=True))
    assert ends[0][1] == ends[1][0] == ends[2][1] == ends[3][0]
    assert len({number for pair in ends for number in pair}) == 7
    assert read.counts["n_vertices"] == 7
    assert set(read.roads["class"]) == {"tertiary"}
    assert (read.ledger.rows_in, read.ledger.rows_accepted) == (3, 3)


def test_vertices_meet_at_a_millimetre_and_not_beyond(lines):
    def nodes(gap):
        other = LineString([(300_200 + gap, 3_600_000), (300_300, 3_600_000)])
        read = read_road_lines(lines([EAST, other], name="道路.gpkg"), CRS)
        return len(set(read.roads["from_node"]) | set(read.roads["to_node"]))

    assert nodes(0.0003) == 3
    assert nodes(0.01) == 4


@pytest.mark.parametrize("name", ["a.shp", "a.gpkg", "a.geojson", "a.parquet"])
def test_every_container_says_the_same(lines, name):
    read = read_road_lines(lines([EAST, NORTH], name=name, 名称=["汉江路", None]), CRS)
    assert len(read.roads) == 4
    assert read.roads["name"].tolist()[:2] == ["汉江路", "汉江路"]
    assert read.roads["name"].isna().tolist() == [False, False, True, True]
    np.testing.assert_allclose(read.roads.geometry.length, 100, atol=1e-3)
    assert read.roads.crs == CRS


def test_zipped_gbk_shapefile_without_cpg(lines, tmp_path):
    lines([EAST, NORTH], name="路.shp", 名称=["汉江路", "县道二"], 道路等级=["县道", "高速公路"])
    archive = tmp_path / "县道路.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        for part in tmp_path.glob("路.*"):
            if part.suffix != ".cpg":
                packed.write(part, f"资料/{part.name}")
    read = read_road_lines(archive, CRS)
    assert set(read.roads["class"]) == {"secondary", "motorway"}
    assert set(read.roads["name"]) == {"汉江路", "县道二"}
    assert list(read.barriers["kind"]) == ["motorway", "motorway"]


def test_a_plain_folder(lines, tmp_path):
    path = lines([EAST, NORTH], "县道.shp")
    path.with_suffix(".cpg").unlink()
    (tmp_path / "说明.xlsx").write_bytes(b"PK")
    read = read_road_lines(tmp_path, CRS)
    assert read.roads["class"].tolist() == ["tertiary"] * len(read.roads)
    assert len(read.roads) == len(read_road_lines(path, CRS).roads)
    lines([OVER], "步道.shp", 道路等级=["步道"])
    with pytest.raises(InputError, match=r"holds 2 layers: 县道\.shp, 步道\.shp"):
        read_road_lines(tmp_path, CRS)
    assert set(read_road_lines(tmp_path, CRS, ImportOptions(layer="步道")).roads["class"]) == {"footway"}


def test_a_zipped_kml(tmp_path):
    line = gpd.GeoSeries([EAST], crs=CRS).to_crs(4326)
    gpd.GeoDataFrame({"class": ["乡道"]}, geometry=line).to_file(tmp_path / "doc.kml", driver="LIBKML")
    with zipfile.ZipFile(tmp_path / "路.kmz", "w") as archive:
        archive.write(tmp_path / "doc.kml", "doc.kml")
    assert len(read_road_lines(tmp_path / "路.kmz", CRS).roads) == 1


def test_multi_part_lines_become_ways_of_one_record(lines):
    both = shapely.MultiLineString([EAST, NORTH])
    read = read_road_lines(lines([both, OVER], name="a.gpkg"), CRS)
    assert list(read.roads["road_id"]) == ["r1-1", "r1-2", "r1-3", "r1-4", "r2-1"]
    assert read.counts["n_ways"] == 3
    assert read.ledger.rows_in == 2


@pytest.mark.parametrize(
    ("word", "road_class"),
    [
        ("高速公路", "motorway"), ("国道", "trunk"), ("省道", "primary"), ("县道", "secondary"), ("乡道", "tertiary"),
        ("村道", "unclassified"), ("城市主干道", "primary"), ("街巷", "residential"), ("步道", "footway"),
        ("台阶", "steps"), ("机耕路", "track"), ("一级公路", "trunk"), ("二级公路", "primary"),
        ("三级公路", "secondary"),
        ("四级公路", "tertiary"), ("等外公路", "unclassified"), (" 县 道 ", "secondary"), ("X", "secondary"),
        ("x", "secondary"),
        ("Primary", "primary"), ("track_grade2", "track"), ("steps", "steps"), ("living_street", "living_street"),
    ],
)  # fmt: skip
def test_class_words(word, road_class):
    assert road_classes()[plain_word(word)] == road_class


def test_every_class_means_itself_and_is_a_road():
    assert {road_class: road_classes()[road_class] for road_class in set(road_classes().values())} == {
        road_class: road_class for road_class in set(road_classes().values())
    }
    assert not set(road_classes().values()) & NO_ROADS


def test_classes_nobody_mapped_are_kept_and_listed(lines):
    read = read_road_lines(lines([EAST, NORTH, OVER], 道路等级=["牛路", "乡道", "牛路"]), CRS)
    assert list(read.roads["class"]) == ["unclassified"] * 2 + ["tertiary"] * 2 + ["unclassified"]
    assert [(f.row, f.column, f.code, f.is_refused) for f in read.ledger.rows] == [
        (0, "", "crossings_open", False), (1, "道路等级", "class_unmapped", False),
        (3, "道路等级", "class_unmapped", False),
    ]  # fmt: skip
    assert words(read)[1:] == ["The road class '牛路' is not mapped."] * 2
    assert (read.ledger.rows[1].old_value, read.ledger.rows[1].new_value) == ("牛路", "unclassified")
    assert read.ledger.rows_refused == 0


def test_a_blank_class_is_refused(lines):
    read = read_road_lines(lines([EAST, NORTH, OVER, None], 道路等级=["乡道", None, " ", None], name="a.gpkg"), CRS)
    assert set(read.roads["road_id"]) == {"r1-1"}
    assert [(f.row, f.code, f.is_refused) for f in read.ledger.rows] == [
        (2, "blank", True), (3, "blank", True), (4, "line_without_geometry", True), (4, "blank", True),
    ]  # fmt: skip
    assert (read.ledger.rows_in, read.ledger.rows_refused) == (4, 3)
    with pytest.raises(InputError, match=r"all 2 rows are refused.*道路等级.*blank"):
        read_road_lines(lines([EAST, NORTH], 道路等级=[" ", " "], name="b.gpkg"), CRS)


def test_long_lists_are_cut_and_the_rest_is_counted(lines, monkeypatch):
    monkeypatch.setattr(roads, "MAX_LISTED", 2)
    still = LineString([*EAST.coords, EAST.coords[-1]])
    classes = ["乡道"] + ["牛路"] * 5 + [" "] * 4
    path = lines([still] * 10, 道路等级=classes, motor=["怪"] * 10, name="a.gpkg")
    read = read_road_lines(path, CRS)
    counted = {f.code: f.values["n"] for f in read.ledger.rows if not f.row}
    assert counted == {
        "blank_more": 2, "class_unmapped_more": 3, "road_value_unknown_more": 4, "line_zero_length_more": 4,
        "line_duplicate_more": 3,
    }  # fmt: skip
    listed = [f.row for f in read.ledger.rows if f.code == "line_zero_length"]
    assert listed == [1, 2]
    assert (read.ledger.rows_in, read.ledger.rows_refused) == (10, 4)
    assert all(f.problem("zh") and f.repair("zh") and f.problem("en") and f.repair("en") for f in read.ledger.rows)


def test_own_mapping_wins(lines):
    options = ImportOptions(class_mapping={"牛路": "path", "乡道": "secondary"})
    read = read_road_lines(lines([EAST, OVER], 道路等级=["牛路", "乡道"]), CRS, options)
    assert list(read.roads["class"]) == ["path", "secondary"]
    with pytest.raises(InputError, match="cow_way"):
        read_road_lines(lines([EAST]), CRS, ImportOptions(class_mapping={"牛路": "cow_way"}))


def test_numbers_as_classes(lines):
    options = ImportOptions(class_mapping={"1": "trunk", "2": "path"})
    read = read_road_lines(lines([EAST, OVER], 道路等级=[1, 2.0], name="a.gpkg"), CRS, options)
    assert list(read.roads["class"]) == ["trunk", "path"]


def test_mapping_texts():
    assert road_classes_from_toml('path = ["牛路"]') == {"path": "path", "牛路": "path"}
    with pytest.raises(InputError, match="means both"):
        road_classes_from_toml('path = ["牛路"]\nsteps = ["牛路"]')
    with pytest.raises(InputError, match="list of words"):
        road_classes_from_toml("path = 3")
    with pytest.raises(InputError, match="cannot be read"):
        road_classes_from_toml("path = [")


def test_rules_of_the_road(lines):
    read = read_road_lines(
        lines(
            [EAST, NORTH, OVER],
            name="a.gpkg",
            oneway=["F", "T", "B"],
            行人=["否", None, "yes"],
            motor=["private", "", "怪"],
            桥=["1", "否", None],
            tunnel=[True, False, True],
        ),
        CRS,
    )
    roads = read.roads.drop_duplicates(["oneway"])
    assert list(roads["oneway"]) == ["forward", "backward", "no"]
    assert [None if pd.isna(value) else value for value in roads["foot"]] == ["no", None, "yes"]
    assert [None if pd.isna(value) else value for value in roads["motor"]] == ["no", None, None]
    assert list(roads["bridge"]) == [True, False, False]
    assert list(roads["tunnel"]) == [True, False, True]
    (note,) = read.ledger.rows
    assert (note.column, note.is_refused) == ("motor", False)
    assert "怪" in note.problem("zh")
    assert "yes, no" in note.repair("en")


def test_copies_are_dropped_and_counted(lines):
    read = read_road_lines(lines([OVER, OVER.reverse(), OVER], 道路等级=["乡道", "乡道", "步道"], name="a.gpkg"), CRS)
    assert list(read.roads["class"]) == ["tertiary", "footway"]
    assert read.counts["n_duplicate_segments"] == 2
    assert [(f.row, f.code, f.values["n"]) for f in read.ledger.rows] == [
        (2, "line_duplicate", 1), (3, "line_duplicate", 1),
    ]  # fmt: skip
    assert read.ledger.rows_refused == 0


def test_bad_rows_are_refused_one_by_one(lines):
    still = LineString([(300_000, 3_600_000), (300_000, 3_600_000)])
    rows = [
        None,
        LineString(),
        shapely.Point(300_000, 3_600_000),
        still,
        EAST,
        shapely.box(300_000, 3_600_000, 300_010, 3_600_010),
    ]
    read = read_road_lines(lines(rows, name="a.gpkg"), CRS)
    assert (read.ledger.rows_in, read.ledger.rows_refused) == (6, 5)
    assert [(finding.row, finding.code) for finding in read.ledger.rows if finding.is_refused] == [
        (1, "line_without_geometry"), (2, "line_without_geometry"), (3, "wrong_geometry"), (4, "line_no_length"),
        (6, "wrong_geometry"),
    ]  # fmt: skip
    assert len(read.roads) == 1


def test_repeated_vertices(lines):
    stutter = LineString([(300_000, 3_600_000), (300_100, 3_600_000), (300_100, 3_600_000), (300_200, 3_600_000)])
    read = read_road_lines(lines([stutter], name="a.gpkg"), CRS)
    assert read.counts["n_zero_length"] == 1
    assert [(f.row, f.code, f.values["n"]) for f in read.ledger.rows] == [(1, "line_zero_length", 1)]
    assert len(read.roads.geometry.iloc[0].coords) == 3


def test_heights_in_the_file_are_dropped(lines):
    read = read_road_lines(lines([shapely.force_3d(EAST, 5.0)], name="a.gpkg"), CRS)
    assert not read.roads.has_z.any()


def test_no_class_column(lines):
    path = lines([EAST], 道路等级=["乡道"], name="a.gpkg")
    gpd.read_file(path).rename(columns={"道路等级": "甲"}).to_file(path)
    with pytest.raises(InputError, match=r"甲.*--column class="):
        read_road_lines(path, CRS)
    assert list(read_road_lines(path, CRS, ImportOptions(columns={"class": "甲"})).roads["class"]) == ["tertiary"]
    with pytest.raises(InputError, match="乙"):
        read_road_lines(path, CRS, ImportOptions(columns={"class": "乙"}))


def test_no_frame(lines, tmp_path):
    path = lines([EAST], name="a.shp")
    path.with_suffix(".prj").unlink()
    with pytest.raises(InputError, match="--frame"):
        read_road_lines(path, CRS)
    assert len(read_road_lines(path, CRS, ImportOptions(frame="32649")).roads) == 1
    with pytest.raises(CrsError):
        read_road_lines(path, CRS, ImportOptions(frame="EPSG:999999"))


def test_wrong_frame_leaves_nothing(lines):
    path = lines([EAST], name="a.shp")
    with pytest.raises(InputError, match="no usable line"):
        read_road_lines(path, CRS, ImportOptions(frame="EPSG:4490"))


def test_swapped_axes_are_mended(lines, tmp_path):
    table = gpd.read_file(lines([EAST]))
    table.geometry = shapely.transform(table.geometry.array, lambda xy: xy[:, ::-1])
    path = tmp_path / "swapped.geojson"
    table.to_file(path, COORDINATE_PRECISION=12)
    read = read_road_lines(path, CRS)
    assert shapely.hausdorff_distance(read.roads.union_all(), EAST) < 0.01
    assert read.ledger.rows[0].code == "coordinates_swapped"


@pytest.mark.parametrize(
    ("name", "content", "match"),
    [
        ("a.gpkg", b"", "empty"),
        ("a.gpkg", b"nonsense" * 10, "does not hold"),
        ("a.zip", b"PK\x03\x04" + b"\x00" * 50, "damaged"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": [', "damaged"),
        ("a.geojson", b'{"type": "FeatureCollection", "features": []}', "."),
        ("a.dwg", b"AC1027", "Save the drawing in CAD as .dxf"),
        ("a.mdb", b"\x00\x01\x00\x00", "a layer from ArcGIS as a shapefile"),
        ("a.csv", b"class\nprimary\n", "no map layer"),
        ("a.parquet", b"PAR1" + b"\x00" * 30, "damaged"),
        ("a.shp", b"\x00\x00\x27\x0a" + b"\x00" * 96, "without its"),
    ],
)
def test_bad_files_are_one_error(tmp_path, name, content, match):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=match):
        read_road_lines(tmp_path / name, CRS)


def test_table_without_lines(tmp_path):
    pd.DataFrame({"class": ["primary"]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(InputError, match="without lines"):
        read_road_lines(tmp_path / "a.parquet", CRS)


def test_geographic_study_crs(lines):
    with pytest.raises(CrsError):
        read_road_lines(lines([EAST]), "EPSG:4490")


@pytest.mark.slow
def test_wuhan():
    path, crs = require(NETWORKS["wuhan"][0]), NETWORKS["wuhan"][1]
    read = read_road_lines(path, crs)
    table = gpd.read_parquet(path)
    xy = np.round(shapely.get_coordinates(table.geometry.array), 3)
    ends = np.sort(np.unique(xy, axis=0, return_inverse=True)[1].reshape(-1, 2), axis=1)
    assert read.counts["n_vertices"] == len(np.unique(xy, axis=0))
    kept = pd.DataFrame({"a": ends[:, 0], "b": ends[:, 1], "class": table["highway"]}).drop_duplicates()
    assert len(read.roads) == len(kept)
    assert read.roads.length.sum() / 1000 == pytest.approx(7_185, abs=5)
    assert (read.roads["class"].to_numpy() == table["highway"].iloc[kept.index].to_numpy()).all()


def test_a_layer_across_the_180th_meridian_is_refused_in_one_message(tmp_path):
    near, across = LineString([(179.9, -17), (179.95, -17)]), LineString([(179.9, -17), (-179.9, -17)])
    path = tmp_path / "fiji.gpkg"
    gpd.GeoDataFrame({"class": ["path"] * 2}, geometry=[near, across], crs=4326).to_file(path)
    with pytest.raises(InputError, match=r"1 lines of fiji.gpkg jump across the 180th meridian \(rows 2\)"):
        read_road_lines(path, "EPSG:32760")
    gpd.GeoDataFrame({"class": ["path"]}, geometry=[near], crs=4326).to_file(path)
    assert len(read_road_lines(path, "EPSG:32760").roads) == 1
