-- Statements that must give the same through the gate as on ClickHouse itself: one to a paragraph.
-- Views: metrics, params, runs, system (tests/integration/sql_store.py).

SELECT 1

SELECT 1;

select count() from metrics

SELECT count(*) FROM metrics

SELECT COUNT(*) AS n FROM metrics WHERE metric = 'loss'

SELECT * FROM runs ORDER BY project, run_id

SELECT * FROM views.runs ORDER BY project, run_id

SELECT views.runs.run_id FROM views.runs ORDER BY run_id

SELECT runs.name, runs.state FROM runs ORDER BY runs.run_id

SELECT r.name FROM runs r ORDER BY r.run_id

SELECT r.* FROM runs AS r ORDER BY r.run_id

SELECT `name`, "state" FROM runs ORDER BY run_id

SELECT name AS `the name`, state AS "the ""state""" FROM runs ORDER BY run_id

SELECT DISTINCT metric FROM metrics ORDER BY metric

SELECT DISTINCT ON (metric) metric, value FROM metrics ORDER BY metric, step, rank, run_id, project

SELECT metric, count() FROM metrics GROUP BY metric ORDER BY metric

SELECT metric, count() AS n FROM metrics GROUP BY metric HAVING n > 10 ORDER BY n DESC, metric

SELECT metric, rank, sum(value) FROM metrics GROUP BY ALL ORDER BY ALL

SELECT metric, rank, sum(value) AS s FROM metrics GROUP BY metric, rank WITH TOTALS ORDER BY metric, rank

SELECT metric, rank, sum(step) AS s FROM metrics GROUP BY metric, rank WITH ROLLUP ORDER BY metric, rank, s

SELECT metric, rank, sum(step) AS s FROM metrics GROUP BY ROLLUP(metric, rank) ORDER BY metric, rank, s

SELECT metric, rank, sum(step) AS s FROM metrics GROUP BY CUBE(metric, rank) ORDER BY metric, rank, s

SELECT metric, rank, sum(step) AS s FROM metrics GROUP BY GROUPING SETS ((metric), (rank)) ORDER BY metric, rank, s

SELECT metric, rank, sum(step) AS s FROM metrics GROUP BY metric, rank WITH CUBE ORDER BY metric, rank, s

SELECT step, avg(value) AS loss, stddevPop(value) AS sd FROM metrics WHERE metric = 'loss' GROUP BY step ORDER BY step

SELECT quantile(0.9)(value) AS p90, quantiles(0.1, 0.5)(value) AS both FROM metrics WHERE metric = 'loss'

SELECT quantileExact(0.5)(step), quantileExactIf(0.5)(step, rank = 0) FROM metrics

SELECT sumIf(value, rank = 0), countIf(rank = 1), avgIf(value, metric = 'loss') FROM metrics

SELECT argMax(value, step), argMinIf(value, step, rank = 1) FROM metrics WHERE metric = 'loss' AND run_id = 'r1' AND project = 'ours'

SELECT uniqExact(run_id), uniq(metric), groupUniqArray(rank) FROM (SELECT * FROM metrics ORDER BY rank)

SELECT maxOrNull(value), minOrDefault(value), sumOrNullIf(value, step < 0) FROM metrics WHERE step < 0

SELECT groupArray(3)(step) FROM (SELECT step FROM metrics ORDER BY step, rank, metric, run_id, project)

SELECT count(DISTINCT run_id), count(DISTINCT run_id, rank) FROM metrics

SELECT count() FILTER (WHERE rank = 0) AS zero, sum(step) FILTER (WHERE metric = 'loss' AND rank = 1) FROM metrics

SELECT topK(2)(metric) FROM metrics WHERE metric = 'loss'

SELECT run_id, step, value FROM metrics WHERE metric = 'loss' ORDER BY step DESC, run_id, rank, project LIMIT 5

SELECT run_id, step, value FROM metrics WHERE metric = 'loss' ORDER BY step DESC, run_id, rank, project LIMIT 5 OFFSET 3

SELECT run_id, step FROM metrics ORDER BY step, run_id, rank, metric, project LIMIT 3, 5

SELECT project, run_id, metric, rank, step FROM metrics ORDER BY project, run_id, metric, rank, step DESC LIMIT 1 BY project, run_id, metric, rank

SELECT project, run_id, step FROM metrics ORDER BY project, run_id, step, rank, metric LIMIT 1, 2 BY project, run_id LIMIT 3

