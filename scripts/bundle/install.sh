#!/bin/sh
# 安装：在本文件夹建立 .venv，只用 wheels 里的文件，不联网。
# Installs into .venv of this folder from wheels only; nothing is fetched.
set -eu
cd "$(dirname "$0")"
version=$(cat python-version.txt)
python=${PYTHON:-python$version}
command -v "$python" >/dev/null 2>&1 || {
    echo "需要 Python $version。请先安装，或指定：PYTHON=/路径/python3 sh install.sh" >&2
    echo "Python $version is needed. Install it first, or name it: PYTHON=/path/python3 sh install.sh" >&2
    exit 1
}
"$python" -m venv .venv
.venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --find-links wheels "practice-circle-planner[all]"
.venv/bin/planner --version
echo "安装完成。启动：sh start.sh    Installed. Start with: sh start.sh"
