"""What a person says about the data of a report: names, known classes, pictures, what is dropped and what has gaps."""

import csv
import re
import shlex
import subprocess
import sys
from html import unescape

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score

import simlib
from simlib import report
from simlib.plots.fonts import undrawn
from simlib.report import html, numbers, reading
from simlib.report.build import beside_page, make
from simlib.report.options import completed
from simlib.report.page import report_page
from simlib.report.reading import Wishes

HEAD = "symbol,kind,S1,S2,S3,batch\n"


@pytest.fixture
def genes(tmp_path):
    """Twenty genes in two kinds; the one in row 3 has a gap, the one in row 7 is constant."""
    rng = np.random.default_rng(0)
    lines = []
    for i in range(20):
        row = (np.array([3, 0, 0]) if i % 2 else np.array([0, 3, 0])) + rng.normal(0, 0.1, 3)
        cells = ["" if i == 3 and j == 1 else f"{5 if i == 7 else each:.3f}" for j, each in enumerate(row)]
        lines.append(f"g{i},{'odd' if i % 2 else 'even'},{','.join(cells)},{i % 3}")
    (tmp_path / "genes.csv").write_text(HEAD + "\n".join(lines) + "\n")
    (tmp_path / "names.txt").write_text("".join(f"gene number {i}\n" for i in range(20)))
    np.save(tmp_path / "pictures.npy", np.arange(20, dtype=np.uint8)[:, None, None] * np.ones((1, 2, 2), np.uint8))
    return tmp_path


def read(folder, metric="correlation", **wishes):
    wishes = {"columns": ["S*"], **wishes}
    for name in ("label", "names", "classes", "thumbnails"):
        if str(wishes.get(name)).startswith(("names.", "pictures.")):
            wishes[name] = str(folder / wishes[name])
    return reading.read(str(folder / "genes.csv"), metric, Wishes(**wishes))


KEPT = [i for i in range(20) if i != 3]


def test_names_classes_and_pictures_follow_the_rows_that_are_kept(genes):
    found = read(genes, classes="kind", names="names.txt", thumbnails="pictures.npy")
    assert found.labels.tolist() == [f"gene number {i}" for i in KEPT]
    assert found.ids.tolist() == [f"g{i}" for i in KEPT]
    assert found.classes.tolist() == ["odd" if i % 2 else "even" for i in KEPT]
    assert found.thumbnails[:, 0, 0].tolist() == KEPT
    assert found.A.shape == (19, 3)
    assert reading.file_rows(found.card).tolist() == KEPT
    assert np.flatnonzero(found.empty).tolist() == [6]  # of those kept; row 7 of the file
    assert "1 of 20 items (5 %)" in reading.left_out(found.card)
    assert any("'gene number 7'" in note and "--drop-empty" in note for note in found.card["notes"])


def test_labels_come_from_a_file_or_a_column(genes):
    assert read(genes, label="names.txt").labels.tolist() == [f"gene number {i}" for i in KEPT]
    by_kind = read(genes, label="kind")
    assert by_kind.labels.tolist() == ["odd" if i % 2 else "even" for i in KEPT]
    assert by_kind.ids is None


def test_classes_take_no_part_in_the_clustering(genes):
    without = read(genes, columns=None, classes="batch", label="symbol")
    assert without.A.shape == (19, 3)
    assert without.classes.tolist() == [str(i % 3) for i in KEPT]
    assert read(genes, columns=None).A.shape == (19, 4)
    assert read(genes, columns=None, drop=["S2", "batch"]).A.shape == (20, 2)  # without the gap