SELECT step FROM metrics ORDER BY step LIMIT 3 WITH TIES

SELECT nullIf(rank, 0) AS r, step FROM metrics ORDER BY r ASC NULLS FIRST, step LIMIT 5

SELECT toFloat64OrNull(value) AS v FROM params ORDER BY v DESC NULLS LAST, value, project, run_id, path

SELECT step, count() AS n FROM metrics WHERE step % 5 = 0 GROUP BY step ORDER BY step WITH FILL FROM 0 TO 30 STEP 5

SELECT step FROM metrics WHERE step IN (3, 7) GROUP BY step ORDER BY step WITH FILL

SELECT m.run_id, m.step, p.value FROM metrics AS m JOIN params AS p ON m.project = p.project AND m.run_id = p.run_id WHERE p.path = 'lr' ORDER BY ALL LIMIT 20

SELECT count() FROM metrics INNER JOIN params USING (project, run_id)

SELECT count() FROM metrics LEFT JOIN params USING project, run_id

SELECT runs.run_id, params.value FROM runs LEFT OUTER JOIN params ON runs.run_id = params.run_id AND runs.project = params.project AND params.path = 'nothing' ORDER BY ALL

SELECT count() FROM runs RIGHT JOIN params ON runs.run_id = params.run_id

SELECT count() FROM runs FULL JOIN params ON runs.run_id = params.run_id AND runs.name = params.value

SELECT count() FROM runs CROSS JOIN params

SELECT count() FROM runs, params WHERE runs.run_id = params.run_id

SELECT count() FROM runs ANY LEFT JOIN params ON runs.run_id = params.run_id

SELECT count() FROM runs LEFT ANY JOIN params USING (run_id)

SELECT count() FROM runs SEMI LEFT JOIN params ON runs.run_id = params.run_id AND runs.project = params.project

SELECT count() FROM runs LEFT ANTI JOIN params ON runs.run_id = params.value

SELECT count() FROM runs ALL INNER JOIN params ON runs.run_id = params.run_id

SELECT m.step, m.value, s.value AS power FROM metrics AS m ASOF JOIN system AS s ON m.project = s.project AND m.run_id = s.run_id AND m.time >= s.time WHERE m.metric = 'loss' AND m.rank = 0 ORDER BY m.project, m.run_id, m.step LIMIT 10

SELECT m.step, s.value FROM metrics m ASOF LEFT JOIN system s ON m.run_id = s.run_id AND m.project = s.project AND m.time > s.time ORDER BY ALL LIMIT 10

SELECT m.step, s.value FROM metrics m LEFT ASOF JOIN system s USING (project, run_id, time) ORDER BY ALL LIMIT 10

SELECT a.step FROM metrics a JOIN metrics b ON a.project = b.project AND a.run_id = b.run_id AND a.step = b.step AND a.metric = b.metric AND a.rank = b.rank WHERE a.step = 3 ORDER BY ALL

SELECT a.x, b.x FROM (SELECT number AS x FROM numbers(5)) AS a JOIN (SELECT number * 2 AS x FROM numbers(5)) AS b ON a.x = b.x ORDER BY 1

SELECT tag, count() FROM runs ARRAY JOIN tags AS tag GROUP BY tag ORDER BY tag

SELECT run_id, tag, i FROM runs LEFT ARRAY JOIN tags AS tag, arrayEnumerate(tags) AS i ORDER BY project, run_id, i

SELECT arrayJoin(tags) AS tag, count() FROM runs GROUP BY tag ORDER BY tag

SELECT run_id FROM runs WHERE has(tags, 'best') ORDER BY run_id

SELECT length(tags), tags[1], tags[-1] FROM runs ORDER BY run_id, project

SELECT run_id FROM runs WHERE run_id IN (SELECT run_id FROM params WHERE path = 'lr' AND toFloat64OrZero(value) < 0.05) ORDER BY project, run_id

SELECT run_id FROM runs WHERE (project, run_id) IN (SELECT project, run_id FROM params WHERE path = 'lr') ORDER BY project, run_id

SELECT run_id FROM runs WHERE run_id NOT IN ('r1', 'r2') ORDER BY project, run_id

SELECT run_id FROM runs WHERE run_id IN ('r1') ORDER BY project, run_id

SELECT run_id FROM runs WHERE run_id IN 'r1' ORDER BY project, run_id

