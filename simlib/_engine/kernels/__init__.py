"""Compiled loops. Each file bears the name of the file whose loops it holds, and assumes that its input is valid.

A kernel file imports NumPy, Numba and other kernel files, and nothing else of simlib. The docstring of a kernel says
which arguments it reads and which it writes, with their shapes. Loops speak of closeness: ``factor * entry``, so that
larger is closer and no second n x n matrix is made. Sums over items are float64, in an order that does not depend on
the number of threads. Where an `index` comes along with `rows`, the i-th row meant is ``rows[index[i]]``: a stored
matrix is read in place. Many loops run over short slices that start at 0, because the compiler then makes vector code
of them. ``compile`` and ``threads`` hold no loops, but how loops are compiled and kept, and where they run.
"""
