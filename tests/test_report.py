"""Reports: what the page shows, how it takes hostile data and errors, and that it can be made again."""

import csv
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from html import escape, unescape
from pathlib import Path

import nbformat
import numpy as np
import pytest

import simlib
import simlib.widgets
from simlib import report
from simlib._labels import marked, plain
from simlib.choose import Stability
from simlib.medoids import Certificate
from simlib.report import Refused, cli, commands, differences, execute, html, numbers, page, pdf, reading
from simlib.report.build import Made
from simlib.report.page import report_page
from simlib.report.record import recorded

CHROMIUM = next(filter(None, map(shutil.which, pdf.BROWSERS)), None)
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="no Chromium or Chrome here to open or print a page")
ROOT = Path(__file__).resolve().parents[1]
K = 12
TITLE = "<script>alert('title')</script> $x$ and ']; boom"
ODD = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "</style></div></section><!--",
    '" onload="alert(1)',
    "&lt;b&gt;&amp;",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    "\tTAB",
    "\rCR",
    "＝1+1",
    "\u202eright to left",
    "שלום עולם",
    "$\\frac{1}{0}$ and $x",
    "**bold** [link](http://example.com)",
    "MATH-0-HERE",
    "MATH0-0-HERE",
    "two\nlines",
    "x" * 1_000_000,
    "{{ 7 * 7 }} %s {0}",
    "']; open('pwned', 'w') #",
    "zero\u200bwidth\x01",
    "",
]


def write_csv(path, labels, vectors):
    with open(path, "w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["label", *(f"x{j}" for j in range(vectors.shape[1]))])
        table.writerows([label, *row] for label, row in zip(labels, vectors, strict=True))
    return path


@pytest.fixture(scope="module")
def labels():
    return ODD + [f"plain {i}" for i in range(len(ODD), 240)]


@pytest.fixture(scope="module")
def vectors():
    rng = np.random.default_rng(0)
    centres = 3 * rng.standard_normal((4, 10))
    return (centres[np.arange(240) % 4] + rng.standard_normal((240, 10))).round(3)


@pytest.fixture(scope="module")
def data(tmp_path_factory, labels, vectors):
    return write_csv(tmp_path_factory.mktemp("data") / "hostile.csv", labels, vectors)


@pytest.fixture(scope="module")
def made(data):
    """A report of the hostile data without a stamp, its page and its table beside the data."""
    out = data.with_name("report.html")
    assert report.main([str(data), "--k", str(K), "--title", TITLE, "--no-stamp", "--out", str(out)]) == 0
    return out


@pytest.fixture(scope="module")
def fit(vectors):
    """The clusters that the report shows, made again without it."""
    S = simlib.cosine_similarity(vectors, dtype=np.float32)
    scan = simlib.scan_k(S, numbers.ladder(240, K))
    return scan.fits[list(scan.ks).index(K)]


@pytest.fixture(scope="module")
def browser():
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


# the page in a browser without a network


@needs_chromium
@pytest.mark.parametrize("width", [1200, 390])
def test_the_page_opens_without_network_script_or_complaint(browser, made, width):
    context = browser.new_context(viewport={"width": width, "height": 800}, offline=True)
    tab, asked, said = context.new_page(), [], []
    tab.on("request", lambda request: asked.append(request.url))
    tab.on("console", lambda message: said.append(message.text))
    tab.on("pageerror", lambda error: said.append(str(error)))
    tab.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
    tab.goto(made.as_uri())
    assert [url for url in asked if not url.startswith("data:")] == [made.as_uri()]
    assert said == []
    assert tab.evaluate("document.scripts.length") == 0
    assert tab.evaluate("document.querySelectorAll('math').length") > 5
    pictures = tab.evaluate("[...document.images].map(i => [i.naturalWidth, i.alt])")
    assert len(pictures) == 5
    assert all(pixels > 500 and len(alt) > 80 for pixels, alt in pictures)
    assert tab.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


@needs_chromium
def test_cards_show_the_clusters_and_labels_are_text(browser, made, fit, labels):
    tab = browser.new_page()
    tab.goto(made.as_uri())
    cards = tab.eval_on_selector_all(".card", "all => all.map(card => card.innerText)")
    sizes = [int(re.search(r"(\d+) items,", card)[1]) for card in cards]
    assert sizes == sorted(fit.sizes, reverse=True)
    for number, (card, j) in enumerate(zip(cards, np.argsort(-fit.sizes, kind="stable"), strict=True), 1):
        members = [plain(labels[i], 200) or "(no label)" for i in fit.members(j)]
        assert card.splitlines()[0] == f"{number} {plain(labels[fit.medoids[j]], 200)}"
        assert (", ".join(members[1:9]) in card) or "\n· ".join(
            members[1:4]
        ) in card  # long ones have lines of their own
    assert tab.inner_text("h1") == TITLE
    rows = tab.eval_on_selector_all(".box.off-paper tr td:nth-child(2)", "all => all.map(cell => cell.textContent)")
    assert len(rows) == 240
    assert set(rows) == {plain(label) or "(no label)" for label in labels}
    assert {"<script>alert(1)</script>", "MATH-0-HERE", "$\\frac{1}{0}$ and $x", "�right to left"} <= set(rows)
    tab.close()


def test_the_page_is_one_file_of_sensible_size(made):
    text = made.read_text(encoding="utf-8")
    assert len(text) < 1_500_000  # a label of a megabyte is cut
    assert not re.search(r"<(script|iframe|object|link|form)\b", text)
    assert not re.findall(r"(?:src|href)=[\"'](?!data:|#)", text)
    assert not re.findall(r"url\(|@import", text)
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    assert not made.with_name("pwned").exists()


def test_the_finding_holds_what_the_clusters_say(made, fit, vectors):
    first = re.split(r"<section", made.read_text(encoding="utf-8"))[1]
    told = unescape(re.sub(r"<[^>]+>", " ", first.partition("</style>")[2]))
    told = " ".join(told.split())
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    close = (unit @ unit[fit.medoids].T).max(axis=1)
    tight = np.delete(close, fit.medoids).mean()
    any_two = ((unit @ unit.T).sum() - 240) / (240 * 239)
    assert f"{K} clusters" in told
    assert f"{tight:.2f}" in told
    assert f"of any two items {any_two:.2f}" in told
    assert "no single exchange helps" in told
    gap = simlib.optimality_gap(simlib.cosine_similarity(vectors, dtype=np.float32), fit.medoids)
    assert gap.proven == (f"no {K} items are better, which is proved" in told)
    assert f"{K * (240 - K):,} exchanges" in told
    assert f"k = {K} was asked for" in told
    stable = numbers.stability(simlib.cosine_similarity(vectors, dtype=np.float32), K, "similarity")
    assert f"{stable.mean:.2f} ± {stable.spread:.2f}" in told


def test_the_table_has_every_item_and_no_formula(made, fit, labels, vectors):
    with open(made.with_name("report_items.csv"), encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["row"]) for row in rows] == list(range(240))
    assert not [row for row in rows if row["item"][:1] in set("=+-@\t\r\n＝")]
    for row, label in zip(rows, labels, strict=True):
        assert row["item"].removeprefix("'") == label.replace("\r", "\n").removeprefix("'")[:200]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    close = (unit @ unit[fit.medoids].T).max(axis=1)
    np.testing.assert_allclose([float(row["similarity"]) for row in rows], close, atol=1e-4)
    clusters = np.array([int(row["cluster"]) for row in rows])
    assert (np.diff(np.bincount(clusters)[1:]) <= 0).all()  # 1 is the largest
    for j, medoid in enumerate(fit.medoids):
        assert len(set(clusters[fit.labels == j])) == 1
        assert {rows[i]["exemplar"] for i in np.flatnonzero(fit.labels == j)} == {rows[medoid]["item"]}


