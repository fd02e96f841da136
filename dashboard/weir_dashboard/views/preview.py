"""What a file looks like: text, tables, images, sound and film; else its size and where to get it."""

from __future__ import annotations

import io
from pathlib import PurePosixPath
from typing import Final

import pyarrow.parquet as pq
import streamlit as st

from weir_dashboard import data, units
from weir_dashboard.blobs import MOST_SHOWN_BYTES, TooLarge
from weir_store.errors import StoreError, UnknownObject

_LANGUAGES: Final = {
    ".py": "python", ".json": "json", ".yaml": "yaml", ".yml": "yaml", ".toml": "toml",
    ".sh": "bash", ".md": "markdown", ".diff": "diff", ".patch": "diff", ".sql": "sql",
    ".html": "html", ".xml": "xml", ".js": "javascript", ".ipynb": "json",
}  # fmt: skip
_IMAGES: Final = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp", ".bmp"})
_MOST_TEXT_BYTES: Final = 256 << 10
_MOST_ROWS: Final = 1_000


def show(project: str, path: str, sha256: str, size_bytes: int) -> None:
    """Draw a file, and a link to it."""
    suffix = PurePosixPath(path).suffix.lower()
    try:
        if size_bytes <= MOST_SHOWN_BYTES:
            _draw(suffix, data.ask().files.blobs.read(project, sha256))
        else:
            st.caption(f"{units.size(size_bytes)}: too large to show")
        url = data.ask().files.blobs.url(project, sha256, PurePosixPath(path).name)
        st.link_button(f"Download {units.size(size_bytes)}", url, icon=":material/download:")
    except (UnknownObject, ValueError):  # no digest, or no bytes
        st.caption("the bytes have not arrived yet")
    except TooLarge:
        st.caption("too large to show")
    except StoreError as silent:
        st.caption(str(silent))


def _draw(suffix: str, content: bytes) -> None:
    if suffix in _IMAGES:
        st.image(content)
    elif suffix == ".parquet":
        table = pq.ParquetFile(io.BytesIO(content))
        st.caption(f"{table.metadata.num_rows:,} rows × {table.metadata.num_columns} columns")
        st.dataframe(table.read().slice(0, _MOST_ROWS).to_pandas(), hide_index=True)
    elif suffix in {".wav", ".mp3", ".ogg", ".flac"}:
        st.audio(content)
    elif suffix in {".mp4", ".webm"}:
        st.video(content)
    elif (text := _text(content)) is not None:
        st.code(text, language=_LANGUAGES.get(suffix), height=420)
    else:
        st.code(_hex(content), language=None)


def _text(content: bytes) -> str | None:
    head = content[:_MOST_TEXT_BYTES]
    if b"\0" in head:
        return None
    text = head.decode(errors="replace")
    if text.count("\N{REPLACEMENT CHARACTER}") > len(text) // 20:
        return None
    left = len(content) - len(head)
    return f"{text}\n… {units.size(left)} more" if left else text


def _hex(content: bytes) -> str:
    rows = (content[start : start + 16] for start in range(0, min(len(content), 512), 16))
    return "\n".join(row.hex(" ") for row in rows)
