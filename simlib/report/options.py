"""What a report can be told: its options with their defaults, and the command line that sets them."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NoReturn

from simlib import _check, _kinds
from simlib._engine.metrics import METRICS, named
from simlib._labels import plain
from simlib.medoids import METHODS
from simlib.report.commands import as_typed, option, parts

LARGEST_SEED = 2**32 - 1  # that a picture's layout can be drawn with
OPTIONS: dict[str, Any] = {
    "k": None,
    "ks": None,
    "metric": "cosine",
    "method": "fasterpam",
    "seed": 0,
    "title": None,
    "label": None,
    "columns": None,
    "transpose": False,
    "drop": None,
    "items": "items",
    "names": None,
    "classes": None,
    "thumbnails": None,
    "atlas": False,
    "keep_going": False,
    "drop_empty": False,
}
FILES = ("label", "names", "classes", "thumbnails")  # options that may name a file
WORD = re.compile(r"[^\W\d_][\w -]{0,29}")  # what items can be called
LONGEST_TITLE = 200  # characters
QUOTE = 'did the shell put file names in place of a pattern? Type it in quotes, --columns "S*"'

HELP = """\
Sort the items of a file into clusters, each around one of the items, and write what came out as one HTML page that
opens anywhere without a network: how tight and how stable the clusters are, the exemplars, a map, the curves over k,
the items that fit badly. Every item with its cluster, and every cluster with its members, are in two CSV files beside
it."""
EXAMPLES = """\
examples
  %(prog)s my.csv                      k is left out: a scan shows what each criterion would take
  %(prog)s my.csv --k 200 --pdf        200 clusters; report.html, its two CSV files, report.pdf
  %(prog)s series.csv --metric correlation --ks 4,8,12,16,24 --title "Stations by temperature"
  %(prog)s distances.npy --metric precomputed --k 30
  %(prog)s changes.csv --transpose --metric correlation   a row a day, a column a share
  %(prog)s genes.csv --labels symbol --items genes --classes tissue --columns "S*" --atlas
  %(prog)s digits.npy --labels names.txt --thumbnails pictures.npy
  %(prog)s my.csv --verify report.html  make it again and say what differs

a pattern such as "S*" stands in quotes, or the shell puts names of files in its place

the file
  .csv, .tsv, .parquet: a row an item; columns of numbers are the vectors, a column of text the labels;
  with --transpose the columns are the items
  .npy, .npz: vectors (n, d), or with --metric similarity or precomputed a matrix (n, n); word2vec and GloVe text

prices
  correlation of prices follows their common trend; the changes from day to day are what moves together:
    frame = pandas.read_csv("prices.csv", index_col=0).ffill()
    frame.pct_change().iloc[1:].to_csv("changes.csv")

gaps
  items with a missing number are left out; above a tenth of them you are asked, and --keep-going answers. pandas fills
  gaps, by the number before (prices by day) or by the mean of the column:
    frame = pandas.read_csv("my.csv", index_col=0)
    frame.ffill().to_csv("full.csv")
    frame.fillna(frame.mean(numeric_only=True)).to_csv("full.csv")
  or compares two columns by the rows that both have, without columns that never change; then give corr.csv and
  --metric similarity:
    frame.loc[:, frame.nunique() > 1].corr(numeric_only=True).to_csv("corr.csv")

Without a file the 20,000 words that come with the workbook are used.

exit status: 0 done, 1 --verify found a difference, 2 an error (one line says which), 130 stopped
a file that is missing beside the page is said by --verify and is no difference"""


def completed(options: dict[str, Any]) -> dict[str, Any]:
    """The options given, with the defaults of those left out, in the order of `OPTIONS`."""
    if unknown := set(options) - set(OPTIONS):
        raise TypeError(f"options are {', '.join(OPTIONS)}, got {', '.join(sorted(unknown))}")
    options = {**OPTIONS, **options}
    named(options["metric"])
    _check.one_of(options["method"], "method", METHODS)
    options["seed"] = _check.whole_number(options["seed"], "seed", 0, LARGEST_SEED)
    for name in ("columns", "drop"):
        options[name] = _kinds.texts(options[name], name)
    for name in ("title", "items", *FILES):
        _kinds.text(options[name], name)
    for name in ("transpose", "atlas", "keep_going", "drop_empty"):
        options[name] = _kinds.flag(options[name], name)
    if not WORD.fullmatch(options["items"] or ""):
        raise ValueError(f"items must be a word such as genes, of at most 30 letters, got {options['items']!r}")
    if options["k"] is not None:
        options["k"] = _check.whole_number(options["k"], "k", 2)
    if options["ks"] is not None:
        options["ks"] = _check.some_ks(options["ks"], None)
    options["title"] = plain(options["title"] or "", LONGEST_TITLE) or None
    return options


def parsed(arguments: Sequence[str] | None, program: str) -> argparse.Namespace:
    """Read the command line of the program of this name; what cannot be read ends the program with one line."""
    parser = _Parser(
        program,
        description=HELP,
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    _add_page(parser.add_argument)
    _add_clusters(parser.add_argument)
    _add_columns(parser.add_argument)
    _add_again(parser.add_argument)
    asked, rest = parser.parse_known_args(arguments)
    if rest:
        parser.error(_not_known(rest, parser.words))
    set_too = [name for name in (*OPTIONS, "out", "pdf", "no_stamp") if getattr(asked, name) not in (None, False)]
    if asked.verify and set_too:
        parser.error(f"--verify takes everything from the report: leave out {option(set_too[0])}")
    return asked


def _not_known(rest: list[str], words: Sequence[str]) -> str:
    """Why the words in `rest` are too many; `words` are the options there are."""
    unknown = next((word.partition("=")[0] for word in rest if word.startswith("-")), None)
    if unknown is None:
        more = f" and {len(rest) - 1} more" * (len(rest) > 1)
        return f"one file is read, and {rest[0]}{more} came besides: {QUOTE}"
    close = get_close_matches(unknown, words, 1)
    return f"there is no option {unknown}{''.join(f': {word} is meant?' for word in close)}"


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one line."""

    @property
    def words(self) -> list[str]:
        """The options there are, as they are typed."""
        return list(self._option_string_actions)

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {plain(message, 600)} (--help explains)\n")


