"""What the exercises of notebook 09 are checked with: each says what is wrong and why, or why it is right."""

import numpy as np
from checks import explaining
from sklearn.metrics.cluster import contingency_matrix

import simlib


@explaining
def check_1(answer, fit, categories):
    """The category, of the ten most frequent, that loses most to one other of them, and that other."""
    assert isinstance(answer, tuple | list), f"answer_1 is a pair (row, column), got {answer!r}"
    assert len(answer) == 2, f"answer_1 is a pair (row, column), got {len(answer)} things"
    kinds, total = np.unique(categories, return_counts=True)
    top = np.sort(np.argsort(-total, kind="stable")[:10])
    count = contingency_matrix(categories, fit.labels)
    named = np.eye(len(kinds))[count.argmax(axis=0)]  # (k, kinds), a cluster's name
    lost = ((count @ named) / total[:, None])[np.ix_(top, top)]
    kept = lost.diagonal().copy()
    np.fill_diagonal(lost, 0)
    known = kinds[top].tolist()
    for given in answer:
        assert given in known, f"{given!r} is not one of the ten rows of the figure: {', '.join(known)}"
    row, column = (known.index(given) for given in answer)
    assert row != column, f"the diagonal is what a category keeps, {100 * kept[row]:.0f} %: look beside it"
    i, j = np.unravel_index(lost.argmax(), lost.shape)
    assert (row, column) != (j, i), "the other way round: a row is a category, a column where its words went"
    assert (row, column) == (i, j), (
        f"{known[row]} loses {100 * lost[row, column]:.0f} % to {known[column]}; "
        "another pair has more: off the diagonal, which cell is darkest?"
    )
    print(f"right: {100 * lost[i, j]:.0f} % of {known[i]} lie in clusters named after {known[j]}")
    if (known[i], known[j]) == ("noun.state", "noun.attribute"):
        print(
            "A likely reason: to be drowsy is a state and to be lazy an attribute, and definitions speak of both in "
            "the same words"
        )


@explaining
def check_2(answer, agree, S, fit, categories):
    """Purity, NMI and ARI of as many clusters as there are categories."""
    assert isinstance(answer, tuple | list), f"answer_2 is what agree returns, three numbers, got {answer!r}"
    assert len(answer) == 3, f"answer_2 is what agree returns, three numbers, got {len(answer)}"
    k, before = len(np.unique(categories)), agree(fit.labels, categories)
    expected = agree(simlib.kmedoids(S, k, init="build").labels, categories)
    purity, _, ari = map(float, answer)
    assert tuple(answer) != tuple(before), (
        f"these are the {len(fit.medoids)} clusters once more: hand on the new labels"
    )
    assert purity > expected[0] / 1.5, (
        f"a purity of {purity:.2f} is near chance: labels in another order than the words?"
    )
    assert abs(purity - expected[0]) < 0.03, (
        f"a purity of {purity:.2f} belongs to another number of clusters than {k}, the number of categories"
    )
    assert abs(ari - expected[2]) < 0.03, f"an ARI of {ari:.3f} belongs to another number of clusters than {k}"
    change = ["falls" if after < earlier else "rises" for after, earlier in zip(expected, before, strict=True)]
    print(
        f"right: purity {change[0]} from {before[0]:.2f} to {purity:.2f}, for {k} names must do for everything; ARI "
        f"{change[2]} from {before[2]:.3f} to {ari:.3f}, for fewer categories are split. "
        "Two measures, two opinions: say which"
    )


@explaining
def check_3(topic, fit, names, categories):
    """A function topic(word) -> dict of category -> list of the cluster's words, closest to the exemplar first."""
    assert callable(topic), f"topic is a function, got {topic!r}"
    known = [word for word in ("burglar", "trout", "clarinet") if word in names] or names[:3].tolist()
    for word in known:
        found = topic(word)
        assert isinstance(found, dict), f"topic({word!r}) must return a dict, got {type(found).__name__}"
        members = fit.members(fit.labels[names == word][0])
        every = [str(each) for listed in found.values() for each in listed]
        missing, extra = set(names[members].tolist()) - set(every), set(every) - set(names[members].tolist())
        assert not missing, f"topic({word!r}) leaves out {len(missing)} words of its cluster, {min(missing)} among them"
        assert not extra, f"topic({word!r}) has {len(extra)} words of other clusters, {min(extra)} among them"
        assert len(every) == len(members), f"topic({word!r}) lists some words twice"
        kind = dict(zip(names[members].tolist(), categories[members].tolist(), strict=True))
        place = {each: i for i, each in enumerate(names[members].tolist())}
        for category, listed in found.items():
            wrong = [str(each) for each in listed if kind[str(each)] != category]
            assert not wrong, f"topic({word!r}) puts {wrong[0]} under {category}; it is {kind[wrong[0]]}"
            ranks = [place[str(each)] for each in listed]
            assert ranks == sorted(ranks), (
                f"topic({word!r})[{category!r}] is not sorted by closeness to the exemplar; fit.members(j) is"
            )
    parts = topic(known[0])
    print(f"right: {len(parts)} kinds around {known[0]}, from {min(parts)} to {max(parts)}, and one topic")
