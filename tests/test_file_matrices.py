"""Matrices as other programs write them: whole, one half, a list of distances, a list of pairs; with heads and names.

The values of each case are written out here or checked against NumPy and SciPy.
"""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.io
from doors import Case, verdict
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.spatial.distance import pdist, squareform

from simlib import kmedoids, load_matrix
from simlib.files import squares

N = 7
POINTS = np.random.default_rng(3).standard_normal((N, 3))
CONDENSED = pdist(POINTS).round(4)
D = squareform(CONDENSED)
NAMES = [f"seq{i}" for i in range(N)]
FRAME = pd.DataFrame(D, NAMES, NAMES)
R = np.corrcoef(POINTS).round(4)
LOWER = np.tri(N) > 0
STRICTLY = np.tri(N, k=-1) > 0
PAIRS = [(i, j) for i in range(N) for j in range(i + 1, N)]
FAR = squareform([1, 2, 3, 4, 5, 6.0])  # of a, b, c, d
ABCD = list("abcd")


def rows(lines):
    return "".join(line + "\n" for line in lines)


def numbers(values, sign=" "):
    return sign.join(f"{v:.4f}" for v in values)


def phylip(width, start=0, sign=" ", pad=10):
    """The lines of a matrix of PHYLIP: `width(i)` numbers in line i."""
    return f"{N}\n" + rows(f"{NAMES[i]:{pad}s}{sign}{numbers(D[i, : width(i)], sign)}".rstrip() for i in range(N))


def pairs(sign="\t", which=PAIRS, names=NAMES):
    return rows(sign.join([str(names[i]), str(names[j]), f"{D[i, j]:.4f}"]) for i, j in which)


WRAPPED = f"   {N}\n" + rows(f"{NAMES[i]:10s}{numbers(D[i, :4])}\n  {numbers(D[i, 4:])}" for i in range(N))
BLANKS = "3\nHomo sap  0.0 1.0 2.0\nPan trog  1.0 0.0 3.0\nGorilla g 2.0 3.0 0.0\n"
MEGA = "#mega\n!Title: four;\n!Format DataType=Distance DataFormat={} NTaxa={};\n\n"
MEGA += "[1] #a\n[2] #b\n[3] #c\n[4] #d\n\n[     1   2   3   4 ]\n"
MEGA_LOWER = MEGA + "[1]\n[2]  1.0\n[3]  2.0 4.0\n[4]  3.0 5.0 6.0\n"
MEGA_UPPER = MEGA + "[1]    1.0 2.0 3.0\n[2]    4.0 5.0\n[3]    6.0\n[4]\n"
DIRECTED = [(i, j) for i in range(N) for j in range(N) if i != j]
SKEWED = rows(f"{NAMES[i]}\t{NAMES[j]}\t{D[i, j] + (i > j):.4f}" for i, j in DIRECTED)
FASTANI = rows(f"{NAMES[i]}\t{NAMES[j]}\t{90 + D[i, j]:.3f}\t{100 + i}\t200" for i, j in PAIRS)


def parquet(frame):
    return lambda path: frame.to_parquet(path)