@needs_chromium
def test_the_pdf_has_pages(made, tmp_path):
    pdf.print_page(made, tmp_path / "report.pdf")
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")
    if not shutil.which("pdfinfo"):
        pytest.skip("no pdfinfo here to count the pages")
    told = subprocess.run(["pdfinfo", tmp_path / "report.pdf"], capture_output=True, text=True, check=True).stdout
    assert int(re.search(r"Pages: +(\d+)", told)[1]) > 3


@needs_chromium
@pytest.mark.skipif(not shutil.which("pdftotext"), reason="no pdftotext here to read the pages")
def test_on_paper_no_heading_stands_last_and_no_page_is_left_for_a_line(made, tmp_path):
    pdf.print_page(made, tmp_path / "report.pdf")
    told = subprocess.run(["pdftotext", "-layout", tmp_path / "report.pdf", "-"], capture_output=True, check=True)
    pages = [[line.strip() for line in page.splitlines() if line.strip()] for page in told.stdout.decode().split("\f")]
    headings = re.findall(r"<h[23][^>]*>(.*?)</h[23]>", made.read_text(encoding="utf-8"))
    headings = [re.sub(r"<[^>]+>|¶", "", heading) for heading in headings]
    assert "Map of the exemplars" in headings
    for number, lines in enumerate(pages[:-1], 1):  # the last is behind the end of the last page
        assert lines[-1].replace(" ", "") == f"{number}/{len(pages) - 1}"
        assert lines[-2] not in headings
        assert len(lines) > 6
    every = [line for lines in pages for line in lines]
    assert not [line for line in every if line.startswith("All items")]
    assert "The table of all 240 items is not printed; report_items.csv beside the page has it." in every


# made again


def test_the_same_bytes_again_and_the_stamp_in_one_place(made, data):
    again, items = report.build(data, k=K, title=TITLE)
    assert items == made.with_name("report_items.csv").read_bytes()
    stamp = re.findall(r'<p id="stamp">Made \d{4}-.*?</p>', again)
    assert len(stamp) == 1
    assert again.replace(stamp[0], "") == made.read_text(encoding="utf-8")
    assert differences(made.read_text(encoding="utf-8"), again) == []


def test_verify_says_yes_and_what_differs(made, data, tmp_path, capsys):
    copy = tmp_path / "copy.html"
    text = made.read_text(encoding="utf-8")
    copy.write_text(
        text.replace("no single exchange helps", "all better").replace("<em>Figure 3", "<em>Figure 9"), encoding="utf-8"
    )
    shutil.copy(data, tmp_path)
    assert report.main(["--verify", str(copy)]) == 1  # the data are found beside it
    told = capsys.readouterr().out
    assert 'the report has "all better", made again it is "no single exchange helps"' in told
    assert "Figure 9" in told
    assert (
        "missing: report_items.csv, the table of all items (CSV), is not beside the page and was not compared" in told
    )
    assert "missing: report_clusters.csv, the table of all clusters (CSV), is not beside the page" in told
    assert told.count("differs:") == 2
    assert told.endswith(
        "\ncopy.html is not what its data and its parameters give here: it was changed after it was made, or made on "
        "another kind of processor\n"
    )
    assert report.main([str(data), "--verify", str(made)]) == 0
    assert "to the byte" in capsys.readouterr().out


