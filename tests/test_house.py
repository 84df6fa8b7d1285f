"""The house: imports go down one staircase, kernels stand alone, functions stay short.

STOREYS is the order in force, the lowest first. A file imports from storeys below its own only. Within a package of
one storey (files, plots, widgets, report) files may import each other, as long as there is no circle.
"""

import ast
from pathlib import Path

import pytest

SIMLIB = Path(__file__).parents[1] / "simlib"
STOREYS = [
    ["_kinds", "_extras", "_limits", "_engine.kernels.threads", "_engine.kernels.llvm"],
    ["_engine.kernels.compile"],
    [
        "_labels",
        "_arrays",
        "_engine.kernels.tiles",
        "_engine.kernels.lists",
        "_engine.kernels.nearest",
        "_engine.kernels.prepare",
        "_engine.kernels.weights",
    ],
    [
        "_engine.kernels.search",
        "_engine.kernels.sparse",
        "_engine.kernels.sums",
        "_engine.kernels.starts",
        "_engine.kernels.silhouettes",
        "_engine.kernels.overlaps",
        "_engine.kernels.dual",
        "_engine.kernels.neighbours",
        "_engine.kernels.refine",
        "_engine.kernels.swaps",
    ],
    ["_check", "_engine.metrics"],
    ["_engine.tiles", "_engine.progress"],
    ["_engine.lists"],
    ["_engine.items"],
    ["_engine.sparse", "_engine.extension"],
    ["_engine.tensors", "_engine.silhouettes", "_engine.overlaps", "_engine.neighbours"],
    ["_engine.dual", "_engine.refine"],
    ["_engine.prepare", "_engine.starts"],
    ["_engine.search"],
    ["_engine.branch"],
    ["similarity"],
    ["medoids"],
    ["choose", "ensemble", "gap", "neighbours", "proof"],
    ["data"],
    ["files"],
    ["distributed", "_beside", "_cards", "_regions", "_stretches"],
    ["plots"],
    ["atlas"],
    ["widgets"],
    ["report"],
    ["estimator"],
    ["", "_cli"],  # the public names, the command
]
PACKAGES = ("files", "distributed", "plots", "widgets", "atlas", "report")  # a storey each
PAGES = ("_engine", "_engine.kernels")  # their __init__ is a docstring that imports nothing
KERNELS_MAY_IMPORT = ("__future__", "collections.abc", "typing", "numpy", "numba", "llvmlite")
AROUND_KERNELS_MAY_IMPORT = ("os", "threading", "types", "contextlib", "pathlib")  # how they are compiled, kept and run
AROUND_KERNELS = ("_engine.kernels.compile", "_engine.kernels.threads")
LONGEST_BODY, MOST_PARAMETERS = 40, 9
FORKS = ("vectors is None", "matrix is None", "unit is None")


def modules(root):
    """Every module below `root` by its name, the package's own name left out."""
    names = {}
    for path in sorted(root.rglob("*.py")):
        parts = list(path.relative_to(root).with_suffix("").parts)
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


def imports(path, known, root):
    """What a file imports, inside functions too: modules of this package, and the names of foreign packages."""
    own, foreign = set(), set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        wanted = []
        if isinstance(node, ast.Import):
            wanted = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path} has a relative import"
            wanted = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in wanted:
            package, _, rest = name.partition(".")
            if package != root.name:
                foreign.add(name)
                continue
            while rest not in known:
                rest = rest.rpartition(".")[0]
            own.add(rest)
    return own, foreign


def storey(name):
    """The number of a module's storey, None if it has none."""
    group = name.split(".")[0] if name.split(".")[0] in PACKAGES else name
    return next((i for i, names in enumerate(STOREYS) if group in names), None)