SELECT run_id FROM runs WHERE run_id IN ['r1', 'r3'] ORDER BY project, run_id

SELECT run_id FROM runs WHERE (project, run_id) IN (('ours', 'r1'), ('ours', 'r2')) ORDER BY run_id

SELECT run_id FROM runs WHERE run_id IN tuple('r1', 'r2') ORDER BY project, run_id

WITH best AS (SELECT run_id FROM runs WHERE has(tags, 'best')) SELECT count() FROM metrics WHERE run_id IN best

WITH best AS (SELECT run_id FROM runs WHERE has(tags, 'best')) SELECT count() FROM metrics WHERE run_id NOT IN (best)

SELECT EXISTS (SELECT 1 FROM runs WHERE run_id = 'r1')

SELECT run_id FROM runs WHERE EXISTS (SELECT 1 FROM metrics WHERE value > 1e6) ORDER BY run_id

SELECT (SELECT max(step) FROM metrics) AS last_step, (SELECT count() FROM runs) AS n

SELECT run_id, value FROM metrics WHERE value = (SELECT min(value) FROM metrics WHERE metric = 'loss' AND isFinite(value)) ORDER BY ALL

WITH losses AS (SELECT run_id, step, avg(value) AS v FROM metrics WHERE metric = 'loss' GROUP BY run_id, step) SELECT run_id, min(v) FROM losses GROUP BY run_id ORDER BY run_id

WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT a.x, b.y FROM a, b

WITH metrics AS (SELECT run_id, value FROM metrics WHERE metric = 'loss') SELECT count(), min(value) FROM metrics WHERE isFinite(value)

WITH runs AS (SELECT 'mine' AS name) SELECT name FROM runs

WITH x AS (SELECT 1 AS a) SELECT * FROM (WITH x AS (SELECT 2 AS a) SELECT a FROM x) AS inner_x, x

WITH (SELECT max(step) FROM metrics) AS last SELECT count() FROM metrics WHERE step = last

WITH 10 AS ten, ten * 2 AS twenty SELECT twenty, count() FROM metrics WHERE step > ten

WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t WHERE n < 5) SELECT sum(n) FROM t

SELECT 1 AS a UNION ALL SELECT 2 UNION ALL SELECT 3

SELECT run_id FROM runs UNION DISTINCT SELECT run_id FROM params

SELECT * FROM (SELECT 1 AS a UNION ALL SELECT 1 UNION DISTINCT SELECT 1) ORDER BY a

SELECT * FROM (SELECT run_id FROM runs INTERSECT SELECT run_id FROM params) ORDER BY 1

SELECT * FROM (SELECT run_id FROM runs EXCEPT SELECT run_id FROM params WHERE path = 'lr') ORDER BY 1

(SELECT 1 AS a) UNION ALL (SELECT 2)

SELECT a FROM ((SELECT 1 AS a) UNION ALL (SELECT 2)) ORDER BY a

WITH c AS (SELECT 5 AS n) SELECT n FROM c UNION ALL SELECT n + 1 FROM c

SELECT x FROM (SELECT toUInt64(step) AS x FROM metrics UNION ALL SELECT number FROM numbers(3)) ORDER BY x LIMIT 8

SELECT step, value, avg(value) OVER (PARTITION BY project, run_id, metric, rank ORDER BY step ROWS BETWEEN 3 PRECEDING AND CURRENT ROW) AS smooth FROM metrics WHERE metric = 'loss' AND run_id = 'r2' ORDER BY project, rank, step

SELECT run_id, step, row_number() OVER (PARTITION BY run_id ORDER BY step, rank, metric, project) AS n FROM metrics ORDER BY run_id, n LIMIT 20

SELECT step, lagInFrame(value) OVER w AS before, value - before AS delta FROM metrics WHERE metric = 'loss' AND run_id = 'r2' AND rank = 0 AND project = 'ours' WINDOW w AS (ORDER BY step ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING) ORDER BY step

SELECT number, sum(number) OVER (ORDER BY number RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING) FROM numbers(10)

SELECT number, sum(number) OVER () FROM numbers(3)

SELECT number, rank() OVER (ORDER BY intDiv(number, 2)), dense_rank() OVER (ORDER BY intDiv(number, 2) DESC) FROM numbers(6) ORDER BY number

SELECT number, first_value(number) OVER (ORDER BY number ROWS 2 PRECEDING) FROM numbers(6)