def test_verify_notices_other_data(made, labels, vectors, tmp_path, capsys):
    changed = vectors.copy()
    changed[7] = changed[6]
    other = write_csv(tmp_path / "hostile.csv", labels, changed)
    shutil.copy(made, tmp_path / "report.html")
    for name in ("report_items.csv", "report_clusters.csv"):
        shutil.copy(made.with_name(name), tmp_path / name)
    assert report.main([str(other), "--verify", str(tmp_path / "report.html")]) == 1
    told = capsys.readouterr().out
    assert "differs: data: SHA-256 differs: another file, hostile.csv, than the hostile.csv that the report" in told
    assert "differs: report_items.csv: not the table of all items (CSV) that is made" in told
    assert told.endswith("give here: it was made from another file, so this does not tell whether it was right\n")


def test_differences_name_the_place(made):
    text = made.read_text(encoding="utf-8")
    assert differences(text, text) == []
    record = recorded(text)
    assert record["options"]["k"] == K
    assert record["options"]["title"] == TITLE
    older = {**record, "versions": {**record["versions"], "numpy": "1.0"}}
    kept, written = (escape(json.dumps(each, sort_keys=True)) for each in (record, older))
    assert kept in text
    assert differences(text.replace(kept, written), text)[0].startswith("version of numpy: 1.0 in the report")
    assert differences(text.replace("h1{", "h1 {"), text) == ["the page's head: style, title or record"]
    assert differences(text.replace("svg+xml;base64,PD9", "svg+xml;base64,PD8", 1), text) == [
        '"Map of the exemplars": a picture'
    ]
    forged = text.replace("</section>\n</body>", '<p id="stamp">Winner of prizes</p></section>\n</body>')
    assert forged != text
    assert len(differences(forged, text)) == 1


@pytest.mark.parametrize("text", ["", "<html>", '<meta name="simlib-report" content="{broken">',
                                  '<meta name="simlib-report" content="{&quot;options&quot;: 1}">'])  # fmt: skip
def test_what_is_no_report_is_refused(text):
    with pytest.raises(Refused, match="not a report"):
        recorded(text)


STAMP = (
    '<p id="stamp">Made 2026-01-31 12:00 UTC in 9 s on Linux x86_64, 2 core(s). Of these: Silhouettes 1.0 s, '
    "How many clusters 0.5 s.</p>"
)


def with_stamp(text, stamp):
    """A page with this stamp where a stamp stands."""
    return text.replace("\n</section>\n</body>", f"{stamp}\n</section>\n</body>")


@pytest.fixture
def verified(made, data, tmp_path, monkeypatch, capsys):
    """A function that changes the bytes of a page and of its table, and gives what --verify prints, and its status."""
    text, items = made.read_text(encoding="utf-8"), made.with_name("report_items.csv").read_bytes()
    clusters = made.with_name("report_clusters.csv").read_bytes()
    monkeypatch.setattr(cli, "make", lambda *_, **__: Made(text, items, clusters, None, ""))

    def verify(page_bytes, table=items):
        (tmp_path / "report.html").write_bytes(page_bytes)
        (tmp_path / "report_items.csv").unlink(missing_ok=True)
        (tmp_path / "report_clusters.csv").write_bytes(clusters)
        if table is not None:
            (tmp_path / "report_items.csv").write_bytes(table)
        status = report.main([str(data), "--verify", str(tmp_path / "report.html")])
        told = capsys.readouterr()
        return status, told.out + told.err

    return verify


def test_a_stamp_of_the_fixed_form_is_no_difference(made, verified):
    text = made.read_text(encoding="utf-8")
    assert verified(with_stamp(text, STAMP).encode())[0] == 0
    assert verified(text.encode())[0] == 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Silhouettes", "Approved by the auditor"),
        ("Linux", "Approved"),
        ("x86_64", "by the auditor"),
        ("12:00 UTC", "12:00 UTC, approved by the auditor,"),
        ("2026-01-31", "2026-02-31"),
        ("9 s", "nine s"),
        ("1.0 s,", "1.0 s, approved,"),
        (".</p>", ". Approved by the auditor.</p>"),
        ("</p>", "</p><p>Approved by the auditor</p>"),
        ("<p id", "<p>Approved by the auditor</p><p id"),
        ("2 core(s)", "<b>2</b> core(s)"),
        ("Made ", "Made\u202e "),
        ("9 s", "\u0669 s"),
    ],
)
def test_an_invented_word_in_the_stamp_is_a_difference(made, verified, old, new):
    status, told = verified(with_stamp(made.read_text(encoding="utf-8"), STAMP.replace(old, new, 1)).encode())
    assert status == 1
    assert "differs: " in told
    if "auditor" in new:
        assert "the auditor" in told


def test_a_second_stamp_and_one_in_another_place(made, verified):
    text = made.read_text(encoding="utf-8")
    status, told = verified(with_stamp(text, STAMP + STAMP).encode())
    assert status == 1
    assert "differs: the page has 2 stamps, expected one" in told
    assert verified(text.replace("</h1>", "</h1>" + STAMP, 1).encode())[0] == 1


RIGHT = "report.html is what its data and its parameters give, to the byte, but for date and times"


def test_line_ends_are_named(made, verified):
    page_bytes = made.read_bytes()
    items = made.with_name("report_items.csv").read_bytes()
    assert verified(page_bytes.replace(b"\n", b"\r\n")) == (
        1,
        "differs: line ends: the page has those of Windows (CRLF) and is made with LF; a mail or git changed it?\n"
        "report.html is not what its data and its parameters give here: it was changed after it was made, or made on "
        "another kind of processor\n",
    )
    assert verified(page_bytes, items.replace(b"\r\n", b"\n")) == (
        1,
        "differs: report_items.csv: its line ends are not those of the table that is made (CRLF); a mail or git "
        f"changed it?\n{RIGHT}; a file beside it is not: it was changed, or belongs to another report\n",
    )


