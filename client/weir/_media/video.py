"""Moving pictures: a file, or frames written as an animated GIF."""

import io
from typing import Any, ClassVar

from weir._media.arrays import is_path, own_array, shape_of
from weir._media.base import Blob, Encoded, Media, Snapshot, Taking, Unfit, check_size, without_none
from weir._media.files import mime_of, taken_file
from weir._media.image import to_bytes_range
from weir._media.need import need
from weir._media.pixels import as_pillow, thumbnail


class Video(Media):
    """A video.

    Args:
        data: Path of a video file (mp4, webm, …, also gif), which is kept as it is; or frames
            T×H×W×C or T×C×H×W, uint8 or float 0…1, written as an animated GIF by Pillow.
        caption: Words beside it.
        fps: Frames per second, of frames.
        format: Of frames: only `gif`. Weir brings no video encoder; for mp4 write a file, e.g. with
            `imageio.v3.imwrite("out.mp4", frames, fps=8)` (pip install "imageio[pyav]"), and log that.
    """

    kind: ClassVar = "video"

    def __init__(
        self,
        data: Any,
        caption: str | None = None,
        *,
        fps: float = 8,
        format: str | None = None,
    ) -> None:
        self.data, self.caption, self.fps, self.format = data, caption, fps, format

    def snapshot(self, taking: Taking) -> Snapshot:
        """See `Media.snapshot`."""
        said = without_none({"caption": None if self.caption is None else str(self.caption)})
        if is_path(self.data):
            return _snapshot_of_file(self.data, said, taking)
        if (self.format or "gif") != "gif":
            raise Unfit(
                f"frames are written as gif, not {self.format}: write the file yourself, e.g. with "
                'imageio.v3.imwrite("out.mp4", frames, fps=8) after pip install "imageio[pyav]", '
                'and log weir.Video("out.mp4")'
            )
        need("PIL.Image", "a video of frames")
        fps = float(self.fps)
        if not 0 < fps <= 100:  # GIF counts in hundredths of a second
            raise Unfit(f"fps is {fps:g}; a gif has more than 0 and at most 100")
        frames = own_array(self.data, "a video")
        check_size("the video", frames.size, taking)
        frames = _rows_first(frames)
        return Snapshot(frames.nbytes, lambda: _encode(frames, fps, said))


def _snapshot_of_file(source: Any, said: dict[str, Any], taking: Taking) -> Snapshot:
    from pathlib import Path

    family = "image" if mime_of(Path(source)) == "image/gif" else "video"
    blob = taken_file(source, family, taking)
    return Snapshot(0, lambda: Encoded({"type": Video.kind, **said}, blob))


def _rows_first(frames: Any) -> Any:
    if frames.ndim != 4 or not frames.size:
        raise Unfit(f"frames {shape_of(frames)} are no video: T × H × W × C or T × C × H × W")
    if frames.shape[3] in (1, 3, 4):
        return frames
    if frames.shape[1] in (1, 3, 4):
        return frames.transpose(0, 2, 3, 1)
    raise Unfit(f"frames {shape_of(frames)} have neither second nor last 1, 3 or 4 channels")


def _encode(frames: Any, fps: float, said: dict[str, Any]) -> Encoded:
    pixels, clipped = to_bytes_range(frames)
    pictures = [as_pillow(one) for one in pixels]
    file = io.BytesIO()
    pictures[0].save(
        file,
        "GIF",
        save_all=True,
        append_images=pictures[1:],
        duration=round(1000 / fps),
        loop=0,
    )
    count, height, width = pixels.shape[:3]
    facts = {"type": Video.kind, "width": width, "height": height, "frames": count, "fps": fps}
    facts |= {**without_none({"clipped": clipped}), **said}
    encoded = Encoded(facts, Blob("image/gif", file.getvalue()))
    thumb = thumbnail(pixels[0])
    if thumb is not None:
        encoded.parts["thumb",] = thumb
    return encoded
