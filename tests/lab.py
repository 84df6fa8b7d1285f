"""Drive JupyterLab in headless Chromium. No request leaves the machine, and no file is left behind."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic", "--no-first-run"]
FLAGS += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
FOLDERS = ["JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"]
FOLDERS += ["JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"]
# A kernel that looks idle may not listen yet, and then it loses what is sent to it. So it must have answered once.
LISTENS = """async () => {
    const panel = window.jupyterapp?.shell.currentWidget, session = panel?.sessionContext;
    if (!panel?.context?.isReady || !session?.isReady || session.session?.kernel?.connectionStatus !== "connected")
        return false;
    const answer = session.session.kernel.requestKernelInfo().then(() => true);
    return Promise.race([answer, new Promise(give_up => setTimeout(() => give_up(false), 3000))]);
}"""
DONE = """() => {
    const panel = window.jupyterapp.shell.currentWidget;
    const cells = [...panel.content.model.cells].filter(cell => cell.type === "code" && cell.sharedModel.source.trim());
    const errors = cells.flatMap(cell => cell.outputs.toJSON()).filter(output => output.output_type === "error");
    const ran = cells.every(cell => cell.executionCount !== null && cell.executionState !== "running");
    return errors.length || (ran && panel.sessionContext.session.kernel.status === "idle");
}"""
ERRORS = """() => [...window.jupyterapp.shell.currentWidget.content.model.cells].filter(cell => cell.type === "code")
    .flatMap(cell => cell.outputs.toJSON()).filter(output => output.output_type === "error")
    .map(output => output.ename + ": " + output.evalue)"""
PRINTED = """async code => {
    const future = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.requestExecute({code});
    let text = "";
    future.onIOPub = message => { text += message.content.text ?? message.content.evalue ?? ""; };
    await future.done;
    return text.trim();
}"""


@contextmanager
def notebook_page(notebook: Path, width: int = 1300, height: int = 1500) -> Iterator[tuple[Page, list[str]]]:
    """Open `notebook` in JupyterLab and wait until its kernel listens.

    Yields the page, and a list that collects the addresses of all requests that leave the machine.
    """
    with (
        tempfile.TemporaryDirectory() as home,
        _server(notebook.parent, Path(home)) as (url, token),
        sync_playwright() as play,
    ):
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        try:
            context = browser.new_context(viewport={"width": width, "height": height})
            page = context.new_page()
            outside: list[str] = []
            inside = (url, url.replace("http", "ws"), "data:", "blob:")

            def note(address: str) -> None:
                if not address.startswith(inside):
                    outside.append(address)

            context.on("request", lambda request: note(request.url))
            page.on("websocket", lambda channel: note(channel.url))
            page.set_default_timeout(120_000)
            page.goto(f"{url}/lab/tree/{notebook.name}?token={token}&reset")
            page.wait_for_selector("#jupyterlab-splash", state="detached")
            wait_until(lambda: page.evaluate(LISTENS), "the kernel listens", 180, page)
            yield page, outside
        finally:
            browser.close()


def run_all(page: Page, seconds: int = 900) -> list[str]:
    """Run the cells up to the first error; returns the errors."""
    # No promise is handed back, because this one may never end.
    page.evaluate("() => { window.jupyterapp.commands.execute('notebook:run-all-cells'); }")
    wait_until(lambda: page.evaluate(DONE), "every cell has run", seconds, page)
    return page.evaluate(ERRORS)


def printed(page: Page, code: str) -> str:
    """What code prints in the notebook's kernel."""
    return page.evaluate(PRINTED, code)


def wait_until(true: Callable[[], object], what: str, seconds: float, page: Page) -> None:
    """Ask `true()` again and again, and let the page work meanwhile."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s until {what}")
        page.wait_for_timeout(100)


@contextmanager
def _server(folder: Path, home: Path) -> Iterator[tuple[str, str]]:
    """Run a JupyterLab on `folder` that keeps its settings under `home`; yields its address and its token."""
    token = secrets.token_hex(16)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = home / "JUPYTERLAB_SETTINGS_DIR" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    quiet = {"fetchNews": "false", "checkForUpdates": False}
    (settings / "notification.jupyterlab-settings").write_text(json.dumps(quiet))
    env = os.environ | {name: str(home / name) for name in FOLDERS} | {"JUPYTER_TOKEN": token}
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
    options = [f"--port={port}", "--ip=127.0.0.1", "--no-browser", "--allow-root", "--ServerApp.port_retries=0"]
    options += [f"--ServerApp.root_dir={folder}", "--LabApp.expose_app_in_browser=True"]
    with open(home / "log", "w+") as log:
        server = subprocess.Popen([sys.executable, "-m", "jupyterlab", *options], env=env, stdout=log, stderr=log)
        try:
            url = f"http://127.0.0.1:{port}"
            for _ in range(360):
                if server.poll() is not None or _answers(f"{url}/api/status?token={token}"):
                    break
                time.sleep(0.5)
            if server.poll() is not None:
                raise RuntimeError("JupyterLab did not start:\n" + Path(log.name).read_text())
            yield url, token
        finally:
            server.terminate()
            try:
                server.wait(30)
            except subprocess.TimeoutExpired:
                server.kill()


def _answers(address: str) -> bool:
    """Whether a server answers at this address."""
    try:
        return urllib.request.urlopen(address, timeout=5).status == 200
    except (urllib.error.URLError, OSError):
        return False
