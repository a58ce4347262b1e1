"""Downloads against a stand-in of Nominatim and Overpass on this machine: right, late, refused and half answers."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from urllib.parse import parse_qs, unquote_plus, urlparse

import geopandas as gpd
import pytest
import shapely

from planner.errors import CancelledError, InputError
from planner.inputs.roads.download import TRIES, download_roads
from planner.inputs.roads.osm import read_osm
from planner.study import new_study

osmnx = pytest.importorskip("osmnx")

CRS = "EPSG:32650"
BOX = [[117.2, 28.30], [117.21, 28.30], [117.21, 28.31], [117.2, 28.31], [117.2, 28.30]]
NODES = {1: (117.203, 28.303), 2: (117.205, 28.303), 3: (117.207, 28.303), 4: (117.205, 28.306)}
WAYS = {
    10: ([1, 2, 3], {"highway": "tertiary", "name": '滨江路"<&>', "oneway": "-1"}),
    11: ([2, 4], {"highway": "footway"}),
    12: ([4, 1], {"waterway": "river", "name": "信江"}),
    13: ([3, 4], {"highway": "construction"}),
}


class Service:
    """Answers as told: a list of moods, one for each question to Overpass; the last one stays."""

    def __init__(self):
        self.moods, self.questions, self.places = ["good"], [], [{"type": "Polygon", "coordinates": [BOX]}]

    def mood(self):
        return self.moods.pop(0) if len(self.moods) > 1 else self.moods[0]

    def elements(self):
        nodes = [{"type": "node", "id": i, "lat": lat, "lon": lon} for i, (lon, lat) in NODES.items()]
        ways = [{"type": "way", "id": i, "nodes": refs, "tags": tags} for i, (refs, tags) in WAYS.items()]
        return [*nodes, *ways]


@pytest.fixture
def service(monkeypatch):
    made = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            made.questions.append(parse_qs(urlparse(self.path).query))
            names = [{"lat": "28.3", "lon": "117.2", "boundingbox": ["28.30", "28.31", "117.20", "117.21"],
                      "display_name": "贵溪", "importance": 0.5, "geojson": shape,
                      "place_id": 1, "osm_type": "relation",
                      "osm_id": 1, "class": "boundary", "type": "administrative", "addresstype": "county",
                      "name": "贵溪"} for shape in made.places]  # fmt: skip
            self.answer(json.dumps(names))

        def do_POST(self):
            size = int(self.headers["Content-Length"])
            made.questions.append(unquote_plus(self.rfile.read(size).decode()))
            mood = made.mood()
            if mood == "slow":
                time.sleep(1.5)
            if mood in ("429", "504", "400"):
                self.answer("busy", int(mood), {"Retry-After": "2"} if mood == "429" else {})
                return
            document = {"version": 0.6, "elements": made.elements()}
            if mood == "remark":
                document |= {
                    "elements": document["elements"][:3],
                    "remark": "runtime error: Query timed out in 'query'",
                }
            if mood == "no nodes":
                document["elements"] = [e for e in document["elements"] if e["id"] != 4]
            if mood == "empty":
                document["elements"] = []
            words = json.dumps(document)
            self.answer(words[: len(words) // 2] if mood == "cut" else words, cut=mood == "broken off")

        def answer(self, words, code=200, headers=(), cut=False):
            body = words.encode()
            self.send_response(code)
            for name, value in dict(headers).items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body) * (2 if cut else 1)))
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:  # the other side has stopped waiting
                return

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setenv("PLANNER_NOMINATIM", f"{address}/")
    monkeypatch.setenv("PLANNER_OVERPASS", f"{address}/api")
    monkeypatch.setenv("PLANNER_DOWNLOAD_TIMEOUT", "1")
    # osmnx rests a second before each question, for the sake of public services; this one needs no rest.
    for module in ("osmnx._nominatim", "osmnx._overpass"):
        monkeypatch.setattr(f"{module}.time", SimpleNamespace(sleep=lambda _: None, time=time.time))
    yield made
    server.shutdown()
    server.server_close()


def fetch(tmp_path, **options):
    waits = []
    path = download_roads(tmp_path / "roads.osm", **{"place": "贵溪市", **options}, sleep=waits.append)
    return path, waits


def test_a_place_becomes_a_file_that_imports(service, tmp_path):
    path, waits = fetch(tmp_path)
    read = read_osm(path, CRS)
    assert sorted(read.roads["class"]) == ["footway", "tertiary", "tertiary"]
    assert set(read.roads["name"].dropna()) == {'滨江路"<&>'}
    assert (read.roads.set_index("class").loc["tertiary", "oneway"] == "backward").all()
    assert list(read.barriers["kind"]) == ["river"]
    assert waits == []
    assert service.questions[0]["q"] == ["贵溪市"]
    assert all("poly:" in question for question in service.questions[1:])
    assert {word for q in service.questions[1:] for word in ("highway", "waterway", "railway") if word in q} == {
        "highway", "waterway", "railway",
    }  # fmt: skip


def county():
    areas = gpd.GeoDataFrame(
        {"area_id": ["X"], "name": ["县"], "level": ["county"]}, geometry=[shapely.Polygon(BOX)], crs=4326
    )
    return new_study("县", CRS).with_table("areas", areas.to_crs(CRS))


def test_the_outline_of_a_study_is_asked_for_without_its_name(service, tmp_path):
    path, _ = fetch(tmp_path, place=None, study=county())
    assert path.exists()
    assert all(isinstance(question, str) for question in service.questions)


def test_a_busy_service_is_asked_again_as_late_as_it_says(service, tmp_path):
    service.moods = ["429", "504", "good"]
    path, waits = fetch(tmp_path)
    assert path.exists()
    assert waits == [1.0, 1.0] + [1.0] * 30


@pytest.mark.parametrize(
    ("moods", "message"),
    [
        (["429"], f"stayed busy \\({TRIES} tries\\)"),
        (["slow"], "did not answer in time"),
        (["400"], "refused \\(HTTP 400\\)"),
        (["remark"], "answered by half .*timed out"),
        (["good", "remark"], "answered by half"),
        (["cut"], "answered by half"),
        (["broken off"], "answer broke off"),
        (["no nodes"], "1 points of the roads are missing"),
        (["empty"], "no road there"),
    ],
)
def test_what_goes_wrong_is_one_message_and_no_file(service, tmp_path, moods, message):
    service.moods = moods
    with pytest.raises(InputError, match=message):
        fetch(tmp_path, place=None, study=county())
    assert list(tmp_path.iterdir()) == []


def test_places_that_are_none(service, tmp_path):
    service.places = []
    with pytest.raises(InputError, match="not found as an area"):
        fetch(tmp_path)
    service.places = [{"type": "Polygon", "coordinates": [[[100, 25], [110, 25], [110, 35], [100, 35], [100, 25]]]}]
    with pytest.raises(InputError, match="too large"):
        fetch(tmp_path)
    with pytest.raises(InputError, match="Import areas first"):
        fetch(tmp_path, place=None, study=new_study("县", CRS))


def test_nobody_listens(tmp_path, monkeypatch):
    for name in ("PLANNER_NOMINATIM", "PLANNER_OVERPASS"):
        monkeypatch.setenv(name, "http://127.0.0.1:9/")
    with pytest.raises(InputError, match="cannot be reached"):
        fetch(tmp_path)


def test_settings_are_as_before(service, tmp_path):
    import socket

    before = (osmnx.settings.overpass_url, dict(osmnx.settings.requests_kwargs), socket.getaddrinfo)
    service.moods = ["remark"]
    with pytest.raises(InputError):
        fetch(tmp_path)
    assert (osmnx.settings.overpass_url, dict(osmnx.settings.requests_kwargs), socket.getaddrinfo) == before


def test_waiting_can_be_cancelled(service, tmp_path):
    class Stop:
        def update(self, _done, _total, message=""):
            if message == "busy":
                raise CancelledError("stopped")

    service.moods = ["429"]
    with pytest.raises(CancelledError):
        fetch(tmp_path, progress=Stop())


def test_the_command_fetches_only_when_asked(service, tmp_path, planner):
    from planner.store import save_study

    study = tmp_path / "county.gpkg"
    save_study(county(), study)
    assert planner("import", study, "roads").code == 2
    assert service.questions == []
    assert planner("import", study, "demand", "--place", "贵溪市").code == 2
    answer = planner("import", study, "roads", "--within", "--json")
    assert answer.document["summary"]["n_ways"] == 2
    assert (tmp_path / "county-roads.osm").exists()
    named = tmp_path / "guixi.osm"
    assert planner("import", study, "roads", named, "--place", "贵溪市", "--json").code == 0
    assert named.exists()
