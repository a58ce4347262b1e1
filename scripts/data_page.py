"""docs/data.md from the table contracts.

usage: python scripts/data_page.py > docs/data.md
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from planner.schema import CONTRACTS, COORDINATES, FLAGS, TOTALS

if TYPE_CHECKING:
    from planner.schema import Column, TableContract

HEAD = """# Tables and their columns · 数据表与字段

Made from `planner/schema.py` by `python scripts/data_page.py > docs/data.md`; do not edit. The same contracts drive
the checks at the door, the blank workbooks of `planner template` and the headers of exports.

本页由 `planner/schema.py` 自动生成，请勿手改。导入检查、`planner template` 空白模板和导出表头都出自同一份约定。

A header is found whatever its case, spaces, punctuation and full-width forms; units in brackets may stand beside it.
Any other header is named with `--column FIELD=HEADER`. Columns in **bold** are required: a row without one is refused.
The first column names the row; left blank, ids are given automatically.

表头不区分大小写、空格、标点和全半角，括号里可以带单位；其他叫法用 `--column 字段=表头` 指定。
**加粗**的字段必填，缺值的行退回。每表第一列为编号，留空自动编号。
"""
KINDS = {
    "id": "id · 编号",
    "text": "text · 文字",
    "number": "number · 数字",
    "integer": "whole number · 整数",
    "flag": "yes / no · 是否",
    "choice": "choice · 选项",
    "date": "date · 日期",
}
UNITS = {
    "people": "people · 人",
    "households": "households · 户",
    "10,000 CNY": "10,000 CNY · 万元",
    "m2": "m² · 平方米",
}
GEOMETRIES = {
    "Point": "points · 点",
    "LineString": "lines · 线",
    "MultiPolygon": "areas · 面",
    "Any": "lines or areas · 线或面",
}
TABLE_HEAD = "| field | 表头 / header | kind · 类型 | unit · 单位 | meaning · 说明 |\n|---|---|---|---|---|"


def page() -> str:
    """Return docs/data.md."""
    parts = [HEAD, *(_section(contract) for contract in CONTRACTS.values()), _totals(), _coordinates(), _flags()]
    return "\n".join(parts)


def _totals() -> str:
    rows = "\n".join(_row(column) for column in TOTALS.columns)
    words = "No geometry: `planner import STUDY demand FILE --split-by roads` puts the people where people live."
    zh = "没有图形：`planner import 研究文件 demand 文件 --split-by roads` 把人口分到有人住的地方。"
    return f"## `{TOTALS.name}` · {TOTALS.zh} · {TOTALS.en}\n\n{words}\n\n{zh}\n\n{TABLE_HEAD}\n{rows}\n"


def _section(contract: TableContract) -> str:
    rows = "\n".join(_row(column) for column in contract.columns)
    title = (
        f"## `{contract.name}` · {contract.zh} · {contract.en}\n\nGeometry · 图形：{GEOMETRIES[contract.geometry]}\n"
    )
    return f"{title}\n{TABLE_HEAD}\n{rows}\n" + _choices(contract)


def _row(column: Column) -> str:
    name = f"**`{column.name}`**" if column.is_required else f"`{column.name}`"
    headers = " / ".join(dict.fromkeys((column.zh, column.en)))
    if column.synonyms:
        headers += f"<br>{'、'.join(column.synonyms)}"
    kind = KINDS[column.kind] + _range(column)
    return f"| {name} | {headers} | {kind} | {UNITS.get(column.unit, column.unit)} | {_meaning(column)} |"


def _meaning(column: Column) -> str:
    return f"{column.meaning_zh}<br>{column.meaning_en}"


def _range(column: Column) -> str:
    ends = [f"{sign} {limit:g}" for sign, limit in (("≥", column.minimum), ("≤", column.maximum)) if limit is not None]
    return "".join(f" {end}" for end in ends)


def _choices(contract: TableContract) -> str:
    lines = []
    for column in contract.columns:
        for code, words in column.choices:
            lines.append(f"| `{column.name}` | `{code}` | {'、'.join(words)} |")
        if column.is_open:
            lines.append(f"| `{column.name}` | … | a word of your own · 也可用自定义代码 |")
    return "\n| field | code | words · 写法 |\n|---|---|---|\n" + "\n".join(lines) + "\n" if lines else ""


def _coordinates() -> str:
    rows = "\n".join(_row(column) for column in COORDINATES)
    return (
        "## Coordinates · 坐标\n\nTables of points that come without geometry (workbooks, text) need both columns, and "
        "a frame: `--frame EPSG:4490`.\n\n没有图形的点表（Excel、CSV）必须有这两列，并用 `--frame` 说明坐标系。\n"
        f"\n{TABLE_HEAD}\n{rows}\n"
    )


def _flags() -> str:
    yes, no = ("、".join(words) for words in FLAGS)
    return f"## Yes and no · 是与否\n\nyes · 是：{yes}\n\nno · 否：{no}\n"


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    sys.stdout.write(page())
