"""What a weight does to an amount; where there are no weights, the compiler leaves nothing of it."""

from __future__ import annotations

from simlib._engine.kernels.compile import compiled


@compiled
def weighed(amount, weight, o):
    """The float64 amount times the weight of item o, or the amount alone if weight is None.

    Reads weight float64 (n,) or None.
    """
    if weight is None:
        return amount
    return weight[o] * amount