def test_a_missing_table_is_said_and_is_no_difference(made, verified):
    missing = "missing: report_items.csv, the table of all items (CSV), is not beside the page and was not compared\n"
    assert verified(made.read_bytes(), None) == (0, f"{missing}{RIGHT}; the command at its end makes what is missing\n")
    status, told = verified(made.read_bytes().replace(b"no single exchange helps", b"all better"), None)
    assert status == 1
    assert told.startswith(f'{missing}differs: "')


def test_tables_beside_a_page_that_was_renamed_are_found(made, data, tmp_path, monkeypatch, capsys):
    text = made.read_text(encoding="utf-8")
    items, clusters = (made.with_name(f"report_{name}.csv").read_bytes() for name in ("items", "clusters"))
    monkeypatch.setattr(cli, "make", lambda *_, **__: Made(text, items, clusters, None, ""))
    (tmp_path / "final.html").write_bytes(made.read_bytes())
    (tmp_path / "report_items.csv").write_bytes(items)
    (tmp_path / "final_clusters.csv").write_bytes(clusters)
    check = [str(data), "--verify", str(tmp_path / "final.html")]
    assert report.main(check) == 0
    assert capsys.readouterr().out == f"{RIGHT.replace('report', 'final', 1)}\n"
    (tmp_path / "report_items.csv").write_bytes(clusters)
    assert report.main(check) == 1
    assert "differs: report_items.csv: not the table of all items (CSV) that is made" in capsys.readouterr().out


def test_other_versions_are_told_as_a_cause(made, verified):
    text = made.read_text(encoding="utf-8")
    kept = escape(json.dumps(record := recorded(text), sort_keys=True))
    older = escape(json.dumps({**record, "versions": {**record["versions"], "numpy": "1.0"}}, sort_keys=True))
    status, told = verified(text.replace(kept, older).encode())
    assert status == 1
    assert "differs: version of numpy: 1.0 in the report" in told
    assert told.endswith("give here: other versions can be the cause; it may have been changed as well\n")


def test_the_files_of_a_report_are_told_with_their_places(made, data, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(cli, "make", lambda *_, **__: Made("<html>", b"12", b"", None, ""))
    assert report.main([str(data), "--out", str(tmp_path / "mine.html")]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(" (")[0] for line in lines] == [
        f"page               {tmp_path / 'mine.html'}",
        f"table of items     {tmp_path / 'mine_items.csv'}",
        f"table of clusters  {tmp_path / 'mine_clusters.csv'}",
    ]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.html", "mine_clusters.csv", "mine_items.csv"]


def test_a_changed_record_is_named(made, verified):
    text = made.read_text(encoding="utf-8")
    meta = re.search(r'<meta name="simlib-report" content="([^"]*)">\n', text)
    record = json.loads(unescape(meta[1]))
    assert verified(text.replace(meta[0], meta[0] * 2).encode()) == (
        2,
        "error: report.html holds 2 records of how it was made, expected one: somebody changed it\n",
    )
    twice = unescape(meta[1])[:-1] + ', "page": "x"}'
    nested = [{**record, "versions": record}, {**record, "more": record}, {**record, "data": {**record, "file": "x"}}]
    for forged in (twice, "[" * 100_000, *map(json.dumps, nested)):
        changed = text.replace(meta[1], escape(forged))
        status, told = verified(changed.encode())
        assert status == 2
        assert "the record of how it was made is missing or not whole" in told


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are for a POSIX shell")
def test_the_printed_commands_work_for_any_name(labels, vectors, tmp_path):
    name = "-x $(touch y)  'z'.csv"
    write_csv(tmp_path / name, labels[:12], vectors[:12])
    html, _ = report.build(tmp_path / name, k=3, title="-- a title", columns=["x0", "x1"], stamp=False)
    printed = unescape(re.search(r"<pre>(.*?)</pre>", html, flags=re.S)[1]).splitlines()
    assert len(printed) == 2
    where = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}
    for command in printed:
        run = subprocess.run(["bash", "-c", command], cwd=tmp_path, env=where, capture_output=True, text=True)
        assert run.returncode == 0, run.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        name,
        "report.html",
        "report_clusters.csv",
        "report_items.csv",
    ]


@pytest.mark.parametrize("names", [["a"], ["a", "b c"], ["a,b", 'c"d', " e"], ["-x", "=1"]])
def test_names_of_columns_survive_the_command_line(names):
    assert commands.parts(commands.listed(names)) == names


def test_characters_that_cannot_be_seen_are_escaped_for_the_shell(tmp_path):
    name = "a\n\u202eb'\\\x07.csv"
    word = commands.typed([], name).removeprefix("python -m simlib.report ")
    assert word.isprintable()
    printed = subprocess.run(["bash", "-c", f"printf %s {word}"], capture_output=True).stdout
    assert printed.decode() == name


# other kinds of data


@pytest.fixture(scope="module")
def scanned(tmp_path_factory, vectors):
    """A report for which no k was given, of four clusters plain to see."""
    source = write_csv(tmp_path_factory.mktemp("scan") / "four.csv", [f"item {i}" for i in range(240)], vectors)
    return report.build(source, ks=[2, 3, 4, 6, 8], stamp=False)[0]


def test_without_k_the_scan_is_shown_and_the_choice_explained(scanned):
    told = unescape(re.sub(r"<[^>]+>", " ", scanned.partition("</head>")[2]))
    assert "4 clusters" in " ".join(told.split())
    assert (
        "No k was asked for; of the 5 that were tried this one has the largest mean silhouette (shuffled data reach"
        in told
    )
    assert "shuffled data reach" in told
    assert "how sure" in told
    assert "<b>4</b>" in scanned


