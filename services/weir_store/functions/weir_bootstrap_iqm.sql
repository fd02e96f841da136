-- [low, high] of the 95 % interval of the interquartile mean, by 1 000 resamples that are always the same ones.
(numbers) -> arrayMap(held -> if(length(held) < 2, [nan, nan], arrayReduce('quantilesExactInclusive(0.025, 0.975)',
  arrayMap(b -> arrayMap(drawn -> arrayAvg(arraySlice(drawn, 1 + intDiv(length(drawn), 4), length(drawn) - 2 * intDiv(length(drawn), 4))),
    [arraySort(arrayMap(j -> held[1 + bitXor(toUInt64((toUInt64(b) * 1000003 + j + 1) * 11400714819323198485),
    bitShiftRight(toUInt64((toUInt64(b) * 1000003 + j + 1) * 11400714819323198485), 32)) % length(held)], range(length(held))))])[1], range(1000)))),
  [weir_finite(numbers)])[1]