CASES = {
    # PHYLIP and Mash
    "PHYLIP, square": Case("a.txt", phylip(lambda i: N), D, NAMES, ("PHYLIP",)),
    "PHYLIP, square, wrapped lines": Case("a.txt", WRAPPED, D, NAMES, ("PHYLIP",)),
    "PHYLIP, blanks in names": Case("a.txt", BLANKS, squareform([1, 2, 3]), ["Homo sap", "Pan trog", "Gorilla g"]),
    "PHYLIP, lower": Case("a.txt", phylip(lambda i: i), D, NAMES, ("lower", "diagonal")),
    "PHYLIP, lower with the diagonal": Case("a.txt", phylip(lambda i: i + 1), D, NAMES, ("lower",)),
    "Mash": Case("a.txt", "\t" + phylip(lambda i: i, sign="\t", pad=0), D, NAMES, ("lower", "diagonal")),
    "a small triangle": Case(
        "a.txt", "4\nA\nB  33\nC  12  99\nD 25 87 8\n", squareform([33, 12, 25, 99, 87, 8]), list("ABCD")
    ),
    "PHYLIP, numbers as names": Case("a.txt", "3\n1\n2 33\n3 12 99\n", squareform([33, 12, 99]), ["1", "2", "3"]),
    "PHYLIP, packed by nobody, in Windows lines": Case("a.txt", phylip(lambda i: N).replace("\n", "\r\n"), D, NAMES),
    "PHYLIP, a line too few": Case(
        "a.txt", phylip(lambda i: N).rsplit("seq6", 1)[0], None, None, ("announces 7", "6"), True
    ),
    "PHYLIP, a line too many": Case(
        "a.txt", phylip(lambda i: N).replace("7\n", "6\n", 1), None, None, ("announces 6",), True
    ),
    "PHYLIP, a number too few": Case(
        "a.txt", phylip(lambda i: N).replace(f" {D[3, 6]:.4f}\n", "\n"), None, None, ("seq3",), True
    ),
    "PHYLIP, no number": Case(
        "a.txt", phylip(lambda i: N).replace(f"{D[3, 5]:.4f}", "x", 2), None, None, ("seq3", "'x'"), True
    ),
    "PHYLIP, an absurd count": Case("a.txt", "999999999\na 0 1\nb 1 0\n", None, None, ("999999999",), True),
    "PHYLIP by its own suffix": Case("a.phy", phylip(lambda i: N), D, NAMES, ("PHYLIP",)),
    "distances by their own suffix": Case("a.dist", phylip(lambda i: i), D, NAMES, ("PHYLIP", "lower")),
    # MEGA
    "MEGA by its own suffix": Case("a.meg", MEGA_LOWER.format("LowerLeft", 4), FAR, ABCD, ("MEGA", "lower")),
    "MEGA, an absurd count": Case("a.meg", MEGA_LOWER.format("LowerLeft", "9" * 5000), None, None, ("names 4",), True),
    "MEGA, lower": Case("a.txt", MEGA_LOWER.format("LowerLeft", 4), FAR, ABCD, ("MEGA", "lower", "diagonal")),
    "MEGA, upper": Case("a.txt", MEGA_UPPER.format("UpperRight", 4), FAR, ABCD, ("MEGA", "upper", "diagonal")),
    "MEGA, another count": Case("a.txt", MEGA_LOWER.format("LowerLeft", 5), None, None, ("announces 5", "4"), True),
    # triangles in tables
    "lower half": Case("a.csv", FRAME.where(LOWER).to_csv(), D, NAMES, ("lower",)),
    "lower half without the diagonal": Case("a.csv", FRAME.where(STRICTLY).to_csv(), D, NAMES, ("lower", "diagonal")),
    "upper half": Case("a.tsv", FRAME.where(LOWER.T).to_csv(sep="\t"), D, NAMES, ("upper",)),
    "upper half without the diagonal": Case(
        "a.csv", FRAME.where(STRICTLY.T).to_csv(na_rep="NA"), D, NAMES, ("upper", "diagonal")
    ),
    "identities, upper": Case(
        "a.tsv",
        "\tA\tB\tC\nA\t100\t83\t71\nB\t\t100\t92\nC\t\t\t100\n",
        [[100, 83, 71], [83, 100, 92], [71, 92, 100]],
        list("ABC"),
        ("upper",),
    ),
    "correlations, lower without the diagonal": Case(
        "a.csv", pd.DataFrame(R, NAMES, NAMES).where(STRICTLY).to_csv(), R, NAMES, ("lower", "diagonal", "1")
    ),
    "short lines under a heading": Case(
        "a.csv",
        "," + ",".join(NAMES) + "\n" + rows(f"{NAMES[i]},{numbers(D[i, : i + 1], ',')}" for i in range(N)),
        D,
        NAMES,
        ("lower",),
    ),
    "short lines without a heading": Case(
        "a.csv", rows(f"{NAMES[i]},{numbers(D[i, : i + 1], ',')}" for i in range(N)), D, NAMES, ("lower",)
    ),
    "short lines of numbers": Case(
        "a.txt", rows(numbers(D[i, : i + 1]) for i in range(N)), D, [str(i) for i in range(N)], ("lower",)
    ),
    "short lines of numbers, upper": Case("a.txt", rows(numbers(D[i, i:]) for i in range(N)), D, None, ("upper",)),
    "a dist as R prints it": Case("a.txt", "  a b c\nb 1\nc 2 4\nd 3 5 6\n", FAR, ABCD, ("lower", "diagonal")),
    "zeros below": Case("a.csv", FRAME.where(LOWER.T, 0).to_csv(), D, NAMES, ("upper",)),
    "infinity below": Case("a.csv", FRAME.where(LOWER.T, np.inf).to_csv(), D, NAMES, ("upper",)),
    "zeros below, in an array": Case("a.npy", lambda path: np.save(path, np.triu(D)), D, None, ("upper",)),
    "NaN above, in arrays": Case(
        "a.npz", lambda path: np.savez(path, D=np.where(LOWER, D, np.nan)), D, None, ("lower",)
    ),
    "no diagonal": Case("a.csv", FRAME.where(~np.eye(N, dtype=bool)).to_csv(), D, NAMES, ("diagonal",)),
    "a hole in one half": Case(
        "a.csv", FRAME.where(LOWER).to_csv().replace(f"{D[3, 1]}", ""), None, None, ("'seq3'", "'seq1'"), True
    ),
    "a sign for what is missing": Case(
        "a.csv", ",a,b,c\na,-,1,2\nb,1,-,3\nc,2,3,-\n", None, None, ("'a'", "'-'", "empty"), True
    ),
    "stars beside numbers": Case("a.csv", ",a,b\na,1,\nb,.5**,1\n", None, None, ("'.5**'", "'b'"), True),
    "a stranger in PHYLIP": Case("a.txt", "3\nA 0 n/c 2\nB n/c 0 3\nC 2 3 0\n", None, None, ("'A'", "'n/c'"), True),
    "PHYLIP, no blank after the name": Case(
        "a.txt", "2\nSequence100.0000 1.0000\nSequence201.0000 0.0000\n", [[0, 1], [1, 0]], ["Sequence10", "Sequence20"]
    ),
    "percent": Case("a.csv", ",a,b\na,100%,50%\nb,50%,100%\n", [[100, 50], [50, 100]], ["a", "b"], ("'%'",)),
    # condensed
    "condensed, text": Case("a.txt", lambda path: np.savetxt(path, CONDENSED), D, None, ("condensed",)),
    "condensed, array": Case("a.npy", lambda path: np.save(path, CONDENSED), D, None, ("condensed",)),
    "condensed, arrays": Case(
        "a.npz", lambda path: np.savez(path, y=CONDENSED, names=np.array(NAMES)), D, NAMES, ("condensed",)
    ),
    "condensed, one line": Case("a.csv", numbers(CONDENSED, ",") + "\n", D, None, ("condensed",)),
    "condensed, MATLAB": Case("a.mat", lambda path: scipy.io.savemat(path, {"y": CONDENSED}), D, None, ("condensed",)),
    "condensed, of a wrong length": Case(
        "a.npy", lambda path: np.save(path, CONDENSED[1:]), None, None, ("20", "n(n-1)/2"), True
    ),
    # pairs
    "pairs": Case("a.tsv", pairs(), D, NAMES, ("pairs",)),
    "pairs, by blanks": Case("a.txt", pairs(" "), D, NAMES, ("pairs",)),
    "pairs, with a heading": Case("a.csv", "from,to,distance\n" + pairs(","), D, NAMES, ("pairs",)),
    "pairs of numbers": Case(
        "a.csv", "i,j,d\n" + pairs(",", names=range(N)), D, [str(i) for i in range(N)], ("pairs",)
    ),
    "pairs of numbers without a heading": Case(
        "a.txt", pairs(" ", names=range(N)), D, [str(i) for i in range(N)], ("pairs",)
    ),
    "pairs in both directions": Case("a.tsv", pairs(which=DIRECTED), D, NAMES, ("pairs",)),
    "pairs with themselves": Case(
        "a.tsv",
        rows(f"{a}\t{a}\t1" for a in "xyz") + "x\ty\t.5\nx\tz\t.2\ny\tz\t.1\n",
        [[1, 0.5, 0.2], [0.5, 1, 0.1], [0.2, 0.1, 1]],
        list("xyz"),
    ),
    "three pairs": Case("a.csv", "0,1,.5\n0,2,.7\n1,2,.3\n", squareform([0.5, 0.7, 0.3]), ["0", "1", "2"], ("pairs",)),
    "pairs with one missing": Case("a.tsv", pairs(which=PAIRS[:-2]), None, None, ("2 of 21", "'seq4'", "'seq6'"), True),
    "pairs, some twice": Case("a.tsv", pairs() + pairs(which=PAIRS[:2]), D, NAMES, ("2 pairs",)),
    "pairs that contradict": Case("a.tsv", pairs() + "seq1\tseq0\t9\n", None, None, ("'seq0'", "'seq1'", "9"), True),
    "pairs that differ by direction": Case("a.tsv", SKEWED, D + STRICTLY, NAMES, ("'seq0'", "'seq1'")),
    "pairs with more columns": Case("a.tsv", FASTANI, None, None, ("pairs", "three columns"), True),
    "pairs without a value": Case(
        "a.tsv", pairs().replace(f"{D[0, 1]:.4f}", ""), None, None, ("'seq0'", "'seq1'"), True
    ),
    "pairs that pandas stacked": Case("a.csv", FRAME.stack().rename("d").reset_index().to_csv(), D, NAMES, ("pairs",)),
    "pairs with one line without a number": Case("a.csv", pairs(",") + "seq2,seq2,\n", D, NAMES, ("1 lines",)),
    "pairs in Parquet": Case(
        "a.parquet",
        parquet(pd.DataFrame({"a": [NAMES[i] for i, _ in PAIRS], "b": [NAMES[j] for _, j in PAIRS], "d": CONDENSED})),
        D,
        NAMES,
        ("pairs",),
    ),
    # names
    "a corner with a name, numbers as names": Case(
        "a.csv",
        FRAME.set_axis(range(305, 305 + 7 * N, 7))
        .set_axis(range(305, 305 + 7 * N, 7), axis=1)
        .rename_axis("sample")
        .to_csv(),
        D,
        [str(305 + 7 * i) for i in range(N)],
    ),
    "a corner with a name": Case("a.csv", FRAME.rename_axis("sample").to_csv(), D, NAMES),
    "numbers as names of rows only": Case(
        "a.csv", rows(f"{305 + 7 * i},{numbers(D[i], ',')}" for i in range(N)), D, [str(305 + 7 * i) for i in range(N)]
    ),
    "R, no corner": Case(
        "a.txt", " ".join(NAMES) + "\n" + rows(f"{NAMES[i]} {numbers(D[i])}" for i in range(N)), D, NAMES
    ),
    "R, V1 and so on": Case("a.csv", FRAME.set_axis([f"V{i + 1}" for i in range(N)], axis=1).to_csv(), D, NAMES),
    "R, names made good": Case(
        "a.csv",
        FRAME.set_axis([f"9 x-{i}" for i in range(N)]).set_axis([f"X9.x.{i}" for i in range(N)], axis=1).to_csv(),
        D,
        [f"9 x-{i}" for i in range(N)],
    ),
    "pandas, numbers above names": Case("a.csv", FRAME.set_axis(range(N), axis=1).to_csv(), D, NAMES),
    "another order above": Case("a.csv", ",b,a,c\na,0,1,1\nb,1,0,1\nc,1,1,0\n", None, None, ("'b'", "'a'"), True),
    "other names above": Case("a.csv", ",a,b,x\na,0,1,1\nb,1,0,1\nc,1,1,0\n", None, None, ("'x'", "'c'"), True),
    "another order in Parquet": Case("a.parquet", parquet(FRAME[NAMES[::-1]]), None, None, ("'seq0'", "'seq6'"), True),
    # Parquet and heads
    "Parquet": Case("a.parquet", parquet(FRAME), D, NAMES),
    "Parquet, numbers as names": Case(
        "a.parquet",
        parquet(pd.DataFrame(D, range(9, 9 + N), [str(i) for i in range(9, 9 + N)])),
        D,
        [str(9 + i) for i in range(N)],
    ),
    "Parquet, no names": Case(
        "a.parquet",
        parquet(pd.DataFrame(D).set_axis([f"c{i}" for i in range(N)], axis=1)),
        D,
        [f"c{i}" for i in range(N)],
    ),
    "Parquet, a kind beside": Case("a.parquet", parquet(FRAME.assign(kind="x")), D, NAMES, ("'kind'",)),
    "Parquet, lists": Case(
        "a.parquet", lambda path: pq.write_table(pa.table({"n": NAMES, "d": list(D)}), path), D, NAMES
    ),
    "Parquet, lower half": Case("a.parquet", parquet(FRAME.where(LOWER)), D, NAMES, ("lower",)),
    "GCT": Case(
        "a.txt",
        f"#1.2\n{N}\t{N}\nName\tDescription\t"
        + "\t".join(NAMES)
        + "\n"
        + rows(f"{NAMES[i]}\tna\t{numbers(D[i], chr(9))}" for i in range(N)),
        D,
        NAMES,
        ("#1.2",),
    ),
    "lines that begin with an exclamation mark": Case(
        "a.txt", '!Title\t"x"\n!Platform\t"y"\t"z"\n' + FRAME.to_csv(sep="\t"), D, NAMES, ("!Title",)
    ),
    "a title": Case("a.csv", "Distances between sequences\n\n" + FRAME.to_csv(), D, NAMES, ("Distances between",)),
    "Feather, upper half": Case("a.feather", FRAME.where(LOWER.T).to_feather, D, NAMES, ("upper",)),
    # what the numbers mean
    "correlations with both signs": Case("a.csv", pd.DataFrame(R, NAMES, NAMES).to_csv(), R, NAMES, ("-1", "abs")),
    "correlations in an array": Case("a.npy", lambda path: np.save(path, R), R, None, ("-1", "abs")),
    "distances": Case("a.csv", FRAME.to_csv(), D, NAMES, quiet=True),
    "distances of points in a row": Case(
        "a.csv",
        rows(",".join(str(abs(i - j)) for j in range(12)) for i in range(12)),
        np.abs(np.subtract.outer(range(12), range(12))),
        quiet=True,
    ),
    "three points in a row": Case("a.csv", "0,1,2\n1,0,1\n2,1,0\n", [[0, 1, 2], [1, 0, 1], [2, 1, 0]], quiet=True),
    "a missing number": Case("a.csv", FRAME.to_csv().replace(f"{D[2, 5]}", "", 1), None, None, ("'seq2'",), True),
    "vectors": Case("a.csv", "w,a,b\nx,1,2\ny,2,3\nz,3,4\n", None, None, ("must be square", "vectors?"), True),
}