def test_distances_from_a_matrix(tmp_path):
    at = np.concatenate([np.linspace(0, 1, 20), np.linspace(50, 51, 20), np.linspace(200, 202, 20)])
    np.save(tmp_path / "far.npy", abs(at[:, None] - at))
    text, items = report.build(tmp_path / "far.npy", k=3, metric="precomputed", stamp=False)
    told = unescape(re.sub(r"<[^>]+>", " ", text.partition("</head>")[2]))
    assert "3 clusters" in " ".join(told.split())
    assert "mean distance" in told
    assert "similarity of an item" not in told
    rows = list(csv.DictReader(items.decode().splitlines()))
    groups = [{row["cluster"] for row in rows[start : start + 20]} for start in (0, 20, 40)]
    assert sorted(groups, key=min) == [{"1"}, {"2"}, {"3"}]
    assert rows[0].keys() >= {"distance"}


def test_items_in_columns_are_recorded_and_made_again(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    moves = rng.normal(size=(40, 3)).repeat(4, axis=1) + 0.1 * rng.normal(size=(40, 12))
    heading = ",".join(["day", *(f"share {j}" for j in range(12))])
    days = [f"2024-01-{day:02d}" if day < 32 else f"2024-02-{day - 31:02d}" for day in range(1, 41)]
    lines = [",".join([day, *map(str, row)]) for day, row in zip(days, moves.round(4), strict=True)]
    Path("moves.csv").write_text("\n".join([heading, *lines]))
    assert report.main(["moves.csv", "--k", "3", "--metric", "correlation", "--transpose", "--no-stamp"]) == 0
    text = Path("report.html").read_text(encoding="utf-8")
    assert recorded(text)["options"]["transpose"] is True
    (command,) = re.findall(r"<pre>(python -m simlib\.report moves\.csv .*)$", text, flags=re.M)
    assert shlex.split(unescape(command))[3:] == ["moves.csv", "--k=3", "--metric=correlation", "--transpose"]
    with open("report_items.csv", encoding="utf-8", newline="") as file:
        assert [row["item"] for row in csv.DictReader(file)] == [f"share {j}" for j in range(12)]
    assert report.main(["--verify", "report.html"]) == 0
    Path("again").mkdir()
    assert report.main([*shlex.split(unescape(command))[3:], "--no-stamp", "--out", "again/report.html"]) == 0
    assert Path("again/report.html").read_bytes() == Path("report.html").read_bytes()
    assert report.main(["moves.csv", "--k", "3"]) == 2
    assert "pass --transpose; if the rows are, pass --labels=day" in capsys.readouterr().err


@pytest.mark.parametrize("wish", [{"label": "a"}, {"columns": ["a"]}, {"transpose": True}], ids=str)
def test_a_choice_that_is_for_vectors_only_is_refused_elsewhere(wish, tmp_path):
    np.save(tmp_path / "D.npy", 1 - np.eye(5))
    (name,) = wish
    with pytest.raises(ValueError, match=rf"{name} is for files of vectors, and D\.npy is read as a matrix"):
        reading.read(tmp_path / "D.npy", "precomputed", reading.Wishes(**wish))
    with pytest.raises(ValueError, match="the shipped words have no such choice: leave it out"):
        reading.read(None, "cosine", reading.Wishes(**wish))


# errors


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["missing.csv"], "there is no file"),
        (["folder"], "is a directory, expected a file"),
        (["four.csv", "--out", "nowhere/report.html"], "cannot be written: No such file"),
        (["four.csv", "--out", "folder"], "is a directory, expected the name of a file"),
        (["four.csv", "--out", "four.csv"], "is the data file"),
        (["four.csv", "--out", "link.csv"], "is the data file"),
        (["four.csv", "--out", "/dev/null"], "is no regular file"),
        (["four.csv", "--out", "pipe"], "is no regular file"),
        (["four.csv", "--out", "x.pdf", "--pdf"], "would be the page and the PDF: choose another --out"),
        (["--verify", "four.csv"], "not a report"),
        (["four.csv", "--verify", "missing.html"], "there is no file"),
        (["four.csv", "--k", "5"], "k must be between 2 and 4"),
        (["empty.csv"], "empty"),
        (["four.csv", "--metric", "precomputed", "--k", "2"], "square"),
        (["words.csv", "--k", "2"], "words.csv"),
    ],
)
def test_an_error_is_one_line_and_leaves_nothing(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "empty.csv").touch()
    (tmp_path / "words.csv").write_text("a,b\nno,numbers\nhere,at\nall,of\nall,them\n")
    (tmp_path / "four.csv").write_text("a,b\n1,2\n2,1\n3,4\n5,4\n1,7\n")
    (tmp_path / "link.csv").symlink_to("four.csv")
    os.mkfifo(tmp_path / "pipe")
    before = sorted(path.name for path in tmp_path.iterdir())
    assert report.main(arguments) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert re.fullmatch(r"error: .+\n", told.err)
    assert message in told.err
    assert "Traceback" not in told.err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_format_whose_library_is_missing_is_one_line(tmp_path, monkeypatch, capsys):
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "h5py.py").write_text("raise ModuleNotFoundError('No module named h5py', name='h5py')\n")
    (tmp_path / "a.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(600))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path / "hidden"), str(ROOT)]))
    assert report.main([str(tmp_path / "a.h5"), "--k", "3", "--out", str(tmp_path / "report.html")]) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert told.err == 'error: a.h5 needs h5py, which is not installed: pip install "simlib[formats]"\n'
    assert not (tmp_path / "report.html").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--k", "1"], "at least 2, got '1'"),
        (["--k", "many"], "whole number"),
        (["--metric", "euclid"], "metric must be one of 'similarity'"),
        (["--metric", "pearson"], "use --metric=correlation"),
        (["--metric", "distance"], "use --metric=precomputed"),
        (["--metric", "Euclidean"], "then pass D with --metric=precomputed"),
        (["--items", "<b>"], "must be a word such as genes"),
        (["--ks", "2,x"], "whole number"),
        (["my.csv", "--verify", "report.html", "--k", "3"], "leave out --k"),
        (["my.csv", "--verify", "report.html", "--transpose"], "leave out --transpose"),
    ],
)
def test_a_wrong_option_is_one_line(arguments, message, capsys):
    with pytest.raises(SystemExit) as stopped:
        report.main(arguments)
    told = capsys.readouterr().err
    assert stopped.value.code == 2
    assert message in told
    assert told.count("\n") == 1


