"""The browser app: `streamlit run app.py -- [STUDY.gpkg]`, or `planner app [STUDY.gpkg]`."""

from planner.ui.main import main

main()