SELECT run_id, step FROM metrics QUALIFY row_number() OVER (PARTITION BY project, run_id ORDER BY step DESC, rank, metric) = 1 ORDER BY project, run_id

SELECT arrayMap(x -> x * x, [1, 2, 3]), arrayMap((x, y) -> x + y, [1, 2], [3, 4])

SELECT arrayFilter(x -> x > 1, [1, 2, 3]), arraySort((x, y) -> -y, ['a', 'b'], [1, 2]), arrayReduce('max', [1, 5, 2])

SELECT arrayMap(x -> arrayMap(y -> x * y, range(1, x)), [2, 3, 4])

SELECT arrayFold((acc, x) -> acc + x, [1, 2, 3], toInt64(0))

SELECT [1, 2, 3][2], [[1], [2, 3]][2][1], []

SELECT (1, 'a').1, (1, 'a').2, tuple(1, 2).2, ((1, 2), 3).1.2

SELECT t.1, t.2 FROM (SELECT (step, value) AS t FROM metrics ORDER BY step, value, rank, metric, run_id, project LIMIT 3)

SELECT map('a', 1, 'b', 2)['b'], mapKeys(map('k', 'v'))

SELECT facts['gpu'], mapContains(facts, 'gpu') FROM runs ORDER BY project, run_id

SELECT 1::UInt8, '2024-01-01'::Date, 0.1::Decimal(10, 5), [1]::Array(UInt64), 'x'::LowCardinality(String)

SELECT CAST(1 AS Float64), CAST('5' AS Nullable(Int32)), CAST('2024-01-01 00:00:00.5' AS DateTime64(6, 'UTC')), CAST(5, 'String')

SELECT CAST((1, 'x') AS Tuple(a UInt8, b String)) AS t, t.a, t.b

SELECT CAST('a', 'Enum8(\'a\' = 1, \'b\' = -2)'), 'b'::Enum8('a' = 1, 'b' = -2)

SELECT toInt32('5'), toFloat64OrNull('x'), toString(5), toDate('2024-02-03'), toDateTime64('2024-02-03 04:05:06.789', 3, 'UTC')

SELECT CASE WHEN 1 = 1 THEN 'yes' ELSE 'no' END, CASE 2 WHEN 1 THEN 'one' WHEN 2 THEN 'two' END

SELECT if(1 > 2, 'a', 'b'), 1 > 2 ? 'a' : 'b', multiIf(0, 1, 1, 2, 3)

SELECT 5 BETWEEN 1 AND 10, 5 NOT BETWEEN 1 AND 3, NOT 5 BETWEEN 1 AND 3 AS n

SELECT NULL IS NULL, 1 IS NOT NULL, NULL <=> NULL, coalesce(NULL, 2), ifNull(NULL, 3)

SELECT 'abc' LIKE 'a%', 'abc' NOT LIKE '%d', 'ABC' ILIKE 'a_c', 'x' NOT ILIKE 'Y', like('abc', '%c')

SELECT 'a%b' LIKE 'a\%b', 'a_b' LIKE 'a\_b', match('a1', '^[a-z]\d$'), extract('loss=0.5', '\d+\.\d+')

SELECT 'it''s', 'it\'s', 'tab\there', 'null\0byte', 'hex\x41', 'uni\xC3\xA9', 'back\\slash', 'new\nline', '\/', '\"'

SELECT 'é', '日本語', '🚀', length('🚀'), lengthUTF8('🚀'), $$it's a 'heredoc'$$, $tag$other$tag$

SELECT 'a''b', 'a\\''b', '\\', '--not a comment', '/* nor this */', '; SELECT 2', '{a:String}', '%s %d'

SELECT 1 -- a comment
+ 1 /* another
   comment */ + 1 # and one more

SELECT 1+2*3-4/2, 7 % 3, 7 DIV 2, 7 MOD 4, -5, - -5, -(-5), +5, 2 - -1, intDiv(7, 2)

SELECT 1 = 1, 1 == 1, 1 != 2, 1 <> 2, 1 < 2, 2 >= 2, NOT 1, NOT (1 = 2), 1 AND 0 OR 1, and(1, 0), or(1, 0), xor(1, 0), not(1)

SELECT (1 + 2) * 3, ((1)), (1, 2), (((1, 2))), tuple(1)

SELECT 'a' || 'b' || 'c', concat('a', 'b'), 'x' || toString(1)

