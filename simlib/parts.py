"""The parts of a report as HTML, each from results: the finding, the choice of k, cards, tables.

Labels and titles come from a person's file: they are text, on one line, not too long, and never markup.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from html import escape
from typing import Any

import numpy as np

from simlib import summary
from simlib.choose import FAINT, KScan, Stability
from simlib.medoids import Certificate, Clustering

LONGEST = 80  # characters of a label that are shown
JOINERS = "\u200c\u200d"  # hold letters of Persian or Hindi and pictures together: no control characters
CARDS = 24  # cards shown if there are many clusters
LISTED = 300  # other exemplars shown
SHOWN = 300  # items in the table of the page
ON_PAPER = 40  # of them printed
CRITERIA = {"inertia": "inertia (elbow)", "medoid_silhouette": "medoid silhouette", "silhouette": "silhouette"}

STYLE = """<style>
.facts{display:grid;grid-template-columns:repeat(2,1fr);gap:.7rem;margin:1.2rem 0}
@media screen and (min-width:54rem){.facts{grid-template-columns:repeat(4,1fr)}}
.facts>div{border:1px solid #bbb;border-top:4px solid #0072B2;border-radius:4px;padding:.5rem .8rem}
.facts b{font-size:1.5rem;line-height:1.25;display:block;font-weight:600}
.facts span{color:#444;font-size:.92rem;line-height:1.35;display:block}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(15.5rem,1fr));gap:.7rem}
.card{border:1px solid #bbb;border-radius:4px;padding:.5rem .8rem;line-height:1.4;break-inside:avoid}
.card b{font-size:1.08rem;overflow-wrap:anywhere}.card b::before{content:"\\2605\\00a0";color:#D55E00}
.card p{margin:.25rem 0;overflow-wrap:anywhere}.card .quiet,p.quiet{color:#555;font-size:.92rem}
.box{overflow:auto;max-height:28rem;border:1px solid #bbb}.wide{overflow-x:auto}
.table{border-collapse:collapse;font-size:.92rem;width:100%;margin:0}
.table th{text-align:left;border-bottom:2px solid #666;background:#fff;position:sticky;top:0}
.table td,.table th{padding:.22rem .6rem .22rem .3rem;vertical-align:top}.table tr{break-inside:avoid}
.table td{border-top:1px solid #ddd;overflow-wrap:anywhere;min-width:3.2rem}
.table .number{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}
.pairs td:first-child{width:9rem;color:#555}
.rest{line-height:1.6;overflow-wrap:anywhere}
@media print{.box{max-height:none;overflow:visible;border:0}.off-paper{display:none}.table th{position:static}
.wide{overflow:visible}.table{font-size:.85rem}.table td,.table th{padding:.15rem .25rem}}
</style>"""


def plain(text: Any, longest: int = LONGEST) -> str:
    """A label as text on one line: what cannot be seen is shown as �, and what is too long is cut.

    Examples
    --------
    >>> plain("a label\\nof two lines")
    'a label of two lines'
    >>> plain("to the left: \\u202egnihton")
    'to the left: �gnihton'
    """
    text = str(text)[: 4 * longest]
    seen = "".join(c if c.isprintable() or c in JOINERS or c.isspace() else "�" for c in text)
    line = " ".join(seen.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def marked(text: Any, longest: int = LONGEST) -> str:
    """`plain` text as HTML that keeps its direction of writing to itself."""
    return f"<bdi>{escape(plain(text, longest)) or '(no label)'}</bdi>"


def finding(
    title: str | None,
    fit: Clustering,
    any_two: float,
    stable: Stability | None,
    proof: Certificate,
    scores: np.ndarray,
    reason: str,
) -> str:
    """What came out, first: how many clusters, how tight, how stable, and what no exchange can improve."""
    n, k, sizes, kind, _ = len(fit.labels), len(fit.medoids), fit.sizes, *_kind(fit)
    title = f"{n:,} items in {k:,} clusters" if title is None else title
    tried = f"{k * (n - k):,} exchanges of an exemplar for another item, every one there is, were tried"
    members = f"{_span(sizes.min(), sizes.max())} in each, the median {np.median(sizes):,g}"
    facts = [
        (f"{k:,}", f"clusters of {n:,} items: {members}"),
        (_tight(fit), f"mean {kind} of an item to its exemplar; of any two items {_digits(any_two, fit)}"),
        _stable(stable),
        ("none better" if proof.is_optimal else "a better one", tried),
    ]
    tiles = "".join(f"<div><b>{big}</b><span>{small}</span></div>" for big, small in facts)
    lead = (
        f"{n:,} items are sorted into {k:,} clusters, each around one of the items, its exemplar. "
        f"{escape(reason)} {_judged(scores.mean(), stable)} {_certified(proof)}"
    )
    return f'{STYLE}<h1>{marked(title, 200)}</h1><div class="facts">{tiles}</div><p class="lead">{lead}</p>'


def tightness(fit: Clustering, any_two: float) -> str:
    """Closeness to the exemplars beside that of any two items, for a title."""
    return f"Mean {_kind(fit)[0]} to the exemplar {_tight(fit)}, of any two items {_digits(any_two, fit)}"


def _tight(fit: Clustering) -> str:
    """Mean closeness to the exemplars, the exemplars themselves left out."""
    return _digits(summary.closeness(fit)[summary.outside(fit)].mean(), fit)


def _kind(fit: Clustering) -> tuple[str, str]:
    """What closeness is called for this clustering, and what a far item is."""
    return ("distance", "far from") if fit.metric == "precomputed" else ("similarity", "unlike")


def _digits(value: float, fit: Clustering) -> str:
    """Closeness as text: similarities with two decimals, distances with three digits."""
    return f"{value:,.3g}" if fit.metric == "precomputed" else _two(value)


def _two(value: float) -> str:
    """Two decimals, and no minus before a zero."""
    return f"{round(float(value), 2) + 0.0:.2f}"


def _span(low: int, high: int) -> str:
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def _stable(stable: Stability | None) -> tuple[str, str]:
    """The tile of the stability."""
    if stable is None:
        return "not measured", "stability: half of the items are fewer than the clusters"
    halves = f"agreement with the clusters of random halves of the items, {len(stable.scores)} times"
    return f"{_two(stable.mean)} ± {stable.spread:.2f}", f"{halves}: 1 the same, 0 chance"


def _judged(silhouette: float, stable: Stability | None) -> str:
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
            text += " Half of the items give nearly the same clusters again."
        elif stable.mean >= 0.5:
            text += " Half of the items give much the same clusters again, with other borders."
        else:
            text += " Half of the items give largely other clusters: take these as one way to sort the items."
    return text


def _certified(proof: Certificate) -> str:
    """A sentence on the certificate."""
    if proof.is_optimal:
        return "No exchange of a single exemplar would bring the items closer to their exemplars."
    return f"This is not the best within reach: one exchange would lower the inertia by {-proof.best_delta:.4g}."


def choice(scan: KScan, k: int, null: KScan | None = None) -> str:
    """What each criterion would take for k and how far to believe it, and the scan as a table; the shown k is bold."""
    picks = []
    for criterion, number, _, doubt in scan.picks(null):
        picks.append((CRITERIA[criterion], "none" if doubt.startswith("no elbow") else f"{number:,}", escape(doubt)))
    fits, kind = scan.fits, _kind(scan.fits[0])[0]
    means = scan.mean_distance if kind == "distance" else scan.mean_similarity
    columns = scan.ks, means, scan.medoid_silhouette, scan.silhouette, scan.smallest, scan.largest, scan.singletons
    lines = []
    for number, mean, *silhouettes, low, high, alone in zip(*columns, strict=True):
        cells = f"{number:,}", _digits(mean, fits[0]), *(f"{s:.3f}" for s in silhouettes), *map(str, (low, high, alone))
        lines.append([f"<b>{cell}</b>" if number == k else cell for cell in cells])
    head = ["k", f"mean {kind}", "medoid silhouette", "silhouette", "smallest", "largest", "of one item"]
    first = table(["criterion", "would take k =", "how sure"], picks, {1})
    return f"{first}<p></p>{table(head, lines, range(7))}"


def cards(A: Any, metric: str, fit: Clustering, labels: Sequence[str]) -> str:
    """Each cluster as a card: exemplar, size, mean closeness, the nearest items and the farthest; largest first.

    Up to 36 clusters all of them; of more the 24 largest, and the other exemplars by name.
    """
    order = np.argsort(-fit.sizes, kind="stable")
    shown = order if len(order) <= 1.5 * CARDS else order[:CARDS]
    beside = summary.between(A, metric, fit.medoids[shown], fit.medoids).astype(np.float64)
    beside *= -1 if metric == "precomputed" else 1
    beside[np.arange(len(shown)), shown] = -np.inf
    near = fit.medoids[beside.argmax(axis=1)]
    html = "".join(_card(fit, labels, j, other) for j, other in zip(shown, near, strict=True))
    html = f'<div class="cards">{html}</div>'
    rest = order[len(shown) :]
    if len(rest):
        named = ", ".join(f"{marked(labels[fit.medoids[j]], 40)} ({fit.sizes[j]:,})" for j in rest[:LISTED])
        more = f", and {len(rest) - LISTED:,} more in the CSV file" if len(rest) > LISTED else ""
        html += (
            f'<p class="rest">The other {len(rest):,} exemplars, and the sizes of their clusters: {named}{more}.</p>'
        )
    return html


def _card(fit: Clustering, labels: Sequence[str], j: int, near: int) -> str:
    """One cluster."""
    members, close, kind = fit.members(j), summary.closeness(fit), _kind(fit)[0]
    name, others = marked(labels[members[0]]), members[1:]
    fact = f"1 item, nearest exemplar: {marked(labels[near], 40)}"
    if len(others):
        mean = _digits(close[others].mean(), fit)
        fact = f"{len(members):,} items, mean {kind} {mean}; nearest exemplar: {marked(labels[near], 40)}"
    nearest = ", ".join(marked(labels[i], 40) for i in others[:8])
    edge = ", ".join(marked(labels[i], 40) for i in others[8:][-3:])
    edge = f'<p class="quiet">at its edge: {edge}</p>' if edge else ""
    return f'<div class="card"><b>{name}</b><p class="quiet">{fact}</p><p>{nearest}</p>{edge}</div>'


def misfits(A: Any, metric: str, fit: Clustering, labels: Sequence[str], scores: np.ndarray, most: int = 12) -> str:
    """Two tables: the items farthest from their exemplar, and those that would rather be in another cluster."""
    rows, close, (kind, far) = summary.outside(fit), summary.closeness(fit), _kind(fit)
    sign = -1 if kind == "distance" else 1
    strays = rows[np.lexsort((rows, sign * close[rows]))][:most]
    torn = rows[np.lexsort((rows, scores[rows]))][:most]
    torn = torn[scores[torn] < 0]
    html = f"<h3>Most {far} their exemplar</h3>" + _fits(A, metric, fit, labels, scores, strays)
    if not len(torn):
        return html + "<h3>Closer to another cluster</h3><p>None: every item is closest to its own cluster.</p>"
    share = 100 * np.mean(scores < 0)
    title = (
        f"<h3>Closer to another cluster</h3><p>{np.sum(scores < 0):,} items ({share:.1f} %) have a silhouette below 0"
    )
    return html + f"{title}; these lie lowest.</p>" + _fits(A, metric, fit, labels, scores, torn)


def _fits(A, metric, fit, labels, scores, rows) -> str:
    """Items with their exemplar and the next one."""
    kind, close, (other, second) = _kind(fit)[0], summary.closeness(fit), summary.rivals(A, metric, fit, rows)
    lines = [
        (marked(labels[i]), marked(labels[fit.medoids[fit.labels[i]]]), _digits(close[i], fit),
         marked(labels[fit.medoids[c]]), _digits(s, fit), _two(scores[i]))
        for i, c, s in zip(rows, other, second, strict=True)
    ]  # fmt: skip
    head = ["item", "its exemplar", kind, "next exemplar", kind, "silhouette"]
    return table(head, lines, {2, 4, 5})


def items(fit: Clustering, labels: Sequence[str], scores: np.ndarray) -> str:
    """The first 300 items by cluster, the largest first, the closest first in each."""
    close, number = summary.closeness(fit), summary.ranks(fit)
    order = np.argsort(number)
    lines, n = [], len(fit.labels)
    for j in order:
        members = fit.members(j)[: SHOWN - len(lines)]
        exemplar = marked(labels[fit.medoids[j]])
        lines += [
            (f"{i:,}", marked(labels[i]), f"{number[j]:,}", exemplar, _digits(close[i], fit), _two(scores[i]))
            for i in members
        ]
        if len(lines) == SHOWN:
            break
    head = ["row", "item", "cluster", "exemplar", _kind(fit)[0], "silhouette"]
    paper = f" On paper the first {ON_PAPER}." if len(lines) > ON_PAPER else ""
    shown = f"The first {len(lines):,} of {n:,} items" if n > len(lines) else f"All {n:,} items"
    note = f"{shown}, by cluster, the largest first.{paper} The CSV file beside this page has all."
    return f'<p class="quiet">{note}</p><div class="box">{table(head, lines, {0, 2, 4, 5}, ON_PAPER)}</div>'


def about(card: dict) -> str:
    """Where the items came from: file, checksum, rows, and what was dropped."""
    lines = [
        ("file", marked(card["file"], 200)),
        ("format", marked(card["format"], 200)),
        ("SHA-256", escape(str(card["sha256"]))),
        ("items", f"{card['rows']:,} rows of {card['columns']:,} numbers ({escape(str(card['dtype']))})"),
        ("left out", "<br>".join(marked(line, 300) for line in card["dropped"]) or "nothing"),
        ("decided", "<br>".join(marked(line, 300) for line in card["notes"]) or "nothing"),
    ]
    return pairs(lines)


def pairs(lines: Iterable[Sequence[str]]) -> str:
    """Names and values as a table; the values are HTML already."""
    rows = "".join(f"<tr><td>{name}</td><td>{value}</td></tr>" for name, value in lines)
    return f'<table class="table pairs"><tbody>{rows}</tbody></table>'


def table(
    head: Sequence[str], lines: Iterable[Sequence[str]], numbers: Container[int] = (), paper: int | None = None
) -> str:
    """A table of cells that are HTML already; `numbers` are the columns set flush right, `paper` the lines printed."""
    look = [' class="number"' if column in numbers else "" for column in range(len(head))]
    top = "".join(f"<th{c}>{cell}</th>" for c, cell in zip(look, head, strict=True))
    rows = []
    for i, line in enumerate(lines):
        row = "".join(f"<td{c}>{cell}</td>" for c, cell in zip(look, line, strict=True))
        rows.append(f'<tr class="off-paper">{row}</tr>' if paper is not None and i >= paper else f"<tr>{row}</tr>")
    body = f"<thead><tr>{top}</tr></thead><tbody>{''.join(rows)}</tbody>"
    return f'<div class="wide"><table class="table">{body}</table></div>'
