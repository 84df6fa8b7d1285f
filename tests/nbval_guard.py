"""What strict nbval does not refuse by itself; loaded with -p tests.nbval_guard."""

import pytest
from nbval.plugin import IPyNbCell


def pytest_collection_modifyitems(items):
    """A notebook without stored outputs passes strict nbval with nothing compared: refuse it."""
    stripped = [
        item.nodeid
        for item in items
        if isinstance(item, IPyNbCell)
        and item.cell.source.strip()
        and item.cell.execution_count is None
        and not item.options["skip"]
    ]
    if stripped:
        raise pytest.UsageError("cells without a stored run (make notebooks): " + ", ".join(stripped[:5]))
