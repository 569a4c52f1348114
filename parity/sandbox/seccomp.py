"""A filter for system calls: no socket, no new process, no signal to another one, no trace, no mount.

The filter is one array of numbers that `prctl` takes. There is no binding for Python that is kept (the last
release of one is of 2021, and it needs a library of the system's), so the array is written out here. What
it refuses fails with "Operation not permitted", as if the process had no right to it. Linux on x86-64 and
ARM64; needs the standard library alone.
"""

from __future__ import annotations

import ctypes
import os
import platform
import struct
import sys

PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, MODE_FILTER = 38, 22, 2
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # classic BPF, 32 bits wide
ALLOW, FAIL, KILL = 0x7FFF0000, 0x00050000, 0x80000000
EPERM, ENOSYS = 1, 38
NUMBER, ARCH, FIRST, THIRD = 0, 4, 16, 32  # offsets in struct seccomp_data
CLONE_THREAD = 0x10000
X32 = 0x40000000  # calls of another x86 ABI, which would pass the filter

# Name -> number on x86-64, on ARM64; -1 where there is no such call.
REFUSED = {
    "socket": (41, 198),
    "fork": (57, -1),
    "vfork": (58, -1),
    "execve": (59, 221),
    "execveat": (322, 281),
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "tkill": (200, 130),
    "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240),
    "pidfd_open": (434, 434),
    "pidfd_send_signal": (424, 424),
    "pidfd_getfd": (438, 438),
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "memfd_create": (319, 279),
    "shmget": (29, 194),
    "semget": (64, 190),
    "msgget": (68, 186),
    "mq_open": (240, 180),
    "chmod": (90, -1),
    "fchmod": (91, 52),
    "fchmodat": (268, 53),
    "fchmodat2": (452, 452),
    "chown": (92, -1),
    "fchown": (93, 55),
    "lchown": (94, -1),
    "fchownat": (260, 54),
    "utime": (132, -1),
    "utimes": (235, -1),
    "futimesat": (261, -1),
    "utimensat": (280, 88),
    "setxattr": (188, 5),
    "lsetxattr": (189, 6),
    "fsetxattr": (190, 7),
    "removexattr": (197, 14),
    "lremovexattr": (198, 15),
    "fremovexattr": (199, 16),
    "setrlimit": (160, 164),
    "setpriority": (141, 140),
    "sched_setaffinity": (203, 122),
    "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118),
    "sched_setattr": (314, 274),
    "ioprio_set": (251, 30),
    "migrate_pages": (256, 238),
    "move_pages": (279, 239),
}
CLONE, CLONE3 = (56, 220), (435, 435)
KILLS = ((62, 129), (234, 131))  # kill and tgkill: the process itself alone
PRLIMIT = (302, 261)  # to read limits alone
PRCTL, SET_PDEATHSIG = (157, 167), 1  # all of it but this: nobody outlives the checker
ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


def can_filter() -> bool:
    """Whether the filter is known for this system; the kernel may still refuse it."""
    return sys.platform == "linux" and platform.machine() in ARCHITECTURES


def restrict_calls() -> None:
    """From now on and for ever, in this thread and those it starts. Raises OSError where it cannot be had."""
    if not can_filter():
        raise OSError(f"no filter is written for {sys.platform} on {platform.machine()}")
    program = b"".join(struct.pack("HBBI", *step) for step in _program(os.getpid()))
    libc = ctypes.CDLL(None, use_errno=True)
    kept = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(kept))  # struct sock_fprog
    for call in ((PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), (PR_SET_SECCOMP, MODE_FILTER, head, 0, 0)):
        if libc.prctl(*call):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


Step = tuple[int, int, int, int]  # code, steps to skip if so, steps to skip if not, number


def _program(own: int) -> list[Step]:
    column, architecture = ARCHITECTURES[platform.machine()]
    steps: list[Step] = [
        (LOAD, 0, 0, ARCH),
        (EQUAL, 1, 0, architecture),
        (RETURN, 0, 0, KILL),
        (LOAD, 0, 0, NUMBER),
        (AT_LEAST, 0, 1, X32),
        (RETURN, 0, 0, FAIL | EPERM),
        (EQUAL, 0, 1, CLONE3[column]),
        (RETURN, 0, 0, FAIL | ENOSYS),  # the C library then takes clone, whose flags can be read
    ]
    for numbers in REFUSED.values():
        if numbers[column] >= 0:
            steps += [(EQUAL, 0, 1, numbers[column]), (RETURN, 0, 0, FAIL | EPERM)]
    steps += _only_if(CLONE[column], [(LOAD, 0, 0, FIRST), (ANY_BIT, 0, 1, CLONE_THREAD)])
    for kill in KILLS:
        steps += _only_if(kill[column], [(LOAD, 0, 0, FIRST), (EQUAL, 0, 1, own)])
    nothing = [(LOAD, 0, 0, THIRD), (EQUAL, 0, 3, 0), (LOAD, 0, 0, THIRD + 4), (EQUAL, 0, 1, 0)]
    steps += _only_if(PRLIMIT[column], nothing)
    steps += _only_if(PRCTL[column], [(LOAD, 0, 0, FIRST), (EQUAL, 1, 0, SET_PDEATHSIG)])
    return [*steps, (RETURN, 0, 0, ALLOW)]


def _only_if(number: int, test: list[Step]) -> list[Step]:
    """That call passes where the test falls through, and fails where it skips one step at its end."""
    end: list[Step] = [(RETURN, 0, 0, ALLOW), (RETURN, 0, 0, FAIL | EPERM)]
    return [(EQUAL, 0, len(test) + len(end), number), *test, *end]
