-- Exponential smoothing of a series in order, as TensorBoard does it: weight 0 (none) … 1, debiased at the start.
-- What is not finite is passed by: there the smoothed value before it stays.
(numbers, weight) -> tupleElement(arrayFold((held, each) -> if(ifNull(isFinite(each), 0),
    (arrayPushBack(held.1, (held.2 * toFloat64(weight) + assumeNotNull(toFloat64(each)) * (1 - toFloat64(weight)))
        / (held.3 * toFloat64(weight) + (1 - toFloat64(weight)))),
      held.2 * toFloat64(weight) + assumeNotNull(toFloat64(each)) * (1 - toFloat64(weight)),
      held.3 * toFloat64(weight) + (1 - toFloat64(weight))),
    (arrayPushBack(held.1, if(empty(held.1), nan, held.1[-1])), held.2, held.3)),
  numbers, ([]::Array(Float64), toFloat64(0), toFloat64(0))), 1)
