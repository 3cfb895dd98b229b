"""What run.py starts: the reader's copies, and a maintainer's tools for notebooks."""
