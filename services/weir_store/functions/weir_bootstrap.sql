-- [low, high] of the 95 % interval of the mean, by 1 000 resamples that are always the same ones. [NaN, NaN] below two.
(numbers) -> arrayMap(held -> if(length(held) < 2, [nan, nan], arrayReduce('quantilesExactInclusive(0.025, 0.975)',
  arrayMap(b -> arrayAvg(arrayMap(j -> held[1 + bitXor(toUInt64((toUInt64(b) * 1000003 + j + 1) * 11400714819323198485),
    bitShiftRight(toUInt64((toUInt64(b) * 1000003 + j + 1) * 11400714819323198485), 32)) % length(held)], range(length(held)))), range(1000)))),
  [weir_finite(numbers)])[1]
