"""Town totals put where people live: a toy county by hand, and Pingli's eleven townships on invented ground."""

import csv
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from planner.errors import InputError
from planner.inputs.intake import ImportOptions, import_file
from planner.inputs.people.totals import plain_name
from planner.inputs.people.weights import ground_pieces, layer_pieces, road_pieces
from planner.study import new_study
from tests.reference.real_data import DATA

CRS = "EPSG:4545"
X0, Y0 = 500_000, 3_600_000
TOWNSHIPS = DATA / "townships"


def box(west, south, east, north):
    return shapely.box(X0 + west, Y0 + south, X0 + east, Y0 + north)


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    """Two towns of a square kilometre side by side; the western one has two villages. A lake in the east.

    +---------+---------+
    |  上村   |   ~~~~  |
    |---------| 东镇    |   西镇 = 上村 + 下村
    |  下村   |         |
    +---------+---------+
    """
    folder = tmp_path_factory.mktemp("toy")
    areas = gpd.GeoDataFrame(
        {
            "代码": ["0", "1", "2", "11", "12"],
            "名称": ["县", "西镇", "东镇", "上村", "下村"],
            "级别": ["县", "镇", "镇", "村", "村"],
            "上级代码": ["", "0", "0", "1", "1"],
            "城乡分类": [None, None, "城镇", "乡村", "乡村"],
        },
        geometry=[box(0, 0, 2_000, 1_000), box(0, 0, 1_000, 1_000), box(1_000, 0, 2_000, 1_000),
                  box(0, 500, 1_000, 1_000), box(0, 0, 1_000, 500)],
        crs=CRS,
    )  # fmt: skip
    areas.to_file(folder / "区.gpkg")
    lake = gpd.GeoDataFrame({"类别": ["河流"]}, geometry=[box(1_500, 600, 1_900, 900)], crs=CRS)
    lake.to_file(folder / "水.gpkg")
    study = import_file(new_study("县", CRS), "areas", folder / "区.gpkg").study
    return import_file(study, "barriers", folder / "水.gpkg").study


def house(x, y, side=10):
    return box(x - side / 2, y - side / 2, x + side / 2, y + side / 2)


def take(study, path, by, **options):
    return import_file(study, "demand", path, ImportOptions(split_by=str(by), **options))


def sums(result, by="town", column="population"):
    return result.study.table("demand").groupby(by)[column].sum().to_dict()


def test_by_buildings_and_their_floors(toy, layer, workbook):
    houses = layer(
        [house(105, 905), house(115, 905), house(105, 105), house(1_250, 250), house(2_500, 500)],
        crs=CRS, 层数=[1, 3, 4, 2, 9], 用途=["住宅", "住宅", "住宅", "住宅", "住宅"],
    )  # fmt: skip
    path = workbook(
        ["乡镇", "常住人口", "60岁以上", "儿童"], ["西镇", 81, 20, 11], ["东镇街道", 33, 5, 4], ["北镇", 10, 1, 1]
    )
    result = take(toy, path, houses)
    assert (result.summary["rows_in"], result.summary["rows_accepted"], result.summary["rows_refused"]) == (3, 2, 1)
    demand = result.study.table("demand")
    # floors 1 + 3 in one cell of 上村, 4 in 下村: halves of 81
    assert demand[["village", "population", "age60", "children"]].values.tolist() == [
        ["上村", 41.0, 10.0, 6.0], ["下村", 40.0, 10.0, 5.0], [demand["village"].iloc[2], 33.0, 5.0, 4.0],
    ]  # fmt: skip
    assert demand["town"].tolist() == ["西镇", "西镇", "东镇"]
    assert demand["class"].tolist() == ["rural", "rural", "urban"]
    assert demand["demand_id"].tolist() == ["11-00001", "12-00001", "2-00001"]
    # the point of a cell is its heaviest piece
    assert demand.geometry.iloc[0].coords[0] == (X0 + 115, Y0 + 905)
    codes = {row.code for row in result.ledger.rows}
    assert {"unit_unknown", "split_outside"} <= codes
    how = result.study.metadata["population_split"]
    assert [unit["method"] for unit in how["units"]] == ["buildings", "buildings"]
    assert [unit["weight"] for unit in how["units"]] == [800.0, 200.0]
    apart = take(toy, path, houses, cell_m=0).study.table("demand")
    assert apart["population"].tolist() == [10.0, 31.0, 40.0, 33.0]


