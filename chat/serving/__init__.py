"""Copies of three files of the course: stopping, pings, and a log without keys."""
