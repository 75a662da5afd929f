"""The record of the page of full data sets: section by section, what its tables show."""

import json
import os

import nbformat
import pytest

from tools import full_size
from tools.notebooks import executed_cells

PAGE = full_size.sections(nbformat.read(full_size.ROOT / full_size.PAGE, as_version=4))


@pytest.fixture
def root(tmp_path, monkeypatch):
    """A small page of four sections, of which the last fails."""
    new = nbformat.v4
    cells = [new.new_code_cell("from lllcourse import scale, table", id="start"), new.new_markdown_cell("## The data")]
    cells += [new.new_code_cell("data = 'MNIST & more'\ntable(['size'], [[5]])", id="data")]
    for name in ("Tickets", "Bits"):
        cells.append(new.new_markdown_cell(f"## {name} in LeNet\n\nText."))
        code = f"{name} = 0.5\ntable(['', 'accuracy'], [[data, {name}]], f'{{scale}} <{name}>')"
        cells.append(new.new_code_cell(code, id=f"{name}-table"))
    cells += [new.new_markdown_cell("## Photos"), new.new_code_cell("1 / 0", id="photos")]
    for folder in ("book/guides", "lllcourse/results"):
        (tmp_path / folder).mkdir(parents=True)
    nbformat.write(new.new_notebook(cells=cells), tmp_path / full_size.PAGE)
    monkeypatch.setattr(os, "environ", os.environ.copy())
    return tmp_path


def record(root):
    return json.loads((root / "lllcourse/results/full_size.json").read_text("utf-8"))


def test_the_sections_that_are_named_are_run_at_the_gpu_scale_and_the_others_kept(root):
    full_size.main(["Tickets"], root)
    tickets = record(root)
    assert list(tickets) == ["Tickets-table"]
    assert tickets["Tickets-table"]["caption"] == "gpu <Tickets>"
    assert tickets["Tickets-table"]["header"] == ["", "accuracy"]
    assert tickets["Tickets-table"]["rows"] == [["MNIST & more", "0.500"]]
    assert {"machine", "torch"} < set(tickets["Tickets-table"])
    full_size.main(["Bits"], root)
    assert record(root) == tickets | {"Bits-table": record(root)["Bits-table"]}


def test_what_cannot_be_run_is_an_error_and_loses_nothing(root):
    full_size.main(["Tickets"], root)
    before = record(root)
    with pytest.raises(Exception, match="ZeroDivisionError"):
        full_size.main([], root)
    assert record(root) == before


def test_every_cell_of_the_page_is_in_a_section_and_every_recorded_table_is_on_it():
    ids = {cell["id"] for cell in executed_cells(full_size.ROOT / full_size.PAGE)}
    assert ids == {c.id for cells in PAGE.values() for c in cells if c.cell_type == "code"} - {"bootstrap"}
    assert set(record(full_size.ROOT)) <= ids
