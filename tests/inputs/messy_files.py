"""A corpus of files as offices keep them, made by a script, each with the table that it holds.

Every case is a demand table of the same three hamlets (1,564 people), spoilt in one way or in several; what it adds
that is no record (totals, notes, headers) or cannot be read (a blank count) is counted as refused.
"""

import warnings
import zipfile
from dataclasses import dataclass, field

import geopandas as gpd
import openpyxl
import pandas as pd
import pyogrio
import shapely

from planner.inputs.options import ImportOptions

FRAME = "EPSG:4326"
HEADER = ["编号", "小组", "乡镇", "人口", "60岁以上人数", "经度", "纬度"]
ROWS = [
    ["D1", "一组", "甲镇", 30, 10, 109.01, 32.71],
    ["D2", "二组", "甲镇", 1234, 200, 109.02, 32.72],
    ["D3", "三组", "乙镇", 300, None, 109.03, 32.73],
]
EXPECTED = [("D1", "一组", "甲镇", 30, 10), ("D2", "二组", "甲镇", 1234, 200), ("D3", "三组", "乙镇", 300, None)]


@dataclass(frozen=True)
class Case:
    """One messy file: how to write it, how to read it, what it holds."""

    name: str
    write: object
    n_refused: int = 0
    options: ImportOptions = field(default_factory=lambda: ImportOptions(frame=FRAME))
    expected: tuple = tuple(EXPECTED)
    people_refused: float = 0.0

    def written(self, folder):
        """Write the file and return its path."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # formats tell what they cannot keep: what is tested
            return self.write(folder)


CASES: list[Case] = []


def case(name, **choices):
    """Keep a writer `(folder) -> path` as a case of the corpus."""

    def keep(write):
        CASES.append(Case(name, write, **choices))
        return write

    return keep


def text_of(rows, separator=",", end="\n"):
    """Return rows as text, blanks for None."""
    return end.join(separator.join("" if cell is None else str(cell) for cell in row) for row in rows) + end


def write_text(folder, rows, separator=",", encoding="utf-8", name="表.csv", end="\n"):
    """Write rows as a text table and return its path."""
    path = folder / name
    path.write_bytes(text_of(rows, separator, end).encode(encoding))
    return path


def write_book(folder, rows, merges=(), name="表.xlsx", sheets=()):
    """Write rows as the first sheet of a workbook, with others after it, and return its path."""
    book = openpyxl.Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    for area in merges:
        book.worksheets[0].merge_cells(area)
    for title, others, state in sheets:
        page = book.create_sheet(title)
        page.sheet_state = state
        for row in others:
            page.append(row)
    book.save(folder / name)
    return folder / name


def with_cells(column, *values):
    """Return the rows with other values in one column."""
    position = HEADER.index(column)
    return [HEADER, *([*row[:position], value, *row[position + 1 :]] for row, value in zip(ROWS, values, strict=True))]


def frame_of(crs=4326):
    """Return the rows as a layer of points."""
    table = pd.DataFrame(ROWS, columns=HEADER)
    points = shapely.points(table["经度"], table["纬度"])
    return gpd.GeoDataFrame(table.drop(columns=["经度", "纬度"]), geometry=points, crs=crs)


# ---- text: every encoding with every separator ----


def _text_cases():
    for encoding in ("utf-8", "utf-8-sig", "gbk", "gb18030", "utf-16", "utf-16-le", "utf-16-be"):
        for label, separator in (("comma", ","), ("tab", "\t"), ("semicolon", ";"), ("bar", "|"), ("wide", "，")):

            def write(folder, encoding=encoding, separator=separator):
                return write_text(folder, [HEADER, *ROWS], separator, encoding)

            CASES.append(Case(f"{encoding} {label}", write))


_text_cases()


@case("blanks between the columns of a .txt, no age given")
def _(folder):
    rows = [[cell for cell in row if cell is not None] for row in (HEADER, *ROWS)]
    rows = [[row[i] for i in (0, 1, 2, 3, -2, -1)] for row in rows]
    return write_text(folder, rows, "   ", name="点.txt")


CASES[-1] = Case(
    CASES[-1].name, CASES[-1].write, expected=tuple((*row[:4], None) for row in EXPECTED)
)  # the last column is left out


@case("tabs in a .tsv with line ends of Windows in GBK")
def _(folder):
    return write_text(folder, [["示例县"], [], HEADER, *ROWS], "\t", "gbk", "表.tsv", "\r\n")


@case("quoted cells with line breaks and commas")
def _(folder):
    text = text_of([HEADER, *ROWS]).replace("一组", '"一组"').replace("甲镇,1234", '"甲镇","1,234"')
    (folder / "表.csv").write_bytes(text.encode())
    return folder / "表.csv"


@case("a stray quotation mark", n_refused=1, expected=EXPECTED[1:])
def _(folder):
    (folder / "表.csv").write_bytes(text_of([HEADER, *ROWS]).replace("一组", '"一组').encode())
    return folder / "表.csv"


@case("a bare thousands separator in a comma table", n_refused=1, expected=(EXPECTED[0], EXPECTED[2]))
def _(folder):
    (folder / "表.csv").write_bytes(text_of([HEADER, *ROWS]).replace("1234", "1,234").encode())
    return folder / "表.csv"


@case("a damaged byte in a name", expected=(("D1", "\ufffd\ufffd组", "甲镇", 30, 10), *EXPECTED[1:]))
def _(folder):
    data = text_of([HEADER, *ROWS]).encode()
    (folder / "表.csv").write_bytes(data.replace("一组".encode(), b"\xe4\xb8" + b"\xff" + "组".encode()))
    return folder / "表.csv"


# ---- workbooks: what stands around the table ----


@case("title rows over a merged width")
def _(folder):
    return write_book(
        folder, [["示例县人口情况表"], ["填报单位：民政局", None, None, "2025年"], HEADER, *ROWS], ["A1:G1"]
    )


@case("header of two lines with merged groups")
def _(folder):
    upper = ["编号", "小组", "乡镇", "人口", None, "坐标", None]
    lower = [None, None, None, "总数", "60岁以上", "经度", "纬度"]
    return write_book(folder, [["示例县"], upper, lower, *ROWS], ["A2:A3", "B2:B3", "C2:C3", "D2:E2", "F2:G2"])


@case("header of two lines in a text table")
def _(folder):
    upper = ["编号", "小组", "乡镇", "人口", "", "坐标", ""]
    lower = ["", "", "", "合计", "60岁以上", "经度", "纬度"]
    return write_text(folder, [upper, lower, *ROWS], encoding="gbk")


@case("units in a row under the header")
def _(folder):
    return write_book(folder, [HEADER, [None, None, None, "人", "（人）", "度", "度"], *ROWS])


@case("a row that numbers the columns", n_refused=1)
def _(folder):
    return write_book(folder, [HEADER, [1, 2, 3, 4, 5, 6, 7], *ROWS])


@case("a row of stems and numbers", n_refused=1)
def _(folder):
    return write_book(folder, [HEADER, ["甲", "乙", "丙", "1", "2", "3", "4"], *ROWS])


@case("notes under the table", n_refused=3)
def _(folder):
    notes = [["注：人口为常住人口。"], ["填表人：张三", None, None, "审核人：李四"], ["数据来源: 统计局"]]
    return write_book(folder, [HEADER, *ROWS, [], *notes])


@case("a total under the table", n_refused=1)
def _(folder):
    return write_book(folder, [HEADER, *ROWS, ["合计", None, None, 1564, 210]])


@case("subtotals between the rows", n_refused=3)
def _(folder):
    rows = [
        ROWS[0],
        ROWS[1],
        [None, "小计", None, 1264],
        ROWS[2],
        [None, "小 计", None, 300],
        ["总计", None, None, 1564],
    ]
    return write_book(folder, [HEADER, *rows])


@case("the header repeated on every page", n_refused=2)
def _(folder):
    return write_book(folder, [HEADER, ROWS[0], HEADER, ROWS[1], HEADER, ROWS[2]])


@case("blank rows and blank columns between")
def _(folder):
    rows = [[*row[:2], None, *row[2:5], None, None, *row[5:]] for row in (HEADER, *ROWS)]
    return write_book(folder, [[], rows[0], [], rows[1], [], [], *rows[2:]])


@case("the table begins in the third column")
def _(folder):
    return write_book(folder, [[], *([None, None, *row] for row in (HEADER, *ROWS))])


@case("towns merged downwards")
def _(folder):
    rows = [list(row) for row in ROWS]
    rows[1][2] = None
    return write_book(folder, [HEADER, *rows], ["C2:C3"])


@case("a cover sheet, and lists that are hidden")
def _(folder):
    hidden = ("清单", [HEADER, *ROWS], "hidden")
    return write_book(folder, [["填表说明"]], sheets=[("数据", [HEADER, *ROWS], "visible"), hidden])


@case("a sheet a town", options=ImportOptions(frame=FRAME, sheet="*"))
def _(folder):
    return write_book(folder, [HEADER, *ROWS[:2]], sheets=[("乙镇", [HEADER, ROWS[2]], "visible")])


@case("a count left blank, and one in words", n_refused=2, expected=(EXPECTED[0],))
def _(folder):
    return write_book(folder, with_cells("人口", 30, None, "三百多不到四百"))


@case("a wrong size declared inside the workbook")
def _(folder):
    path = write_book(folder, [HEADER, *ROWS])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    part = "xl/worksheets/sheet1.xml"
    parts[part] = parts[part].replace(b'<dimension ref="A1:G4"', b'<dimension ref="A1"')
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return path


@case("an old workbook with a title and merged cells")
def _(folder):
    import xlwt

    book = xlwt.Workbook()
    page = book.add_sheet("人口")
    page.write_merge(0, 0, 0, 6, "示例县人口情况表")
    for i, row in enumerate([HEADER, *ROWS], start=1):
        for j, cell in enumerate(row):
            if cell is not None and (i, j) not in ((2, 2), (3, 2)):
                page.write(i, j, cell)
    page.write_merge(2, 3, 2, 2, "甲镇")
    book.save(str(folder / "表.xls"))
    return folder / "表.xls"


# ---- cells ----


def _cell_cases():
    spoilt = {
        "full-width digits": ("３０", "１２３４", "３００"),
        "thousands separators, also full-width": ("30", "1,234", "３００"),
        "units in the cells": ("30人", "1234 口人", "300人"),
        "words of estimate": ("约30", "1234左右", "300余人"),
        "Chinese numerals": ("三十", "一千二百三十四", "三百"),
        "ten thousands": ("0.003万", "0.1234万人", "0.03 万"),
        "text with spaces of every kind": (" 30 ", "\u30001234\u3000", "\xa0300"),
        "an apostrophe before the number": ("'30", "'1234", "'300"),
        "decimals of a spreadsheet": ("30.0", "1234.00", "3e2"),
    }
    for name, values in spoilt.items():

        def write(folder, values=values):
            return write_book(folder, with_cells("人口", *values))

        def write_gbk(folder, values=values):
            quoted = [f'"{value}"' for value in values]
            return write_text(folder, with_cells("人口", *quoted), encoding="gb18030")

        CASES.append(Case(name, write))
        CASES.append(Case(f"{name}, in GBK text", write_gbk))


_cell_cases()


@case("coordinates with a degree sign and full-width digits")
def _(folder):
    rows = with_cells("经度", "109.01°", "１０９.02", "109．03")
    return write_book(folder, rows)


@case("one pair of coordinates swapped")
def _(folder):
    rows = [list(row) for row in ROWS]
    rows[1][5], rows[1][6] = rows[1][6], rows[1][5]
    return write_book(folder, [HEADER, *rows])


# ---- headers ----


@case("headers by synonyms with units and years")
def _(folder):
    header = ["组编号", "村民小组", "所属乡镇", "2025年末常住人口（人）", "其中：60岁及以上", "东经(°)", "北纬(°)"]
    return write_book(folder, [header, *ROWS])


@case("coordinates known by their content alone")
def _(folder):
    return write_book(folder, [[*HEADER[:5], "位置一", "位置二"], *ROWS])


@case("headers in English, all spellings")
def _(folder):
    header = ["Demand_ID", "NAME", "Town", "Population (people)", "Age60", "Longitude", "LAT."]
    return write_text(folder, [header, *ROWS])


@case("headers that only the user knows", options=ImportOptions(FRAME, columns={"population": "R", "x": "E", "y": "N"}))
def _(folder):
    return write_book(folder, [["编号", "小组", "乡镇", "R", "60岁以上人数", "E", "N"], *ROWS])


# ---- layers ----


def _layer_cases():
    plain = ImportOptions()
    for name in ("层.gpkg", "层.geojson", "层.fgb", "层.gdb", "层.parquet"):

        def write(folder, name=name):
            if name.endswith(".parquet"):
                frame_of().to_parquet(folder / name)
            else:
                driver = "OpenFileGDB" if name.endswith(".gdb") else None
                pyogrio.write_dataframe(frame_of(), folder / name, driver=driver)
            return folder / name

        CASES.append(Case(f"layer {name}", write, options=plain))


_layer_cases()


def write_shapefile(folder, encoding, *, has_cpg):
    """Write the shapefile in `folder` and return its path."""
    frame_of().to_file(folder / "点.shp", encoding=encoding)
    if not has_cpg:
        (folder / "点.cpg").unlink()
    return folder / "点.shp"


@case("shapefile in GBK without .cpg", options=ImportOptions())
def _(folder):
    return write_shapefile(folder, "GB18030", has_cpg=False)


@case("shapefile in UTF-8 without .cpg", options=ImportOptions())
def _(folder):
    return write_shapefile(folder, "UTF-8", has_cpg=False)


@case("a folder with a shapefile and a note", options=ImportOptions())
def _(folder):
    write_shapefile(folder, "GB18030", has_cpg=False)
    (folder / "说明.docx").write_bytes(b"PK")
    return folder


@case("a zip with a shapefile in a folder of a GBK name", options=ImportOptions())
def _(folder):
    write_shapefile(folder, "GB18030", has_cpg=False)
    with zipfile.ZipFile(folder / "数据.zip", "w") as archive:
        for part in folder.glob("点.*"):
            archive.write(part, f"数据/{part.name}")
    return folder / "数据.zip"


@case("a zip with a file geodatabase", options=ImportOptions())
def _(folder):
    pyogrio.write_dataframe(frame_of(), folder / "层.gdb", driver="OpenFileGDB")
    with zipfile.ZipFile(folder / "数据.zip", "w") as archive:
        for part in (folder / "层.gdb").iterdir():
            archive.write(part, f"层.gdb/{part.name}")
    return folder / "数据.zip"


@case("a .dbf alone in GBK")
def _(folder):
    table = pd.DataFrame(ROWS, columns=["编号", "小组", "乡镇", "人口", "60岁以上", "经度", "纬度"])
    pyogrio.write_dataframe(gpd.GeoDataFrame(table), folder / "表.dbf", driver="ESRI Shapefile", encoding="GB18030")
    for part in folder.glob("表.*"):
        if part.suffix != ".dbf":
            part.unlink()
    return folder / "表.dbf"


# MapInfo knows no missing numbers.
@case("MapInfo table", options=ImportOptions(), expected=(*EXPECTED[:2], (*EXPECTED[2][:4], 0)))
def _(folder):
    names = dict(zip(HEADER, ["demand_id", "name", "town", "population", "age60"], strict=False))
    table = frame_of().rename(columns=names)
    pyogrio.write_dataframe(table, folder / "层.tab", driver="MapInfo File", encoding="GB18030")
    return folder / "层.tab"


@case("KML with attributes", options=ImportOptions())
def _(folder):
    pyogrio.write_dataframe(frame_of(), folder / "层.kml", driver="LIBKML")
    return folder / "层.kml"


@case("GeoJSON in GBK", options=ImportOptions())
def _(folder):
    path = folder / "层.geojson"
    path.write_bytes(frame_of().to_json(ensure_ascii=False).encode("gb18030"))
    return path


# ---- mixtures ----


@case("title, two-line header, merged town, units, total, note", n_refused=2)
def _(folder):
    upper = ["编号", "小组", "乡镇", "人口（人）", None, "坐标", None]
    lower = [None, None, None, "总数", "60岁以上", "经度", "纬度"]
    rows = [
        ["D1", "一组", "甲镇", "约30", 10, "109.01°", 32.71],
        ["D2", "二组", None, "１，２３４人", "200", 109.02, "32.72"],
        ["D3", "三组", "乙镇", "三百", None, 109.03, 32.73],
    ]
    rows += [["合计", None, None, "1,564"], ["注：约数未核实。"]]
    return write_book(
        folder, [["示例县人口表（2025年）"], [], upper, lower, *rows], ["A1:G1", "C5:C6", "D3:E3", "F3:G3"]
    )


@case("GBK, semicolons, title, repeated header, total in words", n_refused=2)
def _(folder):
    rows = [["示例县"], HEADER, ROWS[0], HEADER, *ROWS[1:], ["合　计", "", "", "1564"]]
    return write_text(folder, rows, ";", "gbk", end="\r\n")


@case("UTF-16 with tabs as a spreadsheet saves 'Unicode text', with a note", n_refused=1)
def _(folder):
    return write_text(folder, [HEADER, *ROWS, ["注：略"]], "\t", "utf-16", "表.txt", "\r\n")


@case("swapped coordinates, estimates and a blank count", n_refused=1, expected=(EXPECTED[0], EXPECTED[1]))
def _(folder):
    rows = [["D1", "一组", "甲镇", "约 30 人", 10, 32.71, 109.01], ["D2", "二组", "甲镇", "1234", 200, 109.02, 32.72],
            ["D3", "三组", "乙镇", "不详", None, 109.03, 32.73]]  # fmt: skip
    return write_text(folder, [HEADER, *rows], "，", "gb18030")
