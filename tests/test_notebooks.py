"""The notebooks as documents: what each must have, and exercises that can be done and cannot be skipped."""

import ast
import asyncio
import base64
import importlib
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient
from sklearn.metrics import adjusted_rand_score

import simlib
from simlib import correlation, kmedoids, load

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "notebooks"
PATHS = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
RUNTIMES = json.loads((FOLDER / "runtimes.json").read_text(encoding="utf-8"))
PROMISES = ("You will make", "You will be able to", "You need", "Runs in")

sys.path.insert(0, str(FOLDER))
try:
    maker = importlib.import_module("make_exercises")
    run = importlib.import_module("run")
    checks_01 = importlib.import_module("checks_01")
finally:
    sys.path.pop(0)


@pytest.fixture(params=PATHS, ids=lambda path: path.stem)
def path(request):
    return request.param


@pytest.fixture
def notebook(path):
    return nbformat.read(path, 4)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def text(notebook):
    return "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


def tagged(notebook, tag):
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", ())]


def has_picture(cell):
    return any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))


def lines(source):
    return [line for line in source.splitlines() if line.strip()]


def headings(path):
    """The anchors that a page of this document has, as JupyterLab makes them."""
    source = text(nbformat.read(path, 4)) if path.suffix == ".ipynb" else path.read_text(encoding="utf-8")
    return {heading.strip().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", source, flags=re.M)}


# how it opens and closes


def test_numbered_without_a_gap():
    assert [path.stem[:2] for path in PATHS] == [f"{i:02d}" for i in range(len(PATHS))]
    assert len(PATHS) >= 5


def test_opens_with_a_title_a_finding_and_four_promises(notebook):
    first, second = notebook.cells[:2]
    title, empty, *finding = first.source.splitlines()
    assert title.startswith("# ")
    assert not empty
    assert len(" ".join(finding)) > 60
    assert re.findall(r"^- \*\*(.+?)\*\*", second.source, flags=re.M) == list(PROMISES)


def test_closes_with_what_was_learnt_three_exercises_fine_print_and_next(notebook):
    order = ["## What you can now say", "## Exercises", "## Fine print", "**Next:**"]
    places = [text(notebook).find(part) for part in order]
    assert min(places) > 0, dict(zip(order, places, strict=True))
    assert places == sorted(places)
    said = re.findall(r"^- ", text(notebook)[places[0] : places[1]], flags=re.M)
    assert 3 <= len(said) <= 5


# cells


def test_neither_too_few_cells_nor_too_long(notebook):
    story = next(i for i, cell in enumerate(notebook.cells) if "## What you can now say" in cell.source)
    assert 15 <= story <= 55
    sizes = [
        len(lines(cell.source)) for cell in code(notebook) if not {"solution"} & set(cell.metadata.get("tags", ()))
    ]
    assert max(sizes) <= 20
    assert sum(size <= 10 for size in sizes) > 0.7 * len(sizes)


def test_imports_alone_then_parameters_alone(notebook):
    imports, parameters, *rest = (ast.parse(cell.source).body for cell in code(notebook))
    assert all(isinstance(node, ast.Import | ast.ImportFrom) for node in imports)
    assert all(name.name != "*" for node in imports for name in node.names)
    for node in parameters:  # NAME = value, or a call that sets the style
        constant = isinstance(node, ast.Assign) and all(target.id.isupper() for target in node.targets)
        assert constant or (isinstance(node, ast.Expr) and "style" in ast.unparse(node)), ast.unparse(node)
    later = [node for body in rest for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
    assert all(re.fullmatch(r"checks_\d\d", getattr(node, "module", "")) for node in later)


def test_nothing_is_installed_and_no_path_is_bent(notebook):
    for cell in code(notebook):
        assert not re.search(r"^\s*[!%]|sys\.path|chdir", cell.source, flags=re.M), cell.source


def test_sentences_are_short(notebook):
    """At most 28 words, a piece of code counted as one."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text(notebook))
    for paragraph in re.split(r"\n\s*\n|\n(?=- |#|\|)", re.sub(r"`[^`]*`", "code", plain)):
        for sentence in re.split(r"(?<=[.!?:])[\"*)]*\s+", paragraph.replace("\n", " ")):
            assert len(re.findall(r"[\w'’−-]+", sentence)) <= 28, sentence


def test_powers_are_formulas(notebook):
    """The page drops <sup> and <sub>: 2<sup>24</sup> would read 224."""
    assert not re.search(r"</?su[bp]>", text(notebook))


def test_cells_to_show_in_a_talk(path, notebook):
    if path.stem[:2] in ("01", "02", "03", "04"):
        assert 6 <= len(tagged(notebook, "demo")) <= 10


# outputs


def test_counts_run_from_one_to_n(notebook):
    assert [cell.execution_count for cell in code(notebook)] == list(range(1, len(code(notebook)) + 1))


def test_no_errors_and_nothing_on_stderr(notebook):
    outputs = [output for cell in code(notebook) for output in cell.outputs]
    assert all(output.output_type != "error" for output in outputs)
    assert all(output.get("name") != "stderr" for output in outputs)


def test_under_a_megabyte(path):
    assert path.stat().st_size < 1_000_000


def test_runs_in_what_it_promises(path, notebook):
    """Seconds within a factor of two of those that `make notebooks` measured, memory no less and not twice as much."""
    promise = re.search(r"\*\*Runs in\*\* about ([\d.]+) s\b.*?([\d.]+) GB", notebook.cells[1].source)
    seconds, gigabytes = map(float, promise.groups())
    measured = RUNTIMES[path.stem]
    assert measured["seconds"] / 2 <= seconds <= measured["seconds"] * 2
    assert measured["gigabytes"] * 0.9 <= gigabytes <= max(measured["gigabytes"] * 2, 1)


def said(number, pattern):
    """The numbers that a pattern finds in what the stored notebook printed."""
    (path,) = FOLDER.glob(f"{number}_*.ipynb")
    outputs = [output for cell in code(nbformat.read(path, 4)) for output in cell.outputs]
    printed = "".join(output.text for output in outputs if output.output_type == "stream")
    found = re.search(pattern, printed)
    assert found, f"{pattern} stands nowhere in what {path.name} printed"
    return [float(each) for each in found.groups()]


def test_what_the_words_of_notebook_02_say_is_what_it_printed():
    assert said("02", r"from (\d+) of (\d+) starts\nswaps arrive") == [56, 84]  # fails from one start in three
    assert said("02", r"swaps arrive at the best from (\d+) of 84") == [84]
    assert said("02", r"3 medoids, one price for all: +no choice is below ([\d.]+)") == [6]
    assert said("02", r"2 medoids, one price for all: +no choice is below ([\d.]+)") == [16]
    assert 16 < said("02", r"a price for each: +no choice is below ([\d.]+), and the best has 17")[0] <= 17
    assert 0.3 < said("02", r'init="build": [\d.]+, at most ([\d.]+) %')[0] < 0.36  # about a third of a percent
    moved = r"differ by ([\d.]+) %\n(\d+) % of the words have another exemplar, (\d+) % are in another cluster"
    assert said("02", moved) == [0.013, 23, 15]
    assert said("02", r"the idea: (\d+) times as fast")[0] > 20
    assert said("02", r"2 medoids, one price .* first at the price ([\d.]+)") == [4]
    assert said("02", r"3 leaves: removal (\d+) - gain (\d+) - saved (\d+) = -(\d+)") == [2, 14, 1, 13]
    thief, stealing = said("02", r"thief: certainty .*: thief \((\d)\), stealing \((\d)\)")
    assert thief == stealing == 5
    assert said("02", r"wine: certainty .*: wine \((\d+)\)") == [10]
    above = [said("02", rf"start {seed}: .*the loop is ([\d.]+) % above")[0] for seed in range(3)]
    assert 10 < min(above) <= max(above) < 12  # 00 says about eleven percent


def test_what_the_words_of_notebook_04_say_is_what_it_printed():
    assert 4 < said("04", r"clusters 0.360, ([\d.]+) times")[0] < 5
    dealt, shuffled = said("04", r"dealt ([\d.]+), clusters .*\nclusters of shuffled numbers ([\d.]+)")
    assert dealt < shuffled < 1.5 * dealt  # hardly closer than dealt groups
    assert said("04", r"below 0: (\d+) % of the words") == [29]
    warned = said("04", "(?s)" + ".*".join(rf"{word}: .*?; (\d+) clusters" for word in ALIKE))
    assert warned[0] < 20
    assert min(warned[1:]) > 256  # they look better than most of 512


ALIKE = ("impishness", "untidiness", "prednisone")  # they begin as their clusters do


def test_what_the_words_of_notebook_00_say_is_what_it_printed():
    assert said("00", r"trout stands for (\d+)(?:.*\n)thief stands for (\d+)") == [57, 50]
    assert said("00", r"S \(20000, 20000\) ([\d.]+) GB") == [1.6]


# figures


def test_every_figure_has_a_caption_that_says_what_to_look_at(notebook):
    """The caption is the picture's alternative text in the page, so it must say something without the picture."""
    number = 0
    for cell, after in zip(notebook.cells, notebook.cells[1:], strict=False):
        if has_picture(cell):
            number += 1
            caption = re.match(r"\*Figure (\d+)\.\* (.+)", after.source)
            assert caption, cell.source
            assert int(caption[1]) == number
            assert len(caption[2]) > 80, caption[2]


def test_every_figure_has_a_title_and_labelled_axes(notebook):
    """`simlib.plots` labels the axes itself (tests/test_plots.py); a picture made by hand must do it in its cell.

    So may a function that an earlier cell defines.
    """
    labelling = {
        node.name
        for cell in code(notebook)
        for node in ast.parse(cell.source).body
        if isinstance(node, ast.FunctionDef) and "xlabel" in ast.unparse(node)
    }
    for cell in filter(has_picture, code(notebook)):
        assert re.search(r"title", cell.source), cell.source
        if not re.search(r"\bplots\.\w+\(", cell.source) and not labelling & set(re.findall(r"(\w+)\(", cell.source)):
            assert re.search(r"xlabel|xticks=\[\]|axis\(\"off\"\)", cell.source), cell.source


# links


def test_links_lead_somewhere(path, notebook):
    for target in re.findall(r"\]\(([^)\s]+)\)", text(notebook)):
        if re.match(r"https?:", target):
            continue
        name, _, anchor = target.partition("#")
        there = (FOLDER / name) if name else path
        assert there.exists(), target
        assert not anchor or anchor in headings(there), target


# exercises


WITH_SOLUTIONS = [path for path in PATHS if maker.solutions(nbformat.read(path, 4))]


def test_three_exercises_read_change_build(notebook):
    part = text(notebook).partition(maker.HEADING)[2].partition("\n## ")[0]
    assert re.findall(r"\*\*?(\d)\. (\w+)\.\*\*?|^(\d)\. \*(\w+)\.\*", part, flags=re.M)
    if solutions := maker.solutions(notebook):
        assert re.findall(r"^\*\*(\d)\. (\w+)\.\*\*", part, flags=re.M) == [
            ("1", "Read"),
            ("2", "Change"),
            ("3", "Build"),
        ]
        assert len(solutions) == len(tagged(notebook, "check")) == 3


def test_the_exercises_are_those_of_the_notebooks(tmp_path):
    """`make exercises` was run and nobody edited what it wrote."""
    maker.main(tmp_path)
    fresh = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    stored = {file.name: file.read_bytes() for file in (FOLDER / "exercises").glob("*.*")}
    assert fresh == stored


@pytest.mark.parametrize("path", WITH_SOLUTIONS, ids=lambda path: path.stem)
def test_no_solution_leaks(path):
    for file in (FOLDER / "exercises").glob("*.ipynb"):
        given = [line.strip() for cell in nbformat.read(file, 4).cells for line in cell.source.splitlines()]
        for solution in maker.solutions(nbformat.read(path, 4)):
            shown = [line.strip() for line in maker.blank(solution.source).splitlines()]
            for line in lines(solution.source):
                secret = not line.startswith("#") and line.strip() not in shown
                assert not (secret and line.strip() in given), f"{file.name} gives away: {line}"


@pytest.mark.parametrize("path", WITH_SOLUTIONS, ids=lambda path: path.stem)
def test_blanks_fail_their_checks_and_solutions_pass(path):
    """The generated notebook, run where it lies: each check after the blank, then after the solution."""
    solutions = iter(maker.solutions(nbformat.read(path, 4)))
    trial = nbformat.read(FOLDER / "exercises" / path.name, 4)
    cells = []
    for cell in trial.cells:
        cells.append(cell)
        if "check" in cell.metadata.get("tags", ()):
            cell.metadata.tags = ["check", "raises-exception"]
            cells += [nbformat.v4.new_code_cell(next(solutions).source), nbformat.v4.new_code_cell(cell.source)]
    trial.cells = cells
    where = {"metadata": {"path": str(FOLDER / "exercises")}}
    asyncio.run(NotebookClient(trial, timeout=300, kernel_name="python3", resources=where).async_execute())
    for i, cell in enumerate(cells):
        if "check" in cell.metadata.get("tags", ()):
            (failure,) = [output for output in cell.outputs if output.output_type == "error"]
            assert failure.ename == "AssertionError", failure
            assert len(failure.evalue) > 30
            assert failure.traceback == [failure.evalue]  # the check's own lines would give the answer away
            assert "".join(output.get("text", "") for output in cells[i + 2].outputs).startswith("right: ")


def test_a_solution_without_its_blank_is_refused():
    with pytest.raises(ValueError, match="begins with its blank"):
        maker.blank("# the answer\nanswer_1 = 42")


def test_an_exercise_brings_what_it_needs_and_no_more():
    new, cell = nbformat.v4.new_markdown_cell, nbformat.v4.new_code_cell
    cells = [
        new("# Count\n\nmuch"),
        cell("import math"),
        cell("N = 3"),
        cell("unused = [j for j in range(N)]\nfor word in 'ab':\n    pass"),
        cell("many = list(range(N))"),
        cell("def double(x):\n    return [2 * i for i in many if i < x]"),
        new("## Exercises\n\nSee [01](01_x.ipynb).\n\nTry them in [the exercises](exercises/07_count.ipynb) first."),
        new("**1. Read.** How many has `double`?"),
        cell("# answer_1 = ...  <- a number\nanswer_1 = 42", metadata={"tags": ["solution"]}),
        cell("for word in [answer_1]:\n    print(word)", metadata={"tags": ["check"]}),
        new("## Fine print"),
    ]
    made = maker.exercises(nbformat.v4.new_notebook(cells=cells), "07_count.ipynb").cells
    assert [c.source for c in made[1:5]] == [cells[i].source for i in (1, 2, 4, 5)]
    assert made[5].source == "## Exercises\n\nSee [01](../01_x.ipynb)."
    assert made[7].source == "answer_1 = ...  # a number"
    assert made[-1].source == cells[9].source
    assert "[07](../07_count.ipynb)" in made[0].source


# make run, make notebooks


def test_storing_twice_gives_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "HERE", tmp_path)
    monkeypatch.setattr(run, "RUNTIMES", tmp_path / "runtimes.json")
    cells = [nbformat.v4.new_code_cell("from matplotlib import pyplot as plt\n_ = plt.plot([1, 2])", id="a")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path := tmp_path / "03_two.ipynb")
    run.store([path])
    first = path.read_bytes()
    took = json.loads((tmp_path / "runtimes.json").read_text())["03_two"]
    assert took.keys() == {"seconds", "gigabytes"}
    assert took["gigabytes"] > 0
    run.store([path])
    assert path.read_bytes() == first
    assert sorted(file.name for file in tmp_path.iterdir()) == ["03_two.ipynb", "runtimes.json"]


def test_ctrl_c_ends_the_run_in_one_line_and_the_notebook_is_untouched(tmp_path):
    cells = [nbformat.v4.new_code_cell("open('begun', 'w').close()\nimport time\ntime.sleep(600)", id="a")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path := tmp_path / "03_long.ipynb")
    before = path.read_bytes()
    shutil.copy(FOLDER / "run.py", tmp_path)
    process = subprocess.Popen(
        [sys.executable, tmp_path / "run.py", "--store", "03"],
        cwd=ROOT,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored where a shell runs it behind
    )
    deadline = time.monotonic() + 60
    while not (tmp_path / "begun").exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    said = process.communicate(timeout=30)[1]
    assert process.returncode == 130
    assert said.endswith("\nstopped; what is already written is whole\n")
    assert "Traceback" not in said
    assert path.read_bytes() == before
    assert sorted(file.name for file in tmp_path.iterdir() if file.is_file()) == ["03_long.ipynb", "begun", "run.py"]


def test_the_files_of_a_run_are_told_and_no_older_ones(tmp_path):
    (tmp_path / "figures").mkdir()
    (tmp_path / "empty").mkdir()
    for name in ("b.csv", "a.html", "old.csv", "figures/1.png"):
        (tmp_path / name).touch()
    began = (tmp_path / "b.csv").stat().st_mtime
    os.utime(tmp_path / "old.csv", (began - 60, began - 60))
    told = run.written(tmp_path, began).split("\n")
    folders = (tmp_path, tmp_path / "figures")
    first, second = (f"written to {folder}:" for folder in folders)
    assert told == ["", first, "  a.html, b.csv", "", second, "  1.png"]


def test_no_notebook_writes_over_what_the_run_itself_writes():
    own = re.findall(r'folder / "(\w+\.\w+)"', (FOLDER / "run.py").read_text(encoding="utf-8"))
    assert "words.csv" in own
    for path in FOLDER.glob("[0-9]*.ipynb"):
        code = [cell.source for cell in nbformat.read(path, 4).cells if cell.cell_type == "code"]
        assert not [name for name in own if name != "atlas.html" and f'"{name}"' in "\n".join(code)], path.name


def test_lighter_pictures_look_the_same():
    from matplotlib import pyplot as plt
    from PIL import Image

    fig, ax = plt.subplots()
    ax.imshow(np.random.default_rng(0).random((50, 50)))
    fig.savefig(buffer := io.BytesIO(), format="png")
    plt.close(fig)
    png = base64.b64encode(buffer.getvalue()).decode()
    output = nbformat.v4.new_output("display_data", {"image/png": png})
    small = run.lighter(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("", outputs=[output])]))
    after = base64.b64decode(small.cells[0].outputs[0].data["image/png"])
    before, now = (
        np.asarray(Image.open(io.BytesIO(each)).convert("RGB"), float) for each in (buffer.getvalue(), after)
    )
    assert len(after) < 0.7 * len(buffer.getvalue())
    assert abs(before - now).max() < 8  # of 255


