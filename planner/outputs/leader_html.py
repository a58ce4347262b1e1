"""The leader's page as one HTML file for A4 portrait that loads nothing from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING

from planner.outputs.leader import leader_page
from planner.outputs.markup import html_page, tag
from planner.texts import Language, text
from planner.written import write_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from xml.etree.ElementTree import Element

    from planner.outputs.leader import Block, LeaderPage
    from planner.plan.stages import Plan

_STYLE = """
@page { size: A4 portrait; margin: 7mm 10mm; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 190mm; padding: 1mm 0 0; color: #1d2733; line-height: 1.36; font-size: 8.8pt;
  font-family: "Microsoft YaHei", "PingFang SC", "Noto Sans CJK SC", "Source Han Sans SC", sans-serif; }
header { border-bottom: 2.5pt solid #1F5C8B; padding-bottom: 1.6mm; }
h1 { font-size: 17pt; margin: 0; color: #1F5C8B; letter-spacing: .3pt; }
header p { margin: .6mm 0 0; color: #5A6470; }
.mark { float: right; margin-top: 1mm; padding: .8mm 2.2mm; border: 1pt solid #B2182B; color: #B2182B; font-size: 8pt; }
.tiles { display: flex; gap: 3mm; margin: 2mm 0 0; }
.tiles div { flex: 1; background: #EEF3F8; border-left: 3pt solid #1F5C8B; padding: .9mm 2.4mm; }
.tiles div.bad { border-color: #B2182B; }
.tiles b { display: block; font-size: 15pt; color: #1F5C8B; line-height: 1.25; font-variant-numeric: tabular-nums; }
.tiles div.bad b { color: #B2182B; }
.tiles span { color: #5A6470; font-size: 8pt; }
section { margin-top: 2mm; }
h2 { font-size: 11pt; margin: 0 0 .6mm; color: #1F5C8B; }
p { margin: 0 0 .6mm; }
table { border-collapse: collapse; width: 100%; font-size: 7.8pt; font-variant-numeric: tabular-nums; }
th { background: #1F5C8B; color: #fff; font-weight: 600; padding: .5mm 1.3mm; text-align: right; white-space: nowrap; }
td { border-bottom: .5pt solid #C8CCD0; padding: .4mm 1.3mm; text-align: right; white-space: nowrap; }
th.words, td.words { text-align: left; }
td.words { white-space: normal; }
tr:nth-child(even) td { background: #F7F9FB; }
.pair { display: grid; grid-template-columns: 33% 1fr; gap: 5mm; }
html[lang=en] body { font-size: 8pt; line-height: 1.28; }
html[lang=en] table { font-size: 6.9pt; }
footer { margin-top: 1.8mm; border-top: 1pt solid #C8CCD0; padding-top: 1.2mm; color: #5A6470; font-size: 7.4pt; }
"""


def write_leader_page(plan: Plan, path: Path, language: Language = "zh") -> Path:
    """Write the page as one HTML file that loads nothing from outside; return its path."""
    return write_text(path, leader_html(leader_page(plan, language), language))


def leader_html(page: LeaderPage, language: Language = "zh") -> str:
    """Return the page as HTML for A4 portrait."""
    last = len(page.tiles) - 1
    tiles = [
        tag("div", tag("b", value), tag("span", caption), looks="bad" if number == last else "")
        for number, (value, caption) in enumerate(page.tiles)
    ]
    marks = [tag("span", page.mark, looks="mark")] if page.mark else []
    declared, reach, *rest = (_section(block) for block in page.blocks)
    body = [
        tag("header", *marks, tag("h1", page.title), tag("p", page.subtitle)),
        tag("div", *tiles, looks="tiles"),
        tag("div", declared, reach, looks="pair"),
        *rest,
        tag("footer", tag("b", text("leader.foot", language)), f" {page.foot}"),
    ]
    return html_page(page.title, body, language, _STYLE)


def _section(block: Block) -> Element:
    words = [tag("h2", block.heading), *(tag("p", sentence) for sentence in block.sentences)]
    if not block.rows:
        return tag("section", *words)
    rows = [tag("tr", *_cells("td", row, block.words_at)) for row in block.rows]
    head = tag("thead", tag("tr", *_cells("th", block.headers, block.words_at)))
    return tag("section", *words, tag("table", head, tag("tbody", *rows)))


def _cells(kind: str, row: Sequence[str], words_at: Sequence[int]) -> Iterator[Element]:
    return (tag(kind, words, looks="words" if at in words_at else "") for at, words in enumerate(row))
