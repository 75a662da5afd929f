"""The work on all submissions of a class: in a process for each core, or on a cluster, each in a sandbox of its own."""

import functools
import gc
import hashlib
import json
import os
import platform
import tempfile
import traceback
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import msgspec

from . import assignment
from .outcome import Result
from .sandbox.limits import Limits

ROOT = Path(__file__).parents[1]
TRIES = 3  # after a process of the grader's own was lost


@dataclass(frozen=True)
class Job:
    """One submission. pristine: the notebook's text. seeds: of hidden inputs, the next where a training failed."""

    name: str
    student: str
    pristine: str
    content: bytes
    seeds: tuple[int, ...]
    key: str
    limits: Limits
    sandbox: str
    folder: str  # what a worker sees, made by `limits.furnish`; on another machine it is made there


@dataclass(frozen=True)
class Failure:
    """A submission could not be graded: why, in a sentence; log: all that is known."""

    student: str
    why: str
    log: str = ""


def run(job: Job) -> Result | Failure:
    """Grade one submission. It never raises: what is wrong with one must not stop the others."""
    from .rebuild import Unreadable
    from .sandbox.runner import NotStarted

    try:
        for seed in job.seeds:  # the band of a training errs now and then, hardly twice
            result = _graded(job, seed)
            failed = _failed_trainings(result)
            if not failed:
                return result
        notes = [f"{test} failed on each draw of its tasks, though the tests of its parts passed." for test in failed]
        return msgspec.structs.replace(result, notes=[*result.notes, *notes])
    except Unreadable as error:
        return Failure(job.student, str(error))
    except NotStarted as error:
        return Failure(job.student, f"the students' process does not start ({error}): run python -m grader doctor")
    except Exception as error:
        return Failure(job.student, f"{type(error).__name__}: {error}", traceback.format_exc())
    finally:
        gc.collect()  # what the cells define holds itself, and with it all their images


def _graded(job, seed):
    from . import session

    pristine = assignment.parse(json.loads(job.pristine), ROOT / "solutions" / job.name / f"{job.name}.ipynb")
    spare = _spare(job.folder, tuple(pristine.withheld), job.limits, job.sandbox)
    return session.grade(
        pristine, job.content, student=job.student, seed=seed, make_worker=spare.take, limits=job.limits,
        mistakes=assignment.mistakes(ROOT, job.name), key=job.key,
    )  # fmt: skip


class _Spare:
    """Workers, of which the next one starts (and imports torch) while the present one computes."""

    def __init__(self, folder, withheld, limits, sandbox):
        from .sandbox.limits import furnish

        self.folder = Path(folder)
        if not self.folder.is_dir():
            self.kept = tempfile.TemporaryDirectory(prefix="grading-")
            self.folder = furnish(Path(self.kept.name) / "worker", withheld)
        self.limits, self.sandbox, self.next = limits, sandbox, None

    def take(self):
        present, self.next = self.next or self._start(), self._start()
        return present

    def _start(self):
        from .sandbox.runner import Worker

        return Worker(self.folder, self.limits, self.sandbox)


_spare = functools.cache(_Spare)  # one in each process of the pool


def _failed_trainings(result) -> list[str]:
    """The tests of whole trainings that failed although those of their parts passed."""
    from . import reference

    trainings = {e.test for e in reference.experiments().values() if e.assignment == result.assignment}
    return [test.id for test in result.tests if test.id in trainings and test.state == "failed"]


def environment(limits: Limits, sandbox: str) -> str:
    """What a result depends on besides the submission: the code of course and grader, the versions, the limits."""
    import torch

    from lllcourse.grading import check

    digest = hashlib.sha256(check.METRICS_FILE.read_bytes())
    for folder in ("grader", "lllcourse", "solutions"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            digest.update(path.read_bytes())
    return f"{digest.hexdigest()} {torch.__version__} {platform.python_version()} {limits} {sandbox}"


def all_of(jobs, processes=None, cluster=None):
    """The outcome of every job, as they come."""
    if cluster:
        yield from _on_cluster(jobs, cluster)
        return
    left, tries = {job.student: job for job in jobs}, TRIES
    while left and tries:
        tries -= 1
        # After a process was lost, one at a time: then it is known whose submission it was.
        count = min(processes or os.cpu_count() or 1, len(left)) if tries == TRIES - 1 else 1
        pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_quiet)
        try:
            for future in as_completed([pool.submit(run, job) for job in left.values()]):
                result = future.result()
                left.pop(result.student)
                yield result
        except BrokenProcessPool:
            continue
        except BaseException:  # Ctrl-C: nobody wants to wait for what is in the middle
            for process in list(pool._processes.values()):
                process.kill()
            raise
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
    for student in left:
        yield Failure(student, "the grader's own process was ended while it worked on this (too little memory?)")


def _on_cluster(jobs, address):
    try:
        from distributed import Client, as_completed
    except ImportError:
        raise SystemExit("--cluster needs dask.distributed: pip install distributed") from None

    with Client(address) as client:
        futures = client.map(run, jobs, pure=False, retries=TRIES)
        students = {future.key: job.student for future, job in zip(futures, jobs, strict=True)}
        for future in as_completed(futures):
            try:
                yield future.result()
            except Exception as error:
                yield Failure(students[future.key], f"the cluster lost it: {error}")


def _quiet():
    """A process of the pool: one thread, as the reference metrics were made with; Ctrl-C is for the first process."""
    import signal

    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    torch.set_num_threads(1)
