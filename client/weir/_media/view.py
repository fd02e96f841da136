"""Media read back: what was logged at one step, and its bytes when they are asked for."""

import io
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from weir._media.need import maybe
from weir.errors import UsageError

Fetch = Callable[[str, int], bytes]
"""Returns the bytes of a blob by SHA-256 and size; raises what the place they come from raises."""

_SUFFIXES: Final = {
    "image/png": ".png",
    "image/jpeg": ".jpg",
    "image/webp": ".webp",
    "image/gif": ".gif",
    "image/svg+xml": ".svg",
    "audio/wav": ".wav",
    "video/mp4": ".mp4",
    "video/webm": ".webm",
    "text/plain": ".txt",
    "text/markdown": ".md",
    "text/html": ".html",
    "application/vnd.apache.parquet": ".parquet",
    "application/vnd.plotly.v1+json": ".json",
    "application/vnd.vegalite+json": ".json",
    "application/x-npy": ".npy",
}


class MediaView:
    """One media value of a run.

    Attributes:
        metric: Its name.
        step: Where it was logged.
        rank: By which process.
        time_unix_us: When, Unix µs.
        index: Its place in the list that was logged; 0 when it was alone.
        facts: All that the point says of it, docs/formats/media.md.
    """

    def __init__(
        self,
        facts: Mapping[str, Any],
        fetch: Fetch,
        *,
        metric: str,
        step: int,
        rank: int = 0,
        time_unix_us: int = 0,
        index: int = 0,
    ) -> None:
        self.facts = dict(facts)
        self.metric, self.step, self.rank = metric, step, rank
        self.time_unix_us, self.index = time_unix_us, index
        self._fetch = fetch

    def __repr__(self) -> str:
        return f"<{self.type} {self.metric} step {self.step} rank {self.rank}>"

    @property
    def type(self) -> str:
        """`image`, `audio`, `video`, `histogram`, `table`, `figure`, `html`, `text` …."""
        return str(self.facts.get("type", ""))

    @property
    def caption(self) -> str:
        """The words beside it, empty when there are none."""
        return str(self.facts.get("caption", ""))

    @property
    def mime(self) -> str:
        """What its bytes are; empty when it has none."""
        return str(self.facts.get("mime", ""))

    @property
    def boxes(self) -> dict[str, Any]:
        """Its boxes by group, in fractions of the picture; empty when it has none."""
        found = self.facts.get("boxes") or self._extra().get("boxes") or {}
        return dict(found)

    def read(self) -> bytes:
        """Return its bytes; of a short text the text, of a histogram its JSON."""
        if "sha256" in self.facts:
            return self._read_blob(self.facts)
        if "text" in self.facts:
            return str(self.facts["text"]).encode()
        return json.dumps(self.facts).encode()

    def read_thumb(self) -> bytes:
        """Return a small picture of it: the thumbnail, or the picture itself when it is small."""
        return self._read_blob(self.facts.get("thumb") or self.facts)

    def masks(self) -> dict[str, Any]:
        """Return its masks by name, as arrays of class numbers."""
        found = self.facts.get("masks") or {}
        return {name: _pixels(self._read_blob(mask)) for name, mask in found.items()}

    def download(self, path: str | os.PathLike[str] = ".") -> Path:
        """Write its bytes to a file and return where.

        Args:
            path: The file, or a folder that is there: then the file is named by metric, step, rank
                and place.
        """
        target = Path(path)
        if target.is_dir():
            name = "".join(c if c.isalnum() or c in "-_." else "_" for c in self.metric).strip(".")
            suffix = _SUFFIXES.get(self.mime, ".json" if not self.mime else "")
            target = target / f"{name}-{self.step}-{self.rank}-{self.index}{suffix}"
        target.write_bytes(self.read())
        return target

    def value(self) -> Any:
        """Return what was logged, as far as it can be had again.

        Pictures as NumPy arrays (H×W×C), tables as pandas DataFrames whose media cells are
        `MediaView`s, histograms as (counts, edges), WAV as (samples, rate), texts as str, point
        clouds as arrays, plotly and Vega-Lite charts as dicts; all else as bytes.

        Raises:
            UsageError: A library that is needed is not installed.
        """
        decode = _DECODERS.get(self.type)
        return self.read() if decode is None else decode(self)

    def _read_blob(self, named: Mapping[str, Any]) -> bytes:
        if "sha256" not in named:
            raise UsageError(f"{self!r} has no bytes of its own", hint="look at its facts")
        return self._fetch(str(named["sha256"]), int(named["size"]))

    def _extra(self) -> dict[str, Any]:
        extra = self.facts.get("extra")
        return dict(json.loads(self._read_blob(extra))) if extra else {}

    def _cell(self, text: Any) -> Any:
        if not isinstance(text, str):
            return text
        facts = json.loads(text)
        if not isinstance(facts, dict) or "type" not in facts:
            return facts
        return MediaView(facts, self._fetch, metric=self.metric, step=self.step, rank=self.rank)


