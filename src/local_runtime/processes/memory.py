"""The most memory that a process has ever held, where the system says so."""

from pathlib import Path

_BYTES_PER_KB = 1024


def peak_memory(pid: int, processes: Path = Path("/proc")) -> int | None:
    """Bytes; None on a system without /proc, or once the process is gone."""
    try:
        status = (processes / str(pid) / "status").read_text()
    except OSError:
        return None
    peaks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(peaks[0]) * _BYTES_PER_KB if peaks else None
