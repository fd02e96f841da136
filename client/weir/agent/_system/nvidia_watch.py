"""What happens to NVIDIA cards, told once: slowed down, errors in memory, Xid errors, lost and back."""

from collections.abc import Mapping
from typing import Final

from weir.agent._system.source import Notice, Sample

_SLOWDOWNS: Final = (  # bits of gpu.throttle_reasons that are trouble, and what they mean
    (0x40, "too hot: the hardware slows the clocks down"),
    (0x20, "hot: the driver slows the clocks down"),
    (0x80, "power brake: the power supply asks for less"),
    (0x08, "hardware slowdown"),
)
TROUBLE_BITS: Final = 0x40 | 0x20 | 0x80 | 0x08
CALM_S: Final = 30.0
"""A slowdown is over when it was away for so long: cards at their limit swing in and out of it."""

_XIDS: Final[Mapping[int, str]] = {
    13: "graphics engine exception: mostly a program's bad memory access",
    31: "GPU memory page fault: mostly a program's bad memory access",
    43: "a program's GPU work was stopped after an error of its own",
    45: "a program's GPU work was cleaned up",
    48: "double-bit ECC error",
    63: "a memory page or row was retired",
    64: "a memory page or row could not be retired",
    74: "NVLink error",
    79: "the GPU has fallen off the bus",
    92: "many corrected ECC errors",
    94: "uncorrected memory error, contained: its program ends",
    95: "uncorrected memory error, not contained: the GPU needs a reset",
    119: "the GPU's system processor does not answer",
    120: "error of the GPU's system processor",
}
_OF_PROGRAMS: Final = frozenset({13, 31, 43, 45})


class ThrottleWatch:
    """Tells when a card's slowdown begins and when it is over."""

    def __init__(self) -> None:
        self._since_s: dict[str, float] = {}
        self._seen_s: dict[str, float] = {}

    def look(self, device: str, reasons: int, now_s: float) -> Notice | None:
        """Take a card's throttle reasons; returns what is to be told."""
        if reasons & TROUBLE_BITS:
            self._seen_s[device] = now_s
            if device in self._since_s:
                return None
            self._since_s[device] = now_s
            why = next(meaning for bit, meaning in _SLOWDOWNS if reasons & bit)
            attrs = {"device": device, "reasons": hex(reasons)}
            return Notice("gpu_throttled", "warn", f"{device} is slowed down: {why}", attrs=attrs)
        if device not in self._since_s or now_s - self._seen_s[device] < CALM_S:
            return None
        lasted_s = self._seen_s[device] - self._since_s.pop(device)
        attrs = {"device": device, "lasted_s": f"{lasted_s:.0f}"}
        title = f"{device} is no longer slowed down, after {lasted_s:.0f} s"
        return Notice("gpu_throttle_ended", "info", title, attrs=attrs)


class EccWatch:
    """Tells when a card counts more uncorrected memory errors than before."""

    def __init__(self) -> None:
        self._before: dict[str, float] = {}

    def look(self, device: str, uncorrected: float) -> Notice | None:
        """Take a card's count; returns what is to be told. The first count is only remembered."""
        before = self._before.get(device, uncorrected)
        self._before[device] = uncorrected
        if uncorrected <= before:  # a driver that was loaded again begins at 0
            return None
        more = uncorrected - before
        return Notice(
            "gpu_ecc",
            "error",
            f"{device}: {more:.0f} new uncorrected memory errors",
            "What was computed since may be wrong. Look at the card before it is used again.",
            {"device": device, "uncorrected": f"{uncorrected:.0f}"},
        )


class CardWatch:
    """Both of these over a sampling's samples."""

    def __init__(self) -> None:
        self._throttle = ThrottleWatch()
        self._ecc = EccWatch()

    def look(self, sample: Sample, now_s: float) -> Notice | None:
        """Take a sample of any metric; returns what is to be told."""
        if sample.metric == "gpu.throttle_reasons":
            return self._throttle.look(sample.device, int(sample.value), now_s)
        if sample.metric == "gpu.ecc_uncorrected":
            return self._ecc.look(sample.device, sample.value)
        return None


def xid_notice(device: str, xid: int) -> Notice:
    """Return what an Xid error is told as. Pure."""
    meaning = _XIDS.get(xid, "see NVIDIA's list of Xid errors")
    severity = "warn" if xid in _OF_PROGRAMS else "error"
    attrs = {"device": device, "xid": str(xid)}
    return Notice("gpu_xid", severity, f"{device}: Xid {xid}, {meaning}", attrs=attrs)


def lost_notice(device: str, why: str) -> Notice:
    """Return what a card that is lost is told as; device "" = all of them. Pure."""
    what = device or "NVIDIA's driver"
    title = f"{what} does not answer any more: {why}"
    return Notice("gpu_lost", "error", title, "Weir asks again later.", {"device": device})


def back_notice(device: str) -> Notice:
    """Return what a card that answers again is told as. Pure."""
    return Notice(
        "gpu_back", "info", f"{device or 'the driver'} answers again", "", {"device": device}
    )
