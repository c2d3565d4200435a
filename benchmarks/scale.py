"""How much is measured and how often, chosen in the environment.

The names begin like settings but are none: they are taken out of the environment, so that the
command line under measurement does not refuse them.
"""

import os


MEGABYTES = int(os.environ.pop("HL7OPS_BENCH_MB", "1000"))
"""Traffic to fill a cluster with; 5000 to see that memory does not grow with it."""

ROUNDS = int(os.environ.pop("HL7OPS_BENCH_ROUNDS", "5"))

MESSAGES = 725 * MEGABYTES
"""Messages of the fast fill that take up so much."""
