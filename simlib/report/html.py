"""What a report says, as HTML made from results: the finding, the choice of k, cards, tables.

Labels and titles come from a person's file: they are text, on one line, not too long, and never markup (`marked`).
`fit` is a Clustering of n items, `labels` (n,) are their names. An entry is an item's similarity to an exemplar or, if
the clustering was made from distances, its distance from it.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterable, Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np

from simlib._cards import card, largest_first, neighbours
from simlib._engine.metrics import METRICS
from simlib._labels import marked, names_of, plain
from simlib.atlas.thumbnails import sheet
from simlib.choose import FAINT, KScan, Stability
from simlib.gap import Gap
from simlib.medoids import Certificate, Clustering
from simlib.report import numbers
from simlib.report.members import named
from simlib.report.style import STYLE
from simlib.similarity import between

# what notebook 06 and the record of a report use
__all__ = [
    *(
        "about",
        "agreement",
        "cards",
        "choice",
        "clusters",
        "finding",
        "items",
        "mapped",
        "misfits",
        "pairs",
        "plain",
        "table",
    ),
    "tightness",
]

NAME = 40  # characters of a label where many stand side by side
LONGEST = 200  # characters of a label on a card, where it runs over lines
NEAREST = 8  # closest items of a cluster that its card names
LINES = 200  # characters that their names may take, but for the first three
EDGE = 3  # farthest items of a cluster that its card names
CARDS = 24  # cards shown if there are many clusters
RULED = 10  # items with a remark that the table of clusters names in a cluster
MISFITS = 12  # items in each table of those that fit badly
ALL = 2000  # items up to which the table of the page has all
SHOWN = 300  # items that it has of more
CRITERIA = {"inertia": "inertia (elbow)", "medoid_silhouette": "medoid silhouette", "silhouette": "silhouette"}
SURE = "How sure: how far five ends of the search, each from a start of its own, give the same companions; 1 the same."
FAR = {"similarity": "Most unlike", "distance": "Farthest from"}  # what an item is whose entry is poor


def finding(
    title: str | None,
    fit: Clustering,
    any_two: float,
    stable: Stability | None,
    proof: Certificate,
    scores: np.ndarray,
    reason: str,
    *,
    gap: Gap | None = None,
    left_out: str = "",
    called: str = "items",
    shuffled: Stability | None = None,
    null: KScan | None = None,
) -> str:
    """What came out, first: how many clusters, how tight, how stable, and how much better they could be.

    `left_out` is what was left out of the data, in sentences, and `called` what the items are called. `shuffled` is
    the stability of the same data with their columns shuffled, and `null` a scan of those.
    """
    n = len(fit.labels)
    k = len(fit.medoids)
    sizes = fit.sizes
    entry = METRICS[fit.metric].entry
    title = f"{n:,} {called} in {k:,} clusters" if title is None else title
    tried = f"{k * (n - k):,} exchanges of an exemplar for another of the {called}, every one there is, were tried"
    tried += "" if gap is None else f"; {_bound(gap, called)}"
    members = f"{_span(sizes.min(), sizes.max())} in each, the median {np.median(sizes):,g}"
    beside = f"of any two {called} {_digits(any_two, fit)}"
    beside += "" if null is None else f"; shuffled data reach {_tight(null[k])}"
    facts = [
        (f"{k:,}", f"clusters of {n:,} {called}: {members}"),
        (_tight(fit), f"mean {entry} of the {called} to their exemplars; {beside}"),
        _stable(stable, shuffled, called),
        ('<span class="words">no single exchange helps</span>' if proof.is_optimal else "an exchange helps", tried),
    ]
    tiles = "".join(f"<div><b>{big}</b><span>{small}</span></div>" for big, small in facts)
    lead = (
        f"{n:,} {called} are sorted into {k:,} clusters, each around one of the {called}, its exemplar. "
        f"{escape(reason)} {_judged(scores.mean(), stable, called)} {_certified(proof, gap, called)}"
    )
    lost = f'<p class="left-out">{escape(left_out)}</p>' if left_out else ""
    return f'{STYLE}<h1>{marked(title, 200)}</h1>{lost}<div class="facts">{tiles}</div><p class="lead">{lead}</p>'


def tightness(fit: Clustering, any_two: float, called: str = "items") -> str:
    """The mean entry to the exemplars beside that of any two items, for a title."""
    beside = f"of any two {called} {_digits(any_two, fit)}"
    return f"Mean {METRICS[fit.metric].entry} to the exemplar {_tight(fit)}, {beside}"


def mapped(fit: Clustering, kept: float | None, called: str = "items") -> str:
    """What the map of the exemplars shows, for a title; `kept` is what `numbers.kept_on_map` returns."""
    shown = f"{len(fit.labels):,} {called} around {len(fit.medoids):,} exemplars"
    most = f"the {numbers.ALIKE} most like an exemplar"
    return shown if kept is None else f"{shown};\nof {most}, {100 * kept:.0f} % are its {numbers.ALIKE} nearest here"


def _tight(fit: Clustering) -> str:
    """Mean entry to the exemplars, the exemplars themselves left out."""
    return _digits(numbers.outside_mean(fit), fit)


def _digits(value: float, fit: Clustering) -> str:
    """An entry as text: similarities with two decimals, distances with three digits."""
    return f"{value:#,.3g}".rstrip(".") if METRICS[fit.metric].of_distances else _two(value)


def _two(value: float) -> str:
    """Two decimals of a number on the scale from -1 to 1, and no minus before a zero."""
    return f"{round(float(value), 2) + 0.0:.2f}"


def _span(low: int, high: int) -> str:
    """From a number to another, as text."""
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _stable(stable: Stability | None, shuffled: Stability | None, called: str) -> tuple[str, str]:
    """The tile of the stability, beside that of shuffled data if it is known."""
    if stable is None:
        return "not measured", f"stability: half of the {called} are fewer than the clusters"
    halves = f"agreement with the clusters of random halves of the {called}, {len(stable.scores)} times"
    beside = "0 chance" if shuffled is None else f"shuffled data reach {_two(shuffled.mean)} ± {_two(shuffled.spread)}"
    return f"{_two(stable.mean)} ± {_two(stable.spread)}", f"{halves}: 1 the same, {beside}"


def _judged(silhouette: float, stable: Stability | None, called: str) -> str:
    """Two sentences on how far the clusters can be trusted."""
    if silhouette < FAINT:
        seen = f"below {FAINT}, too little to speak of separate groups: the borders could run elsewhere"
    elif silhouette < 0.5:
        seen = "between 0.25 and 0.5: groups can be seen, and their borders blur"
    else:
        seen = "0.5 or more: the groups are clearly apart"
    text = f"The mean silhouette is {_two(silhouette)}, {seen}."
    if stable is not None:
        if stable.mean >= 0.8:
            text += f" Half of the {called} give nearly the same clusters again."
        elif stable.mean >= 0.5:
            text += f" Half of the {called} give much the same clusters again, with other borders."
        else:
            text += f" Half of the {called} give largely other clusters: take these as one way to sort the {called}."
    return text


def _certified(proof: Certificate, gap: Gap | None, called: str) -> str:
    """The certificate and the bound, a sentence each."""
    bound = "" if gap is None else _bound(gap, called)
    bound = bound and f" {bound[0].upper()}{bound[1:]}, counted by the inertia."
    if proof.is_optimal:
        return f"No exchange of a single exemplar would bring the {called} closer to their exemplars.{bound}"
    better = f"one exchange would lower the inertia by {-proof.best_delta:.4g}"
    return f"This is not the best within reach: {better}.{bound}"


def _bound(gap: Gap, called: str) -> str:
    """How much better the best choice of exemplars could be."""
    if gap.proven:
        return f"no {gap.n_clusters:,} {called} are better, which is proved"
    percent = 100 * numbers.no_better(gap)
    scale = 10.0 ** (1 - math.floor(math.log10(percent)))
    return f"no {gap.n_clusters:,} {called} can be more than {math.ceil(percent * scale) / scale:g} % better"


def choice(scan: KScan, k: int, null: KScan | None = None) -> str:
    """Two tables: what each criterion would take for k, with how far to believe it, and the scan with k in bold."""
    picks = []
    for criterion, number, _, doubt in scan.picks(null):
        picks.append((CRITERIA[criterion], "none" if doubt.startswith("no elbow") else f"{number:,}", escape(doubt)))
    first = table(["criterion", "would take k =", "how sure"], picks, {1})
    return f"{first}<p></p>{_scanned(scan, k)}"


def _scanned(scan: KScan, k: int) -> str:
    """The scan as a table; the line of k is bold."""
    metric = METRICS[scan.fits[0].metric]
    columns = {
        "k": [f"{number:,}" for number in scan.ks],
        f"mean {metric.entry}": [_digits(numbers.outside_mean(fit), fit) for fit in scan.fits],
        "medoid silhouette": [f"{score:.3f}" for score in scan.medoid_silhouette],
        "silhouette": [f"{score:.3f}" for score in scan.silhouette],
        "smallest": map(str, scan.smallest),
        "largest": map(str, scan.largest),
        "of size 1": map(str, scan.singletons),
    }
    lines = [
        [f"<b>{cell}</b>" if number == k else cell for cell in line]
        for number, line in zip(scan.ks, zip(*columns.values(), strict=True), strict=True)
    ]
    return table(list(columns), lines, range(7))


def cards(
    A: Any,
    metric: str,
    fit: Clustering,
    labels: Sequence[str],
    thumbnails: np.ndarray | None = None,
    called: str = "items",
    classes: np.ndarray | None = None,
    remarks: np.ndarray | None = None,
) -> str:
    """A card for each cluster, the largest first: exemplar, size, mean entry, the nearest items and the farthest.

    Up to 36 clusters all have a card; of more clusters the 24 largest have one. `thumbnails` are small pictures of the
    items, uint8 (n, h, w) or (n, h, w, 3), and `called` is what the items are called. Each card says which of the known
    `classes` (n,) most members have. Items with `remarks` (n,) stand apart from the others, after their remark.
    """
    labels = names_of(labels, len(fit.labels))
    order = largest_first(fit)
    shown = order if len(order) <= 1.5 * CARDS else order[:CARDS]
    to_medoids = between(A, metric, fit.medoids[shown], fit.medoids).astype(np.float64)  # (len(shown), k)
    near = neighbours(METRICS[metric].sign * to_medoids, shown)
    most = None if classes is None else numbers.mostly(fit, classes)
    look = _Look(labels, thumbnails, called, most, remarks)
    each = "".join(_card(fit, j, other, look) for j, other in zip(shown, near, strict=True))
    rest = len(order) - len(shown)
    more = f'<p class="quiet">The other {rest:,} clusters stand in the table of all clusters below.</p>' if rest else ""
    return f'<div class="cards">{each}</div>{more}'


class _Look(NamedTuple):
    """How items are shown on cards."""

    labels: Sequence[str]
    thumbnails: np.ndarray | None = None
    called: str = "items"
    mostly: numbers.Mostly | None = None
    remarks: np.ndarray | None = None

    def named(self, rows: np.ndarray) -> str:
        """The labels of some items; where one is long, each has a line of its own."""
        names = [marked(self.labels[i], LONGEST) for i in rows]
        if all(len(plain(self.labels[i])) <= NAME for i in rows):
            return ", ".join(names)
        return "<br>".join(f"· {name}" for name in names)

    def picture(self, i: int) -> str:
        """The thumbnail of item i, if there are thumbnails."""
        if self.thumbnails is None:
            return ""
        source = sheet(self.thumbnails[i : i + 1], 1)["source"]
        return f'<img class="thumb" alt="{escape(plain(self.labels[i]))}" src="{source}">'


def _card(fit: Clustering, j: int, neighbour: int, look: _Look) -> str:
    """Cluster j; `neighbour` is the one with the closest exemplar, or -1."""
    facts, number, labels = card(fit, j, None), numbers.ranks(fit), look.labels
    size = "alone;"
    if len(facts.others):
        mean = facts.entries[1:].mean()  # the exemplar left out
        size = f"{facts.size:,} {look.called}, mean {facts.entry} {_digits(mean, fit)};"
    near = ""
    if neighbour >= 0:
        near = f" nearest exemplar: {number[neighbour]:,} · {marked(labels[fit.medoids[neighbour]], LONGEST)}"
    others, apart = _split(facts.others, look.remarks)
    first = others[:NEAREST]
    room = np.cumsum([min(len(labels[i]), LONGEST) for i in first]) <= LINES
    first = first[: max(int(room.sum()), EDGE)]
    edge = look.named(others[len(first) :][-EDGE:])
    pictures = "".join(look.picture(i) for i in first)
    name = f'<span class="no">{number[j]:,}</span> {marked(labels[facts.exemplar], LONGEST)}'
    quiet = [
        size + near + _remark(facts.exemplar, look.remarks),
        "" if look.mostly is None else _most(facts.size, look.mostly, j),
        edge and f"at its edge: {'<br>' * ('<br>' in edge)}{edge}",
        _apart(apart, look.remarks, look.named(apart[:EDGE]), EDGE),
    ]
    top, known, end, ruled = (text and f'<p class="quiet">{text}</p>' for text in quiet)
    shown = (pictures and f"<p>{pictures}</p>") + f"<p>{look.named(first)}</p>"
    return f'<div class="card">{look.picture(facts.exemplar)}<b>{name}</b>{top}{known}{shown}{end}{ruled}</div>'


def _most(size: int, mostly: numbers.Mostly, j: int) -> str:
    """How many of the members of cluster j have its commonest class."""
    return f"{mostly.counts[j]:,} of {size:,} of class {marked(mostly.classes[j], NAME)}"


def _split(rows: np.ndarray, remarks: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    """Some items, in two parts: those without a remark and those with one."""
    if remarks is None:
        return rows, rows[:0]
    has = remarks[rows] != ""
    return rows[~has], rows[has]


def _remark(i: int, remarks: np.ndarray | None) -> str:
    """The remark on an item, in brackets, if it has one."""
    return f" <small>({escape(remarks[i])})</small>" if remarks is not None and remarks[i] else ""


def _apart(rows: np.ndarray, remarks: np.ndarray | None, named: str, shown: int) -> str:
    """The remark that some items share, and the items: the first `shown` of them are `named`, the rest is counted."""
    if remarks is None or not len(rows):
        return ""
    more = f" and {len(rows) - shown:,} more" if len(rows) > shown else ""
    return f"{escape(remarks[rows[0]])}: {named}{more}"


def clusters(
    fit: Clustering,
    labels: Sequence[str],
    scores: np.ndarray,
    sure: np.ndarray | None = None,
    called: str = "items",
    remarks: np.ndarray | None = None,
) -> str:
    """All clusters as a table, the largest first, with their members as `members.named` tells them.

    `sure` (n,) is the items' certainty, and `called` what the items are called. Items with `remarks` (n,) come last in
    their cluster, after their remark.
    """
    labels = names_of(labels, len(fit.labels))
    found = fit.clusters(silhouettes=scores, certainty=sure)
    entry = METRICS[fit.metric].entry
    order = largest_first(fit)
    lines, what, cut = named(fit, labels, order, None if remarks is None else remarks != "")
    means = [name for name in ("silhouette", "certainty") if name in found]
    rows = []
    for number, (j, members) in enumerate(zip(order, lines, strict=True), 1):
        each = found.loc[j]
        mean = _digits(each[entry], fit) if each["size"] > 1 else ""
        facts = [f"{each['size']:,}", mean, *(_two(each[name]) for name in means)]
        apart = _split(fit.members(j)[1:], remarks)[1]
        ruled = ", ".join(marked(labels[i], NAME) for i in apart[:RULED])
        members = "<br>".join(filter(None, [members, _apart(apart, remarks, ruled, RULED)]))
        below = f'<tr class="members"><td></td><td colspan="{len(facts) + 1}">{members}</td></tr>'
        exemplar = f"<b>{marked(labels[fit.medoids[j]], LONGEST)}</b>{_remark(fit.medoids[j], remarks)}"
        rows.append(_cells([f"{number:,}", exemplar, *facts]))
        rows += [below] if members else []
    head = ["cluster", "exemplar", called, f"mean {entry}", "silhouette", "how sure"]
    top = _cells(head[: 4 + len(means)], "th")
    more = f"{beside_page('clusters')} names all members. " if cut else ""
    note = (
        f"The largest first; below each stand {what}. {more}The numbers of the clusters are those of the cards, the "
        f"figures and both CSV files. {SURE if means[1:] else ''}"
    )
    body = f"<thead>{top}</thead><tbody>{''.join(rows)}</tbody>"
    return f'<p class="quiet">{note.strip()}</p><div class="box"><table class="table clusters">{body}</table></div>'


def _cells(line: Sequence[str], kind: str = "td") -> str:
    """A line of the table of clusters: all but the second cell are numbers."""
    look = ["" if i == 1 else ' class="number"' for i in range(len(line))]
    return f"<tr>{''.join(f'<{kind}{c}>{cell}</{kind}>' for c, cell in zip(look, line, strict=True))}</tr>"


def misfits(
    A: Any,
    metric: str,
    fit: Clustering,
    labels: Sequence[str],
    scores: np.ndarray,
    empty: np.ndarray | None = None,
    sure: np.ndarray | None = None,
    thumbnails: np.ndarray | None = None,
    called: str = "items",
) -> str:
    """Two tables: the 12 items farthest from their exemplar, and 12 that would rather be in another cluster.

    `scores` (n,) are the items' silhouettes. Items that are like nothing, `empty` bool (n,), are counted and stand in
    neither. `sure` (n,) is the items' certainty. `thumbnails` and `called` are as in `cards`.
    """
    labels = names_of(labels, len(fit.labels))
    kind = METRICS[fit.metric]
    rows = numbers.outside(fit)
    rows = rows if empty is None else rows[~empty[rows]]
    closeness = kind.sign * numbers.entries(fit)[rows]
    strays = rows[np.lexsort((rows, closeness))][:MISFITS]
    torn = rows[np.lexsort((rows, scores[rows]))][:MISFITS]
    torn = torn[scores[torn] < 0]
    facts = _Judged(A, metric, fit, _Look(labels, thumbnails, called), scores, sure)
    html = f"<h3>{FAR[kind.entry]} their exemplar</h3>{_fits(facts, strays)}"
    if empty is not None and empty.any():
        html += f"<p>{empty.sum():,} that are like nothing stand in neither table: see where this comes from.</p>"
    html += "<h3>Closer to another cluster</h3>"
    if not len(torn):
        return f"{html}<p>None: all {called} are closest to their own clusters.</p>"
    share = 100 * np.mean(scores < 0)
    html += f"<p>{np.sum(scores < 0):,} ({share:.1f} %) have a silhouette below 0; these lie lowest.</p>"
    return html + _fits(facts, torn)


class _Judged(NamedTuple):
    """Items, their clusters, and how well they fit."""

    A: Any
    metric: str
    fit: Clustering
    look: _Look
    scores: np.ndarray
    sure: np.ndarray | None


def _fits(facts: _Judged, rows: np.ndarray) -> str:
    """The items in `rows`, each with its exemplar and the next one, as a table."""
    A, metric, fit, look, scores, sure = facts
    labels = look.labels
    own, number = numbers.entries(fit), numbers.ranks(fit)
    lines = []
    for i, other, second in zip(rows, *numbers.rivals(A, metric, fit, rows), strict=True):
        its, next_one = (f"{number[j]:,} · {marked(labels[fit.medoids[j]], NAME)}" for j in (fit.labels[i], other))
        item = f"{look.picture(i)} {marked(labels[i], LONGEST)}".strip()
        line = [item, its, _digits(own[i], fit), next_one, _digits(second, fit), _two(scores[i])]
        lines.append(line if sure is None else [*line, _two(sure[i])])
    entry = METRICS[fit.metric].entry
    head = [look.called, "its exemplar", entry, "next exemplar", entry, "silhouette"]
    return table(head if sure is None else [*head, "how sure"], lines, {2, 4, 5, 6})


def agreement(fit: Clustering, classes: np.ndarray, called: str = "items") -> str:
    """How far the clusters agree with the known classes of the items, (n,), in a paragraph."""
    ari, mutual = numbers.agreement(fit, classes)
    kinds, sizes = np.unique(classes, return_counts=True)
    share = numbers.mostly(fit, classes).share(fit)
    alone = _percent(sizes.max() / len(classes))
    return (
        f"<p>The {len(kinds):,} known classes took no part in the clustering. {_percent(share)} of the {called} are in "
        f"a cluster whose commonest class is their own. One cluster of all would give {alone}, and the share grows "
        "with the number of clusters. The adjusted Rand index allows for that; it is 1 for the same groups and about 0 "
        f"for chance, and here {_two(ari)}. "
        f"Normalised mutual information, 1 for the same groups, is {_two(mutual)}.</p>"
    )


def _percent(share: float) -> str:
    """A share as a percentage; 100 % only if it is all."""
    return f"{min(round(100 * share), 99) if share < 1 else 100} %"


def items(
    fit: Clustering,
    labels: Sequence[str],
    scores: np.ndarray,
    rows: Any | None = None,
    called: str = "items",
    remarks: np.ndarray | None = None,
) -> str:
    """The items as a table, by cluster: the largest cluster first, and in each the closest item first.

    Of more than 2,000 items the first 300 are shown, and it says how many there are and which file has all. `rows` (n,)
    says where the items are in the file, by `reading.file_rows`; None: rows 0, 1, 2, ... Columns are told by their
    labels alone. `called` is what the items are called, and `remarks` (n,) stand after their names. On paper the table
    is left out.
    """
    n = len(fit.labels)
    labels = names_of(labels, n)
    rows = np.arange(n) if rows is None else rows
    numbered = getattr(rows, "name", "row") == "row"  # columns are named, not numbered
    own, number = numbers.entries(fit), numbers.ranks(fit)
    most = n if n <= ALL else SHOWN
    lines: list[list[str]] = []
    for i in np.concatenate([fit.members(j) for j in largest_first(fit)])[:most]:
        j = fit.labels[i]
        item = f"{marked(labels[i])}{_remark(i, remarks)}"
        facts = [item, f"{number[j]:,}", marked(labels[fit.medoids[j]]), _digits(own[i], fit)]
        lines.append([str(rows[i])] * numbered + [*facts, _two(scores[i])])
    head = ["row"] * numbered + [called, "cluster", "exemplar", METRICS[fit.metric].entry, "silhouette"]
    file, order = beside_page("items"), "by cluster, the largest first"
    note = f"All {n:,} {called}, {order}. {file} beside this page has them in the order of the data."
    if most < n:
        note = f"The first {most:,} of {n:,} {called}, {order}. {file} beside this page has all {n:,}."
    paper = f'<p class="quiet paper">The table of all {n:,} {called} is not printed; {file} beside the page has it.</p>'
    box = f'<div class="box off-paper">{table(head, lines, {0, 2, 4, 5} if numbered else {1, 3, 4})}</div>'
    return f'{paper}<p class="quiet off-paper">{note}</p>{box}'


def beside_page(name: str) -> str:
    """A table beside the page, named as notebook 06 writes it; `build` puts the name in its place that the page has."""
    return f'<code class="beside">{name}.csv</code>'


def about(card: dict[str, Any], called: str = "items") -> str:
    """Where the items, which are `called` so, came from: file, checksum, rows, and what was dropped."""
    where = card["where"].name
    lines = [
        ("file", marked(card["file"], 200)),
        ("format", marked(card["format"], 200)),
        ("SHA-256", escape(str(card["sha256"]))),
        (called, f"{card['rows']:,} {where}s of {card['columns']:,} numbers ({escape(str(card['dtype']))})"),
        ("left out", "<br>".join(marked(line, 300) for line in card["dropped"]) or "nothing"),
        ("decided", "<br>".join(marked(line, 300) for line in card["notes"]) or "nothing"),
    ]
    return pairs(lines)


def pairs(lines: Iterable[Sequence[str]]) -> str:
    """Names and values as a table; the values are HTML already."""
    rows = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in lines)
    return f'<table class="table pairs"><tbody>{rows}</tbody></table>'


def table(head: Sequence[str], lines: Iterable[Sequence[str]], numbers: Container[int] = ()) -> str:
    """A table of cells that are HTML already; `numbers` are the columns set flush right."""
    look = [' class="number"' if column in numbers else "" for column in range(len(head))]
    top = "".join(f"<th{c}>{cell}</th>" for c, cell in zip(look, head, strict=True))
    rows = ("".join(f"<td{c}>{cell}</td>" for c, cell in zip(look, line, strict=True)) for line in lines)
    body = f"<thead><tr>{top}</tr></thead><tbody>{''.join(f'<tr>{row}</tr>' for row in rows)}</tbody>"
    return f'<div class="wide"><table class="table">{body}</table></div>'
