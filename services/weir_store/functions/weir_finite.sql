-- The finite numbers of an array, sorted: without NULL, NaN and infinities.
(numbers) -> arraySort(arrayMap(each -> assumeNotNull(toFloat64(each)), arrayFilter(each -> ifNull(isFinite(each), 0), numbers)))
