"""Worker processes that end when the process that started them is gone, however it went."""

import os
import threading
import time


def end_with(parent: int) -> None:
    """For a pool: `initializer=end_with, initargs=(os.getpid(),)`. Without it, a worker whose parent was killed goes on
    computing, or waits for work that never comes, and holds what it inherited: the lock of the build.
    """

    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
