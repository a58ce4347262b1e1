"""Map layers whose texts GDAL alone would read wrongly."""

import pytest

from planner.inputs.files.layers import read_layer

HEAD = "0\nSECTION\n2\nHEADER\n9\n$ACADVER\n1\n{version}\n9\n$DWGCODEPAGE\n3\n{page}\n0\nENDSEC\n"
LINE = "0\nLINE\n8\n{layer}\n10\n0.0\n20\n0.0\n11\n100.0\n21\n0.0\n"
DRAWING = HEAD + "0\nSECTION\n2\nENTITIES\n" + LINE + "0\nENDSEC\n0\nEOF\n"


@pytest.mark.parametrize(
    ("version", "page", "encoding", "layer"),
    [
        ("AC1015", "ANSI_936", "gb18030", "县道"),
        ("AC1027", "ANSI_936", "utf-8", "县道"),
        ("AC1027", "ANSI_1252", "utf-8", "县道"),
        ("AC1015", "ANSI_1252", "gb18030", "县道"),
        ("AC1015", "ANSI_1252", "ascii", "\\U+53BF\\U+9053"),
    ],
)
def test_layers_of_drawings_keep_their_chinese_names(tmp_path, version, page, encoding, layer):
    path = tmp_path / "路网.dxf"
    path.write_bytes(DRAWING.format(version=version, page=page, layer=layer).encode(encoding))
    records = read_layer(path)
    assert records.columns[records.headers.index("Layer")].tolist() == ["县道"]
    assert records.geometry[0].length == pytest.approx(100.0)