SELECT 1e3, 1.5e-3, .5, 1., 0x1F, 1_000_000, 0b101, inf, -inf, nan, isNaN(nan), true, false, NULL

SELECT 18446744073709551615, -9223372036854775808, 0.1 + 0.2, 1e300

SELECT toDateTime('2024-01-01 00:00:00', 'UTC') + INTERVAL 1 DAY, toDate('2024-01-31') + INTERVAL 1 MONTH - INTERVAL 2 days, INTERVAL 5 minute

SELECT toStartOfInterval(time, INTERVAL 10 SECOND) AS t, count() FROM metrics GROUP BY t ORDER BY t LIMIT 5

SELECT toStartOfMinute(time), toStartOfHour(time), date_trunc('minute', time), toUnixTimestamp(toDateTime(time)) FROM metrics ORDER BY time, value, rank LIMIT 1

SELECT dateDiff('second', min(time), max(time)), dateDiff(second, min(time), max(time)), age('second', min(time), max(time)) FROM metrics

SELECT EXTRACT(YEAR FROM min(time)), extract(month FROM max(time)) FROM metrics

SELECT formatDateTime(toDateTime('2024-05-06 07:08:09', 'UTC'), '%Y-%m-%d %H:%i:%S')

SELECT addDays(toDate('2024-01-01'), 5), subtractHours(toDateTime('2024-01-01 00:00:00', 'UTC'), 3), toYear(toDate('2024-01-01'))

SELECT parseDateTimeBestEffort('2024-01-01T00:00:00Z', 'UTC'), toTimeZone(toDateTime('2024-01-01 00:00:00', 'UTC'), 'Asia/Tokyo')

SELECT JSONExtractFloat('{"a": 1.5}', 'a'), JSONExtract('{"a": [1, 2]}', 'a', 'Array(UInt8)'), JSONExtractString('{"a": {"b": "c"}}', 'a', 'b')

SELECT upper('a'), lower('B'), substring('hello', 2, 3), replaceAll('aXbX', 'X', '-'), splitByChar(',', 'a,b'), trim(' x '), position('hello', 'l')

SELECT replaceRegexpOne('hello', 'l+', 'L'), format('{}-{}', 'a', 'b'), left('hello', 2), right('hello', 2), repeat('ab', 3), reverse('abc')

SELECT round(1.2345, 2), floor(1.9), ceil(1.1), abs(-1), sqrt(4), pow(2, 10), exp(0), log(1), greatest(1, 2), least(1, 2)

SELECT least(value, 1) AS v FROM metrics WHERE metric = 'loss' AND isFinite(value) ORDER BY v LIMIT 2

SELECT step, first, last FROM (SELECT step, min(value) AS first, max(value) AS last FROM metrics WHERE isFinite(value) GROUP BY step) ORDER BY step

SELECT key, end, user, group, order_by, date, time, timestamp, left, any, format, settings, limit, offset, values, all FROM (SELECT 1 AS key, 2 AS end, 3 AS user, 4 AS group, 5 AS order_by, 6 AS date, 7 AS time, 8 AS timestamp, 9 AS left, 10 AS any, 11 AS format, 12 AS settings, 13 AS limit, 14 AS offset, 15 AS values, 16 AS all)

SELECT step AS s, s * 2 AS d, d + 1 FROM metrics ORDER BY s, rank, metric, run_id, project LIMIT 3

SELECT (step AS s) + 1, s FROM metrics ORDER BY s, rank, metric, run_id, project LIMIT 3

SELECT * EXCEPT (time, value) FROM metrics ORDER BY ALL LIMIT 3

SELECT * EXCEPT time FROM metrics ORDER BY ALL LIMIT 3

SELECT * REPLACE (step + 1 AS step) FROM metrics ORDER BY ALL LIMIT 3

SELECT m.* EXCEPT (time) FROM metrics AS m ORDER BY ALL LIMIT 3

SELECT COLUMNS('^(run_id|step)$') FROM metrics ORDER BY ALL LIMIT 3

SELECT number FROM numbers(5)

SELECT number FROM numbers(2, 3)

SELECT n.number FROM numbers(3) AS n ORDER BY n.number DESC

SELECT generate_series FROM generate_series(1, 10, 3)

FROM metrics SELECT count()

SELECT run_id, min(value) AS best, argMin(step, value) AS at FROM metrics WHERE metric = 'loss' AND isFinite(value) GROUP BY run_id ORDER BY best LIMIT 1

