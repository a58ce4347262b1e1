import pytest

from planner.errors import InputError
from planner.inputs.columns.headers import match_headers, normalise, require_choices, require_columns
from planner.schema import CONTRACTS, COORDINATES

FACILITIES = CONTRACTS["facilities"]


def match(*headers, wanted=None, is_short=False, contract=FACILITIES):
    return match_headers(headers, contract, wanted or {}, is_short=is_short)


@pytest.mark.parametrize("contract", CONTRACTS.values(), ids=lambda contract: contract.name)
@pytest.mark.parametrize("language", ["zh", "en", "name"])
def test_a_tables_own_headers_are_all_known(contract, language):
    columns = (*contract.columns, *(COORDINATES if contract.geometry == "Point" else ()))
    headers = [getattr(column, language) for column in columns]
    assert match(*headers, contract=contract) == {column.name: i for i, column in enumerate(columns)}


@pytest.mark.parametrize(
    "header",
    [
        "站名",
        " 站 名 ",
        "站名*",
        "*站名",
        "站名(全称)",
        "站名\uff08全称\uff09",
        "站名:",
        "NAME",
        "Facility_Name",
        "facility name",
    ],
)
def test_spellings_of_one_header(header):
    assert match(header)["name"] == 0


@pytest.mark.parametrize(
    ("header", "field"),
    [
        ("经度(\u00b0)", "x"),
        ("\uff2c\uff2f\uff2e", "x"),
        ("纬度\uff08度\uff09", "y"),
        ("X坐标", "x"),
        ("纵坐标(m)", "y"),
        ("Northing", "y"),
    ],
)
def test_headers_of_coordinates(header, field):
    assert match(header) == {field: 0}


def test_the_tables_own_name_comes_before_synonyms():
    assert match("类型", "站名", "名称", "层级") == {"name": 2, "tier": 3}


def test_one_header_serves_one_field():
    found = match("编号", "名称", "层级", "经度", "纬度", "村", "街道")
    assert len(set(found.values())) == len(found) == 7


def test_the_users_choice_comes_first():
    assert match("名称", "简称", wanted={"name": "简称"}) == {"name": 1}
    assert match("名称", "E", "N", wanted={"lon": "E", "lat": "N"}) == {"name": 0, "x": 1, "y": 2}


def test_headers_cut_at_ten_bytes_only_where_the_format_cuts():
    assert match("facility_i", "is_demonst", is_short=True) == {"facility_id": 0, "is_demonstration": 1}
    assert match("facility_i", "is_demonst") == {}
    assert match("60岁以上", contract=CONTRACTS["demand"]) == {"age60": 0}


def test_unknown_headers_mean_nothing():
    assert match("", "备注", "序号") == {}


def test_what_is_missing_is_named_with_what_was_found():
    with pytest.raises(
        InputError, match=r"no column for 名称 \(name\), 层级 \(tier\)\. Headers found: 备注\. .*--column"
    ):
        require_columns({}, ["备注", ""], FACILITIES, "f.xlsx")
    with pytest.raises(InputError, match="No headers were found"):
        require_columns({}, [], FACILITIES, "f.xlsx")
    with pytest.raises(InputError, match="and 5 more"):
        require_columns({}, [f"h{i}" for i in range(25)], FACILITIES, "f.xlsx")


def test_choices_that_cannot_be():
    require_choices(["站 名"], FACILITIES, {"name": "站名"}, "f")
    with pytest.raises(InputError, match="no field"):
        require_choices(["站名"], FACILITIES, {"nam": "站名"}, "f")


def test_normalising_is_stable():
    assert normalise(normalise(" A_b\uff08C\uff09 ")) == normalise(" A_b\uff08C\uff09 ") == "ab(c)"