def test_measurements_are_kept_while_they_hold(tmp_path, monkeypatch):
    monkeypatch.setattr(run, "RUNTIMES", tmp_path / "runtimes.json")
    path, notebook = tmp_path / "03_two.ipynb", nbformat.v4.new_notebook()
    for seconds, kept in [(10, 10), (12, 10), (8, 10), (15, 15), (16, 15)]:
        took = {"seconds": seconds, "gigabytes": 1.0}
        monkeypatch.setattr(run, "executed", lambda paths, took=took: [(path, notebook, took)])
        run.store([path])
        assert json.loads((tmp_path / "runtimes.json").read_text())["03_two"]["seconds"] == kept


@pytest.mark.parametrize("name", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])
def test_no_name_in_clusters_csv_is_a_formula(name):
    assert run.numbers.cell(name) == "'" + name
    assert run.numbers.cell("a" + name) == "a" + name


# notebooks 00, 02 and 07: their numbers, and the cells with which each ends


def test_what_00_says_of_hdbscan_is_what_it_printed():
    line = r"{} +{} +(\d+) +(\d+)% +(\d+)%"
    _, heap, _ = said("00", line.format("five directions", 5))
    assert heap > 80
    many, _, left_out = said("00", line.format("the map", 5))
    assert 770 < many < 790
    assert 30 < left_out < 40
    for what in ("five directions", "the map"):
        _, heap, left_out = said("00", line.format(what, 15))
        assert max(heap, left_out) >= 90


