"""The kernel's calls that a student's process may not make, as a filter that bubblewrap hands to the kernel.

Denied is what no answer needs, and what could take memory that no limit counts (memfd_create, shared memory of the old
kind, a file system mounted in a namespace of one's own) or what has been a way out of sandboxes.
"""

import errno
import os
import platform
import struct

# By machine: the number by which the kernel names it in a filter, and the numbers of the calls.
MACHINES = {
    "x86_64": (0xC000003E, {
        "clone": 56, "clone3": 435, "unshare": 272, "setns": 308, "mount": 165, "umount2": 166, "pivot_root": 155,
        "ptrace": 101, "process_vm_readv": 310, "process_vm_writev": 311, "keyctl": 250, "add_key": 248,
        "request_key": 249, "bpf": 321, "perf_event_open": 298, "userfaultfd": 323, "memfd_create": 319, "shmget": 29,
        "init_module": 175, "finit_module": 313, "kexec_load": 246,
    }),
    "aarch64": (0xC00000B7, {
        "clone": 220, "clone3": 435, "unshare": 97, "setns": 268, "mount": 40, "umount2": 39, "pivot_root": 41,
        "ptrace": 117, "process_vm_readv": 270, "process_vm_writev": 271, "keyctl": 219, "add_key": 217,
        "request_key": 218, "bpf": 280, "perf_event_open": 241, "userfaultfd": 282, "memfd_create": 279, "shmget": 194,
        "init_module": 105, "finit_module": 273, "kexec_load": 104,
    }),
}  # fmt: skip
# Newer calls have the same numbers everywhere: io_uring, the new ways to mount, secret memory.
NEWER = (425, 426, 427, 428, 429, 430, 431, 432, 433, 442, 447)

# The few instructions of a filter that are needed: load a word, jump where it is equal, has bits or is greater, return.
LOAD, EQUAL, GREATER, BITS, RETURN = 0x20, 0x15, 0x25, 0x45, 0x06
ALLOW, KILL, REFUSE = 0x7FFF0000, 0x80000000, 0x00050000
CALL, MACHINE, FIRST_ARGUMENT = 0, 4, 16  # where the kernel puts them
NEW_USER = 0x10000000


def program(machine=None) -> bytes | None:
    """The filter for this machine (`platform.machine()`), or None where its numbers are not known."""
    known = MACHINES.get(machine or platform.machine())
    if known is None:
        return None
    name, calls = known
    refused = sorted({*calls.values(), *NEWER} - {calls["clone"], calls["clone3"]})
    lines = [
        (LOAD, 0, 0, MACHINE), (EQUAL, 1, 0, name), (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, CALL), (GREATER, 0, 1, 0x3FFFFFFF), (RETURN, 0, 0, KILL),  # another way to number the calls
        # Libraries that hear of no clone3 take clone, whose flags a filter can read.
        (EQUAL, 0, 1, calls["clone3"]), (RETURN, 0, 0, REFUSE | errno.ENOSYS),
    ]  # fmt: skip
    for number in refused:
        lines += [(EQUAL, 0, 1, number), (RETURN, 0, 0, REFUSE | errno.EPERM)]
    lines += [
        (EQUAL, 0, 3, calls["clone"]), (LOAD, 0, 0, FIRST_ARGUMENT), (BITS, 0, 1, NEW_USER),
        (RETURN, 0, 0, REFUSE | errno.EPERM), (RETURN, 0, 0, ALLOW),
    ]  # fmt: skip
    return b"".join(struct.pack("HBBI", *line) for line in lines)


def descriptor() -> int | None:
    """A descriptor from which bubblewrap can read the filter; None where there is none for this machine."""
    content = program()
    if content is None:
        return None
    read, write = os.pipe()
    os.write(write, content)  # it fits into a pipe
    os.close(write)
    return read
