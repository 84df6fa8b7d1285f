"""What a refusal says can be done is done, word for word, and then the file is read."""

import pytest
import test_file_columns
import test_file_matrices
import test_formats
from doors import DOORS, Case, ways_out, written

LATIN = Case("a.csv", "name,a,b\nprune é,1,2\nlime,3,4\n".encode("latin-1"))
JSON = Case("a.txt", '{"id": "plum", "v": [1, 2]}\n{"id": "lime", "v": [3, 4]}\n')
PAIRS = Case("a.h5", test_formats.REFUSED["HDF5, two arrays"][1])


def refusals():
    """The files of all tables of doors that are to be refused, with their door."""
    for door, module in (("vectors", test_file_columns), ("matrix", test_file_matrices)):
        for name, case in module.CASES.items():
            if case.refused:
                yield pytest.param(door, case, id=f"{door}, {name}")
    for name, (file, content, _, *wishes) in test_formats.REFUSED.items():
        yield pytest.param("vectors", Case(file, content, wishes=wishes[0] if wishes else {}), id=name)
    for name, case in {"Latin": LATIN, "JSON called text": JSON}.items():
        yield pytest.param("vectors", case, id=name)


REFUSALS = list(refusals())


def refused(door, case, folder):
    """The file and what the door says of it."""
    path = written(case, folder)
    with pytest.raises((ValueError, MemoryError)) as error:
        DOORS[door](path, **case.wishes)
    return path, str(error.value)


@pytest.mark.parametrize(("door", "case"), REFUSALS)
def test_each_way_out_leads_on(door, case, tmp_path):
    path, message = refused(door, case, tmp_path)
    for way in ways_out(message, path):
        loaded = way()
        assert min(loaded[0].shape) > 0, message


@pytest.mark.parametrize(
    ("content", "ways"),
    [
        (test_file_columns.CASES["prices by day"], 2),
        (test_file_columns.CASES["samples with gaps"], 2),
        (test_file_columns.CASES["PHYLIP"], 1),
        (test_file_columns.CASES["GCT with an absurd count"], 1),
        (LATIN, 1),
        (JSON, 1),
        (PAIRS, 1),
    ],
)
def test_the_ways_are_found_in_the_message(content, ways, tmp_path):
    path, message = refused("vectors", content, tmp_path)
    assert len(ways_out(message, path)) == ways, message


def test_a_command_of_the_shell_and_how_many_refusals_there_are(tmp_path):
    assert len(REFUSALS) >= 80
    path, message = refused("matrix", test_file_matrices.CASES["pairs with more columns"], tmp_path)
    assert len(ways_out(message, path)) == 1