def test_what_the_words_of_notebook_07_say_is_what_it_printed():
    (stored,) = said("07", r"of which ([\d.]+) % is stored")
    assert stored < 1
    without, told = said("07", r"pixels alone .*takes k = (\d+) .*\nwith the digits: .*takes k = (\d+) ")
    assert (without, told) == (14, 3)
    before, after = said("07", r"pixels alone .*: ([\d.]+); .*\nwith the digits: .*: ([\d.]+); ")
    assert before + 0.1 < after  # they agree better because they were told
    assert said("07", r"called label: (\d+) columns .*\na column called digit: (\d+) columns") == [64, 65]
    assert said("07", r"(\d+) of 40 items have missing numbers") == [40]
    assert said("07", r"right: (\d+) of \d+. They had to go somewhere")[0] > 0
    digits = load("digits")
    fit = kmedoids((15 * digits.vectors).astype(np.uint8), 10, metric="cosine", init="build")
    first_row = digits.categories[fit.labels == fit.sizes.argmax()].tolist()
    assert min(first_row.count("1"), first_row.count("8")) > 0.35 * len(first_row)


def test_the_sectors_of_notebook_07_are_found_by_returns_and_not_by_prices():
    """Its prices are made by the cell that it shows; here ten tables, two times as many as there."""
    (path,) = FOLDER.glob("07_*.ipynb")
    (cell,) = [cell.source for cell in code(nbformat.read(path, 4)) if "def made_prices" in cell.source]
    names = {"np": np, "pd": importlib.import_module("pandas"), "SECTORS": ("bank", "chip", "drug", "fuel")}
    exec(cell.partition("\n\n\nmade_prices")[0], names)
    sectors = np.repeat(np.arange(4), 10)
    for seed in range(10):
        prices = names["made_prices"](seed)
        assert 0.005 < prices.isna().to_numpy().mean() < 0.015
        prices = prices.ffill()
        for frame, low, high in [(prices, -0.1, 0.5), (np.log(prices).diff().iloc[1:], 0.9, 1.1)]:
            fit = kmedoids(correlation(frame.T.to_numpy()), 4, init="build")
            assert low < adjusted_rand_score(sectors, fit.labels) < high


