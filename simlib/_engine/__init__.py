r"""The architecture page: how the engine is cut, how a swap is judged, what its words mean.

Read this page before the code. It has six parts. They are the storeys, the life of A, how a swap is judged, what the
search keeps true, the words, and why the cut is as it is.


The storeys
===========

Imports go down, from a storey to those below it. ``tests/test_house.py`` reads the imports and fails on any other way.

::

    _cli                                      the command of an installation
    estimator                                 KMedoids, for scikit-learn
    report   widgets                          pages, controls
    atlas                                     the map of all items
    plots                                     pictures
    distributed   _beside                     Dask; whether data are what was clustered, and how they are read
    _cards   _regions                         the facts of one cluster; groups of clusters and their colours
    _stretches                                empty stretches across a map, shortened
    files                                     a person's files
    data                                      the samples that come with the workbook
    choose   ensemble   neighbours            criteria for k; equally good ends side by side; closest items
    gap   proof                               how far from the best possible; the best, proved
    medoids                                   k-medoids; certify goes a way of its own
    similarity                                cosine and correlation
    ---------------------------- the front checks and calls
    _engine
      branch                                  branch and bound
      search                                  the swap search
      prepare   starts                        what a caller gave -> checked items; where a search begins
      tensors   silhouettes                   TensorItems and their search on a device; silhouettes of any items
      overlaps   neighbours                   how much two clusterings agree; the closest items
      dual   refine                           the lower bound, and the start that comes with it; kicks beyond a start
      sparse   extension                      SparseItems; what a search adds to its lists
      items                                   MatrixItems and VectorItems: what every algorithm is written over
      lists                                   lists of neighbours
      tiles   progress                        products of vectors, the one pool of threads; bars and callbacks
      metrics                                 one row a metric
    _check                                    every check of what a caller passes
    _limits                                   what the machine leaves: memory, room on a disk, cores
      kernels                                 compiled loops, named after their callers or after what they find;
                                              how they are compiled and kept (compile), and where they run (threads)
    _arrays   _labels                         frames, tensors and lists made arrays; a person's label made safe to show
    _kinds   _extras                          the kind of a parameter; what is not installed

The engine never imports the front. It returns `search.Found`, and only ``medoids.py`` makes a `Clustering` of it.


The life of A
=============

1. ``medoids.kmedoids`` checks the numbers it was given and turns A into an array; a tensor on a device stays there.
2. ``prepare.prepare`` checks A in one pass over its rows and returns items. Below it all input is valid. A float32 or
   float64 matrix is read in place, memory-mapped or not. One of another type, such as float16, is widened a block of
   rows at a time in `MatrixItems.entries`; it is never copied as a whole. Vectors are brought into range.
3. ``starts.start`` chooses k items to begin with: drawn, greedy (BUILD), or given.
4. ``search.fasterpam`` asks the items for the search that suits them: `Search`, or the block search of a device.
5. `Search.rebuild` finds each item's nearest medoids and has ``lists`` made: by ``lists.of_matrix`` in one pass over
   the rows, or by ``lists.of_vectors`` from tiles that are computed and forgotten. The items decide whether lists pay;
   where they do not, candidates are judged by whole rows.
6. `Search.look_at` judges the candidates block by block, in ``kernels.search``: by lists, or by whole rows.
7. A swap that helps is made at once. Items that it leaves incomplete are refilled, and the lists are extended for them
   if they must.
8. After a pass the loss is told to the bar and the callback. The search ends after n candidates in a row without a
   swap.
9. The search returns ``Found(medoids, history, n_swaps, converged, spread)``.
10. ``medoids.clustering`` gives every item to its nearest medoid and returns the `Clustering`.


How a swap is judged
====================

Let d(o, j) be the loss of item o if item j is its medoid. Each item o has a nearest medoid n(o), a loss d1(o) with it,
and a loss d2(o) with its second-nearest medoid. Put candidate j in place of medoid r. The loss then changes by

    change(r, j) = removal[r] - gain[j] - saved[r, j]

    removal[r]  = sum over o with n(o) = r of   d2(o) - d1(o)
    gain[j]     = sum over all o of             max(d1(o) - d(o, j), 0)
    saved[r, j] = sum over o with n(o) = r of   d2(o) - clip(d(o, j), d1(o), d2(o))

`removal` is what it costs to take r away if its items go to their second-nearest medoid. `gain` is what j brings as one
more medoid. `saved` corrects `removal` for those items of r that take j instead, because j is closer to them than their
second-nearest medoid.

- `removal` does not depend on j (``kernels.search.update_removal``). After a swap it is computed anew for the medoids
  whose items, or whose items' two nearest medoids, have changed.
- Only items with d(o, j) < d2(o) add to `gain` and `saved`. There are about 2 n / k of them, so one short list judges j
  against all k medoids at once (``kernels.search.best_swap``). This is the idea of FasterPAM.
- The best r has the smallest removal[r] - saved[r, j]. A medoid that owns none of these items has saved = 0. So only
  the owners, and the medoid with the smallest removal loss, need a look.
- The first candidate that lowers the loss is swapped in at once. The search ends after n candidates in a row without a
  swap. The loss is then at a swap optimum: no single exchange lowers it.

Where items have weights, each term of a sum over items is multiplied by the item's weight. A medoid that must stay has
the removal loss inf, and what may not become a medoid is no candidate.

The code works with closeness, which is base - d. This turns d2 - d1 into c1 - c2, and min into max. Sources: Schubert &
Rousseeuw, Fast and eager k-medoids clustering (2021), whose sums have the signs turned; Resende & Werneck, A fast
swap-based local search procedure for location problems (2007).


What the search keeps true
==========================

These four statements hold between any two steps of `Search`. Each step relies on them and restores them.

1. **Nearest first.** The cache holds each item's known medoids from the nearest to the farthest. Ties go to the lowest
   position in the list of medoids. Every item knows at least two, or it is incomplete and is refilled before the next
   candidate.
2. **Known above the radius.** known_radius[o] is a closeness. Every medoid that is closer to item o than that is in o's
   column of the cache. When a new medoid does not fit, or pushes another out, known_radius[o] rises to the closeness of
   the one that is left out.
3. **Complete within reach.** The list of row j holds every item o with closeness(o, j) > reach[o], and no other. The
   second-nearest medoid of every item lies within its reach, and known_radius[o] >= reach[o]. So a list finds all items
   that a swap concerns. (From vectors, where memory is short, lists reach to fewer medoids. If they are still too long,
   only the first rows have lists, and the other candidates are judged by their whole rows.)
4. **Extended before it is read.** An item whose second-nearest medoid lies beyond its reach gets a lower reach. The
   lists gain the pairs between the new reach and the old one, a block of rows at a time, before the search reads these
   rows. When the reach of too many items was lowered, or memory is short, the lists are rebuilt.


The words
=========

item                 one of the n things; a row number of A.
entry                what A holds for a pair of items, or would hold: a similarity or a distance.
closeness            factor * entry: larger is closer. ``items.closeness`` gives it, ``items.entries`` gives entries.
self-closeness       an item's closeness to itself: the diagonal of a matrix; 1 for a vector, 0 for a zero vector.
unit                 the similarity of an item to itself where it is one number other than 1; similarities are divided
                     by it.
factor               1 / unit for similarities, -1 for distances.
base                 the loss of an item is base - closeness to its medoid: 1 - similarity, or the distance.
dtype                the float type that closeness is computed in: float32 up to 32 bits, else float64.
medoid               an item that stands for a cluster. Its position is its place 0..k-1 in the list of medoids.
candidate            an item that is judged as a new medoid.
weight               how much an item counts in every sum over items; None where all count once.
constraints          the items that are medoids whatever it costs, and those that never are. The former come first in
                     the list of medoids.
barred               of an item: it is no candidate, because it is a medoid or may not become one.
removal loss         what it costs to take a medoid away: removal[r] of the formula.
nearest-medoid cache for each item its ``depth`` nearest medoids: their positions and closeness.
                     ``kernels.search.Cache``.
known radius         known_radius[o], a closeness: every medoid closer to o than this is in the cache. -inf: all medoids
                     are known.
incomplete           of an item: fewer than two of its medoids are known. ``refill`` finds them anew among all k.
reach                reach[o]: the closeness above which the lists are complete for item o. A rebuild sets it to the
                     closeness of the last medoid in the cache, or of a nearer one where such lists would not fit into
                     memory; BUILD asks for lists up to the nearest medoid.
list                 for a row j, the items o with closeness(o, j) > reach[o], and that closeness.
                     ``kernels.lists.Lists``.
extension            what lists gain after they were made, because the reach of an item was lowered: a chain of entries
                     for each row. ``extension.Extension``, ``kernels.lists.Chains``.
rebuild              derive the cache and the lists anew.
block                rows that are looked at between two looks at the clock, the bar and the keyboard.
tile                 a rectangle of products that stays in the cache of the processor.
pass                 one look at all n candidates.
since_swap           candidates tried since the last swap.
perturbation         a few medoids exchanged at random, then repaired by swaps.
kick                 a perturbation in one neighbourhood, where only the candidates of a core may become medoids.
gain                 how much the total closeness would rise if an item became one more medoid.
price                what an item offers to be served, a loss; base - price is its limit, a closeness.
earned               what a candidate would collect at given prices: the sum of price - loss over the items for which
                     that is positive. ``dual`` derives the lower bound from it.
decided              of a candidate: it is a medoid in all choices that are better than the best known, or in none.


Why the cut is as it is
=======================

- A difference between a matrix, vectors, sparse vectors and a tensor is a method of `MatrixItems`, `VectorItems`,
  `SparseItems` or `TensorItems`. No algorithm asks which it has. To support another kind of items, write its class; to
  add an algorithm, write it over `Items`.
- Lists stand below the items and not above them: "which lists are worth it" differs between a matrix and vectors, so
  it is a method of the items, and that method needs the code which makes them.
- The loops that find nearest medoids and sums belong to the items. They have files of their own, ``kernels.nearest``
  and ``kernels.sums``: one file for all that the items call would hold several concerns.
- ``search`` over lists stays on the CPU. A device has a search of its own in ``tensors``, because there thousands of
  small steps cost more than one large product. Starts, perturbations, the alternating loop and the assignment are the
  same code for both.
- ``certify`` in ``medoids.py`` shares nothing with the search but the items: a proof goes a way of its own.
- Kernels add numbers up in a fixed order. Equal bits on any number of threads, and for any block size, rest on that.
"""
