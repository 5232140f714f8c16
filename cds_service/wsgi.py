"""For WSGI servers: `gunicorn cds_service.wsgi:application`."""

from __future__ import annotations

import os

from cds_service.app import create_app
from cds_service.settings import Settings

application = create_app(Settings.from_environment(os.environ))