ENDING = "Put your own file's name into the first one. Notebook 07 shows sentences, images and prices."


def test_ends_with_the_cells_now_yours(notebook):
    assert len(notebook.cells) <= 45
    (at,) = [i for i, cell in enumerate(notebook.cells) if cell.source.startswith("## Now yours")]
    told, load, step, last = notebook.cells[at : at + 4]
    assert told.source.startswith("## Now yours\n\nThese cells do this notebook's step on other data: ")
    assert told.source.endswith(ENDING)
    assert 'simlib.load("digits")' in load.source
    assert 'simlib.load_vectors("my.csv")' in load.source
    assert 1 <= len(lines(step.source)) <= 5
    assert re.match(r"(?:\*Figure \d+\.\* .+\n\n)?## Fine print", last.source)


# notebooks 01, 04, 08 and 09: their numbers, and the check that counts products


def test_what_the_words_of_notebook_01_say_is_what_it_printed():
    assert 10 < said("01", r"all 400,000,000 pairs: about (\d+) minutes")[0] < 120  # busy or not
    loops, broadcasting, outer, whole, half, ours = said(
        "01",
        r"two loops ([\d.]+) s, broadcasting ([\d.]+) s, outer products ([\d.]+) s, "
        r"whole product ([\d.]+) s, half, NumPy ([\d.]+) s, half, simlib ([\d.]+) s",
    )
    assert loops < 7 * min(broadcasting, outer)  # in the same range
    assert min(loops, broadcasting, outer) > 80 * max(whole, half, ours)
    whole, half, ours = said(
        "01", r"(?m)^whole product ([\d.]+) s, half, NumPy ([\d.]+) s, half, simlib ([\d.]+) s"
    )  # 20,000 words
    assert half > max(whole, ours)
    table = (ROOT / "benchmarks" / "RESULTS.md").read_text(encoding="utf-8")
    simlib_took, numpy_took = (
        float(re.search(rf"cosine matrix, fresh array \| {name} \| ([\d.]+)", table)[1])
        for name in ("simlib", r"NumPy `u @ u\.T`")
    )
    assert (round(simlib_took, 1), round(numpy_took, 1)) == (0.6, 1.0)
    assert "cosine matrix, fresh array | torch `normalize`, `u @ u.T` | 1.90 |" in table
    assert said("01", r"scaled last: ([\d.]+) % are the float64 number, rounded once") == [100]
    row_by_row, at_once = said("01", r"row by row ([\d.]+) s, all at once ([\d.]+) s")
    assert 3 * row_by_row < at_once
    assert said("01", r"n = 20,000: the stack takes +([\d.]+) GB, the result +([\d.]+) GB") == [614.4, 1.6]