@pytest.mark.parametrize("name", CASES)
def test_matrices_that_other_programs_write(name, tmp_path):
    case = CASES[name]
    result, came = verdict(case, "matrix", tmp_path)
    assert result == ("refused clearly" if case.refused else "right"), came


FORMS = {
    "whole": lambda D, names: pd.DataFrame(D, names, names).to_csv(),
    "lower": lambda D, names: pd.DataFrame(D, names, names).where(np.tri(len(D)) > 0).to_csv(),
    "upper": lambda D, names: pd.DataFrame(D, names, names).where(np.tri(len(D)).T > 0).to_csv(),
    "short lower": lambda D, names: rows(",".join([a, *map(str, D[i, : i + 1])]) for i, a in enumerate(names)),
    "short upper": lambda D, names: rows(",".join([a, *map(str, D[i, i:])]) for i, a in enumerate(names)),
    "PHYLIP": lambda D, names: f"{len(D)}\n" + rows(" ".join([a, *map(str, D[i])]) for i, a in enumerate(names)),
    "Mash": lambda D, names: f"\t{len(D)}\n" + rows("\t".join([a, *map(str, D[i, :i])]) for i, a in enumerate(names)),
    "pairs": lambda D, names: rows(
        f"{names[i]},{names[j]},{D[i, j]}" for i, j in zip(*np.triu_indices(len(D), 1), strict=True)
    ),
}


