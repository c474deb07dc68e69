"""保密箱: what must not be readable in the database before its time. Knows nobody; no models.

`keys` finds the master key outside the database; `envelopes` seals with AES-256-GCM under data keys that the master key wraps. Sealed
ballots use it, and whatever field is to be kept encrypted can: one data key per thing that is opened or destroyed together.
"""

from grants.vault.envelopes import CannotOpen, new_data_key, seal, unseal
from grants.vault.keys import KeyMissing

__all__ = ["CannotOpen", "KeyMissing", "new_data_key", "seal", "unseal"]
