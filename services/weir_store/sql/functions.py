"""The functions that a statement may call. What is not here is refused by name.

They compute from their arguments alone: nothing here names a table, a file, an address, a
dictionary, a setting or a user, nothing waits, and nothing answers differently for who asks.
docs/sql-limits.md shows this list and is tested against it.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Final

from weir_store.functions import FUNCTIONS
from weir_store.sql.lexer import listed

AGGREGATES: Final = listed(
    """
    any anyLast anyHeavy any_value anyRespectNulls first_value last_value argMin argMax avg avgWeighted
    boundingRatio corr count countDistinct covarPop covarSamp deltaSum
    deltaSumTimestamp entropy exponentialMovingAverage exponentialTimeDecayedAvg groupArray groupArrayLast
    groupArraySorted groupArrayMovingAvg groupArrayMovingSum groupBitAnd groupBitOr groupBitXor
    groupConcat groupUniqArray histogram intervalLengthSum kurtPop kurtSamp kolmogorovSmirnovTest
    mannWhitneyUTest max maxMap meanZTest median medianExact min minMap quantile
    quantileDD quantileDeterministic quantileExact quantileExactExclusive quantileExactHigh
    quantileExactInclusive quantileExactLow quantileExactWeighted quantileGK quantileInterpolatedWeighted
    quantileTDigest quantileTDigestWeighted quantileTiming quantiles quantilesExact quantilesExactExclusive
    quantilesExactInclusive quantilesGK quantilesTDigest quantilesTiming rankCorr retention
    simpleLinearRegression singleValueOrNull skewPop skewSamp sparkbar stddev stddevPop stddevSamp
    stddevPopStable stddevSampStable std studentTTest sum sumCount sumKahan sumMap sumWithOverflow topK topKWeighted
    uniq uniqCombined uniqCombined64 uniqExact uniqHLL12 var_pop var_samp varPop varSamp
    stddev_pop stddev_samp covar_pop covar_samp welchTTest windowFunnel
    """
)
COMBINATORS: Final = (
    "OrDefault", "OrNull", "Distinct", "ForEach", "ArgMin", "ArgMax", "Array", "If", "Map",
)  # fmt: skip
_MOST_COMBINATORS: Final = 3

WINDOW: Final = listed(
    """
    cume_dist dense_rank denseRank lag lagInFrame lead leadInFrame nth_value ntile percent_rank
    percentRank rank row_number
    """
)

_ARITHMETIC: Final = """
    plus minus multiply divide intDiv intDivOrZero modulo moduloOrZero positiveModulo pmod negate abs
    gcd lcm sign min2 max2 greatest least exp exp2 exp10 log ln log2 log10 log1p sqrt cbrt pow power
    sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh hypot erf erfc lgamma tgamma degrees
    radians pi e ceil ceiling floor round roundBankers trunc truncate roundToExp2 roundDown sigmoid
    isFinite isInfinite isNaN ifNotFinite byteSize bitAnd bitOr bitXor bitNot bitShiftLeft bitShiftRight
    bitTest bitCount rand rand32 rand64 randCanonical randUniform randNormal widthBucket width_bucket
    isZeroOrNull factorial clamp
"""
_LOGIC: Final = """
    and or not xor if multiIf equals notEquals less greater lessOrEquals greaterOrEquals isNull isNotNull
    isNullable coalesce ifNull nullIf assumeNotNull toNullable isDistinctFrom isNotDistinctFrom
"""
_STRINGS: Final = """
    empty notEmpty length lengthUTF8 char_length character_length octet_length leftPad rightPad leftPadUTF8
    rightPadUTF8 lpad rpad lower lcase upper ucase lowerUTF8 upperUTF8 initcap reverse reverseUTF8 concat
    concatWithSeparator concat_ws substring substr mid substringUTF8 substringIndex left right leftUTF8
    rightUTF8 trim trimLeft trimRight trimBoth ltrim rtrim repeat space startsWith endsWith startsWithUTF8 endsWithUTF8
    position locate positionCaseInsensitive positionUTF8 countSubstrings hasAllTokens hasAnyTokens hasSubsequence
    hasToken match like notLike ilike notILike extract extractAll extractGroups extractAllGroups regexpExtract
    countMatches replace replaceOne replaceAll replaceRegexpOne replaceRegexpAll translate format printf splitByChar
    splitByString splitByRegexp splitByWhitespace splitByNonAlpha alphaTokens tokens ngrams
    arrayStringConcat base64Encode base64Decode tryBase64Decode hex unhex bin unbin char ascii
    appendTrailingCharIfAbsent normalizeUTF8NFC isValidUTF8 toValidUTF8 levenshteinDistance editDistance
    damerauLevenshteinDistance jaroSimilarity jaroWinklerSimilarity ngramDistance stringJaccardIndex
    formatReadableSize formatReadableDecimalSize formatReadableQuantity formatReadableTimeDelta
    parseReadableSize parseTimeDelta multiSearchAny multiSearchFirstPosition path basename domain
    cutQueryString decodeURLComponent encodeURLComponent compareSubstrings
