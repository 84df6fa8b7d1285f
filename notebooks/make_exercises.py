"""Generate notebooks/exercises/ from the numbered notebooks: what an exercise needs, the questions, blanks, checks.

python notebooks/make_exercises.py

The numbered notebooks are the master. Under "## Exercises" each exercise is a markdown cell with the question, a code
cell tagged `solution` whose first lines are its blank as comments (`# answer_1 = ...  # a number`), and a code cell
tagged `check`. The blank replaces the solution; the cells that define what the exercises use come first. The check
functions are copied beside the exercises, so that they are found from there.
"""

from __future__ import annotations

import ast
import re
import symtable
import sys
from itertools import takewhile
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from simlib.data import written_whole

HERE = Path(__file__).resolve().parent
HEADING = "## Exercises"


def main(folder: Path = HERE / "exercises") -> int:
    """Write the exercises of every notebook that has solutions, and the checks; returns the exit status."""
    folder.mkdir(exist_ok=True)
    wanted = {path.name: path.read_text(encoding="utf-8") for path in HERE.glob("checks*.py")}
    for path in sorted(HERE.glob("[0-9][0-9]_*.ipynb")):
        if solutions(notebook := nbformat.read(path, 4)):
            wanted[path.name] = nbformat.writes(exercises(notebook, path.name)) + "\n"
    for path in folder.glob("*.*"):
        if path.name not in wanted:
            path.unlink()
    for name, text in wanted.items():
        with written_whole(folder / name) as draft:
            draft.write_text(text, encoding="utf-8")
    return 0


def solutions(notebook: NotebookNode) -> list[NotebookNode]:
    """The cells tagged `solution`, in order."""
    return [cell for cell in notebook.cells if "solution" in cell.metadata.get("tags", ())]


def exercises(notebook: NotebookNode, name: str) -> NotebookNode:
    """The notebook of the exercises of the notebook in file `name`."""
    before, part = _split(notebook)
    first = [cell for cell in before if cell.cell_type == "code"]
    words = set(re.findall(r"`(\w+)", "\n".join(cell.source for cell in part if cell.cell_type == "markdown")))
    for cell in part:
        if cell.cell_type == "code":
            bound, used = _names(cell.source)
            words |= used - bound
    title = notebook.cells[0].source.splitlines()[0].lstrip("# ")
    opening = (
        f"# Exercises to {name[:2]}: {title}\n\nPut your answers in place of the dots `...`, then run the check below "
        f"them: it says what is wrong, or why it is right. Solutions: at the end of [{name[:2]}](../{name}).\n\n"
        "The cells up to the first question come from there. This file is generated; `make exercises` writes it anew."
    )
    cells = [nbformat.v4.new_markdown_cell(opening, id=f"{name[:2]}-opening")]
    cells += [_fresh(cell) for cell in first[:2] + _needed(first[2:], words)] + [_fresh(cell) for cell in part]
    return nbformat.v4.new_notebook(cells=cells, metadata=notebook.metadata)


def blank(solution: str) -> str:
    """What the learner gets in place of a solution: its first lines, which are comments, as code.

    Examples
    --------
    >>> print(blank("# answer_1 = ...  # a number\\nanswer_1 = 6 * 7"))
    answer_1 = ...  # a number
    """
    comments = takewhile(lambda line: line.startswith("#"), solution.splitlines())
    stub = "\n".join(line[1:].removeprefix(" ").replace("...  <- ", "...  # ") for line in comments)
    if "..." not in stub:
        raise ValueError(f"a solution begins with its blank as comments, '# answer_1 = ...', got:\n{solution}")
    return stub


def _split(notebook: NotebookNode) -> tuple[list[NotebookNode], list[NotebookNode]]:
    """The cells before the exercises, and those from their heading to the next one."""
    cells = nbformat.from_dict(notebook).cells
    at = next(i for i, cell in enumerate(cells) if HEADING in cell.source and cell.cell_type == "markdown")
    before, part = cells[:at], cells[at:]
    opening = part[0].source[part[0].source.index(HEADING) :]
    part[0].source = re.sub(r"\n\nTry them in .*", "", opening)  # the sentence that leads from the master to here
    rest = (i for i, cell in enumerate(part) if i and cell.cell_type == "markdown" and cell.source.startswith("## "))
    return before, part[: next(rest, None)]


def _needed(cells: list[NotebookNode], wanted: set[str]) -> list[NotebookNode]:
    """Those of the code cells that define the wanted names, and what these need in turn."""
    kept = []
    for cell in reversed(cells):
        bound, used = _names(cell.source)
        if bound & wanted:
            kept.insert(0, cell)
            wanted = (wanted | used) - bound
    return kept


def _names(source: str) -> tuple[set[str], set[str]]:
    """The names that a cell defines, and those that it uses."""
    top = symtable.symtable(ast.unparse(_Apart().visit(ast.parse(source))), "cell", "exec")
    bound = {name.get_name() for name in top.get_symbols() if name.is_assigned() or name.is_imported()}
    used = {name.get_name() for name in top.get_symbols() if name.is_referenced()}
    inner = list(top.get_children())
    while inner:
        table = inner.pop()
        used |= {name.get_name() for name in table.get_symbols() if name.is_global()}
        inner += table.get_children()
    return bound, used


class _Apart(ast.NodeTransformer):
    """Puts comprehensions into functions: from Python 3.12 on their loop variables else count as the cell's own."""

    def visit_ListComp(self, node: ast.expr) -> ast.Lambda:
        """A function without parameters that returns the comprehension."""
        self.generic_visit(node)
        return ast.Lambda(ast.arguments([], [], None, [], [], None, []), node)

    visit_SetComp = visit_DictComp = visit_GeneratorExp = visit_ListComp


def _fresh(cell: NotebookNode) -> NotebookNode:
    """A cell as the learner gets it: no output, the blank for a solution, links that start one folder deeper."""
    if cell.cell_type == "markdown":
        source = re.sub(r"\]\((?![a-z]+:|#|/)", "](../", cell.source)
        return nbformat.v4.new_markdown_cell(source, id=cell.id)
    tags = cell.metadata.get("tags", ())
    source = blank(cell.source) if "solution" in tags else cell.source
    return nbformat.v4.new_code_cell(source, id=cell.id, metadata={"tags": ["check"]} if "check" in tags else {})


if __name__ == "__main__":
    sys.exit(main())