def views_of(
    text: str, fetch: Fetch, *, metric: str, step: int, rank: int = 0, time_unix_us: int = 0
) -> Iterator[MediaView]:
    """Iterate over what one media point holds; kinds that are not known come too."""
    found = json.loads(text)
    for index, facts in enumerate(found if isinstance(found, list) else [found]):
        yield MediaView(
            facts,
            fetch,
            metric=metric,
            step=step,
            rank=rank,
            time_unix_us=time_unix_us,
            index=index,
        )


def _needed(module: str, hint: str) -> Any:
    found = maybe(module)
    if found is None:
        raise UsageError(f"this needs {module.partition('.')[0]}", hint=hint)
    return found


def _pixels(content: bytes) -> Any:
    pillow = _needed("PIL.Image", 'pip install "weir[media]"')
    numpy = _needed("numpy", 'pip install "weir[media]"')
    with pillow.open(io.BytesIO(content)) as picture:
        return numpy.array(picture)


def _table(view: MediaView) -> Any:
    parquet = _needed("pyarrow.parquet", 'pip install "weir[media]"')
    pandas = _needed("pandas", 'pip install "weir[api]"')
    frame = parquet.read_table(io.BytesIO(view.read())).to_pandas()
    for column in view.facts.get("columns", ()):
        if column.get("media"):
            cells = [view._cell(text) for text in frame[column["name"]]]
            frame[column["name"]] = pandas.Series(cells, index=frame.index, dtype=object)
    return frame


def _histogram(view: MediaView) -> Any:
    numpy = _needed("numpy", 'pip install "weir[media]"')
    return numpy.array(view.facts["counts"]), numpy.array(view.facts["edges"])


def _sound(view: MediaView) -> Any:
    if view.mime != "audio/wav":
        return view.read()
    import wave

    numpy = _needed("numpy", 'pip install "weir[media]"')
    with wave.open(io.BytesIO(view.read())) as sound:
        if sound.getsampwidth() != 2:
            return view.read()
        samples = numpy.frombuffer(sound.readframes(sound.getnframes()), dtype="<i2")
        channels = sound.getnchannels()
        return (samples if channels == 1 else samples.reshape(-1, channels)), sound.getframerate()


def _cloud(view: MediaView) -> Any:
    numpy = _needed("numpy", 'pip install "weir[media]"')
    return numpy.load(io.BytesIO(view.read()), allow_pickle=False)


def _figure(view: MediaView) -> Any:
    return json.loads(view.read()) if view.mime.endswith("json") else _pixels(view.read())


def _picture(view: MediaView) -> Any:
    return view.read() if view.mime == "image/svg+xml" else _pixels(view.read())


_DECODERS: Final[Mapping[str, Callable[[MediaView], Any]]] = {
    "image": _picture,
    "figure": _figure,
    "table": _table,
    "histogram": _histogram,
    "audio": _sound,
    "pointcloud": _cloud,
    "text": lambda view: view.read().decode(),
    "markdown": lambda view: view.read().decode(),
    "html": lambda view: view.read().decode(),
}
