@echo off
rem Starts the browser app; a study file may be dropped on this icon.
setlocal
chcp 65001 >nul
if not exist "%~dp0.venv\Scripts\planner.exe" (
  echo 请先双击 install.bat 安装。 Double-click install.bat first.
  pause
  exit /b 1
)
start "" /min cmd /c "timeout /t 8 /nobreak >nul & start http://localhost:8501"
"%~dp0.venv\Scripts\planner" app %*
pause
