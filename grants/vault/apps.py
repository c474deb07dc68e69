from __future__ import annotations

from django.apps import AppConfig


class VaultConfig(AppConfig):
    name = "grants.vault"
    label = "vault"
    verbose_name = "保密箱"
