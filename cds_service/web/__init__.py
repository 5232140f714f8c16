"""HTTP: Flask blueprints, errors, logs. Imported by `app.py` alone."""
