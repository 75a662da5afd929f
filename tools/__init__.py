"""What the Makefile calls, run as modules: `python -m tools.build_book`, `python -m tools.layout` and so on."""
