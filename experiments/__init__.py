"""The recorded runs, one file a result: SEEDS, SETTINGS and `run(seed, **SETTINGS)`. `make results` runs them."""
