"""Run notebooks in a fresh kernel; the same cells give the same bytes."""

from __future__ import annotations

import asyncio
import atexit
import base64
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbformat import NotebookNode

from simlib import _kinds
from simlib.report.refused import readable

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def execute(
    path: Path,
    on_cell: Callable[[], None] = lambda: None,
    *,
    parameters: dict[str, Any] | None = None,
    on_start: Callable[[int], None] = lambda index: None,
    on_wait: Callable[[], None] = lambda: None,
) -> NotebookNode:
    """Run a notebook in its own folder with a fresh kernel.

    Parameters
    ----------
    path : Path
        The notebook; the file itself is left as it is.
    on_cell : function
        It is called after each code cell.
    on_start : function
        It is called before each cell runs, with the cell's number.
    on_wait : function
        It is called twice a second.
    parameters : dict of name -> str, number, None or list of them
        The cell tagged `parameters` is replaced by assignments of these values, and the exercises are left out.

    Returns
    -------
    NotebookNode
        Executed, and free of what changes from run to run (timings, widget ids, paths): the same notebook
        gives the same bytes.

    Raises
    ------
    nbclient.exceptions.CellExecutionError
        A cell failed; the message holds the cell and its traceback.
    KeyboardInterrupt
        The kernel is gone by then.
    """
    for called, name in ((on_cell, "on_cell"), (on_start, "on_start"), (on_wait, "on_wait")):
        _kinds.function(called, name, needed=True)
    if parameters is not None and not isinstance(parameters, dict):
        raise TypeError(f"parameters must be a dictionary or None, got {_kinds.shown(parameters)}")
    notebook = nbformat.read(readable(path, "path"), 4)
    if parameters is not None:
        _set(notebook, parameters)
    client = NotebookClient(
        notebook,
        timeout=600 if parameters is None else None,
        kernel_name="python3",
        record_timing=False,
        coalesce_streams=True,
        extra_arguments=["--log-level=40"],  # a reader has no use for what the kernel says of its sockets
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_start=lambda cell, cell_index: on_start(cell_index),
        on_cell_executed=lambda **_: on_cell(),
    )
    _run(client, on_wait)
    return _settled(notebook)


def figures(notebook: NotebookNode) -> Iterator[bytes]:
    """The PNG pictures of an executed notebook, in order."""
    _kinds.instance(notebook, "notebook", NotebookNode, "execute")
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                yield base64.b64decode(output.data["image/png"])


def _set(notebook: NotebookNode, parameters: dict[str, Any]) -> None:
    """Put values in the place of the parameters, as literals: no text of a person becomes code."""
    end = next((i for i, cell in enumerate(notebook.cells) if cell.source.startswith("## What you can now say")), None)
    notebook.cells = notebook.cells[:end]
    for cell in notebook.cells:
        if "parameters" in cell.metadata.get("tags", []):
            cell.source = "\n".join(f"{name} = {value!a}" for name, value in parameters.items())


def _run(client: NotebookClient, on_wait: Callable[[], None]) -> None:
    """Execute in a second thread, so that a person's interrupt arrives in this one, which then ends the kernel."""
    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(lambda: asyncio.run(client.async_execute()))  # client.execute() leaves its loop open
        try:
            while not wait([done], timeout=0.5).done:
                on_wait()
        except KeyboardInterrupt:
            _end(client, done)
            raise
        done.result()


def _end(client: NotebookClient, done: Future[Any]) -> None:
    """Kill the kernel and wait until nbclient has noticed."""
    while not done.done():
        process = getattr(client.km and client.km.provisioner, "process", None)
        if process:
            process.kill()
        wait([done], timeout=0.2)
    atexit.unregister(client._cleanup_kernel)  # it would complain that the kernel is gone


def _settled(notebook: NotebookNode) -> NotebookNode:
    """Drop what differs between two runs of the same cells."""
    kernel = {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel, "language_info": {"name": "python"}})
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", []):
            output.get("data", {}).pop(WIDGET_VIEW, None)
            if output.output_type == "stream":
                output.text = re.sub(r"/tmp/ipykernel_\d+/\d+\.py", "<cell>", output.text)
    return notebook