@given(st.integers(3, 12), st.sampled_from(sorted(FORMS)), st.booleans(), st.integers(0, 10**6))
@settings(deadline=None, max_examples=120)
def test_every_form_comes_back(tmp_path_factory, n, form, whole_numbers, seed):
    rng = np.random.default_rng(seed)
    D = pdist(rng.standard_normal((n, 3)))
    D = squareform(rng.integers(1, 99, D.shape) if whole_numbers else D.round(6))
    names = [f"{chr(97 + int(c))}_{i}" for i, c in enumerate(rng.integers(0, 26, n))]
    path = tmp_path_factory.getbasetemp() / "form.txt"
    path.write_text(FORMS[form](D, names))
    loaded = load_matrix(path)
    assert_allclose(loaded.matrix, D, rtol=1e-12)
    assert loaded.labels.tolist() == names
    assert not loaded.matrix.flags.writeable


def test_halves_of_a_large_matrix_are_mirrored_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(squares, "ROWS_A_BLOCK", 3)
    for half in (np.tril, np.triu):
        for filler in (0, np.nan, np.inf):
            H = half(D)
            H[half(np.ones_like(D)) == 0] = filler
            np.save(tmp_path / "a.npy", H)
            loaded = load_matrix(tmp_path / "a.npy")
            assert_array_equal(loaded.matrix, D)
            assert isinstance(loaded.matrix, np.memmap) is False


