"""The ASGI entry. Refuses to serve when the start-up checks find anything unsafe."""

import os

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "grants.config.settings")
application = get_asgi_application()

from grants.config.checks import refuse_unsafe_start  # noqa: E402 - Django must be set up first

refuse_unsafe_start()
