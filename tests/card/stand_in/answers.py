"""What a driver answers, and what a Hopper card says of itself; numbers as in cuda.h."""

from __future__ import annotations

OK, INVALID_VALUE, OUT_OF_MEMORY, INVALID_IMAGE, NO_FILE, INVALID_HANDLE, NOT_FOUND = 0, 1, 2, 200, 301, 400, 500
ILLEGAL_ADDRESS, OUT_OF_RESOURCES, TOO_LARGE, FAILED, UNSUPPORTED = 700, 701, 720, 719, 801
CAPTURE_UNSUPPORTED, CAPTURE_IMPLICIT, UNKNOWN = 900, 906, 999

#: Their names.
ERRORS = {
    INVALID_VALUE: "CUDA_ERROR_INVALID_VALUE",
    OUT_OF_MEMORY: "CUDA_ERROR_OUT_OF_MEMORY",
    INVALID_IMAGE: "CUDA_ERROR_INVALID_IMAGE",
    NO_FILE: "CUDA_ERROR_FILE_NOT_FOUND",
    INVALID_HANDLE: "CUDA_ERROR_INVALID_HANDLE",
    NOT_FOUND: "CUDA_ERROR_NOT_FOUND",
    ILLEGAL_ADDRESS: "CUDA_ERROR_ILLEGAL_ADDRESS",
    OUT_OF_RESOURCES: "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES",
    TOO_LARGE: "CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE",
    FAILED: "CUDA_ERROR_LAUNCH_FAILED",
    UNSUPPORTED: "CUDA_ERROR_NOT_SUPPORTED",
    CAPTURE_UNSUPPORTED: "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED",
    CAPTURE_IMPLICIT: "CUDA_ERROR_STREAM_CAPTURE_IMPLICIT",
    UNKNOWN: "CUDA_ERROR_UNKNOWN",
}

#: What a Hopper card says of itself, by the number of the attribute.
ATTRIBUTES = {
    1: 1024, 2: 1024, 3: 1024, 4: 64, 5: 2**31 - 1, 6: 65535, 7: 65535, 8: 49152, 9: 65536, 10: 32, 12: 65536, 13: 1_980_000,
    16: 132, 38: 50 * 2**20, 39: 2048, 41: 1, 75: 9, 76: 0, 81: 233_472, 82: 65536, 95: 1, 97: 232_448, 106: 32, 111: 1024, 115: 1,
}  # fmt: skip
#: Bytes of memory.
MEMORY = 80 * 2**30
#: Attributes of a function that the driver is told, or tells.
FUNCTION_THREADS, FUNCTION_SHARED, FUNCTION_REGISTERS, FUNCTION_DYNAMIC = 0, 1, 4, 8
#: Registers are given to warps in so many at once, and shared memory to blocks; each block has some that the system uses.
REGISTER_UNIT, SHARED_UNIT, RESERVED = 256, 128, 1024
#: Handles that stand for the default stream; this one does not know that of a thread.
DEFAULT = (0, 1)


class Answer(Exception):  # noqa: N818 - an answer, no error of ours
    """What a function of the driver answers instead of doing its work."""

    def __init__(self, code: int, why: str = "") -> None:
        super().__init__(why)
        self.code = code
