r"""The architecture page: how the engine is cut, how a swap is judged, what its words mean.

Read this page before the code. It has six parts: the storeys, the life of A, how a swap is judged, what the search
keeps true, the words, and why the cut is as it is.


The storeys
===========

Imports go down, from a storey to those below it. ``tests/test_house.py`` reads the imports and fails on any other way.

::

    report   widgets                          pages and controls
    plots   _cards                            pictures, and the facts of one cluster
    distributed   files   data                Dask; a person's files; the samples
    choose                                    criteria for k
    medoids                                   k-medoids; certify goes a way of its own
    similarity                                cosine and correlation
    ---------------------------- the front checks and calls; below, the engine assumes valid input
    _engine
      starts   search   silhouettes           the algorithms, each written once, over any items
      prepare                                 what a caller gave -> checked items
      items   tensors                         MatrixItems, VectorItems; TensorItems on a device
      lists   progress                        lists of neighbours; bars and callbacks
      tiles                                   products of vectors, the one pool of threads, the one BLAS limit
      metrics                                 one row a metric
    _check                                    every check of what a caller passes
      kernels                                 compiled loops; a file bears the name of the file that calls it
    _labels                                   a person's label made safe to show

The engine never imports the front. It returns `search.Found`, and only ``medoids.py`` makes a `Clustering` of it.


The life of A
=============

1. ``medoids.kmedoids`` checks the numbers it was given and turns A into an array; a tensor on a device stays there.
2. ``prepare.prepare`` looks at A once and returns items. A matrix is read in place and in its own type.
   Where loops need another type, a block of rows at a time is widened: a float16 or memory-mapped matrix is never
   copied as a whole. Vectors are brought into range.
3. ``starts.start`` chooses k items to begin with: drawn, greedy (BUILD), or given.
4. ``search.fasterpam`` asks the items for the search that suits them: `Search`, or the block search of a device.
5. `Search.rebuild` finds each item's nearest medoids and has ``lists`` made: by ``lists.of_matrix`` in one pass over
   the rows, or by ``lists.of_vectors`` from tiles that are computed and forgotten. Where lists do not pay, it makes
   none.
6. `Search.look_at` judges the candidates block by block, in ``kernels.search``: by lists, or by whole rows.
7. A swap that helps is made at once. Items that it leaves incomplete are refilled, and go off the lists if they must.
8. After a pass the loss is told to the bar and the callback. A pass in which nothing changes ends the search.
9. The search returns ``Found(medoids, history, n_swaps, converged, spread)``.
10. ``medoids.clustering`` gives every item to its nearest medoid and returns the `Clustering`.


How a swap is judged
====================

Let d(o, j) be the loss of item o if item j is its medoid. Each item o has a nearest medoid n(o), a loss d1(o) with it,
and a loss d2(o) with its second-nearest medoid. Put candidate j in place of medoid r. The loss then changes by

.. math::  R_r + A_j + B_{r j}

    R[r]    = sum over o with n(o) = r of   d2(o) - d1(o)
    A[j]    = sum over all o of             min(d(o, j) - d1(o), 0)
    B[r, j] = sum over o with n(o) = r of   clip(d(o, j), d1(o), d2(o)) - d2(o)

R is what the removal of r costs if its items go to their second-nearest medoid. A is what j gains as one more medoid.
B corrects R for those items of r that take j instead, because j is closer to them than their second-nearest medoid.

- R does not depend on j: it is computed once after each swap (``kernels.search.removal_losses``).
- Only items with d(o, j) < d2(o) add to A and B. There are about 2 n / k of them, so one short list judges j against
  all k medoids at once (``kernels.search.best_swap``). This is the idea of FasterPAM.
- The best r is the one with the smallest R[r] + B[r, j]. A medoid that owns none of these items has B = 0. So only the
  owners, and the medoid with the smallest R, need a look.
- The first candidate that lowers the loss is swapped in at once. n candidates in a row without a swap end the search:
  the loss is then at a swap optimum, where no single exchange lowers it.

The code works with closeness, which is base - d; this turns min into max and d2 - d1 into c1 - c2. Sources: Schubert &
Rousseeuw, Fast and eager k-medoids clustering (2021); Resende & Werneck, A fast swap-based local search procedure for
location problems (2007).


What the search keeps true
==========================

These four statements hold between any two steps of `Search`. Each step relies on them and restores them.

1. **Nearest first.** The cache holds each item's known medoids from the nearest to the farthest. Ties go to the lowest
   position in the list of medoids. Every item knows at least two, or it is incomplete and is refilled before the next
   candidate.
2. **Known within the radius.** Every medoid that is closer to item o than known_radius[o] is in o's row of the cache.
   A new medoid that does not fit, or pushes another out, makes the radius smaller: that is, the bound on closeness
   grows.
3. **Complete within reach.** The list of row j holds every item o with closeness(o, j) > reach[o], and no other. So a
   list finds all items that a swap concerns, as long as each item's second-nearest medoid lies within its reach.
4. **Off the lists, kept whole.** An item whose second-nearest medoid lies beyond its reach is off-list: its whole row
   is kept, and every candidate is compared with it. When too many items are off-list, the lists are rebuilt.


The words
=========

item                 one of the n things; a row number of A.
entry                what A holds for a pair of items, or would hold: a similarity or a distance.
closeness            factor * entry: larger is closer. ``items.closeness`` gives it, ``items.entries`` gives entries.
self-closeness       an item's closeness to itself: the diagonal of a matrix; 1 for a vector, 0 for a zero vector.
factor               1 for similarities, -1 for distances; 1 / c for similarities whose self-similarity is c, not 1.
base                 the loss of an item is base - closeness to its medoid: 1 - similarity, or the distance.
dtype                the float type that closeness is computed in: float32 up to 32 bits, else float64.
medoid               an item that stands for a cluster. Its position is its place 0..k-1 in the list of medoids.
candidate            an item that is judged as a new medoid.
removal loss         R of the formula.
nearest-medoid cache for each item its ``depth`` nearest medoids: their positions and closeness.
                     ``kernels.search.Cache``.
known radius         known_radius[o]: every medoid closer to o than this is in the cache. -inf: all medoids are known.
incomplete           of an item: fewer than two of its medoids are known. ``refill`` finds them anew among all k.
reach                reach[o]: the closeness above which the lists are complete for item o. At first it is the closeness
                     to the last medoid in the cache.
list                 for a row j, the items that j is closer to than their reach, and how close.
                     ``kernels.lists.Lists``.
off-list             of an item: its second-nearest medoid lies beyond its reach, so its row is kept whole.
rebuild              derive the cache and the lists anew.
block                rows that are looked at between two looks at the clock, the bar and the keyboard.
tile                 a rectangle of products that stays in the cache of the processor.
pass                 one look at all n candidates.
since_swap           candidates tried since the last swap.
perturbation         a few medoids exchanged at random, then repaired by swaps.
gain                 how much the total closeness would rise if an item became one more medoid.


Why the cut is as it is
=======================

- A difference between a matrix, vectors and a tensor is a method of `MatrixItems`, `VectorItems` or `TensorItems`. No
  algorithm asks which it has. To support another kind of items, write its class; to add an algorithm, write it over
  `Items`.
- Lists stand below the items and not above them: "which lists are worth it" differs between a matrix and vectors, so
  it is a method of the items, and that method needs the code which makes them.
- The loops that find nearest medoids and sums belong to the items and have files of their own, ``kernels.nearest`` and
  ``kernels.sums``, since one file for all that the items call would hold several concerns.
- ``search`` over lists stays on the CPU. A device has a search of its own in ``tensors``, because there thousands of
  small steps cost more than one large product. Starts, perturbations, the alternating loop and the assignment are the
  same code for both.
- ``certify`` in ``medoids.py`` shares nothing with the search but the items: a proof goes a way of its own.
- Kernels add numbers up in a fixed order. Equal bits on any number of threads, and for any block size, rest on that.
"""
