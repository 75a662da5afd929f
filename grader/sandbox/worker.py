"""What runs in the sandbox: it executes a student's cells and calls their functions, as the grader asks.

    python worker.py DESCRIPTOR USER MEMORY PROCESSES FILES SIZE

It is started by `limits.command`, with `protocol.py` and what students may import of the course on its path. All that
happens here is the student's to change, so the grader believes nothing that comes from here.

The code of the course and the student's live in two namespaces: whoever calls a name of their own `copy` does not break
the given cells, which go on using theirs.
"""

import ast
import asyncio
import inspect
import linecache
import os
import resource
import socket
import sys
import traceback
import types

import protocol
import torch

MAGICS = {"time", "timeit", "capture", "prun"}  # of a whole cell, which they run


class Worker:
    """The two namespaces, and what a message asks of them."""

    def __init__(self):
        shown = {"display": print, "get_ipython": lambda: _Shell(self), "__name__": "__main__"}
        self.given, self.students = {"__name__": "__main__"}, types.ModuleType("__main__")
        self.students.__dict__.update(shown)
        sys.modules["__main__"] = self.students
        self.crossing, self.bound = set(), {}

    def run(self, message):
        """Run a cell. Returns a Reply with the names that should cross."""
        theirs = message.role in ("solution", "added")
        names = self.students.__dict__ if theirs else self.given
        before = dict(names)
        error = _error_of(self.execute, message.source, message.cell, names)
        if not theirs:
            fresh = {k: v for k, v in names.items() if k not in before or before[k] is not v}
            self.students.__dict__.update({k: v for k, v in fresh.items() if k not in self.crossing})
        if message.role == "student-side":
            self.bound.update({name: names[name] for name in message.names if name in names})
        elif theirs:
            self.crossing.update(message.names)
        # The given cells see what the student answered, also where a later cell answers again.
        answered = self.students.__dict__
        self.given.update({name: answered[name] for name in self.crossing if name in answered})
        writer, callables, values, refused = protocol.Writer(), [], {}, None
        for name in message.names:
            value = self.bound.get(name) if message.role == "student-side" else names.get(name, _MISSING)
            if callable(value):
                callables.append(name)
            elif value is not _MISSING and value is not None:
                try:
                    values[name] = writer(value)
                except protocol.Refused as why:
                    refused = f"{name}: {why}"
        reply = protocol.Reply(message.id, error=error, refused=refused, callables=callables, values=values)
        return reply, writer.tensors

    def call(self, message, reader):
        """Call a function. Returns a Reply with what it returned."""
        names = self.bound if message.bound else self.students.__dict__
        args = [reader(value) for value in message.args]
        kwargs = {name: reader(value) for name, value in message.kwargs.items()}
        if message.name not in names:
            return protocol.Reply(message.id, error=("NameError", f"name {message.name!r} is not defined")), []
        writer, result = protocol.Writer(), []

        def evaluate():
            result.append(writer(names[message.name](*args, **kwargs)))

        try:
            error = _error_of(evaluate)
        except protocol.Refused as why:
            return protocol.Reply(message.id, refused=str(why)), []
        if error:
            return protocol.Reply(message.id, error=error), []
        return protocol.Reply(message.id, value=result[0]), writer.tensors

    def execute(self, source, cell, names):
        try:
            tree = ast.parse(source)
        except SyntaxError:
            tree = ast.parse(_without_magics(source))
        # As in a notebook, inspect.getsource and torch.jit.script find what a cell says.
        linecache.cache[f"<{cell}>"] = (len(source), None, source.splitlines(True), f"<{cell}>")
        code = compile(tree, f"<{cell}>", "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        if code.co_flags & inspect.CO_COROUTINE:
            asyncio.run(eval(code, names))
        else:
            exec(code, names)


_MISSING = object()


def _error_of(function, *args):
    """None, or the type's name and the text of what it raised. Nothing that a student raises ends the worker."""
    try:
        function(*args)
    except protocol.Refused:
        raise
    except BaseException as error:
        kind = next((k.__name__ for k in type(error).__mro__ if k.__module__ in ("builtins", "torch")), "an error")
        try:
            text = str(error)
            if isinstance(error, ModuleNotFoundError):
                from lllcourse.grading import check

                text = check.not_there(str(error.name)) or text
            places = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith("<")]
            if places:
                text += f" (line {places[-1].lineno} of the cell {places[-1].filename[1:-1]})"
        except BaseException:  # also its text is the student's
            text = ""
        return (kind, text[: protocol.TEXT].encode("utf-8", "replace").decode())
    return None


def _without_magics(source):
    """IPython's syntax (%magics, !commands) as calls of `get_ipython`."""
    from IPython.core.inputtransformer2 import TransformerManager

    return TransformerManager().transform_cell(source)


class _Shell:
    """Stands in for IPython: magics do nothing here, but those that time a cell run it."""

    def __init__(self, worker):
        self.worker = worker

    def run_line_magic(self, name, line, *_, **__):
        if name in MAGICS and line.strip():
            self.worker.execute(line, "magic", self.worker.students.__dict__)

    def run_cell_magic(self, name, line, cell):
        if name in MAGICS:
            self.worker.execute(cell, "magic", self.worker.students.__dict__)

    def __getattr__(self, name):
        return lambda *args, **kwargs: None


def limit(memory, processes, files, size):
    """What the kernel holds a process to. As root, first become a user whom it holds to anything."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))


def become(user):
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)


def receive(channel):
    prefix = _exactly(channel, protocol.PREFIX.size)
    return prefix + _exactly(channel, sum(protocol.PREFIX.unpack(prefix)))


def _exactly(channel, size):
    parts = bytearray()
    while len(parts) < size:
        part = channel.recv(min(size - len(parts), 1 << 20))
        if not part:
            os._exit(0)  # the grader has gone
        parts += part
    return bytes(parts)


def main(descriptor, user, *limits):
    if user:
        become(user)
    limit(*limits)
    torch.set_num_threads(1)
    channel = socket.socket(fileno=descriptor)
    worker = Worker()
    channel.sendall(protocol.write(protocol.Reply("ready"), []))
    while True:
        message, reader = protocol.read(protocol.Run | protocol.Call, receive(channel))
        reply, tensors = worker.run(message) if isinstance(message, protocol.Run) else worker.call(message, reader)
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except BaseException:  # a student may have closed it
                pass
        try:
            content = protocol.write(reply, tensors)
        except protocol.Refused as why:
            content = protocol.write(protocol.Reply(message.id, refused=str(why)), [])
        channel.sendall(content)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
