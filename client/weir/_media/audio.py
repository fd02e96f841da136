"""Sound: samples with their rate, written as WAV; or a file."""

import io
import wave
from typing import Any, ClassVar

from weir._media.arrays import is_path, own_array, shape_of
from weir._media.base import Blob, Encoded, Media, Snapshot, Taking, Unfit, check_size, without_none
from weir._media.files import taken_file

_MOST_CHANNELS = 32


class Audio(Media):
    """A sound.

    Args:
        data: Samples, frames or frames × channels, floats −1…1 (what is outside is clipped) or
            int16; or the path of an audio file, which is kept as it is.
        sample_rate: Frames per second; samples need it.
        caption: Words beside it.
    """

    kind: ClassVar = "audio"

    def __init__(
        self, data: Any, sample_rate: int | None = None, caption: str | None = None
    ) -> None:
        self.data, self.sample_rate, self.caption = data, sample_rate, caption

    def snapshot(self, taking: Taking) -> Snapshot:
        """See `Media.snapshot`."""
        said = without_none({"caption": None if self.caption is None else str(self.caption)})
        if is_path(self.data):
            blob = taken_file(self.data, "audio", taking)
            rate = None if self.sample_rate is None else int(self.sample_rate)
            facts = {"type": self.kind, **without_none({"sample_rate": rate}), **said}
            return Snapshot(0, lambda: Encoded(facts, blob))
        if not self.sample_rate:
            raise Unfit("samples need their rate: weir.Audio(samples, sample_rate=16_000)")
        rate = int(self.sample_rate)
        samples = own_array(self.data, "audio")
        check_size("the audio", samples.size * 2, taking)
        if samples.ndim not in (1, 2) or not samples.size:
            raise Unfit(f"samples {shape_of(samples)} are neither frames nor frames × channels")
        return Snapshot(samples.nbytes, lambda: _encode(samples, rate, said))


def _encode(samples: Any, rate: int, said: dict[str, Any]) -> Encoded:
    if samples.ndim == 2 and samples.shape[0] <= 2 < samples.shape[1]:
        samples = samples.T  # channels came first
    frames, channels = samples.shape[0], 1 if samples.ndim == 1 else samples.shape[1]
    if channels > _MOST_CHANNELS:
        raise Unfit(f"{channels} channels; samples are frames × channels")
    file = io.BytesIO()
    with wave.open(file, "wb") as written:
        written.setnchannels(channels)
        written.setsampwidth(2)
        written.setframerate(rate)
        written.writeframes(_to_int16(samples).tobytes())
    facts = {"type": Audio.kind, "sample_rate": rate, "channels": channels}
    facts |= {"duration_s": round(frames / rate, 6), **said}
    return Encoded(facts, Blob("audio/wav", file.getvalue()))


def _to_int16(samples: Any) -> Any:
    import numpy as np

    if samples.dtype.kind == "f":
        samples = np.rint(np.clip(np.nan_to_num(samples), -1.0, 1.0) * 32_767)
    elif samples.dtype != np.int16:
        samples = np.clip(samples, -32_768, 32_767)
    return np.ascontiguousarray(samples.astype("<i2"))