def test_nobody_is_put_on_water(toy, layer, workbook):
    # Half of the parcel's cells lie in the lake, which is 400 m wide and 300 m high.
    parcel = layer([box(1_500, 300, 1_900, 900)], crs=CRS)
    result = take(toy, workbook(["乡镇", "人口"], ["东镇", 240]), parcel)
    demand = result.study.table("demand")
    assert len(demand) == 12
    assert demand["population"].tolist() == [20.0] * 12
    assert demand.geometry.y.max() < Y0 + 600
    assert result.summary["people_moved"] == 120
    assert [row.values for row in result.ledger.rows if row.code == "split_moved"] == [{"people": 120, "n": 1}]


def test_uses_where_nobody_lives(toy, layer, workbook):
    path = layer(
        [house(1_100, 100, 40), house(1_300, 100, 40), house(1_500, 100, 40)],
        crs=CRS,
        DLMC=["农村宅基地", "工业用地", "商住"],
    )
    result = take(toy, workbook(["乡镇", "人口"], ["东镇", 30]), path)
    assert result.study.table("demand")["population"].tolist() == [20.0, 10.0]
    assert [row.values["uses"] for row in result.ledger.rows if row.code == "use_without_people"] == ["工业用地"]


def test_a_village_figure_goes_before_its_town(toy, workbook):
    rows = (["乡镇", "村", "人口", "60岁以上"], ["西镇", None, 100, 30], ["西镇", "上村", 61, 20])
    result = take(toy, workbook(*rows), "ground")
    assert sums(result, "village") == {"上村": 61.0, "下村": 39.0}
    assert sums(result, "village", "age60") == {"上村": 20.0, "下村": 10.0}
    both = take(toy, workbook(*rows, ["西镇", "下村", 45, 9]), "ground")
    assert sums(both, "village") == {"上村": 61.0, "下村": 45.0}
    assert [row.values["rest"] for row in both.ledger.rows if row.code == "town_differs"] == [-6]


def test_ground_is_ground_where_there_are_roads(toy, layer, workbook):
    lane = shapely.LineString([(X0, Y0 + 150), (X0 + 2_000, Y0 + 150)])
    roads = layer([lane], file="路.gpkg", crs=CRS, highway=["residential"])
    study = import_file(toy, "roads", roads).study
    rows = (["乡镇", "人口"], ["西镇", 100])
    on_ground, along_roads = (take(study, workbook(*rows), by) for by in ("ground", "roads"))
    assert on_ground.study.table("demand")["population"].tolist() == [1.0] * 100
    assert len(along_roads.study.table("demand")) == 10
    units = on_ground.study.metadata["population_split"]["units"]
    assert [unit["method"] for unit in units] == ["ground"]
    assert not {"split_by_roads", "split_by_ground"} & {row.code for row in on_ground.ledger.rows}


def test_a_census_table_without_coordinates_is_split_by_what_is_at_hand(toy, workbook):
    rows = (["乡镇", "常住人口", "其中：60岁及以上"], ["西镇", 100, 30], ["东镇", 50, 20])
    by = "roads" if toy.has("roads") else "ground"
    result = import_file(toy, "demand", workbook(*rows))
    assert result.ledger.rows[0].code == f"split_chosen_{by}"
    assert json.loads(result.study.history["options"].iloc[-1])["split_by"] == by
    with pytest.raises(InputError, match="--split-by roads"):
        import_file(new_study("无区划", toy.crs), "demand", workbook(*rows))
    assert sums(take(toy, workbook(*rows), "ground"), column="age60") == {"东镇": 20.0, "西镇": 30.0}


def test_rows_of_one_village_that_name_its_hamlets_are_added_up(toy, workbook):
    rows = (["乡镇", "小组", "人口"], ["西镇", "一组", 60], ["西镇", "二组", 40], ["东镇", "", 50], ["东镇", "一组", 7])
    result = take(toy, workbook(*rows), "ground")
    assert sums(result) == {"东镇": 50.0, "西镇": 100.0}
    assert [(row.row, row.code) for row in result.ledger.rows if row.is_refused] == [(5, "unit_twice")]