"""
_HASHES: Final = """
    cityHash64 sipHash64 sipHash128 xxHash32 xxHash64 xxh3 farmHash64 metroHash64 murmurHash3_64 MD5 SHA1
    SHA256 halfMD5 intHash32 intHash64 generateUUIDv4 generateUUIDv7 UUIDStringToNum UUIDNumToString
"""
_CONVERSIONS: Final = """
    toString toFixedString toBool toDate toDate32 toDateTime toDateTime64 toDateTime64OrNull toDateTime64OrZero
    toDateOrNull toDateOrZero toDateTimeOrNull toDateTimeOrZero toDate32OrNull toUUID toUUIDOrNull toIPv4
    toIPv6 toTypeName toDecimal32 toDecimal64 toDecimal128 toDecimalString parseDateTime
    parseDateTimeBestEffort parseDateTimeBestEffortOrNull parseDateTimeBestEffortOrZero
    parseDateTime64BestEffort parseDateTime64BestEffortOrNull parseDateTimeOrNull toStringCutToZero
    fromUnixTimestamp fromUnixTimestamp64Milli fromUnixTimestamp64Micro fromUnixTimestamp64Nano
    fromUnixTimestamp64Second toUnixTimestamp toUnixTimestamp64Milli toUnixTimestamp64Micro
    toUnixTimestamp64Nano toUnixTimestamp64Second reinterpretAsUInt64 reinterpretAsInt64
    reinterpretAsFloat64 toLowCardinality CAST accurateCast accurateCastOrNull accurateCastOrDefault
    toJSONString DATE TIMESTAMP
    """ + " ".join(
    f"to{kind}{bits}{ending}"
    for kind, sizes in (
        ("Int", (8, 16, 32, 64, 128, 256)),
        ("UInt", (8, 16, 32, 64, 128, 256)),
        ("Float", (32, 64)),
    )
    for bits in sizes
    for ending in ("", "OrNull", "OrZero", "OrDefault")
)
_TIMES: Final = """
    now now64 today yesterday current_date timezoneOf timeZoneOf toTimeZone toTimezone timeSlot timeSlots
    toYear toQuarter toMonth toDayOfYear toDayOfMonth toDayOfWeek toHour toMinute toSecond toMillisecond
    toWeek toISOWeek toISOYear toYearWeek toYYYYMM toYYYYMMDD toYYYYMMDDhhmmss toRelativeYearNum
    toRelativeMonthNum toRelativeWeekNum toRelativeDayNum toRelativeHourNum toRelativeMinuteNum
    toRelativeSecondNum toStartOfYear toStartOfISOYear toStartOfQuarter toStartOfMonth toStartOfWeek
    toMonday toStartOfDay toStartOfHour toStartOfMinute toStartOfSecond toStartOfMillisecond
    toStartOfMicrosecond toStartOfFiveMinutes toStartOfTenMinutes toStartOfFifteenMinutes toLastDayOfMonth
    toLastDayOfWeek toStartOfInterval toTime date_trunc dateTrunc dateDiff date_diff timestampDiff age
    dateName monthName formatDateTime addYears addMonths addWeeks addDays addHours addMinutes addSeconds
    addMilliseconds addMicroseconds addQuarters addInterval subtractYears subtractMonths subtractWeeks
    subtractDays subtractHours subtractMinutes subtractSeconds subtractMilliseconds subtractMicroseconds
    subtractQuarters year quarter month day hour minute second dayOfWeek dayOfMonth dayOfYear
    makeDate makeDateTime toIntervalSecond toIntervalMinute toIntervalHour toIntervalDay toIntervalWeek
    toIntervalMonth toIntervalQuarter toIntervalYear toIntervalMillisecond toIntervalMicrosecond
    date_add date_sub dateAdd dateSub timestamp_add timestamp_sub tumble tumbleStart
