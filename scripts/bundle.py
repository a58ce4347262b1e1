"""Folders that install the planner on machines without internet: wheels, start scripts, instructions.

usage: python scripts/bundle.py [--python 3.11] [--out dist/bundle]

Makes `practice-circle-planner-<version>-linux` and `-windows` (x86-64) and tries the Linux one with the network off.
The wheels fit one version of Python: by default that which runs this script.
"""

from __future__ import annotations

import argparse
import email.parser
import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[1]
NAME, EXTRA = "practice-circle-planner", "all"
# glibc 2.28 is what Kylin V10, UOS 20, Debian 10 and RHEL 8 have: wheels for it or anything older.
LINUX = [*(f"manylinux_2_{minor}_x86_64" for minor in range(28, 4, -1)), "manylinux2014_x86_64"]
SYSTEMS = {
    "linux": (LINUX, {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix",
                      "platform_machine": "x86_64"}),
    "windows": (["win_amd64"], {"sys_platform": "win32", "platform_system": "Windows", "os_name": "nt",
                                "platform_machine": "AMD64"}),
}  # fmt: skip
FILES = {"linux": ("install.sh", "start.sh"), "windows": ("install.bat", "start.bat")}


def main() -> None:
    """Build both folders, then install the Linux one with no network and run the app from it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=f"{sys.version_info.major}.{sys.version_info.minor}")
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "bundle")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        pip("wheel", "--no-deps", "--wheel-dir", scratch, str(ROOT))
        (own,) = Path(scratch).glob("*.whl")
        folders = {system: build(system, own, chosen.python, chosen.out) for system in SYSTEMS}
    for folder in folders.values():
        print(f"{folder}: {sum(1 for _ in folder.glob('wheels/*'))} wheels, {size_mb(folder):.0f} MB")
    try_offline(folders["linux"], chosen.python)


def build(system: str, own: Path, python: str, out: Path) -> Path:
    """Make the folder of one system from our wheel and everything it needs there; return it."""
    version = str(parse_wheel_filename(own.name)[1])
    folder = out / f"{NAME}-{version}-{system}"
    shutil.rmtree(folder, ignore_errors=True)
    wheels = folder / "wheels"
    wheels.mkdir(parents=True)
    shutil.copy(own, wheels)
    platforms, markers = SYSTEMS[system]
    # pip reads the conditions of requirements ("only on Windows") for the machine it runs on, so what only the other
    # system needs is asked for by name until nothing is missing.
    wanted = [f"{NAME}[{EXTRA}]=={version}"]
    while wanted:
        pip(
            "download", "--quiet", "--dest", str(wheels), "--find-links", str(wheels), "--only-binary", ":all:",
            "--python-version", python, "--implementation", "cp",
            *(word for platform in platforms for word in ("--platform", platform)),
            *wanted,
        )  # fmt: skip
        wanted = missing(wheels, {**markers, "python_version": python, "python_full_version": f"{python}.0",
                                  "implementation_name": "cpython", "platform_python_implementation": "CPython"})  # fmt: skip
    for name in FILES[system]:
        ends = "\r\n" if name.endswith(".bat") else "\n"
        words = (ROOT / "scripts" / "bundle" / name).read_text(encoding="utf-8")
        (folder / name).write_text(words, encoding="utf-8", newline=ends)
    shutil.copy(ROOT / "docs" / "install.md", folder)
    shutil.copy(ROOT / "LICENSE", folder)
    (folder / "python-version.txt").write_text(f"{python}\n", encoding="ascii")
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  wheels/{path.name}" for path in sorted(wheels.iterdir())]
    (folder / "SHA256SUMS").write_text("\n".join(sums) + "\n", encoding="ascii")
    return folder


def missing(wheels: Path, environment: dict[str, str]) -> list[str]:
    """Return the requirements of a folder of wheels that hold in `environment` and that no wheel of it meets."""
    have = {parse_wheel_filename(path.name)[0] for path in wheels.iterdir()}
    needs: dict[str, str] = {}
    extras = {canonicalize_name(NAME): {EXTRA}}
    asked = None
    while asked != extras:  # an extra may ask for further extras
        asked = {name: set(words) for name, words in extras.items()}
        for path in wheels.iterdir():
            name = parse_wheel_filename(path.name)[0]
            for need in requirements(path):
                wanted_by = ({"extra": extra, **environment} for extra in ("", *extras.get(name, ())))
                if need.marker is None or any(need.marker.evaluate(each) for each in wanted_by):
                    key = canonicalize_name(need.name)
                    extras.setdefault(key, set()).update(need.extras)
                    if key not in have:
                        needs[key] = f"{need.name}{need.specifier}"
    return sorted(needs.values())


def requirements(wheel: Path) -> Iterable[Requirement]:
    """Yield what a wheel says it needs."""
    with zipfile.ZipFile(wheel) as archive:
        (metadata,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        words = email.parser.BytesHeaderParser().parsebytes(archive.read(metadata))
    return [Requirement(line) for line in words.get_all("Requires-Dist", [])]


def try_offline(folder: Path, python: str) -> None:
    """Install the folder where no network can be reached, run the demo there and open the app's first page."""
    alone = ["unshare", "--net", "--map-root-user"]
    if shutil.which("unshare") is None or subprocess.run([*alone, "true"], check=False, capture_output=True).returncode:
        print("Skipped: this machine does not let one switch the network off (unshare); the bundle was not tried.")
        return
    command = [sys.executable, __file__, "--inside"]
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "planner"
        shutil.copytree(folder, copy)
        subprocess.run([*alone, *command], check=True, cwd=copy, env={**os.environ, "PYTHON": shutil.which(f"python{python}") or sys.executable})  # fmt: skip
    print("Tried with the network off: installed, ran the demo county, opened the app.")


def inside() -> None:
    """What is done in a copy of the folder, without any network but the machine's own loop."""
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    if [name for _, name in socket.if_nameindex()] != ["lo"]:
        raise SystemExit("The network is not off.")
    subprocess.run(["sh", "install.sh"], check=True)
    subprocess.run([".venv/bin/planner", "demo", "--out", "demo-out"], check=True)
    app = subprocess.Popen(["sh", "start.sh", "demo-out/county.gpkg"], start_new_session=True)
    try:
        for _ in range(60):
            time.sleep(1)
            try:
                with urllib.request.urlopen("http://localhost:8501/_stcore/health", timeout=5) as answer:
                    if answer.status == 200:
                        return
            except urllib.error.URLError:
                continue
        raise SystemExit("The app did not answer within a minute.")
    finally:
        os.killpg(app.pid, signal.SIGTERM)  # the script, the command and the server it started
        app.wait()


def pip(*words: str) -> None:
    subprocess.run([sys.executable, "-m", "pip", "--disable-pip-version-check", *words], check=True)


def size_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


if __name__ == "__main__":
    inside() if sys.argv[1:] == ["--inside"] else main()
