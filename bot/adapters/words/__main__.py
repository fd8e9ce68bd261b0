"""``python -m bot.adapters.words``: brings the catalogues in step with the source."""

from __future__ import annotations

import sys

from bot.adapters.words.upkeep import main

sys.exit(main())