def test_a_stored_whole_matrix_is_not_read_through(tmp_path):
    D2 = np.array(D)
    D2[6, 5] = np.nan  # is found where the matrix is used
    np.save(tmp_path / "a.npy", D2)
    assert isinstance(load_matrix(tmp_path / "a.npy").matrix, np.memmap)


def test_an_absurd_count_takes_no_memory(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text(pairs("\t"))
    monkeypatch.setattr("simlib._check.available_memory", lambda: 500)
    with pytest.raises(MemoryError, match=r"a.txt, as a matrix of 7 items, takes 0.0 GB"):
        load_matrix(tmp_path / "a.txt")
    (tmp_path / "a.txt").write_text(rows(f"n{i}\tn{i + 1}\t1" for i in range(3000)))
    with pytest.raises(ValueError, match="4498500 of 4501500 pairs are missing, the first is 'n0' and 'n2'"):
        load_matrix(tmp_path / "a.txt")


def test_what_the_loaded_halves_are_good_for(tmp_path):
    (tmp_path / "a.txt").write_text("4\nA\nB  33\nC  12  99\nD 25 87 8\n")
    loaded = load_matrix(tmp_path / "a.txt")
    fit = kmedoids(loaded.matrix, 2, metric="precomputed", n_init=5)
    assert loaded.labels[fit.medoids].tolist() in (["B", "C"], ["C", "B"], ["B", "D"], ["D", "B"])
    pd.DataFrame(R, NAMES, NAMES).where(STRICTLY).to_csv(tmp_path / "a.csv")
    assert kmedoids(load_matrix(tmp_path / "a.csv").matrix, 2).labels.shape == (N,)