def test_without_a_browser_nothing_is_begun(monkeypatch, data, tmp_path, capsys):
    monkeypatch.setattr(pdf, "BROWSERS", ("no-such-browser",))
    assert report.main([str(data), "--pdf", "--out", str(tmp_path / "report.html")]) == 2
    assert "needs Chromium or Chrome" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_if_printing_fails_the_old_report_stays_whole(monkeypatch, made, data, tmp_path, capsys):
    out = tmp_path / "report.html"
    out.write_text("the old one")
    broken = tmp_path / "broken-browser"
    broken.write_text("#!/bin/sh\necho 'no display' >&2\nexit 3\n")
    broken.chmod(0o755)
    items, clusters = (made.with_name(f"report_{name}.csv").read_bytes() for name in ("items", "clusters"))
    monkeypatch.setattr(pdf, "BROWSERS", (str(broken),))
    page = made.read_text(encoding="utf-8")
    monkeypatch.setattr(cli, "make", lambda *_, **__: Made(page, items, clusters, None, ""))
    assert report.main([str(data), "--pdf", "--out", str(out)]) == 2
    assert capsys.readouterr().err == "error: Chromium could not print the page, nothing was written: no display\n"
    assert out.read_text() == "the old one"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broken-browser", "report.html"]


@pytest.mark.skipif(sys.platform == "win32", reason="no such signal there")
def test_ctrl_c_leaves_nothing(data, tmp_path):
    command = [sys.executable, "-m", "simlib.report", str(data), "--out", str(tmp_path / "report.html")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True) as run:
        kernel = None
        while kernel is None and run.poll() is None:
            time.sleep(0.2)
            children = Path(f"/proc/{run.pid}/task").glob("*/children")
            kernel = next((int(pid) for file in children for pid in file.read_text().split()), None)
        run.send_signal(signal.SIGINT)
        told = run.communicate(timeout=30)[1]
    assert run.returncode == 130
    assert told.endswith("stopped; nothing was written\n")
    assert "Traceback" not in told
    assert not list(tmp_path.iterdir())
    assert not Path(f"/proc/{kernel}").exists()


@pytest.mark.parametrize("scale", [1.0, 1e-6, 1e-12, 1e6])
def test_small_distances_keep_their_digits(tmp_path, scale):
    points = scale * np.array([0.0, 1.0, 3.0, 10.0, 11.25])
    D = abs(points[:, None] - points)
    fit = simlib.kmedoids(D, 2, metric="precomputed", init=[1, 3])
    numbers.write_items(
        tmp_path / "items.csv", list("abcde"), fit, simlib.silhouette(D, fit.labels, metric="precomputed")
    )
    with open(tmp_path / "items.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    np.testing.assert_allclose(
        [float(row["distance"]) for row in rows], scale * np.array([1, 0, 2, 0, 1.25]), rtol=1e-3
    )
    assert [row["distance"] for row in rows][1] == "0.0000"
    near = max(float(row["distance"]) for row in rows)
    assert near == pytest.approx(2 * scale)
    assert "mean distance 0.00<" not in simlib.widgets.cards_html(fit, D)
    assert " 0.0000" not in simlib.scan_k(D, [2], metric="precomputed").table()


# an installed package


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory):
    """A folder with what a wheel of this project installs, outside of the repository."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["wheel", "--quiet", "--no-deps", "--no-index", "--no-build-isolation", "--wheel-dir", folder, ROOT]
    subprocess.run([sys.executable, "-m", "pip", *build], check=True)
    (wheel,) = folder.glob("simlib-*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(folder / "unpacked")
    return folder / "unpacked"


def test_a_wheel_makes_a_report_far_from_its_repository(unpacked, labels, vectors, tmp_path):
    assert ROOT not in unpacked.parents
    write_csv(tmp_path / "few.csv", labels[:60], vectors[:60])
    told = run_from(unpacked, ["-c", "import simlib.report; print(simlib.report.__file__)"], tmp_path)
    assert Path(told.stdout.strip()) == unpacked / "simlib" / "report" / "__init__.py"
    told = run_from(unpacked, ["-m", "simlib.report", "few.csv", "--k", "4", "--out", "few.html"], tmp_path)
    assert told.returncode == 0, told.stderr
    assert "4 clusters" in (tmp_path / "few.html").read_text(encoding="utf-8")
    with open(tmp_path / "few_items.csv", encoding="utf-8", newline="") as file:
        assert len(list(csv.DictReader(file))) == 60
    assert {path.name for path in tmp_path.iterdir()} == {*("few.csv", "few.html", "few_items.csv", "few_clusters.csv")}


def run_from(packages, arguments, folder):
    """Run Python in `folder` with the packages of another folder before all others."""
    where = {**os.environ, "PYTHONPATH": str(packages)}
    return subprocess.run([sys.executable, *arguments], cwd=folder, env=where, capture_output=True, text=True)


# the pieces


def test_parameters_go_in_as_values_and_never_as_code(tmp_path):
    cells = [
        nbformat.v4.new_code_cell("A = B = None", metadata={"tags": ["parameters"]}),
        nbformat.v4.new_code_cell("print(repr(A), B)"),
        nbformat.v4.new_markdown_cell("## What you can now say"),
        nbformat.v4.new_code_cell("print('an exercise')"),
    ]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), tmp_path / "one.ipynb")
    hostile = '\'; import os #"""\n\\ \u2028 \udcff'
    run = execute(tmp_path / "one.ipynb", parameters={"A": hostile, "B": [1, None]})
    assert run.cells[1].outputs[0].text == f"{hostile!r} [1, None]\n"
    assert len(run.cells) == 2