def test_what_the_words_of_notebook_08_say_is_what_it_printed():
    assert said("08", r"1/sqrt\(d\) = ([\d.]+); .*\nrandom directions mean 0.000, sd ([\d.]+)") == [0.051, 0.051]
    mean, closest = said("08", r"mean of any two .* words ([\d.]+); the closest pair, multi.* has ([\d.]+)")
    assert (mean, closest) == (0.082, 0.9753)
    chance, above, word, rare = said(
        "08", r"random .* largest ([\d.]+), above 0.3: ([\d.]+) %\nwords .* largest ([\d.]+), above 0.3: ([\d.]+) %"
    )
    assert (above, rare) == (0, 2)
    assert chance < 0.3 < word
    assert said("08", r"([\d]+),(\d+) of the 20,000 words have a nearest") > [19, 900]
    assert said("08", r"cosine_similarity moves by ([\d.]+) .*\ncorrelation +moves by ([\d.]+)") == [0.17, 0]
    assert said("08", r"direct ([\d.]+), by b .* = ([\d.]+)\nangle: +direct (\d+), by b (\d+)") == [1, 0.586, 90, 45]


def test_what_the_words_of_notebook_09_say_is_what_it_printed():
    dealt, ours, best = said(
        "09", r"dealt at random +purity ([\d.]+)(?:.*\n)clusters +purity ([\d.]+)(?:.*\n).* ARI ([\d.]+)"
    )
    assert dealt < 0.2
    assert round(ours, 2) == 0.49
    assert round(best, 2) == 0.05
    any_two, clustered, nearest = said("09", r"(\d+) % are of one category\n.*: +(\d+) %\n.*: +(\d+) %")
    assert 5 * any_two <= clustered < nearest == 50
    acts, of_all, tools, all_tools = said(
        "09", r"noun.person +lie (\d+) % of the acts and (\d+) .*\n.*noun.artifact +lie (\d+) % of the acts and (\d+) "
    )
    assert acts < of_all
    assert tools < all_tools
    assert said("09", r"noun for (\d+) % of the verbs, of all words (\d+) %") == [63, 84]
    clustered, by_chance = said("09", r"together in (\d+) % of the clusters, and in ([\d.]+) % of those dealt")
    assert clustered < by_chance
    for letters in (3, 4, 5, 7):
        begin, end, prefix = said("09", rf"{letters} letters, .*: +([\d.]+) % .* \| +([\d.]+) % .* \| +([\d.]+) %")
        assert end < prefix
        assert prefix > begin if letters < 5 else 4 * prefix < begin < 7 * prefix
        assert end < 1.1
    assert max(said("09", r"trans ([\d.]+) %.* con ([\d.]+) %")) < 1
    assert said("09", r"tele (\d+) % of \d+, mis (\d+) %") == [10, 10]
    assert said("09", r"^(?s:.*)(?m:^)cross ([\d.]+) %") == [12]  # none has more, and 5 letters do as much