def faults(root):
    """Everything about the imports below `root` that is not as it should be, a line each."""
    known, found, edges = modules(root), [], {}
    for name, path in known.items():
        own, foreign = imports(path, known, root)
        if name in PAGES:
            found += [f"{name} is a page and imports {each}" for each in sorted(own | foreign)]
            continue
        edges[name] = own - {name}
        if storey(name) is None:
            found.append(f"{name} is in no storey")
            continue
        for other in sorted(own - {name, *PAGES}):
            same = name.split(".")[0] in PACKAGES and name.split(".")[0] == other.split(".")[0]
            if not same and (storey(other) is None or storey(other) >= storey(name)):
                found.append(f"{name} imports {other}, which is not below it")
        if name.startswith("_engine.kernels."):
            allowed = KERNELS_MAY_IMPORT + (AROUND_KERNELS_MAY_IMPORT if name in AROUND_KERNELS else ())
            more = [each for each in sorted(foreign) if not f"{each}.".startswith(tuple(f"{a}." for a in allowed))]
            found += [f"kernel file {name} imports {each}" for each in more]
            found += [f"kernel file {name} imports {each}" for each in sorted(own) if "kernels" not in each]
    return found + [f"{name} is in a circle" for name in sorted(edges) if name in reached(name, edges)]


def reached(name, edges):
    """All modules that a module imports, directly or through others."""
    seen, waiting = set(), [name]
    while waiting:
        for other in edges.get(waiting.pop(), ()):
            if other not in seen:
                seen.add(other)
                waiting.append(other)
    return seen


def functions(path):
    """Name, number of body lines without the docstring, and number of positional parameters of each function."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body
            if isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
                body = body[1:]
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            yield f"{path.name}: {node.name}", lines, len(node.args.args) + len(node.args.posonlyargs)


def test_imports_go_down():
    assert faults(SIMLIB) == []


def test_every_storey_is_there():
    known = modules(SIMLIB)
    assert [name for names in STOREYS for name in names if name not in known] == []


def test_functions_are_short():
    every = [each for path in SIMLIB.rglob("*.py") for each in functions(path)]
    assert len(every) > 300
    assert [each for each in every if each[1] > LONGEST_BODY or each[2] > MOST_PARAMETERS] == []


def test_no_algorithm_asks_what_kind_of_items_it_has():
    texts = {path.name: path.read_text(encoding="utf-8") for path in SIMLIB.rglob("*.py") if path.name != "tensors.py"}
    assert [(name, fork) for name, text in texts.items() for fork in FORKS if fork in text] == []


@pytest.mark.parametrize(
    ("name", "line", "fault"),
    [
        ("_engine/items.py", "from simlib._engine.search import run", "_engine.items imports _engine.search"),
        ("_engine/tiles.py", "def f():\n    from simlib import medoids", "_engine.tiles imports medoids"),
        ("_engine/tiles.py", "from simlib import kmedoids", "_engine.tiles imports , which"),
        ("_engine/tiles.py", "import simlib", "_engine.tiles imports , which"),
        ("_engine/__init__.py", "from simlib._engine import tiles", "_engine is a page"),
        ("_engine/kernels/sums.py", "import scipy.sparse", "kernel file _engine.kernels.sums imports scipy"),
        ("_engine/kernels/sums.py", "from simlib import _check", "kernel file _engine.kernels.sums imports _check"),
        ("files/text.py", "from simlib.files import load", "files is in a circle"),
        ("_more.py", "import numpy", "_more is in no storey"),
    ],
)
def test_a_fault_is_found(name, line, fault, tmp_path):
    root = tmp_path / "simlib"
    for folder in ("", "_engine", "_engine/kernels", "files"):
        (root / folder).mkdir(exist_ok=True)
        (root / folder / "__init__.py").write_text("from simlib.files import text\n" if folder == "files" else "")
    for other in ("_check", "medoids", "_engine/search", "_engine/items", "_engine/tiles", "files/text"):
        (root / f"{other}.py").write_text("")
    assert faults(root) == []
    (root / name).write_text(line)
    assert any(each.startswith(fault) for each in faults(root))
