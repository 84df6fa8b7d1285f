"""``python -m simlib.report``."""

import sys

from simlib.report.cli import main

sys.exit(main())
