"""`python -m npae` is `npae`."""

import sys

from npae.cli import main

sys.exit(main())