def test_the_template_of_totals_comes_in_filled(toy, tmp_path):
    import openpyxl

    from planner.outputs.templates import HEADER_ROW, write_templates

    (path,) = write_templates(tmp_path, ["totals"])
    book = openpyxl.load_workbook(path)
    page = book.worksheets[0]
    headers = {cell.value.rstrip("*"): cell.column for cell in page[HEADER_ROW]}
    for i, row in enumerate([{"乡镇": "西镇", "人口": 100}, {"乡镇": "东镇", "人口": 50}], start=HEADER_ROW + 1):
        for header, value in row.items():
            page.cell(i, headers[header], value)
    book.save(path)
    assert sums(take(toy, path, "ground")) == {"东镇": 50.0, "西镇": 100.0}


def test_without_houses_people_stand_along_roads_then_on_the_ground(toy, layer, workbook):
    path = workbook(["乡镇", "人口"], ["西镇", 1_000], ["东镇", 999])
    lanes = layer(
        [shapely.LineString([(X0 + 0, Y0 + 750), (X0 + 950, Y0 + 750)])],
        file="路.gpkg",
        crs=CRS,
        highway=["residential"],
    )
    study = import_file(toy, "roads", lanes).study
    houses = layer([house(2_500, 500)], file="房.gpkg", crs=CRS)
    result = take(study, path, houses)
    assert sums(result) == {"西镇": 1_000.0, "东镇": 999.0}
    assert [unit["method"] for unit in result.study.metadata["population_split"]["units"]] == ["roads", "ground"]
    demand = result.study.table("demand")
    assert (demand.geometry.y[demand["town"] == "西镇"] == Y0 + 750).all()
    assert not demand.within(box(1_500, 600, 1_900, 900)).any()
    assert {"split_by_roads", "split_by_ground"} <= {row.code for row in result.ledger.rows}
    direct = take(study, path, "roads")
    assert "split_by_roads" not in {row.code for row in direct.ledger.rows}


def test_by_a_raster_in_another_frame(toy, workbook, tmp_path):
    rasterio = pytest.importorskip("rasterio")
    from planner.crs import transform

    west, north = (float(value[0]) for value in transform([X0 - 200], [Y0 + 1_200], CRS, "EPSG:4326"))
    values = np.ones((140, 260), dtype=np.float32)
    values[:, 130:] = 3.0
    place = rasterio.Affine(0.0001, 0, west, 0, -0.0001, north)
    path = tmp_path / "灯光.tif"
    profile = {"driver": "GTiff", "count": 1, "dtype": "float32", "crs": "EPSG:4326", "transform": place}
    with rasterio.open(path, "w", height=140, width=260, **profile) as sink:
        sink.write(values, 1)
    result = take(toy, workbook(["乡镇", "人口"], ["西镇", 4_321], ["东镇", 1_234]), path)
    assert sums(result) == {"西镇": 4_321.0, "东镇": 1_234.0}
    assert {unit["method"] for unit in result.study.metadata["population_split"]["units"]} == {"raster"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"append": True}, "cannot be appended"),
        ({"cell_m": -5}, "not possible"),
        ({"cell_m": float("nan")}, "not possible"),
    ],
)
def test_what_cannot_be(toy, workbook, options, words):
    path = workbook(["乡镇", "人口"], ["东镇", 30])
    with pytest.raises(InputError, match=words):
        take(toy, path, "ground", **options)
    with pytest.raises(InputError, match="Only people are split"):
        import_file(toy, "facilities", path, ImportOptions(split_by="roads"))
    with pytest.raises(InputError, match="areas"):
        take(new_study("x", CRS), path, "ground")


def test_layers_that_are_none(toy, workbook, layer, text_file):
    path = workbook(["乡镇", "人口"], ["东镇", 30])
    with pytest.raises(InputError, match="no polygons"):
        take(toy, path, layer([shapely.Point(X0, Y0)], crs=CRS))
    with pytest.raises(InputError, match="does not exist"):
        take(toy, path, "没有.shp")


def test_rows_that_name_no_area_or_one_twice(toy, workbook):
    path = workbook(["乡镇", "人口"], ["东镇", 30], ["东镇", 31], ["南镇", 5], ["西镇", 12.5])
    result = take(toy, path, "ground")
    assert [row.code for row in result.ledger.rows if row.row] == ["unit_twice", "unit_unknown", "total_rounded"]
    assert sums(result) == {"西镇": 12.0, "东镇": 30.0}
    with pytest.raises(InputError, match="Nothing in"):
        take(toy, workbook(["乡镇", "人口"], ["南镇", 5]), "ground")


@pytest.mark.parametrize(
    ("name", "plain"), [("西河镇", "西河"), ("西镇", "西镇"), ("江北街道办事处", "江北"), ("上村村委会", "上村")]
)
def test_names_without_their_suffix(name, plain):
    assert plain_name(name) == plain