def test_columns_that_are_items_are_counted_as_columns(tmp_path):
    rows = ["day,=a,b,c,d,e", *(f"2024-01-0{i},{i},{i * i % 5},{7 - i},,{i % 3}" for i in range(1, 8))]
    (tmp_path / "days.csv").write_text("\n".join(rows) + "\n")
    A, labels, card, *_ = reading.read(
        str(tmp_path / "days.csv"), "correlation", Wishes(transpose=True, keep_going=True)
    )
    fit = simlib.kmedoids(A, 2, metric="correlation")
    scores = simlib.silhouette(A, fit.labels, metric="correlation")
    numbers.write_items(tmp_path / "items.csv", labels, fit, scores, reading.file_rows(card))
    with open(tmp_path / "items.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["column"], line["item"]) for line in lines] == [(name, name) for name in ("'=a", "b", "c", "e")]
    assert "<tr><th>items</th>" in html.items(fit, labels, scores, reading.file_rows(card))
    assert "4 columns of 7 numbers" in html.about(card)


def test_empty_items_are_left_out_where_asked(genes):
    found = read(genes, drop_empty=True, classes="kind", names="names.txt", thumbnails="pictures.npy")
    rows = [i for i in KEPT if i != 7]
    assert reading.file_rows(found.card).tolist() == rows
    assert found.labels.tolist() == [f"gene number {i}" for i in rows]
    assert found.thumbnails[:, 0, 0].tolist() == rows
    assert len(found.A) == len(found.classes) == len(found.ids) == found.card["rows"] == 18
    assert not found.empty.any()
    assert any("'gene number 7'" in line for line in found.card["dropped"])


@pytest.mark.parametrize(
    ("A", "metric", "empty"),
    [
        ([[1, 0], [0, 0], [2, 1]], "cosine", [1]),
        ([[0.1, 0.1], [0, 0], [2, 1]], "correlation", [0, 1]),
        ([[1, 0.5, 0], [0.5, 1, 0], [0, 0, 1]], "similarity", [2]),
        ([[0, 0], [0, 0]], "precomputed", []),
    ],
)
def test_what_is_like_nothing_by_hand(A, metric, empty):
    assert np.flatnonzero(reading.like_nothing(np.array(A, float), metric)).tolist() == empty


def test_what_is_like_nothing_is_not_called_most_unlike():
    X = np.array([[1.0, 0], [1, 0.1], [1, 0.2], [0, 1], [0.3, 1], [0, 0]])
    S = simlib.cosine_similarity(X)
    fit = simlib.assign(S, [1, 3])
    scores = simlib.silhouette(S, fit.labels)
    labels = [f"item {i}" for i in range(6)]
    assert ">item 5<" in html.misfits(S, "similarity", fit, labels, scores)
    shown = html.misfits(S, "similarity", fit, labels, scores, empty=np.arange(6) == 5)
    assert ">item 5<" not in shown
    assert "1 that are like nothing stand in neither table" in shown


def test_many_gaps_ask_for_a_decision(tmp_path):
    rows = [f"i{j},{j},{'' if j % 5 == 0 else j * j % 7}" for j in range(20)]
    (tmp_path / "a.csv").write_text("name,a,b\n" + "\n".join(rows) + "\n")
    with pytest.raises(ValueError, match=r"4 of 20 items \(20 %\)\. That is more than a tenth.*keep_going=True"):
        reading.read(str(tmp_path / "a.csv"), "cosine")
    found = reading.read(str(tmp_path / "a.csv"), "cosine", Wishes(keep_going=True))
    assert len(found.A) == 16
    with pytest.raises(ValueError, match=r"k must be between 2 and 15 .*4 of 20 items \(20 %\)"):
        numbers.ladder(16, 18, None, reading.left_out(found.card))


@pytest.mark.parametrize(
    ("wishes", "message"),
    [
        ({"names": "names.short"}, "names.short has 2 lines, expected 20, one an item of genes.csv"),
        ({"names": "names.headed"}, "expected 20.*tail -n \\+2 names.headed leaves it out"),
        ({"thumbnails": "pictures.npy_9.npy"}, r"thumbnails must be \(20, height, width\)"),
        ({"thumbnails": "pictures.float.npy"}, "thumbnails must be uint8"),
        ({"classes": "no such"}, r"genes.csv: classes must list names among .*got \['no such'\]"),
        ({"classes": "kind", "transpose": True}, "classes='kind' is no file, and the columns are the items"),
    ],
)
def test_what_does_not_fit_is_refused(genes, wishes, message):
    (genes / "names.short").write_text("a\nb\n")
    (genes / "names.headed").write_text("name\n" + "x\n" * 20)
    np.save(genes / "pictures.npy_9.npy", np.zeros((9, 2, 2), np.uint8))
    np.save(genes / "pictures.float.npy", np.zeros((20, 2, 2)))
    columns = None if "transpose" in wishes else ["S*"]
    drop = ["kind", "batch"] if "transpose" in wishes else None
    with pytest.raises((ValueError, TypeError), match=message):
        read(genes, columns=columns, drop=drop, keep_going=True, **wishes)


@pytest.mark.parametrize(("name", "between"), [("names.csv", ","), ("names.tsv", "\t")])
def test_a_table_for_lines_is_refused_and_its_way_out_works(genes, name, between, monkeypatch):
    lines = [f"gene{between}the kind", *(f'g{i}{between}"{"odd" if i % 2 else "even"}"' for i in range(20))]
    (genes / name).write_text("\n".join(lines) + "\n")
    with pytest.raises(ValueError, match=f"{name} is a table of 2 columns") as refused:
        read(genes, classes=name)
    told = shlex.split(str(refused.value))
    code = told[told.index("-c") + 1]
    monkeypatch.chdir(genes)
    subprocess.run([sys.executable, "-c", code.rstrip(",")], check=True)
    assert read(genes, classes="names.txt").classes.tolist() == ["odd" if i % 2 else "even" for i in KEPT]


def test_agreement_with_known_classes():
    fit = simlib.assign(1 - np.kron(np.eye(2), np.ones((3, 3))), [0, 3], metric="precomputed")
    classes = np.array(["a", "a", "a", "b", "b", "a"])
    ari, mutual = numbers.agreement(fit, classes)
    assert ari == adjusted_rand_score([0, 0, 0, 1, 1, 1], [0, 0, 0, 1, 1, 0])
    assert 0 < mutual < 1
    told = html.agreement(fit, classes, "genes")
    assert f"{ari:.2f}" in told
    assert "83 % of the genes are in a cluster whose commonest class is their own" in told
    assert "One cluster of all would give 67 %" in told
    assert numbers.agreement(fit, np.array(list("xxxyyy"))) == (1.0, pytest.approx(1.0))


def test_of_almost_all_is_not_said_that_they_are_all():
    fit = simlib.assign(np.zeros((1000, 1000)), [0], metric="precomputed")
    assert "99 % of the items" in html.agreement(fit, np.array(["a"] * 999 + ["b"]))
    assert "100 % of the items" in html.agreement(fit, np.array(["a"] * 1000))


def test_cards_tell_the_class_of_most_members():
    at = np.array([0.0, 1, 2, 50, 51, 90])
    D = abs(at[:, None] - at)
    fit = simlib.assign(D, [1, 3, 5], metric="precomputed")
    shown = html.cards(D, "precomputed", fit, list("abcdef"), classes=np.array(["x", "x", "<y>", "z", "z", "z"]))
    told = re.findall(r"(\d) of (\d) of class <bdi>(.*?)</bdi>", shown)
    assert told == [("2", "3", "x"), ("2", "2", "z"), ("1", "1", "z")]
    assert "of class" not in html.cards(D, "precomputed", fit, list("abcdef"))


def constant_rows():
    """Six genes in two kinds, and two that never vary."""
    X = np.array([[1.0, 2, 3], [1, 2, 4], [2, 2, 5], [3, 2, 1], [4, 2, 1], [5, 2, 1], [7, 7, 7], [0, 0, 0]])
    S = simlib.correlation(X)
    return S, simlib.assign(S, [0, 3]), reading.like_nothing(X, "correlation")


def test_what_never_varies_is_marked_and_stands_apart():
    S, fit, empty = constant_rows()
    remarks, labels = numbers.remarks(empty, "correlation"), [f"gene {i}" for i in range(8)]
    scores = simlib.silhouette(S, fit.labels)
    assert empty.tolist() == [False] * 6 + [True] * 2
    rule = "never varies, put here by rule"
    cards = html.cards(S, "similarity", fit, labels, remarks=remarks)
    assert f"{rule}: <bdi>gene 6</bdi>, <bdi>gene 7</bdi></p>" in cards
    assert cards.count("gene 6") == 1
    assert f"<bdi>gene 2</bdi><br>{rule}: <bdi>gene 6</bdi>" in html.clusters(fit, labels, scores, remarks=remarks)
    assert f"<bdi>gene 7</bdi> <small>({rule})</small>" in html.items(fit, labels, scores, remarks=remarks)
    for shown in (html.cards(S, "similarity", fit, labels), html.clusters(fit, labels, scores)):
        assert "by rule" not in shown
    assert numbers.remarks(~empty & empty, "correlation") is None


def test_an_exemplar_that_never_varies_is_marked():
    S, _, empty = constant_rows()
    fit = simlib.assign(S, [0, 3, 6, 7])
    shown = html.cards(S, "similarity", fit, list("abcdefgh"), remarks=numbers.remarks(empty, "correlation"))
    assert shown.count("<small>(never varies, put here by rule)</small>") == 2
    assert shown.count("alone;") == 2


def test_many_that_never_vary_are_counted():
    X = np.concatenate([[[1.0, 2, 3], [3, 2, 1]], np.ones((20, 3))])
    S = simlib.correlation(X)
    fit = simlib.assign(S, [0, 1])
    remarks = numbers.remarks(reading.like_nothing(X, "correlation"), "correlation")
    assert "<bdi>4</bdi> and 17 more</p>" in html.cards(S, "similarity", fit, range(22), remarks=remarks)
    assert "<bdi>11</bdi> and 10 more</td>" in html.clusters(fit, range(22), np.zeros(22), remarks=remarks)


def test_long_labels_are_whole_on_cards_and_a_line_each():
    at = np.array([0.0, 1, 2, 3, 50])
    D = abs(at[:, None] - at)
    labels = [f"the sentence of number {i}, which has more than forty characters" for i in range(5)]
    fit = simlib.assign(D, [1, 4], metric="precomputed")
    shown = html.cards(D, "precomputed", fit, labels)
    assert f"· <bdi>{labels[0]}</bdi><br>· <bdi>{labels[2]}</bdi><br>· <bdi>{labels[3]}</bdi>" in shown
    assert shown.count(f"<bdi>{labels[4]}</bdi>") == 2  # as an exemplar, and as a nearest exemplar
    long = html.cards(D, "precomputed", fit, ["x" * 300, *labels[1:]])
    assert f'<bdi title="{"x" * 300}">{"x" * 199}…</bdi>' in long


def test_misfits_have_their_pictures_and_the_word_for_items():
    at = np.array([0.0, 1, 2, 9, 50, 51])
    D = abs(at[:, None] - at)
    fit = simlib.assign(D, [1, 4], metric="precomputed")
    scores = simlib.silhouette(D, fit.labels, metric="precomputed")
    pictures = np.zeros((6, 2, 2), np.uint8)
    shown = html.misfits(D, "precomputed", fit, list("abcdef"), scores, thumbnails=pictures, called="digits")
    assert shown.count('class="thumb"') == 4
    assert "<th>digits</th>" in shown
    assert "all digits are closest to their own clusters" in shown
    assert "item" not in re.sub(r"<[^>]+>", "", shown)


def test_axes_call_the_items_by_their_word():
    from matplotlib import pyplot as plt

    fig, ax = plt.subplots()
    ax.plot([0], [0], label="mean of all items")
    ax.set(xlabel="items, cluster by cluster (5 of 9 drawn)", ylabel="itemsize", title="all items")
    ax.legend()
    numbers.call_items(fig, "genes")
    assert ax.get_xlabel() == "genes, cluster by cluster (5 of 9 drawn)"
    assert ax.get_ylabel() == "itemsize"
    assert ax.get_legend().get_texts()[0].get_text() == "mean of all genes"
    plt.close(fig)


def test_no_text_of_the_page_speaks_of_an_item():
    """The texts call the items by the word of `--items`, of which only the plural is known."""
    import nbformat

    from simlib.report.build import _notebook

    notebook = nbformat.read(_notebook(), 4)
    texts = [cell.source for cell in notebook.cells if "report" in cell.metadata.get("tags", [])]
    assert len(texts) > 8
    assert not [text for text in texts if re.search(r"\bitem\b", text)]


def test_the_items_are_called_what_they_are():
    import nbformat

    cells = [
        nbformat.v4.new_markdown_cell("## All items\n\nThe items, `itemsize`.", metadata={"tags": ["report"]}),
        nbformat.v4.new_markdown_cell("## Empty", metadata={"tags": ["report"]}),
        nbformat.v4.new_code_cell("None"),
    ]
    page = report_page(nbformat.v4.new_notebook(cells=cells), "x", {"options": {"items": "genes"}})
    assert "All genes" in page
    assert "The genes, <code>itemsize</code>." in page
    assert "Empty" not in page  # its code shows nothing
    with pytest.raises(ValueError, match="items must be a word such as genes"):
        completed({"items": "<b>"})


def test_a_report_with_everything_and_its_check(genes, monkeypatch, capsys):
    monkeypatch.chdir(genes)
    wishes = ["--columns", "S1:S3", "--classes", "kind", "--names", "names.txt", "--thumbnails", "pictures.npy"]
    command = ["genes.csv", "--k", "2", "--metric", "correlation", "--items", "genes", "--atlas", *wishes]
    assert report.main([*command, "--no-stamp", "--out", "made.html"]) == 0
    assert "1 of 20 genes (5 %). Like nothing: 1 of 19 genes" in capsys.readouterr().out
    page = (genes / "made.html").read_text(encoding="utf-8")
    told = unescape(re.sub(r"<[^>]+>", " ", page.partition("</head>")[2]))
    assert "19 genes in 2 clusters" in told
    assert "Known classes" in told
    assert "adjusted Rand index" in told
    assert "--verify=made.html" in told
    assert "--out=made.html" in told
    assert re.findall(r'href="(?!#)([^"]*)"', page) == ["made_atlas.html"]
    assert not re.search(r"<script", page)
    assert page.count('class="thumb"') > 10
    assert "svg+xml" in page
    assert "<script" in (genes / "made_atlas.html").read_text(encoding="utf-8")
    with open(genes / "made_items.csv", encoding="utf-8", newline="") as file:
        items = list(csv.DictReader(file))
    with open(genes / "made_clusters.csv", encoding="utf-8", newline="") as file:
        clusters = list(csv.DictReader(file))
    assert [int(row["row"]) for row in items] == KEPT
    assert [row["label"] for row in items] == [f"g{i}" for i in KEPT]
    assert {"item", "class", "certainty", "x", "y"} <= set(items[0])
    for row in clusters:
        members = next(csv.reader([row["members"]]))
        assert members[0] == row["exemplar"]
        assert len(members) == int(row["size"])
        assert {each["item"] for each in items if each["cluster"] == row["cluster"]} == set(members)
        assert {each["exemplar"] for each in items if each["cluster"] == row["cluster"]} == {row["exemplar"]}
        assert f'<span class="no">{row["cluster"]}</span> <bdi>{row["exemplar"]}</bdi>' in page
    assert report.main(["--verify", "made.html"]) == 0
    (genes / "names.txt").write_text("".join(f"other {i}\n" for i in range(20)))
    assert report.main(["--verify", "made.html"]) == 1
    assert "differs: names: SHA-256 differs: another file, names.txt" in capsys.readouterr().out


def test_files_beside_a_page_have_its_name():
    names = {"items": "a.b_items.csv", "clusters": "a.b_clusters.csv", "atlas": "a.b_atlas.html"}
    assert beside_page("a.b.html") == names
    with pytest.raises(report.Refused, match="there is no file"):
        make(None, "report.html", stamp=False, progress=False, thumbnails="missing.npy")


@pytest.mark.parametrize(
    ("typed", "answer"),
    [
        (["my.csv", "--label", "symbol"], "there is no option --label: --labels is meant?"),
        (["my.csv", "--name=symbol"], "there is no option --name: --names is meant?"),
        (["my.csv", "--class", "kind"], "there is no option --class: --classes is meant?"),
        (["my.csv", "-k", "3"], "there is no option -k: --k is meant?"),
        (["my.csv", "--transp"], "there is no option --transp: --transpose is meant?"),
        (["my.csv", "--quux"], r"there is no option --quux \(--help"),
        (["--columns", "S1.txt", "S2.txt", "S3.txt", "my.csv"], 'S3.txt and 1 more came besides.*--columns "S\\*"'),
        (["my.csv", "--drop", "S1.txt", "S2.txt"], 'S2.txt came besides: did the shell.*--columns "S\\*"'),
    ],
)
def test_a_wrong_word_is_answered_with_the_right_one(typed, answer, capsys):
    with pytest.raises(SystemExit) as stopped:
        report.main(typed)
    assert stopped.value.code == 2
    assert re.search(answer, capsys.readouterr().err)


def test_a_pattern_that_the_shell_replaced_by_one_file(genes, monkeypatch, capsys):
    monkeypatch.chdir(genes)
    assert report.main(["genes.csv", "--columns", "names.txt"]) == 2
    assert "names.txt is a file here: did the shell put file names in place" in capsys.readouterr().err


def test_what_weighs_stands_first(tmp_path):
    walk = 100 * np.exp(np.cumsum(np.random.default_rng(0).normal(0, 0.02, (100, 6)), axis=0))
    days = [f"2024-0{1 + i // 28}-{1 + i % 28:02d}" for i in range(100)]
    names = ["A", "B", "C", "梅", "E", "F"]
    lines = [
        "day," + ",".join(names),
        *(f"{day},{','.join(map(str, row))}" for day, row in zip(days, walk, strict=True)),
    ]
    (tmp_path / "prices.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    found = reading.read(str(tmp_path / "prices.csv"), "correlation", Wishes(transpose=True))
    told = reading.told(found.card, found.empty, "shares")
    assert "they look like levels (prices), not changes" in told
    assert undrawn(names) not in told  # it stands where names are drawn, and among the notes
    assert undrawn(names) in unescape(html.about(found.card))
    assert "Like nothing" not in told
    assert told.count("levels (prices)") == html.about(found.card).count("levels (prices)") == 1


@pytest.mark.parametrize(("width", "look"), [(576, '<figure class="beside">'), (864, "<figure>")])
def test_captions_stand_beside_pictures_that_leave_room(width, look):
    import nbformat

    picture = {"image/svg+xml": f'<svg width="{width}pt" height="324pt"></svg>'}
    cell = nbformat.v4.new_code_cell("1", outputs=[nbformat.v4.new_output("display_data", picture)])
    caption = nbformat.v4.new_markdown_cell("*Figure 1.* It.", metadata={"tags": ["report"]})
    assert look in report_page(nbformat.v4.new_notebook(cells=[cell, caption]), "x", {})
