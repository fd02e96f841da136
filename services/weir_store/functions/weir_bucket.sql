-- The first step of the bucket that a step lies in. Buckets are aligned at 0, so they stay put when one zooms.
(step, width) -> toInt64(step) - positiveModulo(toInt64(step), greatest(toInt64(width), 1))