def test_pieces_by_hand(toy, layer):
    ground = ground_pieces(np.array([box(0, 0, 200, 100), box(30, 30, 40, 40)], dtype=object), 100)
    np.testing.assert_allclose(np.column_stack([ground.x, ground.y]) - (X0, Y0), [[50, 50], [150, 50], [35, 35]])
    parcels = layer_pieces(toy, layer([box(50, 0, 350, 100)], crs=CRS), ImportOptions(), 100)
    assert (parcels.method, sorted(parcels.weight.tolist())) == ("parcels", [5_000.0, 5_000.0, 10_000.0, 10_000.0])
    assert len(road_pieces(toy, 100).x) == 0


def test_the_command_splits(toy, workbook, layer, planner, tmp_path):
    from planner.store import open_study, save_study

    save_study(toy, tmp_path / "县.gpkg")
    path = workbook(["乡镇", "人口"], ["东镇", 30], ["西镇", 70])
    answer = planner(
        "import", tmp_path / "县.gpkg", "demand", path, "--split-by", "ground", "--cell", 250, "--json"
    ).document
    assert (answer["rows_accepted"], answer["summary"]["people"]) == (2, 100)
    saved = open_study(tmp_path / "县.gpkg")
    assert saved.table("demand")["population"].sum() == 100
    assert saved.metadata["population_split"]["cell_m"] == 250
    assert '"split_by": "ground"' in saved.history["options"].iloc[-1]


@pytest.mark.skipif(
    not (TOWNSHIPS / "townships_2020.csv").exists(), reason=f"{TOWNSHIPS}/townships_2020.csv is not there"
)
def test_pingli_is_split_to_villages_and_cells_to_the_last_person(tmp_path):
    with (TOWNSHIPS / "townships_2020.csv").open(encoding="utf-8") as file:
        towns = [(row["township"], int(row["pop2020"])) for row in csv.DictReader(file) if row["county"] == "平利县"]
    assert (len(towns), sum(people for _, people in towns)) == (11, 181_286)
    rng = np.random.default_rng(610926)
    areas, houses = [], []
    for i, (name, _) in enumerate(towns):
        west, south = (i % 4) * 9_000, (i // 4) * 7_000
        areas.append((f"6109261{i:02d}", name, "乡镇", "", box(west, south, west + 9_000, south + 7_000)))
        for j in range(12):
            x, y = west + (j % 4) * 2_250, south + (j // 4) * 7_000 / 3
            shape = box(x, y, x + 2_250, y + 7_000 / 3)
            areas.append((f"6109261{i:02d}{j:03d}", f"{name}{j}村", "村", f"6109261{i:02d}", shape))
            hamlets = rng.uniform((x + 200, y + 200), (x + 2_000, y + 2_100), (3, 2))
            spots = hamlets[rng.integers(0, 3, 40)] + rng.normal(0, 60, (40, 2))
            houses += [house(*spot, side) for spot, side in zip(spots, rng.uniform(8, 20, 40), strict=True)]
    columns = dict(zip(("代码", "名称", "级别", "上级代码", "geometry"), zip(*areas, strict=True), strict=True))
    gpd.GeoDataFrame(columns, crs=CRS).to_file(tmp_path / "区.gpkg")
    gpd.GeoDataFrame(geometry=houses, crs=CRS).to_file(tmp_path / "房.gpkg")
    table = pd.DataFrame(towns, columns=["乡镇", "常住人口"]).assign(老年人口=lambda t: t["常住人口"] // 4)
    table.to_csv(tmp_path / "人口.csv", index=False)
    study = import_file(new_study("平利县", CRS), "areas", tmp_path / "区.gpkg").study
    result = take(study, tmp_path / "人口.csv", tmp_path / "房.gpkg")
    demand = result.study.table("demand")
    assert demand["population"].sum() == 181_286
    assert sums(result) == dict(towns)
    assert sums(result, column="age60") == {name: people // 4 for name, people in towns}
    assert demand.groupby(["town", "village"]).ngroups == 132
    assert (demand["age60"] <= demand["population"]).all()
    assert (demand["population"] % 1 == 0).all()
    assert demand["demand_id"].is_unique
    village = gpd.sjoin(
        demand[["village", "geometry"]], result.study.table("areas").query("level == 'village'"), predicate="within"
    )
    assert (village["village"] == village["name"]).all()
