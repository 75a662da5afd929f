"""The assignments: their notebooks' text, and the proofs that their tests pass what is right and catch what is not."""
