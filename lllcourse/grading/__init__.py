"""Grading: the checks that stand in the test cells of the assignments, and the reference metrics behind them."""
