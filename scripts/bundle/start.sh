#!/bin/sh
# 启动浏览器界面；可带研究文件：sh start.sh county.gpkg
# Starts the browser app; a study may be named: sh start.sh county.gpkg
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ -x "$here/.venv/bin/planner" ] || { echo "请先运行 sh install.sh    Run first: sh install.sh" >&2; exit 1; }
exec "$here/.venv/bin/planner" app "$@"
