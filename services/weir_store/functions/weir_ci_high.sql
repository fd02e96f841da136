-- Upper end of the 95 % confidence interval of the mean, by Student's t. NaN below two numbers.
(numbers) -> if(length(weir_finite(numbers)) < 2, nan, arrayAvg(weir_finite(numbers))
  + weir_t95(length(weir_finite(numbers)) - 1) * arrayReduce('stddevSampStable', weir_finite(numbers)) / sqrt(length(weir_finite(numbers))))
