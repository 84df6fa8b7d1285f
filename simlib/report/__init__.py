"""Turn a file into a report to hand over: one HTML page, tables of its items and clusters, a PDF if wanted.

Notebook 06 is run with the parameters given, and its pictures, tables and texts become the page. The same data,
parameters and versions give the same bytes, except for one line with the date and the times at the page's end.

From a shell: ``python -m simlib.report my.csv`` (`cli`, what it can be told in `options`). From Python: `build`.
Notebook 06 takes the items from `reading`, what a report says from `numbers`, and the HTML that says it from `html`.
Sentences that hold for some data only come from `captions`. The names of the members of clusters come from `members`.
`execute` runs a notebook, `page` makes it a page, `style` is how the page looks, `pdf` prints it. `record` says what a
page was made from and how two pages differ. `stamp` is the line with date and times, `commands` are what a person can
type to make a page again.
`build`, `execute` and `page` are here the functions; import other names of these files as in
``from simlib.report.page import report_page``.
"""

from simlib._extras import extra

with extra("workbook", "simlib.report"):
    from simlib.report.build import build
    from simlib.report.cli import main
    from simlib.report.execute import execute, figures
    from simlib.report.page import page
    from simlib.report.record import differences
    from simlib.report.refused import Refused

__all__ = ["Refused", "build", "differences", "execute", "figures", "main", "page"]
