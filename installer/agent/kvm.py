"""Whether instances can run on this host's processor, by running a guest of five instructions. Changes nothing.

That ``/dev/kvm`` is there, and even that a virtual machine can be made, proves nothing: on a host that is a guest of
PVM, for one, the guest's instructions are emulated, and the first of a newer kind stops it (seen with kernel 6.18).
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import struct
from typing import Dict, Union

DEVICE = "/dev/kvm"

# The interface of Linux: Documentation/virt/kvm/api.rst and arch/x86/include/uapi/asm/kvm.h.
_CREATE_VM, _VCPU_MMAP_SIZE, _CREATE_VCPU, _RUN = 0xAE01, 0xAE04, 0xAE41, 0xAE80
_SET_TSS_ADDR, _SET_MEMORY = 0xAE47, 0x4020AE46
_GET_REGISTERS, _SET_REGISTERS, _REGISTERS = 0x8090AE81, 0x4090AE82, 144
_GET_SYSTEM_REGISTERS, _SET_SYSTEM_REGISTERS, _SYSTEM_REGISTERS = 0x8138AE83, 0x4138AE84, 312
#: What KVM_RUN returned for: the guest halted, it could not be entered, its instruction could not be emulated.
_HALTED = 5
_EXITS = {8: "it shut down", 9: "its processor could not be entered", 17: "an instruction of it was not understood"}

#: Three page tables that map the first 2 MiB to themselves, then the code, in 64 KiB of memory.
_TABLES, _CODE_AT, _STACK_AT, _SIZE = 0x1000, 0x4000, 0x8000, 0x10000
#: Three pages that Intel's processors need for themselves, anywhere in the first 4 GiB without memory.
_TASK_STATE_AT = 0x7FFFD000
# mov eax, 33; movq xmm0, rax; paddq xmm0, xmm0; movq rax, xmm0; hlt. SSE2 belongs to every 64-bit processor, and the
# kernel's instruction emulator (arch/x86/kvm/emulate.c) has no paddq: only a real processor gets to the end.
_CODE = bytes.fromhex("b821000000 66480f6ec0 660fd4c0 66480f7ec0 f4")
_RESULT = 66


def kvm() -> Dict[str, Union[bool, str]]:
    """Return ``works``, and in ``found`` what was seen, in words."""
    if not os.path.exists(DEVICE):
        return {"works": False, "found": f"there is no {DEVICE}"}
    try:
        with contextlib.ExitStack() as stack:
            problem = _try(stack)
    except (OSError, ImportError, ValueError) as failure:
        return {"works": False, "found": f"{DEVICE} cannot be used: {getattr(failure, 'strerror', None) or failure}"}
    if problem:
        return {"works": False, "found": f"{DEVICE} is there, but a guest does not run with it: {problem}"}
    return {"works": True, "found": "a guest runs with the processor's own means"}


def _try(stack: contextlib.ExitStack) -> str:
    """Return why a guest does not run; nothing when it did, or when none is known for this kind of processor."""
    device = _held(stack, os.open(DEVICE, os.O_RDWR | os.O_CLOEXEC))
    machine = _held(stack, fcntl.ioctl(device, _CREATE_VM, 0))
    if os.uname().machine != "x86_64":
        return ""
    memory = stack.enter_context(mmap.mmap(-1, _SIZE))
    _fill(memory)
    fcntl.ioctl(machine, _SET_TSS_ADDR, _TASK_STATE_AT)
    fcntl.ioctl(machine, _SET_MEMORY, struct.pack("<IIQQQ", 0, 0, 0, _SIZE, _address_of(memory)))
    processor = _held(stack, fcntl.ioctl(machine, _CREATE_VCPU, 0))
    shared = stack.enter_context(mmap.mmap(processor, fcntl.ioctl(device, _VCPU_MMAP_SIZE)))
    _set_registers(processor)
    _run(processor)
    reason = struct.unpack_from("<I", shared, 8)[0]
    if reason != _HALTED:
        return _EXITS.get(reason, f"it stopped for reason {reason}")
    registers = bytearray(_REGISTERS)
    fcntl.ioctl(processor, _GET_REGISTERS, registers, True)
    result = struct.unpack_from("<Q", registers)[0]
    return "" if result == _RESULT else f"it calculated {result} instead of {_RESULT}"


def _run(processor: int) -> None:
    for _ in range(10):
        # A signal that came meanwhile, such as from another thread's child.
        with contextlib.suppress(InterruptedError):
            fcntl.ioctl(processor, _RUN, 0)
            return


def _held(stack: contextlib.ExitStack, descriptor: int) -> int:
    stack.callback(os.close, descriptor)
    return descriptor


def _fill(memory: mmap.mmap) -> None:
    present_and_writable, large = 0x3, 0x80
    for number, entry in enumerate((_TABLES + 0x1000, _TABLES + 0x2000, large)):
        struct.pack_into("<Q", memory, _TABLES + number * 0x1000, entry | present_and_writable)
    memory[_CODE_AT : _CODE_AT + len(_CODE)] = _CODE


def _address_of(memory: mmap.mmap) -> int:
    # Not at the top: a minimal Python comes without it.
    import ctypes

    byte = ctypes.c_char.from_buffer(memory)
    try:
        return ctypes.addressof(byte)
    finally:
        # As long as somebody points into it, the memory cannot be let go of.
        del byte


def _set_registers(processor: int) -> None:
    """Put the processor into 64-bit mode with flat segments, at the first instruction."""
    system = bytearray(_SYSTEM_REGISTERS)
    fcntl.ioctl(processor, _GET_SYSTEM_REGISTERS, system, True)
    code, data = 11, 3
    system[0:24] = _segment(0x08, code, long=True)
    for number in range(1, 6):
        system[number * 24 : number * 24 + 24] = _segment(0x10, data, long=False)
    cr0, cr2, cr3, cr4, cr8, efer = struct.unpack_from("<6Q", system, 224)
    # Paging, protection and the numeric unit; PAE and SSE; long mode enabled and active.
    cr0, cr3, cr4, efer = 0x80050033, _TABLES, 0x220, 0x500
    struct.pack_into("<6Q", system, 224, cr0, cr2, cr3, cr4, cr8, efer)
    fcntl.ioctl(processor, _SET_SYSTEM_REGISTERS, bytes(system))
    registers = bytearray(_REGISTERS)
    struct.pack_into("<Q", registers, 6 * 8, _STACK_AT)
    always_set = 0x2
    struct.pack_into("<QQ", registers, 16 * 8, _CODE_AT, always_set)
    fcntl.ioctl(processor, _SET_REGISTERS, bytes(registers))


def _segment(selector: int, kind: int, long: bool) -> bytes:
    """Return one struct kvm_segment: base 0, limit 4 GiB, present, for the most privileged ring."""
    return struct.pack("<QIHBBBBBBBBBB", 0, 0xFFFFFFFF, selector, kind, 1, 0, not long, 1, long, 1, 0, 0, 0)