def _add_page(add: Callable[..., Any]) -> None:
    """The file, the number of clusters, and the page that is written."""
    add("data", nargs="?", help="the file; see below")
    about = "number of clusters (left out: a scan, and one k of it by a rule that the report states)"
    add("--k", type=_at_least(2), help=about)
    add("--out", type=Path, help="the page to write (default report.html); one that exists is replaced")
    add("--pdf", action="store_true", help="also print the page to a PDF beside it (needs Chromium)")
    add("--title", help="heading of the page")
    add("--items", type=_word, metavar="WORD", help="what to call the items, for instance genes")
    add("--atlas", action="store_true", help="also write the map of all items, a page to walk through, beside it")
    add("--thumbnails", metavar="FILE", help=".npy of a small picture of each item, uint8 (n, h, w) or (n, h, w, 3)")


def _add_clusters(add: Callable[..., Any]) -> None:
    """How the items are compared and clustered."""
    about = "how vectors are compared, by cosine (default) or correlation; or what the matrix in the file holds"
    words = "{" + ",".join(METRICS) + "}"
    add("--metric", type=_metric, metavar=words, help=f"{about}, similarity or distances (precomputed)")
    about = "fasterpam (default): exchanges until none helps; alternate: the simple loop, often a tenth worse"
    add("--method", choices=METHODS, help=about)
    about = "numbers of clusters to scan (default: a few around --k; or from 2 to a quarter of the items, at most 1024)"
    add("--ks", type=_numbers, metavar="2,4,8", help=about)
    add("--seed", type=_at_least(0), help="of everything drawn at random (default 0)")


def _add_columns(add: Callable[..., Any]) -> None:
    """Which columns of the file are read, and whether they are the items."""
    either = "a column, or a text file with a line an item"
    add("--labels", dest="label", metavar="FILE|COLUMN", help=f"what the items are called: {either}")
    add("--names", metavar="FILE|COLUMN", help=f"names to show in place of the labels: {either}")
    about = "known classes, kept out of the clustering and compared with it"
    add("--classes", metavar="FILE|COLUMN", help=f"{about}: {either}")
    about = "the columns that hold the vectors (default: all of numbers); a:c is a range, S* a pattern, typed in quotes"
    add("--columns", type=parts, metavar="a,b", help=about)
    add("--drop", type=parts, metavar="a,b", help="columns that are no vectors; also ranges and patterns")
    about = "go on though more than a tenth of the items have gaps and are left out"
    add("--keep-going", action="store_true", help=about)
    about = "leave out items that are like nothing: all zeros, or constant with correlation"
    add("--drop-empty", action="store_true", help=about)
    add("--transpose", action="store_true", help="the columns of the file are the items, their names the labels")


def _add_again(add: Callable[..., Any]) -> None:
    """How a report is made the same again."""
    add("--no-stamp", action="store_true", help="leave out date and times: the same data give the same bytes")
    about = "make this report again, from the parameters recorded in it and the file, and say what differs"
    add("--verify", type=Path, metavar="REPORT", help=about)


def _at_least(low: int) -> Callable[[str], int]:
    """A reader of whole numbers of at least `low`."""

    def number(text: str) -> int:
        if not text.strip().isdecimal() or int(text) < low:
            raise argparse.ArgumentTypeError(f"must be a whole number of at least {low}, got {text!r}")
        return int(text)

    return number


def _metric(text: str) -> str:
    """A metric; a word that means one is answered with it."""
    try:
        return named(text).word
    except ValueError as error:
        raise argparse.ArgumentTypeError(as_typed(str(error))) from None


def _word(text: str) -> str:
    """What the items are called."""
    if not WORD.fullmatch(text):
        raise argparse.ArgumentTypeError(f"must be a word such as genes, of at most 30 letters, got {text!r}")
    return text


def _numbers(text: str) -> list[int]:
    """Numbers of clusters with commas between them, ascending and each once."""
    return sorted({_at_least(2)(part) for part in text.split(",")})
