"""Roads to links: lines, OpenStreetMap extracts and downloads, joined where they meet, several layers merged."""
