"""The site: `python3 run.py site` builds it from the notebooks, as they are stored."""
