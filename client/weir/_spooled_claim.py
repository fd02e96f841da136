"""The newest claims that lie in this machine's spools: what is on disk, whoever has it beyond."""

from collections.abc import Iterator
from pathlib import Path

from weir._api_ledger import SpooledClaim
from weir._ledger import Claim
from weir._spool import Frame, SpoolDir, SpoolReader, list_spools
from weir._spool.layout import folder_name, read_first_seq
from weir.errors import ConfigError
from weir_proto.v1 import ingest_pb2 as pb


def read_spooled_claims(root: Path, project: str, run_id: str) -> Iterator[SpooledClaim]:
    """Iterate over the producers of a run whose spools lie under `root`; unreadable ones are left out."""
    try:
        spools = list(list_spools(root / folder_name(project) / folder_name(run_id)))
    except OSError:  # another user's: what lies there we do not know
        return
    for spool in spools:
        try:
            yield _read_claim(spool)
        except (OSError, ConfigError):  # committed and removed while we looked, or not ours to read
            continue


def _read_claim(spool: SpoolDir) -> SpooledClaim:
    meta = spool.read_meta()
    last_seq = spool.read_watermark().accepted_seq
    first_seqs = [seq for path in spool.list_segments() if (seq := read_first_seq(path))]
    for first_seq in sorted(first_seqs, reverse=True):  # the agent's last word is a segment alone
        frames = _frames_from(spool, first_seq)
        last_seq = max([last_seq, *(frame.seq for frame in frames[-1:])])
        if claim := _newest_claim(frames):
            return SpooledClaim(meta.producer, meta.rank, last_seq, claim)
    return SpooledClaim(meta.producer, meta.rank, last_seq, None)


def _frames_from(spool: SpoolDir, first_seq: int) -> list[Frame]:
    reader = SpoolReader(spool, next_seq=first_seq)
    try:
        return [found for found in reader.read(writer_alive=True) if isinstance(found, Frame)]
    finally:
        reader.close()


def _newest_claim(frames: list[Frame]) -> Claim | None:
    claims = (Claim.stated_in(pb.Body.FromString(frame.body)) for frame in reversed(frames))
    return next((claim for claim in claims if claim is not None), None)