def tiles(X, size, unit=lambda X: X / np.linalg.norm(X, axis=1, keepdims=True), begin=0, turn=True, mirror=True):
    """What exercise 3 of notebook 01 asks for, or that with one slip."""
    U, S = unit(X), np.zeros((len(X), len(X)), X.dtype)
    cuts = [slice(i, min(i + size, len(X))) for i in range(0, len(X), size)]
    for i, a in enumerate(cuts):
        for b in cuts[i + begin :]:
            S[a, b] = U[a] @ U[b].T
            if mirror and (turn or S[a, b].shape == S[b, a].shape):
                S[b, a] = S[a, b].T if turn else S[a, b]
    return S


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        (lambda X, size: (U := X / np.linalg.norm(X, axis=1, keepdims=True)) @ U.T, "made the whole matrix at once"),
        (lambda X, size: simlib.cosine_similarity(X, block_size=size), "no product of rows of X was seen"),
        (lambda X, size: tiles(X, size, unit=lambda X: X), "scale the rows to length 1"),
        (lambda X, size: tiles(X, size, begin=1), "does your inner loop begin at i"),
        (lambda X, size: tiles(X, size, mirror=False), "copy each tile to its mirror image"),
        (lambda X, size: tiles(X, size, turn=False), "a mirror image is turned over"),
        (
            lambda X, size: tiles(X, size)[: len(X) // size * size],
            "50 words with size = 16 go wrong",
        ),
        (lambda X, size: None, "is there a return"),
    ],
)
def test_half_a_product_is_half_a_product_and_a_slip_gets_its_own_hint(wrong, hint, capsys):
    X = simlib.load("words", n=100).vectors
    checks_01.check_3(tiles, X)
    assert capsys.readouterr().out.startswith("right: ")
    with pytest.raises(AssertionError, match=hint):
        checks_01.check_3(wrong, X)


