"""Which columns of a person's table are the vectors: counters, ids, classes, dates, units, lines before the table.

Each case is a kind of file that people publish. What is refused is named, and what is decided stands on the card.
"""

from functools import partial

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from doors import Case, read_or_refused, verdict
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose

from simlib import load_matrix, load_vectors
from simlib.files.dates import are_dates

N = 24
RNG = np.random.default_rng(4)
E = RNG.standard_normal((N, 4)).round(3)
FRAME = pd.DataFrame(E, columns=list("abcd"))
NAMES = [f"item {i}" for i in range(N)]
WHOLE = RNG.integers(18, 90, (N, 3))
IDS = RNG.permutation(90_000)[:N] + 10_000
DAYS = pd.date_range("2024-01-02", periods=N)


def first(name, values, frame=FRAME):
    """The text of the table with one more column at its front."""
    return pd.concat([pd.DataFrame({name: values}), frame], axis=1).to_csv(index=False)


def last(name, values, frame=FRAME):
    """The text of the table with one more column at its end."""
    return pd.concat([frame, pd.DataFrame({name: values})], axis=1).to_csv(index=False)


def rows(lines):
    return "".join(line + "\n" for line in lines)


def cells(form, heading="name,a,b"):
    """A table whose cells are written in this form: two numbers a row, i and i + 0.25."""
    return heading + "\n" + rows(f"x{i}," + ",".join(form.format(v) for v in (i + 0.5, i + 1.25)) for i in range(6))


CELLS = [[i + 0.5, i + 1.25] for i in range(6)]
GAPS = np.where((np.arange(48)[:, None] % 8 != 0) & (np.arange(40) == np.arange(48)[:, None] % 4), np.nan, 1.5)
EXPRESSION = pd.DataFrame(GAPS, [f"sample {i}" for i in range(48)], [f"g{j}" for j in range(40)])
PRICES = pd.DataFrame(E + 5, columns=["AAPL", "MSFT", "IBM", "KO"])
GEO = (
    '!Series_title\t"a study"\n!Series_geo_accession\t"GSE1"\n!Sample_title\t"s1"\t"s2"\t"s3"\t"s4"\n\n'
    '!series_matrix_table_begin\n"ID_REF"\t"GSM1"\t"GSM2"\t"GSM3"\t"GSM4"\n'
)
GEO += rows(f'"{1000 + i}_at"\t' + "\t".join(map(str, row)) for i, row in enumerate(E)) + "!series_matrix_table_end\n"
GCT = f"#1.2\n{N}\t4\nName\tDescription\ts1\ts2\ts3\ts4\n"
GCT += rows(f"G{i}\tna\t" + "\t".join(map(str, row)) for i, row in enumerate(E))
BANK = '"Data Source","World Development Indicators",\n\n"Last Updated Date","2024-01-01",\n\n'
BANK += '"Country Name","Country Code","1960","1961","1962","1963",\n'
BANK += rows(f'"Land {i}","L{i}",' + ",".join(f'"{v}"' for v in row) + "," for i, row in enumerate(E))
REGIONS = pd.DataFrame({"Chr": "chr1", "Start": IDS * 1000, "Length": WHOLE[:, 0] * 1000, **FRAME})
SIMILAR = pd.DataFrame(np.corrcoef(E), NAMES, NAMES)

LARGE = "9" * 23
EDGES = np.array([(i, (i * step + 1) % 41) for i in range(1, 41) for step in (3, 7) if (i * step + 1) % 41 != i])

