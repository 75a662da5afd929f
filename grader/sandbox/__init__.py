"""Where students' code runs: in a process of its own, with nothing of the course that answers a question.

`limits` builds the cage, `worker` is what runs in it, `protocol` is how values cross, `runner` holds the other end.
"""
