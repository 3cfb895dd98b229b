"""The scripts of findings/: their page is complete, and notebooks say what they saw."""

import os
import re

import pytest

from tools.findings import FOLDER, Finding, dated, findings, page
from tools.notebook import Notebook, find


def test_the_page_lists_every_script_with_what_it_installs() -> None:
    assert (FOLDER / "README.md").read_text(encoding="utf-8") == page()
    for each in findings():
        assert each.versions, each.path
        assert each.subject.endswith((".", "?")), each.path


@pytest.mark.parametrize("finding", findings(), ids=lambda each: each.path.stem)
def test_a_notebook_has_the_rows_of_a_script(finding: Finding) -> None:
    rows = re.findall(r"^\| .* \|$", finding.text, re.MULTILINE)
    said = [
        cell.source
        for path in find()
        for cell in Notebook.read(path).cells
        if f"findings/{finding.path.name}" in cell.source
    ]
    for row in rows:
        assert any(row in text for text in said), row


@pytest.mark.parametrize("finding", findings(), ids=lambda each: each.path.stem)
def test_a_script_runs_by_its_name_in_a_folder_of_its_own(finding: Finding) -> None:
    assert os.access(finding.path, os.X_OK)
    assert "folder=$(mktemp -d)" in finding.text
    assert "trap 'rm -rf \"$folder\"' EXIT" in finding.text


def test_a_date_is_renewed_behind_its_link_alone() -> None:
    prose = "[A](../a.sh) on 1 May 2026, [B](../b.sh) on 1 May 2026"
    renewed = "[A](../a.sh) on 2 June 2027, [B](../b.sh) on 1 May 2026"
    assert dated(prose, "a.sh", "2 June 2027") == renewed