CASES = {
    # ids and counters, by name and by value
    "mall customers": Case(
        "a.csv", first("CustomerID", range(1, N + 1), pd.DataFrame(WHOLE)), WHOLE, None, ("CustomerID",)
    ),
    "gene ids": Case("a.csv", first("GeneID", IDS), E, [str(i) for i in IDS], ("GeneID",)),
    "ids in capital letters": Case("a.csv", first("PATIENTID", IDS), E, None, ("PATIENTID",)),
    "an index saved three times": Case(
        "a.csv", first("Unnamed: 0.1", range(N), FRAME.assign(**{"Unnamed: 0": range(N)})), E, None, ("Unnamed: 0.1",)
    ),
    "an index repeated by concat": Case(
        "a.csv", pd.concat([FRAME, FRAME]).to_csv(), np.r_[E, E], [str(i) for i in range(2 * N)], ("''",)
    ),
    "pmid": Case("a.csv", first("pmid", 31_000_000 + 7 * IDS), E, None, ("pmid",)),
    "shuffled row numbers without a heading": Case(
        "a.csv", rows(f"{i + 1}," + ",".join(map(str, E[i])) for i in RNG.permutation(N)), None, None, ("'0'",)
    ),
    "S.No": Case("a.csv", first("S.No", range(1, N + 1)), E, None, ("S.No",)),
    "a Chinese heading": Case("a.csv", first("序号", range(1, N + 1)), E, None, ("序号",)),
    "years": Case("a.csv", first("Jahr", range(1990, 1990 + N)), E, [str(1990 + i) for i in range(N)], ("Jahr",)),
    "invoices": Case(
        "a.csv", first("Invoice", RNG.permutation(900)[:N] + 100, pd.DataFrame(WHOLE)), None, None, ("Invoice",)
    ),
    "ids that repeat": Case("a.csv", first("userId", np.arange(N) // 3), None, None, ("userId",)),
    "an id is missing": Case("a.csv", first("entrez_id", [None, *IDS[1:]]), E, None, ("entrez_id",)),
    "months again and again": Case("a.csv", first("month", np.arange(N) % 12 + 1), None, None, ("month",)),
    "an id in a Parquet file": Case(
        "a.parquet", lambda path: FRAME.assign(AccountId=IDS).to_parquet(path), E, None, ("AccountId",)
    ),
    "a first array column of ids": Case(
        "a.npy", lambda path: np.save(path, np.c_[IDS, E]), None, None, ("first column",)
    ),
    "the only numbers are ids": Case(
        "a.csv", "id,a,b\n" + rows(f"{i},low,high" for i in range(N)), None, None, ("'id'", "columns="), True
    ),
    # classes
    "MNIST": Case("a.csv", first("label", RNG.integers(0, 10, N)), E, None, ("'label'",)),
    "a target of scikit-learn": Case("a.csv", last("target", np.arange(N) % 3), E, None, ("'target'",)),
    "wine without a heading": Case(
        "a.csv", rows(f"{i % 3 + 1}," + ",".join(map(str, E[i])) for i in range(N)), None, None, ("'0'",)
    ),
    "an outcome": Case("a.csv", last("Outcome", np.arange(N) % 2), None, None, ("'Outcome'",)),
    # no false alarms
    "answers from 1 to 5": Case(
        "a.csv", pd.DataFrame(RNG.integers(1, 6, (N, 6))).add_prefix("q").to_csv(index=False), quiet=True
    ),
    "ages and weights": Case("a.csv", pd.DataFrame(WHOLE).add_prefix("w").to_csv(index=False), WHOLE, None, quiet=True),
    "vectors with names": Case("a.csv", FRAME.set_axis(NAMES).to_csv(), E, NAMES, quiet=True),
    "a date after the name": Case("a.csv", first("name", NAMES, FRAME.assign(born=DAYS)), E, NAMES, quiet=True),
    "pixels": Case("a.csv", pd.DataFrame(RNG.integers(0, 17, (N, 8))).add_prefix("p").to_csv(index=False), quiet=True),
    # marks beside numbers
    "ids and percent signs": Case(
        "a.csv",
        "id,a,b\n" + rows(f"{i + 7},{i}%,{i + 1}.5%" for i in range(6)),
        [[i, i + 1.5] for i in range(6)],
        [str(i + 7) for i in range(6)],
        ("%",),
    ),
    "percent signs": Case("a.csv", cells("{}%"), CELLS, None, ("%",)),
    "a blank before the percent sign": Case("a.csv", cells("{} %"), CELLS, None, ("%",)),
    "dollars": Case("a.csv", cells("${}"), CELLS, None, ("$",)),
    "euros": Case("a.csv", cells("{} €"), CELLS, None, ("€",)),
    "units in brackets": Case("a.csv", cells("{} [kg]"), CELLS, None, ("[kg]",)),
    "units in the heading": Case("a.csv", cells("{}", "name,mass [kg],length (m)"), CELLS, quiet=True),
    "some percent signs": Case("a.csv", cells("{}%").replace("0.5%", "0.5"), None, None, ("'a'", "%"), True),
    "two currencies": Case("a.csv", cells("${}").replace("$0.5", "€0.5"), None, None, ("'a'", "€"), True),
    "dollars with thousands": Case(
        "a.csv", "name,a\n" + rows(f'x{i},"${i + 1},234.50"' for i in range(6)), None, None, ("'a'", "thousands"), True
    ),
    "quoted decimal commas": Case("a.csv", cells('"{}"').replace(".", ","), CELLS),
    "quoted thousands": Case(
        "a.csv", "name,a\n" + rows(f'x{i},"{i + 1},234"' for i in range(6)), None, None, ("'a'", "thousands"), True
    ),
    "units beside numbers": Case("a.csv", cells("{} kg,1.5", "name,a,u,b,v"), None, None, ("kg",)),
    # time series, transposed tables and gaps
    "prices by day": Case("a.csv", first("Date", DAYS, PRICES), None, None, ("Date", "transpose=True"), True),
    "prices by day, transposed": Case(
        "a.csv", first("Date", DAYS, PRICES), PRICES.T, list(PRICES), ("Date",), wishes={"transpose": True}
    ),
    "prices by day, the days wanted": Case("a.csv", first("Date", DAYS, PRICES), PRICES, wishes={"label": "Date"}),
    "prices by day in Parquet": Case(
        "a.parquet", PRICES.set_axis(DAYS).to_parquet, None, None, ("transpose=True",), True
    ),
    "prices by day in Parquet, transposed": Case(
        "a.parquet", PRICES.set_axis(DAYS).to_parquet, PRICES.T, list(PRICES), wishes={"transpose": True}
    ),
    "days as whole numbers": Case(
        "a.csv", first("day", DAYS.strftime("%Y%m%d"), PRICES), None, None, ("day", "transpose=True"), True
    ),
    "days as in Germany": Case(
        "a.csv", first("Tag", DAYS.strftime("%d.%m.%Y"), PRICES), None, None, ("Tag", "transpose=True"), True
    ),
    "quarters": Case(
        "a.csv",
        first("", [f"{2000 + i // 4}Q{i % 4 + 1}" for i in range(N)], PRICES),
        None,
        None,
        ("transpose=True",),
        True,
    ),
    "months by name": Case(
        "a.csv",
        first("m", pd.date_range("2020-01", periods=N, freq="MS").strftime("%b-%y"), PRICES),
        None,
        None,
        ("transpose=True",),
        True,
    ),
    "times of day": Case(
        "a.csv", first("t", [f"{i:02d}:30" for i in range(N)], PRICES), None, None, ("transpose=True",), True
    ),
    "samples with gaps": Case(
        "a.csv", EXPRESSION.to_csv(), None, None, ("42 of 48", "36 of 40", "transpose=True", "dropna(axis=1)"), True
    ),
    "genes with gaps, samples wanted": Case(
        "a.csv",
        EXPRESSION.T.to_csv(),
        None,
        None,
        ("42 of 48", "36 of 40", "dropna(axis=0)"),
        True,
        wishes={"transpose": True},
    ),
    "gaps by name": Case(
        "a.csv",
        "w,a,b,c\nx,1,2,3\ny,,,3\nz,4,5,6\nu,7,8,9\n",
        [[1, 2, 3], [4, 5, 6], [7, 8, 9]],
        list("xzu"),
        ("'y' 2",),
    ),
    "genes by samples": Case(
        "a.tsv",
        FRAME.rename_axis("gene").set_axis(NAMES).to_csv(sep="\t"),
        E.T,
        list("abcd"),
        wishes={"transpose": True},
    ),
    "an array on its side": Case(
        "a.npy", lambda path: np.save(path, E), E.T, ["0", "1", "2", "3"], wishes={"transpose": True}
    ),
    # row numbers
    "row numbers of the file": Case("a.csv", "a,b\n1,2\n,3\n4,5\n6,7\n", [[1, 2], [4, 5], [6, 7]], ["0", "2", "3"]),
    # lines before the table
    "GCT": Case("a.txt", GCT, E, [f"G{i}" for i in range(N)], ("#1.2",)),
    "GCT, cut off": Case("a.txt", GCT[: GCT.rindex("G23")], None, None, ("24", "23"), True),
    "GEO series matrix": Case("a.txt", GEO, E, [f"{1000 + i}_at" for i in range(N)], ("!Series_title",)),
    "GEO, with a long head": Case("a.txt", '!Sample_x\t"y"\n' * 9000 + GEO, E, None, ("!Sample_x",)),
    "World Bank": Case("a.csv", BANK, E, [f"Land {i}" for i in range(N)], ("Data Source",)),
    "a title above the table": Case(
        "a.csv", "Results of 2024\n\n" + FRAME.set_axis(NAMES).to_csv(), E, NAMES, ("Results of 2024",)
    ),
    "a title as a spreadsheet writes it": Case(
        "a.csv",
        "Titel;;\nStand: 2024;;\nLand;2001;2002\n" + rows(f"L{i};{i},5;{i},2" for i in range(9)),
        [[i + 0.5, i + 0.2] for i in range(9)],
        [f"L{i}" for i in range(9)],
        ("'Titel'",),
    ),
    "GEO, ids of numbers": Case(
        "a.txt",
        '!Title\t"x"\nID_REF\ta\tb\n' + rows(f"{1000 + i}\t{i}.5\t{i}.2" for i in range(9)) + "!end\n",
        [[i + 0.5, i + 0.2] for i in range(9)],
        [str(1000 + i) for i in range(9)],
        ("'!Title x'",),
    ),
    "words that begin with an exclamation mark": Case(
        "a.tsv", "!a\t0.1\t2\n.\t3\t4\n!!\t1\t2\n", [[0.1, 2], [3, 4], [1, 2]], ["!a", ".", "!!"], quiet=True
    ),
    "a birthday after an id": Case("a.csv", first("id", range(N), FRAME.assign(born=DAYS)), E, quiet=False),
    "numbers beyond 64 bits": Case(
        "a.csv", "w,a,b\nx,19000000000000000000,1\ny,2,1\n", [[1.9e19, 1], [2, 1]], ["x", "y"]
    ),
    "two tables in one file": Case("a.csv", "w,a\nx,1\nz,2\n\nw,a,b\ny,1,2\nu,2,3\n", None, None, ("unequal",), True),
    "counts under numbered columns": Case(
        "a.csv",
        pd.DataFrame(RNG.poisson(0.3, (N, 12))).to_csv(index=False),
        quiet=True,
        labels=[str(i) for i in range(N)],
    ),
    "decimal commas beside euros": Case(
        "a.csv", cells("{} €").replace(",", ";").replace(".", ","), CELLS, None, ("€",)
    ),
    "numbers with errors": Case("a.csv", cells("{}±0.1,1.5", "name,a,u,b,v"), None, None, ("'0.5±0.1'",)),
    "two columns of names, whole years": Case(
        "a.csv",
        "Country Name,Country Code,1960,1961,1962\n" + rows(f"L{i},X{i},{i * 7},{i * 5},{i}" for i in range(N)),
        [[i * 7, i * 5, i] for i in range(N)],
        [f"L{i}" for i in range(N)],
        quiet=True,
    ),
    "a list of pairs": Case("a.csv", "a,b,1\na,c,2\nb,c,3\n", None, None, ("pairs", "load_matrix"), True),
    "the lower half in short lines": Case("a.txt", "a 0\nb 1 0\nc 2 3 0\n", None, None, ("lower", "load_matrix"), True),
    "a title above lists": Case(
        "a.csv",
        "Embeddings\n\nname,v\n" + rows(f'x{i},"[{i}.5, 2]"' for i in range(6)),
        [[i + 0.5, 2] for i in range(6)],
    ),
    # other formats
    "JSON lines with ids and classes": Case(
        "a.jsonl",
        FRAME.assign(CustomerID=IDS, label=np.arange(N) % 3).to_json(orient="records", lines=True),
        E,
        [str(i) for i in IDS],
        ("'CustomerID'", "'label'"),
    ),
    "JSON lines by day": Case(
        "a.jsonl",
        PRICES.assign(day=DAYS.strftime("%Y-%m-%d")).to_json(orient="records", lines=True),
        None,
        None,
        ("'day'", "transpose=True"),
        True,
    ),
    "Feather by day, transposed": Case(
        "a.feather", PRICES.set_axis(DAYS).to_feather, PRICES.T, list(PRICES), wishes={"transpose": True}
    ),
    "sparse, on its side": Case(
        "a.npz", lambda path: scipy.sparse.save_npz(path, scipy.sparse.csr_array(E)), E.T, wishes={"transpose": True}
    ),
    # what decides all
    "regions of a genome": Case(
        "a.csv", first("name", NAMES, REGIONS), None, None, ("'Start'", "of the sum of squares")
    ),
    "incomes beside scores": Case(
        "a.csv",
        first("score", E[:, 0], pd.DataFrame({"income": IDS * 10.5})),
        None,
        None,
        ("'income'", "of the sum of squares"),
    ),
    # matrices at the door for vectors
    "correlations": Case("a.csv", SIMILAR.to_csv(), None, None, ("symmetric", "load_matrix")),
    "half of them": Case("a.csv", SIMILAR.where(np.tri(N) > 0).to_csv(), None, None, ("load_matrix",), True),
    "correlations in an array": Case(
        "a.npy", lambda path: np.save(path, np.corrcoef(E)), None, None, ("symmetric", "load_matrix")
    ),
    "PHYLIP": Case("a.txt", "3\nA 0 1 2\nB 1 0 3\nC 2 3 0\n", None, None, ("load_matrix",), True),
    "MEGA": Case("a.txt", "#mega\n!Title: x;\n[1] #A\n[2] #B\n[1]\n[2] 0.1\n", None, None, ("load_matrix",), True),
    # lists of pairs without a number
    "edges": Case("a.txt", rows(f"{a} {b}" for a, b in EDGES), EDGES, None, ("pairs", "graph", "shortest_path")),
    "edges between commas": Case("a.csv", "from,to\n" + rows(f"{a},{b}" for a, b in EDGES), EDGES, None, ("pairs",)),
    "a tree": Case("a.tsv", "# parent\tchild\n" + rows(f"{i // 2}\t{i}" for i in range(1, 40)), words=("pairs",)),
    "points of a plane": Case("a.csv", "x,y\n" + rows(f"{i * 17 % 30},{i * 31 % 29}" for i in range(60)), quiet=True),
    "two answers from 1 to 5": Case(
        "a.csv", "q,r\n" + rows(f"{a},{b}" for a, b in RNG.integers(1, 6, (60, 2))), quiet=True
    ),
    # absurd counts in the first line
    "more features than a machine can count": Case("a.txt", f"1 {LARGE}\na 1 2 3\n", None, None, ("first line",), True),
    "a name of 5,000 digits": Case(
        "a.txt", f"2 {'9' * 5000}\na 1 2\nb 1 2\n", None, None, ("column '1'", "not a number"), True
    ),
    "GCT with an absurd count": Case(
        "a.gct", GCT.replace(f"\n{N}\t", f"\n{LARGE}\t", 1), None, None, ("first line",), True
    ),
    "GCT by its own suffix": Case("a.gct", GCT, E, [f"G{i}" for i in range(N)], ("#1.2",)),
    "six points in the plane": Case(
        "a.txt", "5 1\n3 4\n10 2\n7 7\n8 1\n2 2\n", [[5, 1], [3, 4], [10, 2], [7, 7], [8, 1], [2, 2]]
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_tables_that_people_publish(name, tmp_path):
    case = CASES[name]
    result, came = verdict(case, "vectors", tmp_path)
    assert result == ("refused clearly" if case.refused else "right"), came


# Ways out are followed word for word


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("a.csv", EXPRESSION.to_csv),
        ("a.csv", lambda path: EXPRESSION.to_csv(path, sep=";", decimal=",")),
        ("a.csv", lambda path: EXPRESSION.to_csv(path, index=False, header=False, na_rep="NA")),
        ("a.tsv", lambda path: EXPRESSION.to_csv(path, sep="\t", encoding="utf-16")),
        ("a.csv", lambda path: path.write_text("# a comment\n" + EXPRESSION.to_csv())),
        ("a.parquet", EXPRESSION.to_parquet),
        ("a.npy", lambda path: np.save(path, GAPS)),
    ],
)
def test_the_line_that_leaves_out_columns_with_gaps(name, write, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / name)
    with pytest.raises(ValueError, match=r"42 of 48 rows have missing numbers, though 36 of 40 columns have") as error:
        load_vectors(name)
    assert load_vectors(name, transpose=True).vectors.shape == (36, 48)
    line = str(error.value).split("without gaps: ")[1]
    exec(line, {"pandas": pd, "numpy": np})
    (whole,) = tmp_path.glob("whole.*")
    loaded = load_vectors(whole)
    assert loaded.vectors.tolist() == np.full((48, 36), 1.5).tolist()
    assert loaded.labels[47] == ("sample 47" if "header" not in line and name != "a.npy" else "47")


def test_the_line_that_leaves_out_numbers_with_gaps_of_items_in_columns(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    EXPRESSION.T.to_csv("a.csv")
    with pytest.raises(ValueError, match=r"42 of 48 items have missing numbers, though 36 of 40 numbers") as error:
        load_vectors("a.csv", transpose=True)
    exec(str(error.value).split("without gaps: ")[1], {"pandas": pd})
    loaded = load_vectors("whole.csv", transpose=True)
    assert loaded.vectors.shape == (48, 36)
    assert loaded.labels[47] == "sample 47"


def test_gaps_here_and_there_leave_both_ways_to_the_user(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    gaps = np.where(np.arange(40) == np.arange(48)[:, None] % 40, np.nan, 1.5)[:, :30]
    pd.DataFrame(gaps, [f"s{i}" for i in range(48)]).to_csv("a.csv")
    with pytest.raises(
        ValueError, match=r"38 of 48 rows .*fill the gaps yourself; or keep the 10 rows without gaps"
    ) as error:
        load_vectors("a.csv")
    exec(str(error.value).split("without gaps: ")[1], {"pandas": pd})
    assert load_vectors("whole.csv").labels.tolist() == [f"s{i}" for i in range(30, 40)]


def test_what_a_note_calls_out_can_be_taken_out(tmp_path):
    for name in ("Outcome", "Invoice", "month"):
        values = {"Outcome": np.arange(N) % 2, "Invoice": np.arange(N) * 3 % 70, "month": np.arange(N) % 12 + 1}[name]
        path = tmp_path / f"{name}.csv"
        path.write_text(first(name, values))
        assert load_vectors(path).vectors.shape == (N, 5)
        (note,) = [note for note in load_vectors(path).card["notes"] if name in note]
        assert note.endswith(f" It is part of the vectors: label={name!r} takes it out.")
        loaded = load_vectors(path, label=name)
        assert_allclose(loaded.vectors, E, rtol=1e-6)
        assert loaded.card["notes"] == ["Fields are separated by commas, the decimal sign is '.'."]
    path.write_text(first("GeneID", IDS))
    assert load_vectors(path, columns=["GeneID", "a"]).vectors[:, 0].tolist() == IDS.tolist()


def test_days_can_be_the_items_if_the_caller_says_so(tmp_path):
    for name in ("Date", ""):
        path = tmp_path / "a.csv"
        path.write_text(first(name, DAYS, PRICES))
        with pytest.raises(ValueError, match=f"pass transpose=True; if the rows are, pass label='{name}'"):
            load_vectors(path)
        assert load_vectors(path, label=name).labels[0] == "2024-01-02"
        assert load_vectors(path, transpose=True).labels.tolist() == list(PRICES)


def test_row_numbers_lead_back_to_the_table(tmp_path):
    frame = FRAME.mask(FRAME > 1.4)
    for name, write in (("a.csv", frame.to_csv), ("b.csv", lambda path: frame.to_csv(path, index=False))):
        write(tmp_path / name)
        loaded = load_vectors(tmp_path / name)
        assert_allclose(frame.iloc[loaded.card["kept"]], loaded.vectors, rtol=1e-6)
        assert_allclose(frame.iloc[loaded.labels.astype(int)], loaded.vectors, rtol=1e-6)
        assert loaded.card["kept"].dtype == np.int64
    FRAME.to_csv(tmp_path / "a.csv")
    assert load_vectors(tmp_path / "a.csv").card["kept"] is None
    FRAME.T.set_axis([f"i{j}" for j in range(N)], axis=1).mask(lambda table: table > 1.5).to_csv(tmp_path / "a.csv")
    loaded = load_vectors(tmp_path / "a.csv", transpose=True)
    assert loaded.labels.tolist() == [f"i{j}" for j in loaded.card["kept"]]
    assert "items with a missing or infinite number" in loaded.card["dropped"][-1]


def test_a_bad_number_is_named_with_the_label_of_its_row(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("w,a\n" + "".join(f"n{i},1\n" for i in range(30_000)) + "plum,x\n")
    with pytest.raises(
        ValueError, match=r"holds 'x' in row 30000 \(counted from 0; its label is 'plum'\), not a number"
    ):
        load_vectors(path)
    path.write_text("w,a\n" + "".join(f"n{i},{i}%\n" for i in range(30_000)) + "plum,5\n")
    with pytest.raises(ValueError, match=r"holds '5' in row 30000 .*'plum'\), without the '%' of its other numbers"):
        load_vectors(path)


@pytest.mark.parametrize(
    ("dates", "found"),
    [
        ("2024-01-31 2024/1/3 2024-01 31.01.2024 1/31/24 Jan-20 03-Mär-21 2000Q1 1Q24 2020M01 2020W05 10:30", True),
        ("2024-01-31T10:00:00Z 2024-01-31T10:00:00+00:00 2024-01-31T10:00:00.123456 12.2019 1960M01 2020-Jan-05", True),
        ("item-3 seq-12 abc-20 1.2.3 1234-13 A1 plum marble-12 10 3.5 mar maria-20 P12-03-04 1007_s_at", False),
        ("2024-01-31 2024-01-31 2024-01-31 2024-02-01", False),  # events, not a series
        ("2024-01-31 2024-02-01", False),  # too few
    ],
)
def test_what_a_date_looks_like(dates, found):
    assert are_dates(dates.split()) == found


@given(st.text(alphabet='ab019.,;\t "!%$€[]()#\n-~e', max_size=80))
@settings(deadline=None, max_examples=300)
def test_any_text_with_marks_is_read_or_refused_in_one_line(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "a.csv"
    path.write_bytes(text.encode())
    for door in (load_vectors, load_matrix, partial(load_vectors, transpose=True)):
        loaded, words = read_or_refused(door, path)
        assert "a.csv" in words
        assert len(words.splitlines()) == 1
        assert loaded is None or (len(loaded.labels) == len(loaded[0]) and np.isfinite(loaded[0]).all())
