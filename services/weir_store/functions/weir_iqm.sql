-- Interquartile mean: the mean without the lowest and the highest quarter. NaN of nothing.
(numbers) -> if(empty(weir_finite(numbers)), nan, arrayAvg(arraySlice(weir_finite(numbers),
  1 + intDiv(length(weir_finite(numbers)), 4), length(weir_finite(numbers)) - 2 * intDiv(length(weir_finite(numbers)), 4))))
