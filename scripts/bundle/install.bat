@echo off
rem Installs into .venv of this folder from wheels only; nothing is fetched.
setlocal
chcp 65001 >nul
cd /d "%~dp0"
set /p VERSION=<python-version.txt
py -%VERSION% -c "" 2>nul || (
  echo 需要 64 位 Python %VERSION%，请先安装。 64-bit Python %VERSION% is needed: install it first.
  pause
  exit /b 1
)
py -%VERSION% -m venv .venv || goto failed
.venv\Scripts\python -m pip install --quiet --disable-pip-version-check --no-index --find-links wheels "practice-circle-planner[all]" || goto failed
.venv\Scripts\planner --version || goto failed
echo 安装完成，双击 start.bat 启动。 Installed. Double-click start.bat to start.
pause
exit /b 0
:failed
echo 安装未完成，请把以上文字发给维护人员。 Not installed: send the words above to whoever maintains it.
pause
exit /b 1