def test_marks_for_maths_are_never_those_of_a_label():
    text = nbformat.v4.new_markdown_cell(
        "# Title\n\nMATH0-0-HERE and MATH-0-HERE beside $x$", metadata={"tags": ["report"]}
    )
    output = nbformat.v4.new_output("stream", text="MATH0-0-HERE MATH-7-HERE")
    cell = nbformat.v4.new_code_cell("1", outputs=[output])
    both = nbformat.v4.new_notebook(cells=[text, cell])
    for made in (page({"00_one": both}, "Marks"), report_page(both, "Marks", {})):
        assert made.count("<math") == 1
        assert "MATH0-0-HERE and MATH-0-HERE beside <math" in made
    assert "MATH0-0-HERE MATH-7-HERE" in page({"00_one": both}, "Marks")


def test_a_caption_ends_with_its_paragraph():
    picture = nbformat.v4.new_output("display_data", {"image/png": "AAAA"})
    cells = [
        nbformat.v4.new_code_cell("1", outputs=[picture]),
        nbformat.v4.new_markdown_cell(
            "*Figure 1.* What to see.\n\n## Next part\n\nIts text.", metadata={"tags": ["report"]}
        ),
        nbformat.v4.new_code_cell("2", outputs=[picture]),
    ]
    made = report_page(nbformat.v4.new_notebook(cells=cells), "Parts", {})
    assert 'alt="Figure 1. What to see."' in made
    assert made.count("What to see.") == 2  # below the picture and in its place
    assert '<a href="#part-1">Next part</a>' in made
    assert made.count("Its text.") == 1
    assert "Its text." not in "".join(re.findall(r"<figure>.*?</figure>", made, flags=re.S))
    both = page({"00_one": nbformat.v4.new_notebook(cells=cells)}, "Parts")
    assert 'alt="Figure 1. What to see."' in both


def test_what_a_cell_says_of_its_picture_ends_the_caption():
    picture = nbformat.v4.new_output("display_data", {"image/png": "AAAA"})
    told = nbformat.v4.new_output("display_data", {"text/markdown": "Less *so*.", "text/plain": "<Markdown>"})
    caption = nbformat.v4.new_markdown_cell("*Figure 1.* Dark is alike.", metadata={"tags": ["report"]})
    made = report_page(
        nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=[picture, told]), caption]), "x", {}
    )
    assert "Dark is alike. Less <em>so</em>.</p></figcaption>" in made.replace("\n", "")
    assert 'alt="Figure 1. Dark is alike. Less so."' in made
    alone = report_page(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=[told])]), "x", {})
    assert "<p>Less <em>so</em>.</p>" in alone


def test_some_of_the_words_are_a_file_like_any_other(monkeypatch, tmp_path):
    monkeypatch.setattr(numbers, "results_folder", lambda: tmp_path)
    assert numbers.some_words(20_000) is None
    assert not list(tmp_path.iterdir())
    path = numbers.some_words(50)
    A, labels, card = simlib.load_vectors(path)
    words = simlib.load("words", n=50)
    assert Path(path).name == card["file"] == "words_50.csv"
    assert (words.vectors == A).all()
    assert (words.names == labels).all()
    with pytest.raises(ValueError, match="n must be between 1 and 20000"):
        numbers.some_words(0)


