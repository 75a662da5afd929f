"""The grader's end of a worker: send a message, wait for the answer, end it where it breaks the rules or a limit."""

import contextlib
import os
import secrets
import selectors
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psutil

from . import limits as cage
from . import protocol, seccomp

DRAINED = 16 << 20  # bytes of output that are read away before a worker is ended
START = 120  # seconds until a worker must have imported torch


class Ended(Exception):
    """The worker is no more: why, in a sentence."""


class NotStarted(Exception):
    """A worker did not come up, before it knew of any submission: why."""


class Worker:
    """A student's process. folder: what it sees, made by `limits.furnish`."""

    def __init__(self, folder: Path, limits: cage.Limits, sandbox="bwrap"):
        self.limits, self.sandbox, self.buffer, self.alive = limits, sandbox, bytearray(), True
        self.printed, self.drained, self.spent, self.started = bytearray(), 0, 0.0, False
        ours, theirs = socket.socketpair()
        self.home = tempfile.TemporaryDirectory() if sandbox == "none" else None
        calls = seccomp.descriptor() if sandbox == "bwrap" else None
        handed = [theirs.fileno()] + ([calls] if calls is not None else [])
        self.process = subprocess.Popen(
            cage.command(folder, theirs.fileno(), limits, sandbox, calls),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, pass_fds=handed,
            start_new_session=True, cwd=self.home.name if self.home else "/",
            env=cage.environment(folder, self.home.name) if self.home else {"PATH": os.environ.get("PATH", os.defpath)},
        )  # fmt: skip
        theirs.close()
        if calls is not None:
            os.close(calls)
        self.channel = ours
        self.channel.setblocking(False)
        os.set_blocking(self.process.stdout.fileno(), False)
        self.waiting = selectors.DefaultSelector()
        self.waiting.register(self.process.stdout, selectors.EVENT_READ)

    def start(self):
        """Wait until it has imported torch. Raises NotStarted, with what it printed."""
        if self.started:
            return
        began = time.monotonic()
        self.waiting.register(self.channel, selectors.EVENT_READ)
        try:
            while (reply := self._complete()) is None:
                self._step(b"")
                if time.monotonic() - began > START:
                    self.end(f"it was not ready within {START} s")
            protocol.read(protocol.Reply, reply)
            self.waiting.unregister(self.channel)
        except (Ended, protocol.Refused) as error:
            self.end()
            raise NotStarted(f"{error} {self.printed.decode(errors='replace')[-500:]}".strip()) from None
        self.started = True

    def run(self, cell, role, source, names=()):
        """Run a cell. Returns the Reply and its Reader."""
        return self._ask(protocol.Run(secrets.token_hex(8), cell, role, source, list(names)), [])

    def call(self, name, args, kwargs, *, bound):
        """Call a function. Returns the Reply and its Reader. Raises protocol.Refused for what can't cross."""
        writer = protocol.Writer()
        args, kwargs = [writer(a) for a in args], {k: writer(v) for k, v in kwargs.items()}
        return self._ask(protocol.Call(secrets.token_hex(8), name, bound, args, kwargs), writer.tensors)

    def output(self) -> bytes:
        """What it printed since the last time."""
        self._drain()
        text, self.printed = bytes(self.printed), bytearray()
        return text

    def end(self, why=""):
        """Kill it and all that it started. With a reason, raises Ended."""
        if self.alive:
            self.alive = False
            with contextlib.suppress(ValueError):
                self._drain()
            self.process.kill()  # bubblewrap, and with it everything in the cage
            if self.sandbox == "none":
                _kill(self.process.pid)
            self.process.wait()
            self.waiting.close()
            self.channel.close()
            self.process.stdout.close()
            if self.home:
                self.home.cleanup()
        if why:
            raise Ended(why)

    # --- one question, one answer -------------------------------------------------------------------------------------

    def _ask(self, message, tensors):
        if not self.alive:
            raise Ended("Its process has ended.")
        self.start()
        self._no_word()
        content = memoryview(protocol.write(message, tensors))
        began, usage, looked = time.monotonic(), None, 0.0
        self.waiting.register(self.channel, selectors.EVENT_READ | selectors.EVENT_WRITE)
        try:
            while True:
                content = self._step(content)
                if not content and (reply := self._complete()) is not None:
                    break
                now = time.monotonic()
                if now - began > self.limits.wall:
                    self.end(f"It took longer than {self.limits.wall:g} s.")
                if now - looked > 0.2 and now - began > 0.2:
                    looked, usage = now, self._look(usage)
        finally:
            if self.alive:
                self.waiting.unregister(self.channel)
        try:
            answer, reader = protocol.read(protocol.Reply, reply)
        except protocol.Refused as error:
            self.end(f"Its process sent something that is no answer: {error}.")
        if answer.id != message.id:
            self.end("Its process sent an answer to another question.")
        self._no_word()
        return answer, reader

    def _step(self, content):
        """Send and read what goes without waiting; returns what is left to send."""
        for key, events in self.waiting.select(timeout=0.1):
            if key.fileobj is self.process.stdout:
                self._drain()
                continue
            try:
                if content and events & selectors.EVENT_WRITE:
                    content = content[self.channel.send(content[: 1 << 20]) :]
                    if not content:
                        self.waiting.modify(self.channel, selectors.EVENT_READ)
                if events & selectors.EVENT_READ:
                    part = self.channel.recv(1 << 20)
                    if not part:
                        self.end("Its process ended in the middle of the work.")
                    self.buffer += part
            except (BrokenPipeError, ConnectionResetError):
                self.end("Its process ended in the middle of the work.")
        return content

    def _complete(self):
        """The bytes of one whole message, or None while some are missing."""
        if len(self.buffer) < protocol.PREFIX.size:
            return None
        length = protocol.PREFIX.size + sum(protocol.PREFIX.unpack_from(self.buffer))
        if length > protocol.BYTES + protocol.PREFIX.size:
            self.end("Its process sent something that is no answer: it is too large.")
        if len(self.buffer) > length:
            self.end("Its process sent more than one answer.")
        if len(self.buffer) < length:
            return None
        content, self.buffer = bytes(self.buffer), bytearray()
        return content

    def _no_word(self):
        """Between two questions a worker has nothing to say."""
        try:
            early = self.buffer or self.channel.recv(1)
        except BlockingIOError:
            return
        except ConnectionResetError:
            early = b""
        self.end("Its process sent an answer without a question." if early else "Its process ended.")

    def _drain(self):
        with contextlib.suppress(BlockingIOError):
            while part := os.read(self.process.stdout.fileno(), 1 << 16):
                self.drained += len(part)
                self.printed += part[: max(0, self.limits.output - len(self.printed))]
                if self.drained > DRAINED:
                    if not self.alive:  # it is being ended, and prints on until it is killed
                        return
                    self.end(f"It printed more than {DRAINED >> 20} MB.")
            with contextlib.suppress(KeyError):  # nobody has it open any more
                self.waiting.unregister(self.process.stdout)

    def _look(self, usage):
        """Hold all processes of the cage together to the limits. Returns the CPU seconds at the first look."""
        seconds, memory, count = 0.0, 0, 0
        for process in _family(self.process.pid):
            try:
                with process.oneshot():
                    times = process.cpu_times()
                    seconds += times.user + times.system + times.children_user + times.children_system
                    memory += process.memory_info().rss
                    count += 1
            except psutil.Error:  # it has ended by now
                continue
        self.spent = max(self.spent, seconds)
        usage = seconds if usage is None else usage
        if seconds - usage > self.limits.cpu:
            self.end(f"It took more than {self.limits.cpu:g} s of CPU.")
        if memory > self.limits.memory and _shared_out(self.process.pid) > self.limits.memory:
            self.end(f"It took more than {self.limits.memory / 2**30:g} GB of memory.")
        if count > self.limits.processes + 3:
            self.end(f"It started more than {self.limits.processes} processes.")
        return usage


def _family(pid):
    try:
        process = psutil.Process(pid)
        return [process, *process.children(recursive=True)]
    except psutil.Error:
        return []


def _shared_out(pid):
    """The memory of all processes, where what several share counts once. It takes longer to read."""
    total = 0
    for process in _family(pid):
        try:
            total += process.memory_full_info().pss
        except psutil.Error:
            continue
    return total


def _kill(pid):
    for process in _family(pid):
        try:
            process.kill()
        except psutil.Error:
            pass