"""
_ARRAYS: Final = """
    array arrayAll arrayAUC arrayAvg arrayCompact arrayConcat arrayCount arrayCumSum arrayCumSumNonNegative
    arrayDifference arrayDistinct arrayDotProduct arrayElement arrayElementOrNull arrayEnumerate
    arrayEnumerateDense arrayEnumerateUniq arrayExcept arrayExists arrayFill arrayFilter arrayFirst
    arrayFirstIndex arrayFirstOrNull arrayFlatten arrayFold arrayIntersect arrayJaccardIndex arrayJoin
    arrayLast arrayLastIndex arrayLastOrNull arrayMap arrayMax arrayMin arrayNormalizedGini arrayPartialSort
    arrayPopBack arrayPopFront arrayProduct arrayPushBack arrayPushFront arrayReduce arrayResize
    arrayReverse arrayReverseFill arrayReverseSort arrayRotateLeft arrayRotateRight arrayShiftLeft
    arrayShiftRight arrayShuffle arrayRandomSample arraySlice arraySort arraySplit arraySum arraySymmetricDifference
    arrayUnion arrayUniq arrayWithConstant arrayZip arrayZipUnaligned countEqual has hasAll hasAny hasSubstr indexOf
    range emptyArrayToSingle emptyArrayString emptyArrayFloat64 emptyArrayUInt64 L1Norm L2Norm LinfNorm
    L1Distance L2Distance LinfDistance cosineDistance seriesOutliersDetectTukey
    seriesDecomposeSTL
"""
_MAPS: Final = """
    map mapAdd mapSubtract mapContains mapContainsKey mapContainsKeyLike mapContainsValue mapKeys mapValues
    mapFilter mapApply mapSort mapReverseSort mapExists mapAll mapConcat mapFromArrays mapUpdate tuple
    tupleElement tuplePlus tupleMinus tupleConcat tupleToNameValuePairs tupleNames untuple flattenTuple
"""
_JSON: Final = """
    isValidJSON JSONHas JSONLength JSONType JSONExtract JSONExtractBool JSONExtractFloat JSONExtractInt
    JSONExtractUInt JSONExtractString JSONExtractRaw JSONExtractArrayRaw JSONExtractKeys
    JSONExtractKeysAndValues JSONExtractKeysAndValuesRaw JSON_VALUE JSON_QUERY JSON_EXISTS
    simpleJSONHas simpleJSONExtractInt simpleJSONExtractFloat simpleJSONExtractString simpleJSONExtractBool
    simpleJSONExtractRaw visitParamExtractString visitParamExtractFloat visitParamExtractInt visitParamHas
"""
_OTHERS: Final = """
    transform caseWithExpression materialize identity ignore toColumnTypeName throwIf bar
    rowNumberInAllBlocks isConstant grouping COLUMNS

"""

GROUPS: Final[Mapping[str, frozenset[str]]] = {
    "Weir's own": frozenset(FUNCTIONS),  # made by `weir migrate`, see weir_store/functions
    "aggregates": AGGREGATES,
    "windows": WINDOW,
    "arithmetic": listed(_ARITHMETIC),
    "logic": listed(_LOGIC),
    "text": listed(_STRINGS),
    "hashes and ids": listed(_HASHES),
    "conversions": listed(_CONVERSIONS),
    "dates and times": listed(_TIMES),
    "arrays": listed(_ARRAYS),
    "maps and tuples": listed(_MAPS),
    "JSON": listed(_JSON),
    "others": listed(_OTHERS),
}
"""By what they are about; docs/sql-limits.md shows them so."""

NAMES: Final = frozenset[str]().union(*GROUPS.values())

TABLES: Final = frozenset(["numbers", "generateSeries", "generate_series"])

# Their last argument names a type; it must be a plain string, and is looked at.
TYPED: Final = frozenset(
    ["cast", "accuratecast", "accuratecastornull", "accuratecastordefault", "jsonextract"]
)
# Their first argument names an aggregate function.
NAMING_AN_AGGREGATE: Final = frozenset(["arrayreduce"])

_PLAIN: Final = frozenset(name.lower() for name in NAMES - AGGREGATES)
_AGGREGATES: Final = frozenset(name.lower() for name in AGGREGATES)
_MOST_HINTS: Final = 3


def is_allowed(name: str) -> bool:
    """Whether a statement may call the function; upper and lower case are ClickHouse's business."""
    return name.lower() in _PLAIN or is_aggregate(name)


def is_aggregate(name: str) -> bool:
    """Whether it is an aggregate function of the list, with up to three combinators: `sumIfOrNull`."""
    for _ in range(_MOST_COMBINATORS + 1):
        if name.lower() in _AGGREGATES:
            return True
        ending = next((each for each in COMBINATORS if name.endswith(each)), None)
        if ending is None:
            return False
        name = name.removesuffix(ending)
    return False


def alike(name: str) -> list[str]:
    """Return allowed names that the writer may have meant, the likeliest first."""
    return difflib.get_close_matches(name, sorted(NAMES), _MOST_HINTS, 0.75)