SELECT r.run_id, p.lr, min(m.value) FROM runs r JOIN (SELECT project, run_id, toFloat64(value) AS lr FROM params WHERE path = 'lr') p USING (project, run_id) JOIN metrics m ON m.project = r.project AND m.run_id = r.run_id WHERE m.metric = 'loss' AND isFinite(m.value) GROUP BY r.run_id, p.lr ORDER BY ALL

SELECT intDiv(step, 10) * 10 AS bucket, min(value), max(value), avg(value) FROM metrics WHERE metric = 'loss' AND isFinite(value) GROUP BY bucket ORDER BY bucket

SELECT rank, argMax(value, step) AS last FROM metrics WHERE metric = 'loss' AND run_id = 'r1' GROUP BY rank ORDER BY rank

SELECT bucket, spread FROM (SELECT intDiv(step, 5) AS bucket, max(value) - min(value) AS spread FROM metrics WHERE isFinite(value) GROUP BY bucket) WHERE spread > 0 ORDER BY spread DESC, bucket LIMIT 3

SELECT countIf(isNaN(value)) AS nans, countIf(isInfinite(value)) AS infs FROM metrics

SELECT histogram(3)(step) FROM metrics WHERE run_id = 'r1' AND rank = 0 AND metric = 'loss'

SELECT transform(run_id, ['r1', 'r2'], ['one', 'two'], 'other') AS t, count() FROM runs GROUP BY t ORDER BY t

SELECT sumMap(map(metric, toUInt64(1))) FROM metrics WHERE metric = 'loss'

SELECT sumForEach(a) FROM (SELECT [1, 2] AS a UNION ALL SELECT [3, 4])

SELECT anyHeavy(metric), any(metric) FROM metrics WHERE metric = 'loss'

SELECT any(value) RESPECT NULLS FROM (SELECT NULL AS value)

SELECT corr(step, value), covarPop(step, value) FROM metrics WHERE metric = 'loss' AND run_id = 'r2' AND isFinite(value)

SELECT cityHash64(run_id) % 10 AS h FROM runs ORDER BY project, run_id

SELECT hex('abc'), unhex('616263'), base64Encode('abc'), MD5('x') = unhex('9dd4e461268c8034f5c8564e155c67a6')

SELECT toTypeName(1), toTypeName([1.5]), toTypeName(map('a', 1))

SELECT count() FROM metrics WHERE project = 'ours' AND run_id = 'r1' AND metric LIKE 'lo%' AND step >= 5 AND step < 15 AND value != 0

SELECT count() FROM metrics WHERE (metric = 'loss' OR metric = 'acc') AND NOT rank = 1

SELECT count() FROM metrics AS m WHERE m.step > 1 AND m.value IS NOT NULL

SELECT count() FROM (SELECT DISTINCT run_id, rank FROM metrics) AS pairs

SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT 1 AS deep)))

SELECT sum(n) FROM (SELECT count() AS n FROM metrics UNION ALL SELECT count() FROM runs)

SELECT grouping(metric) AS g, metric, count() FROM metrics GROUP BY GROUPING SETS ((metric), ()) ORDER BY g, metric

SELECT toStartOfInterval(time, toIntervalSecond(5)) AS t, avg(value) FROM metrics WHERE isFinite(value) GROUP BY t ORDER BY t

SELECT x.1 AS a, x.2 AS b FROM (SELECT arrayJoin([(1, 'a'), (2, 'b')]) AS x) ORDER BY a

SELECT arrayStringConcat(arrayMap(x -> toString(x), range(5)), ',')

SELECT if(value > 0.5, 'high', 'low') AS level, count() FROM metrics WHERE isFinite(value) GROUP BY level ORDER BY level

SELECT max(value) - min(value) AS `spread of values`, `spread of values` * 2 FROM metrics WHERE isFinite(value)

SELECT exponentialMovingAverage(5)(value, step) FROM (SELECT value, step FROM metrics WHERE metric = 'loss' AND run_id = 'r2' AND rank = 0 AND project = 'ours' ORDER BY step)

SELECT simpleLinearRegression(step, value) FROM (SELECT * FROM metrics WHERE metric = 'loss' AND run_id = 'r2' AND rank = 0 AND project = 'ours' ORDER BY step)

SELECT windowFunnel(100)(toUInt64(step), metric = 'loss', metric = 'acc') FROM metrics WHERE run_id = 'r1' AND project = 'ours'
