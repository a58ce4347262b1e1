"""The Streamlit app: one file a page, each calling the public API."""
