"""What among logged values is media: ours, lists of ours, and a few types of well-known libraries."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

from weir._media.base import Media, Unfit

_BARE: Final = {  # module, class → which of ours it becomes
    ("matplotlib.figure", "Figure"): "Figure",
    ("plotly.basedatatypes", "BaseFigure"): "Figure",
    ("altair.vegalite.v5.api", "TopLevelMixin"): "Figure",
    ("altair.vegalite.v6.api", "TopLevelMixin"): "Figure",
    ("PIL.Image", "Image"): "Image",
    ("pandas.core.frame", "DataFrame"): "Table",
    ("pandas", "DataFrame"): "Table",
    ("polars.dataframe.frame", "DataFrame"): "Table",
    ("pyarrow.lib", "Table"): "Table",
}


def media_in(value: Any) -> list[Media] | None:
    """Return the media in a logged value, or None when it is none.

    A list or tuple whose first value is media has to hold nothing else.

    Raises:
        Unfit: It holds something else too.
    """
    if (one := _as_media(value)) is not None:
        return [one]
    if not isinstance(value, Sequence) or isinstance(value, (str, bytes)) or not len(value):
        return None
    if type(value) not in (list, tuple) or _as_media(value[0]) is None:
        return None
    found = [_as_media(each) for each in value]
    strange = next((i for i, each in enumerate(found) if each is None), None)
    if strange is not None:
        raise Unfit(f"a list of media holds a {type(value[strange]).__name__} too")
    return [each for each in found if each is not None]


def _as_media(value: Any) -> Media | None:
    if isinstance(value, Media):
        return value
    kind: Any = type(value)  # mypy does not see that a type is hashable
    name = _our_name(kind)
    if not name:
        return None
    import weir

    wrapped: Media = getattr(weir, name)(value)
    return wrapped


@lru_cache(maxsize=1024)
def _our_name(kind: type) -> str:
    """The name of our type that a foreign one becomes; told by name so as not to import anything."""
    return next(
        (
            _BARE[base.__module__, base.__qualname__]
            for base in kind.__mro__
            if (base.__module__, base.__qualname__) in _BARE
        ),
        "",
    )