# the whole workbook, small


def test_runs_small(path, tmp_path, monkeypatch):
    """SIMLIB_N=2000, from the first cell to the last; what it writes goes to a folder of its own."""
    monkeypatch.setenv("SIMLIB_N", "2000")
    small = nbformat.read(path, 4)
    elsewhere = (
        f"from pathlib import Path\nimport simlib.data\nsimlib.data.results_folder = lambda: Path({str(tmp_path)!r})"
    )
    small.cells.insert(0, nbformat.v4.new_code_cell(elsewhere))
    where = {"metadata": {"path": str(FOLDER)}}
    asyncio.run(NotebookClient(small, timeout=300, kernel_name="python3", resources=where).async_execute())
    printed = "".join(output.get("text", "") for cell in code(small) for output in cell.outputs)
    assert "20000, 20000" not in printed


# notebooks 03, 05 and 06


def test_what_the_words_of_notebook_03_say_is_what_it_printed():
    assert said("03", r"largest at k = (\d+)\nwithout .*largest at k = (\d+)") == [7, 3]
    assert said("03", r"at k = 15 it is ([\d.]+)") == [0.309]
    things, persons = said("03", r"noun.artifact (\d+) %.*noun.person (\d+) %")
    assert things < 25 < 85 < persons
    assert said("03", r"six starts agree: at least ([\d.]+) for words") == [1]
    at = {
        k: said("03", rf"silhouette at +{k}: words {NUMBER}, shuffled words {NUMBER}, one cloud {NUMBER}") for k in KS
    }
    words, shuffled, cloud = at[2]
    assert round(words - shuffled, 2) == 0.03
    assert 0.8 * words < cloud < words  # nearly that of the words, without any clusters
    words, shuffled, cloud = at[512]
    assert max(shuffled, cloud) < 0 < words
    assert said("03", r"inertia +would take k = (\d+): the elbow is 15 %") == [10]
    words, shuffled = (said("03", rf"{name} +medoid silhouette at 1000: ([\d.]+), with") for name in SHUFFLED)
    assert words > shuffled
    ours, spread, theirs, wide = said("03", r"k =   2: words ([\d.]+) ± ([\d.]+), shuffled ([\d.]+) ± ([\d.]+)")
    assert abs(ours - theirs) < min(spread, wide)  # cannot be told apart
    ours, spread, theirs, wide = said("03", r"k = 512: words ([\d.]+) ± ([\d.]+), shuffled ([\d.]+) ± ([\d.]+)")
    assert ours == 0.38
    assert ours - theirs > 3 * (spread + wide)
    assert said("03", r"k =  512: median size +(\d+)") == [37]


