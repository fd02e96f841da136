-- How far each number is from the others: distance from the median by 1.4826 median absolute deviations.
-- The deviation counts as a thousandth of the median at least. NaN for what is not finite.
(numbers) -> arrayMap(held -> arrayMap(each -> if(ifNull(isFinite(each), 0), (assumeNotNull(toFloat64(each)) - held.1)
    / greatest(1.4826 * arrayReduce('quantileExactInclusive(0.5)', arrayMap(v -> abs(v - held.1), held.2)), 0.001 * abs(held.1), 1e-12), nan), numbers),
  [(arrayReduce('quantileExactInclusive(0.5)', weir_finite(numbers)), weir_finite(numbers))])[1]
