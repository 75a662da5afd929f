"""The environment of every kernel that the tools start, whether it runs a chapter or a submission."""

ENVIRONMENT = {
    "LLLCOURSE_SCALE": "laptop",  # the book's scale, whatever the shell says
    "OMP_NUM_THREADS": "1",  # kernels run side by side; one thread each also gives the same digits everywhere
    "MKL_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "JUPYTER_PREFER_ENV_PATH": "1",  # a kernel of this environment, not one of the user's own
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