def test_stability_stands_beside_that_of_shuffled_data(vectors):
    assert numbers.shuffled_stability(vectors @ vectors.T, 3, "similarity") is None
    assert numbers.shuffled_stability(vectors, len(vectors) // 2 + 1, "cosine") is None
    found = numbers.shuffled_stability(vectors, 3, "cosine")
    shuffled = simlib.cosine_similarity(simlib.shuffle_columns(vectors))
    assert found.scores == pytest.approx(simlib.stability(shuffled, 3, rounds=5).scores)
    fit = simlib.kmedoids(vectors, 3, metric="cosine", init="build")
    rest = (fit, 0.1, Stability(0.37, 0.01, (0.37,)), simlib.certify(vectors, fit.medoids, metric="cosine"))
    told = html.finding(None, *rest, np.zeros(len(vectors)), "", shuffled=Stability(0.26, 0.03, (0.26,)))
    assert "1 the same, shuffled data reach 0.26 ± 0.03" in told
    assert "1 the same, 0 chance" in html.finding(None, *rest, np.zeros(len(vectors)), "")


def test_similarity_to_the_exemplars_stands_beside_that_of_shuffled_data(vectors):
    null = numbers.shuffled_scan(vectors, "cosine", [2, 3])
    fit = simlib.kmedoids(vectors, 3, metric="cosine", init="build")
    proof = simlib.certify(vectors, fit.medoids, metric="cosine")
    told = html.finding(None, fit, 0.1, None, proof, np.zeros(len(vectors)), "", null=null)
    reached = np.delete(null[3].similarity, null[3].medoids).mean()
    assert f"of any two items 0.10; shuffled data reach {reached:.2f}" in told


def test_a_map_tells_how_many_neighbours_it_keeps():
    at = np.arange(12.0) ** 2
    fit = simlib.assign(abs(at[:, None] - at), np.arange(12), metric="precomputed")
    kept = numbers.kept_on_map(abs(at[:, None] - at), fit, np.column_stack([at, at]))
    assert kept == 1
    assert "of the 5 most like an exemplar, 100 % are its 5 nearest here" in html.mapped(fit, kept)
    assert numbers.kept_on_map(abs(at[:, None] - at), fit, np.column_stack([at[::-1] * 0, np.arange(12) % 2])) < 0.8
    few = simlib.assign(abs(at[:, None] - at), np.arange(10), metric="precomputed")
    assert numbers.kept_on_map(abs(at[:, None] - at), few, np.zeros((10, 2))) is None
    assert html.mapped(few, None, "words") == "12 words around 10 exemplars"


def test_thirds_leave_the_exemplars_out():
    at = np.array([0.0, 1, 3, 7])
    fit = simlib.assign(abs(at[:, None] - at), [0], metric="precomputed")
    assert numbers.by_thirds(fit, [99, 3, 2, 1]) == [7, 3, 1]
    both = simlib.assign(abs(at[:, None] - at), [0, 1, 2], metric="precomputed")
    assert numbers.by_thirds(both, [1, 2, 3, 4]) == [4]


@pytest.mark.parametrize(
    ("n", "k", "ks", "expected"),
    [
        (5, None, None, [2, 3]),
        (60, None, None, [*range(2, 16)]),
        (200, None, None, [*range(2, 21), 24, 32, 48]),
        (201, None, None, [*range(2, 9), 10, 12, 16, 20, 24, 32, 48]),
        (20_000, None, None, [2**i for i in range(1, 11)]),
        (100, 8, None, [2, 4, 6, 8, 12, 16]),
        (20_000, 512, None, [128, 256, 512, 1024]),
        (4, 2, None, [2, 3]),
        (100, None, [5, 3, 5], [3, 5]),
        (100, 7, [5, 3], [3, 5, 7]),
    ],
)
def test_the_ladder_of_ks(n, k, ks, expected):
    assert numbers.ladder(n, k, ks) == expected


def test_rivals_and_ranks_by_hand():
    at = np.array([0.0, 1, 2, 10, 11, 30, 31, 32, 33])
    D = abs(at[:, None] - at)
    fit = simlib.assign(D, [1, 3, 6], metric="precomputed")
    assert numbers.ranks(fit).tolist() == [2, 3, 1]
    other, far = numbers.rivals(D, "precomputed", fit, np.array([0, 4, 8]))
    assert other.tolist() == [1, 0, 1]
    assert far.tolist() == [10, 10, 23]
    assert numbers.any_two(D, "precomputed") == pytest.approx(D.sum() / (9 * 8))


def test_many_items_are_drawn_from_a_sample(monkeypatch, vectors):
    monkeypatch.setattr(numbers, "STORED", 100)
    monkeypatch.setattr(numbers, "DRAWN", 50)
    assert numbers.compare(vectors, "cosine")[1] == "cosine"
    fit = simlib.kmedoids(vectors, 4, metric="cosine", init="build")
    S, drawn, rows, unit = numbers.picture(vectors, "cosine", fit)
    assert S.shape == (54, 54)
    assert (rows[drawn.medoids] == fit.medoids).all()
    assert (drawn.labels == fit.labels[rows]).all()
    np.testing.assert_allclose(S, simlib.cosine_similarity(vectors[rows]), atol=1e-6)
    assert unit == "similarity"


def test_what_was_clustered_is_drawn_as_it_is():
    D = abs(np.arange(6.0)[:, None] - np.arange(6))
    fit = simlib.assign(D, [1, 4], metric="precomputed")
    S, drawn, rows, unit = numbers.picture(D, "precomputed", fit)
    assert S is D
    assert drawn is fit
    assert rows.tolist() == list(range(6))
    assert unit == "distance"
    assert numbers.picture(10 - D, "similarity", simlib.assign(10 - D, [1, 4]))[3] == "similarity"


def test_a_finding_that_is_not_good_says_so():
    at = np.array([0.0, 1, 2, 10, 11, 30])
    fit = simlib.assign(abs(at[:, None] - at), [0, 1], metric="precomputed")
    proof = Certificate(False, -8.5, 0, 4, 47.0)
    told = html.finding(
        None, fit, 12.0, Stability(0.2, 0.1, (0.1, 0.3)), proof, np.full(6, -0.1), "k = 2 was asked for."
    )
    assert "6 items in 2 clusters" in told
    assert "one exchange would lower the inertia by 8.5" in told
    assert "largely other clusters" in told
    assert "too little to speak of separate groups" in told
    assert "not measured" in html.finding(None, fit, 12.0, None, proof, np.zeros(6), "")


def test_labels_become_plain_lines():
    assert plain("a\t b\n\nc") == "a b c"
    assert plain("x" * 200) == "x" * 79 + "…"
    assert plain("\u202eabc\u2066\x00") == "�abc��"
    assert plain("نیم\u200cفاصله") == "نیم\u200cفاصله"
    assert marked('<b a="1">&') == "<bdi>&lt;b a=&quot;1&quot;&gt;&amp;</bdi>"
    assert marked("") == "<bdi>(no label)</bdi>"
    assert marked('a "b" c', 5) == '<bdi title="a &quot;b&quot; c">a &quot;b…</bdi>'
