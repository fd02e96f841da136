"""Ranks as a dimension: reductions, the straggler board, hangs and divergence."""
