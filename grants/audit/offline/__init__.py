"""The package's own checking program: one file for Python 3.8 and nothing else, put together by `program.py`."""
