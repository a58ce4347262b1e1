"""Table contracts: every column a study table may have, declared once.

One list drives the checks at the door, the blank templates, the headers of exports and the documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["id", "text", "number", "integer", "flag", "choice", "date"]
Geometry = Literal["Point", "LineString", "MultiPolygon", "Any"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    Attributes
    ----------
    name : column name in the study file.
    kind : what the values are; "id" is a text that must be unique, "choice" a code out of `choices`.
    zh, en : header names as people write them; the first names of the templates.
    meaning_zh, meaning_en : one sentence for the documentation and the template's notes.
    unit : of the values, "" where they have none.
    is_required : a row without a value is refused.
    minimum, maximum : allowed range of numbers, both ends included.
    choices : code -> words people write for it (zh and en); matching ignores case and spaces.
    is_open : other codes than `choices` are allowed too (tiers are data).
    is_telling : may be blank, but tells what a file is where it occurs.
    synonyms : other headers that mean this column.
    """

    name: str
    kind: Kind
    zh: str
    en: str
    meaning_zh: str
    meaning_en: str
    unit: str = ""
    is_required: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[tuple[str, tuple[str, ...]], ...] = ()
    is_open: bool = False
    is_telling: bool = False
    synonyms: tuple[str, ...] = ()


@dataclass(frozen=True)
class TableContract:
    """One table of a study: its columns, its geometry and the column that names a row."""

    name: str
    zh: str
    en: str
    geometry: Geometry
    columns: tuple[Column, ...]

    @property
    def id_column(self) -> str:
        """The column whose values name the rows."""
        return self.columns[0].name

    def column(self, name: str) -> Column:
        """Return the column called `name`; KeyError when there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def _ways(verbs: str, what: str) -> tuple[str, ...]:
    """Return how a way of activating resources is written: "闲置资源", "激活闲置资源", "盘活闲置资源" ..."""
    return tuple(f"{verb}{what}资源" for verb in ("", *verbs.split()))


# More people than this in one row are a slip of the pen, and would drown everybody else.
MAX_PEOPLE = 1e9

# A tier is written with what is practised before it, or without: 站, 实践站, 文明实践站, 新时代文明实践站.
TIER_PREFIXES = ("", "实践", "文明实践", "新时代文明实践")
TIER_ENDINGS = (
    ("centre", ("中心",), ("centre", "center")),
    ("institute", ("所",), ("institute",)),
    ("station", ("站",), ("station",)),
    ("point", ("点",), ("point",)),
    ("hub", ("驿站",), ("文明驿站", "hub", "wayside hub")),
    ("post", ("岗", "服务岗", "志愿服务岗", "志愿岗", "志愿者服务岗"), ("post", "service post")),
    ("base", ("基地",), ("base",)),
)
TIERS = tuple(
    (code, (*(prefix + ending for ending in endings for prefix in TIER_PREFIXES), *others))
    for code, endings, others in TIER_ENDINGS
)
CLASSES = (
    ("urban", ("城镇", "城市", "社区", "urban", "城区")),
    ("rural", ("乡村", "农村", "村", "rural")),
)
# A candidate whose way nobody has stated is a real building all the same.
WAY_UNSTATED = "unstated"
# Each way first in our words, then in those of the counties' reports: what is done, and with which resources.
WAYS = (
    ("1", ("盘活闲置场所", "闲置场所", "闲置", "idle premises", *_ways("激活 盘活 利用", "闲置"))),
    ("2", ("开放单位内部场所", "单位开放", "opened premises", *_ways("打通 开放 盘活", "封闭"))),
    ("3", ("上级资源下沉", "moved down", *_ways("下沉", "优质"), *_ways("推动 推进", "下沉"), "优质资源下沉")),
    ("4", ("共享邻近资源", "邻近共享", "shared", *_ways("共享 整合", "区域"), "区域资源共享", "共享资源")),
    ("5", ("链接社会力量", "社会力量", "social forces", *_ways("联动 链接 撬动", "社会"), "联动社会力量")),
    ("6", ("线上平台", "线上", "online platforms", *_ways("沟通 依托 用好", "网络"), "网络平台", "依托网络平台")),
    (WAY_UNSTATED, ("未注明", "不详", "待定", "not stated")),
)
CONSENTS = (
    ("agreed", ("同意", "已同意", "愿意", "已签协议", "agreed", "yes")),
    (
        "asked",
        ("洽谈中", "待答复", "正在洽谈", "协商中", "正在协商", "沟通中", "正在沟通", "对接中", "asked", "pending"),
    ),
    ("refused", ("不同意", "不愿意", "拒绝", "refused", "no")),
    ("unknown", ("未联系", "未知", "未沟通", "未对接", "unknown")),
)
FLAGS = ("是", "有", "true", "yes", "y", "1", "√"), ("否", "无", "false", "no", "n", "0", "×")
BARRIERS = (
    ("river", ("河流", "river", "water")),
    ("railway", ("铁路", "railway")),
    ("motorway", ("高速公路", "motorway")),
    ("wall", ("围墙", "其他", "wall", "other")),
    ("sea", ("海岸", "海岸线", "海", "sea", "coastline")),
)
LEVELS = (
    ("county", ("县", "区", "县区", "county", "district")),
    ("town", ("乡镇", "镇", "乡", "街道", "town", "street")),
    ("village", ("村", "社区", "行政村", "village")),
    ("hamlet", ("自然村", "自然屯", "屯", "村民小组", "natural village", "hamlet")),
    ("grid", ("网格", "网格单元", "综治网格", "grid")),
)
# Areas below the village: results are given for them where a study has some.
PARTS_OF_VILLAGES = ("hamlet", "grid")

_TOWN = Column(
    "town", "text", "乡镇", "town", "所属乡镇（街道）名称；留空则按边界判定",
    "Town it belongs to; blank: taken from the boundaries", synonyms=("乡镇街道", "所属乡镇", "镇街", "街道", "乡镇（街道）", "town_name"),
)  # fmt: skip
_VILLAGE = Column(
    "village", "text", "村社区", "village", "所属村（社区）名称；留空则按边界判定",
    "Village or community it belongs to; blank: taken from the boundaries",
    synonyms=("村", "社区", "所属村", "行政村", "村（社区）", "所属村（社区）", "village_name"),
)  # fmt: skip
_CLASS = Column(
    "class", "choice", "城乡分类", "class", "城镇或乡村", "Urban or rural", choices=CLASSES,
    synonyms=("城乡", "城乡类别", "urban_rural"),
)  # fmt: skip
_AGE60 = Column(
    "age60", "number", "60岁以上人数", "age60", "其中60岁及以上人数", "Of these, people of 60 and over",
    unit="people", minimum=0, synonyms=("60岁以上", "60岁及以上", "60岁以上人口", "60岁及以上人口", "老年人口", "老年人数"),
)  # fmt: skip
_CHILDREN = Column(
    "children", "number", "儿童人数", "children", "其中儿童人数", "Of these, children",
    unit="people", minimum=0, synonyms=("儿童", "少年儿童", "0-14岁"),
)  # fmt: skip
_PART = Column(
    "name", "text", "名称", "name", "村民小组、自然村、网格或小区名称", "Hamlet, grid or housing compound", synonyms=("村民小组", "小组", "自然村", "自然村名称", "网格", "网格名称", "屯"),
)  # fmt: skip

# Where a row lies, in tables that carry no geometry; geographic or metric, by the frame of the file.
COORDINATES = (
    Column("x", "number", "经度", "lon", "经度（度），或横坐标、东坐标（米）", "Longitude in degrees, or easting in metres",
           is_required=True, synonyms=("东经", "lng", "long", "longitude", "x", "x坐标", "经度x", "东", "东坐标", "东向坐标", "横坐标",
                                       "easting", "x_coord", "point_x", "coord_x")),
    Column("y", "number", "纬度", "lat", "纬度（度），或纵坐标、北坐标（米）", "Latitude in degrees, or northing in metres",
           is_required=True, synonyms=("北纬", "latitude", "y", "y坐标", "纬度y", "北", "北坐标", "北向坐标", "纵坐标", "northing",
                                       "y_coord", "point_y", "coord_y")),
)  # fmt: skip

FACILITIES = TableContract(
    "facilities", "阵地", "places", "Point",
    (
        Column("facility_id", "id", "编号", "facility_id", "阵地编号，不重复；留空则自动编号",
               "Unique id; blank: given automatically", synonyms=("阵地编号", "站点编号", "id", "代码")),
        Column("name", "text", "名称", "name", "阵地名称", "Name of the place", is_required=True,
               synonyms=("阵地名称", "站名", "站点名称", "场所名称", "facility_name")),
        Column("tier", "choice", "层级", "tier", "中心、所、站、点，或自定义层级",
               "centre, institute, station, point or a tier of your own", is_required=True, choices=TIERS, is_open=True,
               synonyms=("级别", "类型", "阵地层级", "阵地类型", "level", "type")),
        _TOWN, _VILLAGE, _CLASS,
        Column("parent_id", "text", "上级编号", "parent_id", "上级阵地编号", "Id of the parent place", synonyms=("上级阵地",)),
        Column("host_building", "text", "依托场所", "host_building", "所在建筑，如便民服务中心、文化站、学校",
               "Building it is in: service centre, culture station, school ..."),
        Column("capacity", "number", "容纳人数", "capacity", "可同时容纳人数", "People it can hold", unit="people", minimum=0,
               synonyms=("容量",)),
        Column("is_qualified", "flag", "是否达标", "is_qualified", "是否达到建设标准（五有）", "Meets its checklist (five haves)",
               synonyms=("达标",)),
        Column("is_demonstration", "flag", "是否示范", "is_demonstration", "是否示范阵地", "Demonstration place", synonyms=("示范",)),
        Column("is_online", "flag", "是否线上", "is_online", "线上服务，不计入实地覆盖",
               "Online service: never counts as physical coverage", synonyms=("线上",)),
        Column("opening_hours", "text", "开放时间", "opening_hours", "按星期填写，如 周一至周五 8:30-17:30；周六周日 9:00-12:00",
               "By weekday, such as Mon-Fri 8:30-17:30; Sat,Sun 9:00-12:00"),
        Column("is_light", "flag", "是否轻量", "is_light", "驿站、岗等轻量阵地，不计入覆盖",
               "Light place (hub, post): listed, no coverage", synonyms=("轻量",)),
        Column("function_rooms", "text", "功能室", "function_rooms", "功能室，用顿号分开，如 理论宣讲、市民教育、文化、科普、健身",
               "Function rooms by comma: theory, citizen education, culture, science, fitness", synonyms=("功能室名称",)),
        Column("checklist", "text", "五有情况", "checklist", "逐项填写，如 有场所=有；有队伍=部分（缺骨干）@2024-05-01；有机制=无",
               "Item by item: place=full; team=partial (no leader) @2024-05-01; mechanism=none", synonyms=("检查表", "达标情况")),
        Column("address", "text", "地址", "address", "地址", "Address", synonyms=("详细地址",)),
    ),
)  # fmt: skip
CANDIDATES = TableContract(
    "candidates", "候选点", "candidate sites", "Point",
    (
        Column("candidate_id", "id", "编号", "candidate_id", "候选点编号，不重复；留空则自动编号",
               "Unique id; blank: given automatically", synonyms=("候选点编号", "id")),
        Column("name", "text", "名称", "name", "场所名称", "Name of the premises", is_required=True,
               synonyms=("候选点名称", "场所名称")),
        Column("way", "choice", "激活方式", "way", "六种激活资源方式之一（1-6）；方式6为线上，不计入实地覆盖；留空为未注明",
               "One of the six ways to activate resources (1-6); way 6 is online and never covers anyone; blank: not stated",
               is_telling=True, choices=WAYS, synonyms=("方式", "激活途径", "资源类型", "激活资源方式")),
        Column("tier", "choice", "拟建层级", "tier", "激活后作为哪一级阵地；留空则按所规划的层级",
               "Tier it would become; blank: whichever tier is planned", choices=TIERS, is_open=True, synonyms=("层级",)),
        _TOWN, _VILLAGE,
        Column("owner", "text", "产权单位", "owner", "产权或管理单位", "Owner", synonyms=("权属", "产权人")),
        Column("current_use", "text", "现状用途", "current_use", "现在的用途", "What it is used for now", synonyms=("现状",)),
        Column("consent", "choice", "意向", "consent", "产权人是否同意", "Whether the owner agrees", choices=CONSENTS,
               synonyms=("同意情况", "产权人意向")),
        Column("cost", "number", "费用万元", "cost", "启用费用", "Cost of opening it", unit="10,000 CNY", minimum=0,
               synonyms=("费用", "费用（万元）", "投资", "改造费用")),
        Column("capacity", "number", "容纳人数", "capacity", "可同时容纳人数", "People it can hold", unit="people", minimum=0),
        Column("floor_area_m2", "number", "建筑面积", "floor_area_m2", "建筑面积", "Floor area", unit="m2", minimum=0,
               synonyms=("面积", "建筑面积（㎡）", "可用面积")),
        Column("opening_hours", "text", "可用时间", "opening_hours", "每周可用于活动的时间，如 周一至周五 18:00-21:00；周六周日 9:00-17:00",
               "When it may be used, by weekday, such as Mon-Fri 18:00-21:00; Sat,Sun 9:00-17:00",
               synonyms=("可使用时间", "开放时间", "使用时间", "hours")),
        Column("ready_date", "date", "可启用日期", "ready_date", "最早可以启用的日期，如 2025-06-30；只写到月的按月末计",
               "First day it can be used, such as 2025-06-30; a month alone means its last day",
               synonyms=("启用日期", "可启用时间", "预计启用时间", "完工日期", "ready")),
    ),
)  # fmt: skip
DEMAND = TableContract(
    "demand", "需求点", "demand points", "Point",
    (
        Column("demand_id", "id", "编号", "demand_id", "需求点编号，不重复；留空则自动编号",
               "Unique id; blank: given automatically", synonyms=("需求点编号", "组编号", "id")),
        Column("population", "number", "人口", "population", "居住人口", "People living there", unit="people", is_required=True,
               minimum=0, maximum=MAX_PEOPLE, synonyms=("人口数", "常住人口", "总人口", "people", "pop")),
        _AGE60, _CHILDREN,
        Column("relocated", "number", "搬迁人口", "relocated", "其中易地搬迁人口", "Of these, relocated people", unit="people",
               minimum=0, synonyms=("易地搬迁人口", "安置人口")),
        _PART,
        _TOWN, _VILLAGE, _CLASS,
    ),
)  # fmt: skip
SETTLEMENTS = TableContract(
    "settlements", "安置点", "relocation settlements", "Point",
    (
        Column("settlement_id", "id", "编号", "settlement_id", "安置点编号，不重复；留空则自动编号",
               "Unique id; blank: given automatically", synonyms=("安置点编号", "id")),
        Column("name", "text", "名称", "name", "安置点名称", "Name", is_required=True, synonyms=("安置点名称", "安置区名称")),
        Column("people", "number", "安置人数", "people", "安置人口", "People moved there", unit="people", is_required=True,
               minimum=0, maximum=MAX_PEOPLE, synonyms=("人数", "人口", "安置人口", "population")),
        Column("households", "number", "安置户数", "households", "安置户数", "Households", unit="households", minimum=0,
               synonyms=("户数",)),
        _AGE60, _CHILDREN,
        Column("year", "integer", "安置年份", "year", "入住年份", "Year people moved in", minimum=1980, maximum=2100,
               synonyms=("年份", "入住年份")),
        Column("compounds", "integer", "小区数", "compounds", "小区（楼栋组团）数", "Number of compounds", minimum=0),
        Column("origin_towns", "text", "迁出乡镇", "origin_towns", "迁出乡镇，多个用顿号分开", "Towns people came from",
               synonyms=("迁出地",)),
        Column("origin_x", "number", "迁出点经度", "origin_x", "迁出前住处的经度或横坐标，与本表坐标同一坐标系；不知道就留空",
               "Where people lived before, in the frame of this table: longitude or easting; blank: not known",
               synonyms=("迁出点横坐标", "原住地经度", "origin_lon")),
        Column("origin_y", "number", "迁出点纬度", "origin_y", "迁出前住处的纬度或纵坐标", "Its latitude or northing",
               synonyms=("迁出点纵坐标", "原住地纬度", "origin_lat")),
        _TOWN, _VILLAGE,
    ),
)  # fmt: skip
AREAS = TableContract(
    "areas", "行政区", "areas", "MultiPolygon",
    (
        Column("area_id", "id", "代码", "area_id", "行政区代码，不重复", "Unique code",
               synonyms=("编号", "行政区代码", "区划代码", "adcode", "id")),
        Column("name", "text", "名称", "name", "行政区名称", "Name", is_required=True, synonyms=("行政区名称",)),
        Column("level", "choice", "级别", "level", "县、乡镇、村，或村以下的自然村、网格", "county, town or village; below it hamlet or grid", is_required=True, choices=LEVELS,
               synonyms=("层级",)),
        Column("parent_id", "text", "上级代码", "parent_id", "上级行政区代码", "Code of the area it belongs to"),
        _CLASS,
    ),
)  # fmt: skip
ROADS = TableContract(
    "roads", "道路", "roads", "LineString",
    (
        Column("road_id", "id", "编号", "road_id", "路段编号；留空自动生成，断成几段的加上 -1、-2",
               "Id of the link; blank: automatic; a road divided into links gets -1, -2 ...",
               synonyms=("路段编号", "道路编号", "路线编号", "线路编号", "id")),
        Column("class", "text", "道路等级", "class", "道路等级（OSM highway 值）", "Road class (OSM highway value)", is_required=True,
               synonyms=("等级", "类型", "道路类型", "技术等级", "highway", "fclass", "type", "road_class")),
        Column("name", "text", "名称", "name", "道路名称", "Road name", synonyms=("道路名称", "路名")),
        Column("oneway", "choice", "单行", "oneway", "单行方向：no 双向，forward 沿线方向，backward 逆线方向",
               "no = both ways, forward = along the line, backward = against it",
               choices=(("no", ("否", "双向", "no", "b", "0")), ("forward", ("是", "单向", "yes", "f", "1", "true")),
                        ("backward", ("反向", "-1", "t", "reverse"))), synonyms=("单行线", "方向", "one_way")),
        Column("bicycle_oneway", "choice", "非机动车单行", "bicycle_oneway", "非机动车的单行方向；留空与单行相同",
               "One-way rule for bicycles; blank: as for cars",
               choices=(("no", ("否", "双向", "no")), ("forward", ("是", "单向", "yes")), ("backward", ("反向", "-1")))),
        Column("foot", "choice", "行人", "foot", "行人可否通行：yes、no；留空按等级", "May people walk: yes, no; blank: by class",
               choices=(("yes", ("是", "yes")), ("no", ("否", "no")))),
        Column("bicycle", "choice", "非机动车", "bicycle", "非机动车可否通行；留空按等级", "May bicycles ride; blank: by class",
               choices=(("yes", ("是", "yes")), ("no", ("否", "no")))),
        Column("motor", "choice", "机动车", "motor", "机动车可否通行；留空按等级", "May motor vehicles drive; blank: by class",
               choices=(("yes", ("是", "yes")), ("no", ("否", "no")))),
        Column("bridge", "flag", "桥", "bridge", "桥梁（按平路计）", "Bridge: counted as level", synonyms=("桥梁",)),
        Column("tunnel", "flag", "隧道", "tunnel", "隧道（按平路计）", "Tunnel: counted as level"),
        Column("from_node", "integer", "起点节点", "from_node", "起点节点号，自动生成", "Node at the line's start, automatic"),
        Column("to_node", "integer", "终点节点", "to_node", "终点节点号，自动生成", "Node at the line's end, automatic"),
    ),
)  # fmt: skip
BARRIERS_TABLE = TableContract(
    "barriers", "阻隔", "barriers", "Any",
    (
        Column("barrier_id", "id", "编号", "barrier_id", "阻隔编号，不重复；留空则自动编号", "Unique id; blank: automatic"),
        Column("kind", "choice", "类别", "kind", "河流、铁路、高速公路、其他", "river, railway, motorway or wall", is_required=True,
               choices=BARRIERS, synonyms=("类型", "阻隔类型", "type")),
        Column("name", "text", "名称", "name", "名称", "Name"),
    ),
)  # fmt: skip

CORRIDORS = TableContract(
    "corridors", "实践带走廊", "corridors", "Any",
    (
        Column("corridor_id", "id", "编号", "corridor_id", "走廊编号，不重复；留空则自动编号", "Unique id; blank: automatic"),
        Column("name", "text", "名称", "name", "实践带名称；同名的线（面）属于同一条实践带",
               "Name of the belt; lines and areas of one name are one belt", is_required=True,
               synonyms=("实践带", "实践带名称", "走廊名称", "片区名称")),
        Column("zone", "text", "所属片区", "zone", "实践带所属的片区名称，由使用者命名", "Named zone that the belt belongs to",
               synonyms=("片区", "分区")),
        Column("buffer_m", "number", "两侧宽度", "buffer_m", "沿线两侧多少米以内的阵地算在带上；留空为500米",
               "Places within this many metres of the line belong to it; blank: 500", unit="m", minimum=0, maximum=20_000),
    ),
)  # fmt: skip

# People of towns and villages without coordinates: they become demand points, so that this is no table of a study.
TOTALS = TableContract(
    "totals", "人口总数", "population totals", "Any",
    (
        Column("area_id", "id", "代码", "area_id", "行政区代码；留空则按名称匹配", "Code of the area; blank: matched by name",
               synonyms=("行政区代码", "区划代码", "编号")),
        _TOWN, _VILLAGE, _PART,
        Column("population", "number", "人口", "population", "居住人口", "People living there", unit="people", is_required=True,
               minimum=0, maximum=MAX_PEOPLE, synonyms=("人口数", "常住人口", "总人口", "people", "pop")),
        _AGE60, _CHILDREN,
        Column("relocated", "number", "搬迁人口", "relocated", "其中易地搬迁人口", "Of these, relocated people", unit="people",
               minimum=0, synonyms=("易地搬迁人口", "安置人口")),
    ),
)  # fmt: skip

CONTRACTS: dict[str, TableContract] = {
    contract.name: contract
    for contract in (
        FACILITIES, CANDIDATES, DEMAND, SETTLEMENTS, AREAS, ROADS, BARRIERS_TABLE, CORRIDORS,
    )
}  # fmt: skip