NUMBER, KS = r"([-\d.]+\d)", (2, 512)
SHUFFLED = ("words", "shuffled")


def test_what_the_words_of_notebook_05_say_is_what_it_printed():
    assert 0.005 < said("05", r"the inertia changes by ([\d.]+) %")[0] < 0.02  # about a hundredth of a percent
    assert said("05", r"(\d+) of 512 medoids are the same") < [512]
    assert 10 < said("05", r"the loop ends ([\d.]+) % above")[0] < 12
    assert -0.05 < said("05", r"swaps over all rows: ([-\d.]+) % above")[0] < 0
    scale = (ROOT / "benchmarks" / "SCALE.md").read_text(encoding="utf-8")
    by_loop, by_swaps = (float(found.replace(",", "")) for found in re.findall(r"inertia ([\d,]+),", scale))
    assert round(100 * (1 - by_swaps / by_loop)) == 4
    assert "10 % of the rows tried" in scale
    free = (ROOT / "benchmarks" / "FREE.md").read_text(encoding="utf-8")
    memory = [("100,000", "1,000", 384, 7), ("60,000", "64", 384, 64), ("1,000,000", "5,000", 64, 44)]
    for n, k, d, times in memory:  # in sizes of the vectors
        gigabytes = float(re.search(rf"\| {n} \| {k} \| `kmedoids\(.* \| ([\d.]+) \| [\d.]+ \|", free)[1])
        assert round(gigabytes * 1e9 / (int(n.replace(",", "")) * d * 4)) == times
    minutes = float(re.search(r"\| 1,000,000 \| 5,000 \|.* \| ([\d.]+) \| [\d.]+ \| [\d.]+ \|", free)[1]) / 60
    assert round(minutes) == 12


def test_what_the_words_of_notebook_06_say_stands_on_its_page():
    (path,) = FOLDER.glob("06_*.ipynb")
    outputs = [output for cell in code(nbformat.read(path, 4)) for output in cell.outputs]
    shown = re.sub("<[^>]+>", " ", "".join("".join(output.get("data", {}).get("text/html", "")) for output in outputs))
    assert re.search(r" 0\.52 +mean similarity .* of any two items 0\.08; shuffled data reach 0\.25", shown)
    assert max(said("06", r"short to long, .* exemplar ([\d.]+), ([\d.]+), ([\d.]+)")) == 0.52
    assert said("06", r"first row to last, .* exemplar ([\d.]+), ([\d.]+), ([\d.]+)")[::2] == [0.54, 0.51]
    assert re.search(r" 0\.37 ± 0\.01 .*shuffled data reach 0\.26", shown)
    assert all(word in shown for word in ("install", "crankcase", "loader", "freeloader"))
