"""What the course's speed claims rest on: run `python -m benchmarks --list`.

Benchmarks measure and print; they never fail for a number, because a number depends on
the machine. README.md beside this file has the last ones.
"""
