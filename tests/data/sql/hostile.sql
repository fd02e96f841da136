-- Hostile statements, one to a paragraph, each under its reason. None may show the canary (rows of the project
-- `others`, the file), change anything, or take long; whether it is refused or answers from its own rows is its affair.
-- RAW, DB, FILE and URL are filled in: the raw database, the one of the views, a file with a canary, the engine's address.

-- raw tables: the physical schema is nobody's
SELECT * FROM RAW.params

-- raw tables: quoted
SELECT * FROM `RAW`.`params`

-- raw tables: in double quotes
SELECT * FROM "RAW"."params"

-- raw tables: dot in one quoted name
SELECT * FROM `RAW.params`

-- raw tables: blanks and a comment around the dot
SELECT * FROM RAW /* x */ . /* y */ params

-- raw tables: in a join
SELECT * FROM runs JOIN RAW.params AS p ON runs.run_id = p.run_id

-- raw tables: behind a comma
SELECT * FROM runs, RAW.params

-- raw tables: in a subquery
SELECT * FROM (SELECT * FROM RAW.params)

-- raw tables: in a scalar subquery
SELECT (SELECT groupArray(value) FROM RAW.params)

-- raw tables: in a WITH
WITH x AS (SELECT * FROM RAW.params) SELECT * FROM x

-- raw tables: in a scalar WITH
WITH (SELECT groupArray(value) FROM RAW.params) AS x SELECT x

-- raw tables: in the second part of a UNION
SELECT run_id FROM runs UNION ALL SELECT value FROM RAW.params

-- raw tables: in an INTERSECT
SELECT value FROM RAW.params INTERSECT SELECT value FROM RAW.params

-- raw tables: in an EXCEPT
SELECT value FROM RAW.params EXCEPT SELECT 'x'

-- raw tables: in IN
SELECT count() FROM runs WHERE run_id IN (SELECT run_id FROM RAW.runs WHERE project = 'others')

-- raw tables: a bare name on the right side of IN is a table
SELECT 1 IN RAW.params

-- raw tables: brackets do not help
SELECT 1 IN (RAW.params)

-- raw tables: many brackets neither
SELECT 1 IN ((((RAW.params))))

-- raw tables: NOT IN
SELECT ('others', 'r1', 'name', 'c4n4ry0fTheOthers') NOT IN RAW.params

-- raw tables: IN as a function takes tables too
SELECT in(('others', 'r1', 'name', 'c4n4ry0fTheOthers'), RAW.params)

-- raw tables: notIn as a function
SELECT notIn(1, RAW.params)

-- raw tables: globalIn as a function
SELECT globalIn(1, RAW.params)

-- raw tables: nullIn as a function
SELECT nullIn(1, RAW.params)

-- raw tables: GLOBAL IN
SELECT 1 GLOBAL IN RAW.params

-- raw tables: GLOBAL JOIN
SELECT * FROM runs GLOBAL JOIN RAW.params USING (run_id)

-- raw tables: in EXISTS
SELECT EXISTS (SELECT 1 FROM RAW.params WHERE value = 'c4n4ry0fTheOthers')

-- raw tables: EXISTS TABLE tells what there is
EXISTS TABLE RAW.params

-- raw tables: in ORDER BY
SELECT 1 ORDER BY (SELECT max(value) FROM RAW.params)

-- raw tables: in GROUP BY
SELECT 1 GROUP BY (SELECT max(value) FROM RAW.params)

-- raw tables: in HAVING
SELECT count() FROM runs HAVING (SELECT throwIf(max(value) > '', 'x') FROM RAW.params) = 0

-- raw tables: in LIMIT
SELECT * FROM runs LIMIT (SELECT count() FROM RAW.params)

-- raw tables: in LIMIT BY
SELECT * FROM runs LIMIT 1 BY (SELECT max(value) FROM RAW.params)

-- raw tables: in a window
SELECT count() OVER (PARTITION BY (SELECT max(value) FROM RAW.params)) FROM runs

-- raw tables: in a named window
SELECT count() OVER w FROM runs WINDOW w AS (ORDER BY (SELECT max(value) FROM RAW.params))

-- raw tables: in a lambda
SELECT arrayMap(x -> (SELECT max(value) FROM RAW.params), [1])

-- raw tables: in CASE
SELECT CASE WHEN 1 THEN (SELECT max(value) FROM RAW.params) END

-- raw tables: in an array
SELECT [(SELECT max(value) FROM RAW.params)]

-- raw tables: in a tuple
SELECT ((SELECT max(value) FROM RAW.params), 1)

-- raw tables: in a parameter of an aggregate
SELECT quantile((SELECT count() FROM RAW.params))(value) FROM metrics

-- raw tables: in the arguments of a table function
SELECT * FROM numbers((SELECT count() FROM RAW.params))

-- raw tables: in ARRAY JOIN
SELECT * FROM runs ARRAY JOIN (SELECT groupArray(value) FROM RAW.params) AS x

-- columns: ARRAY JOIN of a table
SELECT * FROM runs ARRAY JOIN RAW.params

-- raw tables: in ON
SELECT * FROM runs JOIN params ON runs.run_id = (SELECT max(value) FROM RAW.params)

-- raw tables: in INTERVAL
SELECT INTERVAL (SELECT count() FROM RAW.params) DAY

-- raw tables: in WITH FILL
SELECT number FROM numbers(1) ORDER BY number WITH FILL TO (SELECT count() FROM RAW.params)

-- raw tables: in QUALIFY
SELECT run_id FROM runs QUALIFY (SELECT count() FROM RAW.params) > 0

-- raw tables: in FILTER
SELECT count() FILTER (WHERE (SELECT count() FROM RAW.params) > 0) FROM runs

-- raw tables: in DISTINCT ON
SELECT DISTINCT ON ((SELECT max(value) FROM RAW.params)) 1

-- raw tables: in a cast
SELECT CAST((SELECT max(value) FROM RAW.params) AS String)

-- raw tables: in a ternary
SELECT 1 ? (SELECT max(value) FROM RAW.params) : ''

-- raw tables: in an index
SELECT ['a', 'b'][(SELECT count() FROM RAW.params)]

-- raw tables: in BETWEEN
SELECT 'a' BETWEEN (SELECT min(value) FROM RAW.params) AND 'z'

-- raw tables: in * REPLACE
SELECT * REPLACE ((SELECT max(value) FROM RAW.params) AS run_id) FROM runs

-- raw tables: FROM first
FROM RAW.params SELECT *

-- raw tables: FROM without SELECT
FROM RAW.params

-- raw tables: with FINAL
SELECT * FROM RAW.params FINAL

-- raw tables: with SAMPLE
SELECT * FROM RAW.params SAMPLE 1

-- raw tables: USE, then name it
USE RAW; SELECT * FROM params

-- raw tables: three names
SELECT * FROM a.RAW.params

-- raw tables: a parameter of the type Identifier is a name
SELECT * FROM {t:Identifier}

-- raw tables: an Identifier with its value in the text
SELECT * FROM {RAW:Identifier}.params

-- raw tables: through a dictionary
SELECT dictGet('RAW.params', 'value', 1)

-- raw tables: through joinGet
SELECT joinGet('RAW.params', 'value', 'r1')

-- raw tables: in a table function merge
SELECT * FROM merge('RAW', '.*')

-- raw tables: merge of a pattern of databases
SELECT * FROM merge(REGEXP('.*_raw'), '^params$')

-- raw tables: remote of this very server
SELECT * FROM remote('127.0.0.1', RAW, params)

-- raw tables: remoteSecure
SELECT * FROM remoteSecure('127.0.0.1', 'RAW.params')

-- raw tables: cluster
SELECT * FROM cluster('default', RAW, params)

-- raw tables: clusterAllReplicas
SELECT * FROM clusterAllReplicas('default', RAW.params)

-- raw tables: the function view
SELECT * FROM view(SELECT * FROM RAW.params)

-- raw tables: viewExplain
SELECT * FROM viewExplain('EXPLAIN', '', (SELECT * FROM RAW.params))

-- raw tables: viewIfPermitted
SELECT * FROM viewIfPermitted(SELECT * FROM RAW.params ELSE null('x String'))

-- raw tables: loop
SELECT * FROM loop(RAW.params) LIMIT 1

-- raw tables: mergeTreeIndex
SELECT * FROM mergeTreeIndex(RAW, params)

-- raw tables: mergeTreeProjection
SELECT * FROM mergeTreeProjection(RAW, params, p)

-- raw tables: dictionary
SELECT * FROM dictionary('RAW.params')

-- raw tables: hasColumnInTable tells of the schema
SELECT hasColumnInTable('RAW', 'params', 'value')

-- raw tables: EXPLAIN reads names and plans
EXPLAIN SELECT * FROM RAW.params

-- raw tables: EXPLAIN in brackets as a source
SELECT * FROM (EXPLAIN SELECT * FROM RAW.params)

-- raw tables: DESCRIBE
DESCRIBE TABLE RAW.params

-- raw tables: SHOW CREATE
SHOW CREATE TABLE RAW.params

-- raw tables: SHOW TABLES
SHOW TABLES FROM RAW

-- columns: an alias that is called as a view does not open the table
WITH RAW.params AS metrics SELECT * FROM metrics

-- raw tables: WITH name AS alias makes a table of a name
WITH params AS p SELECT * FROM p

-- raw tables: an alias in the select list used as a table
SELECT RAW.params AS p FROM p

-- other projects: said openly
SELECT * FROM params WHERE project = 'others'

-- other projects: OR 1
SELECT * FROM params WHERE project = 'ours' OR 1 = 1

-- other projects: a comment that should end the predicate
SELECT * FROM params WHERE project = 'ours' -- AND
OR 1

-- other projects: closing bracket to leave the subquery
SELECT * FROM params) OR project = 'others'

-- other projects: closing bracket in an alias
SELECT * FROM params AS `x) OR (1 = 1`

-- other projects: a quote in an alias
SELECT * FROM params AS "x' OR '1' = '1"

-- other projects: a backslash at the end of an alias
SELECT * FROM params AS `x\\` WHERE 1

-- other projects: a backslash at the end of a string
SELECT * FROM params WHERE value = '\\' OR project = 'others' --'

-- other projects: doubled quotes
SELECT * FROM params WHERE value = '''' OR project = '''others'''

-- other projects: a backslash before a doubled quote
SELECT * FROM params WHERE value = '\'' OR 1 = 1 --'

-- other projects: a heredoc with a quote
SELECT * FROM params WHERE value = $$'$$ OR project = 'others'

-- other projects: a heredoc that nests another
SELECT * FROM params WHERE value = $a$ $$ ' $$ $a$ OR 1

-- other projects: a comment that nests
SELECT * FROM params WHERE value = '/*' OR project = 'others' /* '*/

-- other projects: a comment within a comment
SELECT * FROM params /* /* */ WHERE 1 */

-- other projects: the WITH of an alias called project
WITH 'others' AS project SELECT * FROM params

-- other projects: an alias called project in the select list
SELECT 'ours' AS project, value FROM params

-- other projects: a WITH called as the view
WITH params AS (SELECT * FROM params) SELECT * FROM params

-- other projects: a WITH called as the view, within its own scope only
SELECT * FROM (WITH params AS (SELECT 1) SELECT * FROM params) AS a, params AS b

-- other projects: a WITH that shadows in a later sibling
WITH a AS (WITH runs AS (SELECT 1 AS x) SELECT * FROM runs), b AS (SELECT * FROM runs) SELECT * FROM b

-- other projects: a WITH inside a WITH
WITH a AS (WITH b AS (SELECT * FROM params) SELECT * FROM b) SELECT * FROM a

-- other projects: WITH RECURSIVE over a view's name
WITH RECURSIVE params AS (SELECT value, 1 AS n FROM DB.params UNION ALL SELECT value, n + 1 FROM params WHERE n < 2) SELECT * FROM params

-- other projects: a name of the gate's own
WITH x AS (SELECT 1) SELECT * FROM `weir with 1 x`

-- other projects: an alias of the gate's own, a tuple with a field called project
WITH CAST(tuple('ours'), 'Tuple(project String)') AS `weir view` SELECT * FROM params

-- other projects: the same in other letters
WITH CAST(tuple('ours'), 'Tuple(project String)') AS `WEIR VIEW` SELECT * FROM params

-- other projects: an alias of a table of the gate's own
SELECT * FROM params AS `weir view`

-- other projects: a lambda's argument called project
SELECT arrayMap(project -> (SELECT groupArray(value) FROM params), ['others'])

-- other projects: a lambda's argument called as the gate's own
SELECT arrayMap(`weir view` -> (SELECT groupArray(value) FROM params), [tuple('others')])

-- other projects: a correlated subquery
SELECT (SELECT groupArray(p.value) FROM params AS p WHERE p.project != r.project) FROM runs AS r

-- other projects: a join that turns the predicate
SELECT * FROM runs AS r RIGHT JOIN params AS p ON r.project != p.project

-- other projects: a full join
SELECT * FROM runs AS r FULL JOIN params AS p ON r.run_id = p.value

-- other projects: an anti join
SELECT * FROM params AS p ANTI LEFT JOIN runs AS r ON p.project = r.project

-- other projects: a cross join
SELECT * FROM params AS a CROSS JOIN params AS b

-- other projects: ASOF JOIN
SELECT * FROM metrics AS m ASOF JOIN system AS s ON m.run_id = s.run_id AND m.time >= s.time

-- other projects: PASTE JOIN
SELECT * FROM (SELECT value FROM params) AS a PASTE JOIN (SELECT name FROM runs) AS b

-- other projects: UNION
SELECT value FROM params WHERE project = 'ours' UNION ALL SELECT value FROM params WHERE project = 'others'

-- other projects: the view by its full name
SELECT * FROM DB.params WHERE project = 'others'

-- other projects: the view by its full name, quoted
SELECT * FROM `DB`.`params` WHERE project = 'others'

-- other projects: the view under its own name twice
SELECT * FROM params AS params, DB.params AS p2 WHERE p2.project = 'others'

-- other projects: columns by a pattern
SELECT COLUMNS('.*') FROM params WHERE project LIKE 'oth%'

-- other projects: an error that tells a value, from a condition
SELECT count() FROM params WHERE toFloat64(value) > 0

-- other projects: an error that tells a value, from a cast
SELECT count() FROM params WHERE value::Float64 > 0

-- other projects: an error that tells a value, from a date
SELECT count() FROM runs WHERE toDate(name) > '2024-01-01'

-- other projects: an error if there is a certain value
SELECT count() FROM params WHERE throwIf(value = 'c4n4ry0fTheOthers', 'found c4n4ry') = 0

-- other projects: an error if there is a certain value, with a cheap condition before
SELECT count() FROM params WHERE run_id = 'r1' AND throwIf(project = 'others', 'c4n4ry0fTheOthers is there') = 0

-- other projects: an error from the columns of a map
SELECT count() FROM runs WHERE toUInt8(facts['gpu']) > 0

-- other projects: an error from an array
SELECT count() FROM runs ARRAY JOIN tags AS t WHERE throwIf(project = 'others', 'c4n4ry0fTheOthers') = 0

-- other projects: an error from a join's condition
SELECT count() FROM runs AS r JOIN params AS p ON r.run_id = p.run_id AND throwIf(p.project = 'others', 'c4n4ry0fTheOthers') = 0

-- other projects: an error behind a join
SELECT count() FROM runs AS r JOIN params AS p USING (run_id) JOIN metrics AS m USING (run_id) WHERE throwIf(p.project = 'others', 'c4n4ry0fTheOthers') = 0

-- other projects: an error from the left side of a join
SELECT count() FROM runs AS r LEFT JOIN params AS p USING (project, run_id) WHERE throwIf(r.name LIKE 'c4n4%', 'c4n4ry0fTheOthers') = 0

-- other projects: an error in a subquery below a join
SELECT count() FROM (SELECT run_id, toFloat64(value) AS v FROM params WHERE path = 'lr') AS a JOIN (SELECT run_id, throwIf(name LIKE 'c4n4%', 'c4n4ry0fTheOthers') AS t FROM runs) AS b USING (run_id)

-- other projects: an error from a semi join
SELECT count() FROM runs SEMI LEFT JOIN (SELECT project, run_id FROM params WHERE throwIf(value LIKE 'c4n4%', 'c4n4ry0fTheOthers') = 0) AS p USING (project, run_id)

-- other projects: an error in IN (SELECT …)
SELECT count() FROM runs WHERE run_id IN (SELECT run_id FROM params WHERE throwIf(value LIKE 'c4n4%', 'c4n4ry0fTheOthers') = 0)

-- other projects: an error in a UNION
SELECT count() FROM (SELECT value FROM params UNION ALL SELECT name FROM runs) WHERE throwIf(value LIKE 'c4n4%', 'c4n4ry0fTheOthers') = 0

-- other projects: an error in HAVING
SELECT project, max(value) AS v FROM params GROUP BY project HAVING throwIf(v LIKE 'c4n4%', 'c4n4ry0fTheOthers') = 0

-- other projects: an error in ORDER BY with LIMIT
SELECT run_id FROM params ORDER BY throwIf(value LIKE 'c4n4%', 'c4n4ry0fTheOthers') LIMIT 1

-- other projects: an error in an aggregate
SELECT sumIf(toUInt64(value), path = 'name') FROM params WHERE path = 'nothing'

-- other projects: an error in a window
SELECT sum(throwIf(value LIKE 'c4n4%', 'c4n4ry0fTheOthers')) OVER (ORDER BY run_id) FROM params

-- other projects: a division that fails for a value
SELECT count() FROM params WHERE intDiv(1, value != 'c4n4ry0fTheOthers') > 0

-- other projects: an index out of bounds for a value
SELECT count() FROM runs WHERE substring('x', 1, if(name LIKE 'c4n4%', 1, 1)) = 'x' AND unhex(name) != ''

-- other projects: a regular expression that fails for a value
SELECT count() FROM runs WHERE match('x', concat('(', name)) = 0

-- other projects: a range that is too long for a value
SELECT count() FROM params WHERE length(range(if(project = 'others', 1000000000000, 1))) > 0

-- other projects: prewhere
SELECT count() FROM params PREWHERE throwIf(value LIKE 'c4n4%') = 0

-- other projects: GROUP BY that shows all
SELECT project, count() FROM params GROUP BY project

-- other projects: WITH TOTALS
SELECT project, groupArray(value) FROM params GROUP BY project WITH TOTALS

-- other projects: ROLLUP
SELECT project, groupArray(value) FROM params GROUP BY project WITH ROLLUP

-- other projects: any aggregate that keeps all
SELECT groupUniqArray(project), groupArray(value), topK(9)(value) FROM params

-- other projects: an additional filter in SETTINGS
SELECT * FROM params SETTINGS additional_table_filters = {'RAW.params': '1'}

-- other projects: SQL in SETTINGS of a subquery
SELECT * FROM (SELECT * FROM params SETTINGS query_plan_merge_filters = 1)

-- other projects: the rows behind a limit
SELECT * FROM params LIMIT 1000000 OFFSET 0

-- other projects: a fill that shows what is missing
SELECT value FROM params ORDER BY value WITH FILL

-- system: users
SELECT * FROM system.users

-- system: what others ask
SELECT query FROM system.processes

-- system: what others asked
SELECT query FROM system.query_log

-- system: names of tables
SELECT database, name, create_table_query FROM system.tables

-- system: columns
SELECT * FROM system.columns

-- system: parts with their paths
SELECT path FROM system.parts

-- system: settings
SELECT * FROM system.settings

-- system: named collections
SELECT * FROM system.named_collections

-- system: disks
SELECT * FROM system.disks

-- system: in quotes
SELECT * FROM `system`.`one`

-- system: in capitals
SELECT * FROM SYSTEM.ONE

-- system: information_schema
SELECT * FROM information_schema.tables

-- system: INFORMATION_SCHEMA
SELECT * FROM INFORMATION_SCHEMA.COLUMNS

-- system: in a WITH that is called so
WITH system AS (SELECT 1 AS one) SELECT * FROM system.one

-- system: IN
SELECT 1 IN system.numbers

-- system: in a join
SELECT * FROM runs JOIN system.tables AS t ON 1

-- files: read one
SELECT * FROM file('FILE', 'LineAsString')

-- files: the scalar function
SELECT file('FILE')

-- files: in other letters
SELECT FILE('FILE')

-- files: the name in backticks
SELECT `file`('FILE')

-- files: the name in double quotes
SELECT "file"('FILE')

-- files: a blank before the bracket
SELECT file ('FILE')

-- files: a comment before the bracket
SELECT file/**/('FILE')

-- files: a line end before the bracket
SELECT file
('FILE')

-- files: a letter of another alphabet
SELECT fіle('FILE')

-- files: full-width letters
SELECT ｆｉｌｅ('FILE')

-- files: zero-width space in the name
SELECT fi​le('FILE')

-- files: the database of files
SELECT * FROM `FILE`

-- files: in a lambda
SELECT arrayMap(x -> file(x), ['FILE'])

-- files: named as a function in a WITH
WITH file AS f SELECT f('FILE')

-- files: fileCluster
SELECT * FROM fileCluster('default', 'FILE')

-- files: the table function in a subquery
SELECT * FROM (SELECT * FROM file('FILE', 'LineAsString', 'line String'))

-- files: the table function in IN
SELECT 'x' IN file('FILE', 'LineAsString')

-- files: the table function behind ARRAY JOIN
SELECT * FROM runs ARRAY JOIN file('FILE') AS f

-- files: an executable
SELECT * FROM executable('cat FILE', TabSeparated, 'a String')

-- files: of Python
SELECT * FROM Python(sys)

-- files: sqlite
SELECT * FROM sqlite('FILE', 't')

-- files: iceberg
SELECT * FROM icebergLocal('FILE')

-- files: delta
SELECT * FROM deltaLakeLocal('FILE')

-- files: INTO OUTFILE
SELECT 1 INTO OUTFILE 'FILE'

-- files: INTO OUTFILE … APPEND
SELECT 1 INTO OUTFILE 'FILE' APPEND

-- files: INTO OUTFILE … TRUNCATE
SELECT 1 INTO OUTFILE 'FILE' TRUNCATE

-- files: INTO OUTFILE behind FORMAT
SELECT 1 FORMAT CSV INTO OUTFILE 'FILE'

-- files: INTO OUTFILE in a subquery
SELECT * FROM (SELECT 1 INTO OUTFILE 'FILE')

-- files: INTO OUTFILE split by a comment
SELECT 1 INTO /* */ OUTFILE 'FILE'

-- files: FROM INFILE
INSERT INTO DB.params FROM INFILE 'FILE' FORMAT CSV

-- files: catboost
SELECT catboostEvaluate('FILE', 1)

-- files: a schema file of a format
SELECT * FROM format(Protobuf, 'FILE')

-- files: a backup
BACKUP TABLE RAW.params TO File('FILE')

-- network: url
SELECT * FROM url('URL', 'LineAsString')

-- network: s3
SELECT * FROM s3('URL/x', 'CSV')

-- network: gcs
SELECT * FROM gcs('URL/x')

-- network: hdfs
SELECT * FROM hdfs('hdfs://h/x', 'CSV')

-- network: azure
SELECT * FROM azureBlobStorage('URL', 'c', 'b')

-- network: mysql
SELECT * FROM mysql('127.0.0.1:3306', 'd', 't', 'u', 'p')

-- network: postgresql
SELECT * FROM postgresql('127.0.0.1:5432', 'd', 't', 'u', 'p')

-- network: mongodb
SELECT * FROM mongodb('127.0.0.1', 'd', 't', 'u', 'p', 'a String')

-- network: redis
SELECT * FROM redis('127.0.0.1:6379', 'k', 'k String')

-- network: jdbc
SELECT * FROM jdbc('d', 't')

-- network: odbc
SELECT * FROM odbc('DSN=x', 't')

-- network: arrowFlight
SELECT * FROM arrowFlight('127.0.0.1:1', 'x')

-- network: urlCluster
SELECT * FROM urlCluster('default', 'URL')

-- network: ytsaurus
SELECT * FROM ytsaurus('URL', '//t', 't', 'a String')

-- network: a name that a lookup would tell
SELECT * FROM remote('c4n4ry.example.com:9000', system.one)

-- who and where: the user
SELECT currentUser(), user(), current_user()

-- who and where: the host
SELECT hostName(), fqdn(), displayName(), serverUUID()

-- who and where: macros
SELECT getMacro('shard')

-- who and where: settings
SELECT getSetting('max_threads')

-- who and where: ports and builds
SELECT tcpPort(), buildId(), getServerPort('tcp_port')

-- who and where: disks
SELECT filesystemAvailable(), filesystemCapacity()

-- who and where: queries
SELECT queryID(), initialQueryID(), connectionId()

-- who and where: symbols
SELECT addressToLine(1), addressToSymbol(1), demangle('x')

-- who and where: stack traces
SELECT * FROM system.stack_trace

-- who and where: client address in a log comment
SELECT logTrace('c4n4ry')

-- time: sleep
SELECT sleep(3)

-- time: sleep for each row
SELECT sleepEachRow(1) FROM numbers(1000)

-- time: a very long loop
SELECT sum(cityHash64(number)) FROM numbers(1000000000000)

-- time: a product of tables
SELECT count() FROM metrics AS a, metrics AS b, metrics AS c, metrics AS d

-- time: recursion without end
WITH RECURSIVE t AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM t) SELECT max(n) FROM t

-- memory: a long string
SELECT repeat('x', 1000000000000)

-- memory: a long array
SELECT range(1000000000000)

-- memory: many groups
SELECT uniqExact(number), groupArray(number) FROM numbers(100000000000)

-- memory: an array of arrays
SELECT arrayWithConstant(1000000000, arrayWithConstant(1000000000, 'x'))

-- memory: a wide row
SELECT groupArray(repeat('x', 1000000)) FROM numbers(1000000)

-- change: insert
INSERT INTO RAW.params VALUES ('ours', 'r1', 'x', 'y')

-- change: insert from select
INSERT INTO RAW.params SELECT * FROM RAW.params

-- change: insert behind WITH
WITH x AS (SELECT 1) INSERT INTO RAW.params SELECT * FROM RAW.params

-- change: insert into a function
INSERT INTO FUNCTION file('FILE') SELECT 1

-- change: create
CREATE TABLE DB.t (a UInt8) ENGINE = Memory

-- change: create as select
CREATE TABLE DB.t ENGINE = Memory AS SELECT * FROM RAW.params

-- change: a view
CREATE VIEW DB.v AS SELECT * FROM RAW.params

-- change: a function
CREATE FUNCTION leak AS x -> (SELECT max(value) FROM RAW.params)

-- change: a dictionary
CREATE DICTIONARY DB.d (a UInt64) PRIMARY KEY a SOURCE(CLICKHOUSE(TABLE 'params' DB 'RAW')) LAYOUT(FLAT()) LIFETIME(0)

-- change: a temporary table
CREATE TEMPORARY TABLE t AS SELECT 1

-- change: drop
DROP TABLE RAW.params

-- change: drop a database
DROP DATABASE RAW SYNC

-- change: truncate
TRUNCATE TABLE RAW.params

-- change: alter delete
ALTER TABLE RAW.params DELETE WHERE 1

-- change: alter update
ALTER TABLE RAW.params UPDATE value = 'x' WHERE 1

-- change: lightweight delete
DELETE FROM RAW.params WHERE 1

-- change: update
UPDATE RAW.params SET value = 'x' WHERE 1

-- change: rename
RENAME TABLE RAW.params TO RAW.params2

-- change: exchange
EXCHANGE TABLES RAW.params AND RAW.runs

-- change: detach
DETACH TABLE RAW.params

-- change: attach
ATTACH TABLE RAW.x FROM 'FILE' (a String) ENGINE = File(CSV)

-- change: optimize
OPTIMIZE TABLE RAW.params FINAL

-- change: grant
GRANT ALL ON *.* TO default

-- change: a user
CREATE USER c4n4ry IDENTIFIED BY 'x'

-- change: a setting
SET max_memory_usage = 0

-- change: another database
USE system

-- change: kill
KILL QUERY WHERE 1

-- change: shut down
SYSTEM SHUTDOWN

-- change: flush logs
SYSTEM FLUSH LOGS

-- change: a second statement
SELECT 1; DROP TABLE RAW.params

-- change: a second statement behind a comment
SELECT 1 /* ; */ ; -- x
DROP TABLE RAW.params

-- change: a second statement in a string that is none
SELECT 'a\\'; DROP TABLE RAW.params; --'

-- change: a second statement behind a heredoc
SELECT $$ ; $$; DROP TABLE RAW.params

-- change: a transaction
BEGIN TRANSACTION

-- change: undrop
UNDROP TABLE RAW.params

-- change: parallel with
SELECT 1 PARALLEL WITH DROP TABLE RAW.params

-- limits: SETTINGS
SELECT 1 SETTINGS max_execution_time = 0, readonly = 0

-- limits: SETTINGS in a subquery
SELECT * FROM (SELECT 1 SETTINGS max_memory_usage = 0)

-- limits: SETTINGS behind a UNION
SELECT 1 UNION ALL SELECT 2 SETTINGS max_threads = 1000

-- limits: SETTINGS before FORMAT
SELECT 1 SETTINGS max_threads = 8 FORMAT Null

-- limits: SETTINGS in other letters
SELECT 1 SeTtInGs max_threads = 8

-- limits: a format
SELECT 1 FORMAT Native

-- limits: a format in a subquery
SELECT * FROM (SELECT 1 FORMAT Null)

-- doors by name: arrayReduce takes the name of a function
SELECT arrayReduce('sumState', [1])

-- doors by name: arrayReduce of no aggregate
SELECT arrayReduce('file', ['FILE'])

-- doors by name: arrayReduce of a name that is computed
SELECT arrayReduce(concat('su', 'm'), [1])

-- doors by name: initializeAggregation
SELECT initializeAggregation('sumState', 1)

-- doors by name: a forged state
SELECT finalizeAggregation(CAST(unhex('FFFFFFFF') AS AggregateFunction(uniq, String)))

-- doors by name: a forged state through a string
SELECT CAST(unhex('FFFFFFFF'), 'AggregateFunction(groupArray, String)')

-- doors by name: a forged state in ::
SELECT ''::AggregateFunction(topK(10), String)

-- doors by name: a forged state in a parameter
SELECT {x:AggregateFunction(uniq, String)}

-- doors by name: a forged state through accurateCast
SELECT accurateCastOrNull('', 'AggregateFunction(uniq, String)')

-- doors by name: a type that is computed
SELECT CAST('x', concat('Str', 'ing'))

-- doors by name: evalMLMethod
SELECT evalMLMethod(1, 2)

-- doors by name: formatQuery
SELECT formatQuery('DROP TABLE RAW.params')

-- doors by name: a format that reads
SELECT * FROM format(LineAsString, 'x')

-- doors by name: values with a structure that has defaults
SELECT * FROM values('a String DEFAULT file(\'FILE\')', ('x'))

-- doors by name: input
SELECT * FROM input('a String')

-- doors by name: generateRandom
SELECT * FROM generateRandom('a String') LIMIT 1

-- doors by name: null
SELECT * FROM null('a String')

-- doors by name: fuzzQuery
SELECT * FROM fuzzQuery('SELECT * FROM RAW.params')

-- doors by name: timeSeriesData
SELECT * FROM timeSeriesData(RAW, params)

-- doors by name: APPLY names a function
SELECT value APPLY(file) FROM params

-- doors by name: COLUMNS APPLY
SELECT COLUMNS('value') APPLY(x -> file(x)) FROM params

-- doors by name: INTERPOLATE
SELECT 1 AS a ORDER BY a WITH FILL INTERPOLATE (a AS file('FILE'))

-- doors by name: a user's function
SELECT leak(1)

-- doors by name: a combinator on a door
SELECT fileIf('FILE', 1)

-- doors by name: a function in EXTRACT
SELECT EXTRACT(file FROM 'FILE')

-- doors by name: a function in CAST's place
SELECT CAST(file('FILE') AS String)

-- doors by name: in an ORDER BY of an aggregate's window
SELECT sum(1) OVER (ORDER BY file('FILE'))

-- doors by name: in GROUPING SETS
SELECT 1 FROM runs GROUP BY GROUPING SETS ((file('FILE')), ())

-- doors by name: in LIMIT
SELECT 1 LIMIT length(file('FILE'))

-- doors by name: in an INTERVAL
SELECT INTERVAL length(file('FILE')) SECOND

-- shape: nothing
;

-- shape: only a comment
-- nothing here

-- shape: VALUES
VALUES (1, 2)

-- shape: a table alone
TABLE RAW.params

-- shape: an expression alone
1 + 1

-- shape: a quote that is open
SELECT 'abc

-- shape: a backtick that is open
SELECT `abc FROM params

-- shape: a comment that is open
SELECT 1 /* abc

-- shape: a heredoc that is open
SELECT $x$ abc

-- shape: a bracket that is open
SELECT (1

-- shape: a bracket too many
SELECT 1))

-- shape: curly braces
SELECT {'a': 1}

-- shape: a parameter with SQL in its type
SELECT {a:String) FROM RAW.params --}

-- shape: a parameter with SQL in its name
SELECT {a FROM RAW.params:String}

-- shape: a parameter without a value
SELECT {nobody:String}

-- shape: a hint
SELECT /*+ NO_INDEX */ * FROM params

-- shape: an at sign
SELECT @@version

-- shape: a session variable
SELECT @x

-- shape: fancy quotes
SELECT ‘abc’

-- shape: fancy double quotes
SELECT “value” FROM params

-- shape: a minus of another alphabet
SELECT 5 − 3

-- shape: a no-break space
SELECT 1

-- shape: right to left
SELECT 1 ‮ 2

-- shape: a hex string
SELECT x'46494c45'

-- shape: a bit string
SELECT b'0101'

-- shape: a byte order mark
﻿SELECT 1

-- shape: MySQL's version comment
SELECT 1 /*! UNION ALL SELECT value FROM RAW.params */

-- shape: a pipe
FROM params |> SELECT value

-- shape: TOP
SELECT TOP 5 value FROM RAW.params

-- shape: FOR UPDATE
SELECT * FROM params FOR UPDATE

-- shape: LATERAL
SELECT * FROM runs, LATERAL (SELECT * FROM RAW.params)

-- shape: UNNEST
SELECT * FROM UNNEST([1, 2])

-- shape: PIVOT
SELECT * FROM params PIVOT(max(value) FOR path IN ('a'))

-- shape: TABLESAMPLE
SELECT * FROM RAW.params TABLESAMPLE (10 PERCENT)

-- shape: MATCH_RECOGNIZE
SELECT * FROM RAW.params MATCH_RECOGNIZE (PATTERN (a) DEFINE a AS 1)

-- shape: CONNECT BY
SELECT * FROM RAW.params START WITH 1 CONNECT BY 1

-- shape: QUALIFY in the wrong place
SELECT 1 QUALIFY 1 FROM RAW.params

-- shape: columns of an alias
SELECT * FROM (SELECT 1) AS t(a)

-- shape: a WITH with columns
WITH t(a) AS (SELECT value FROM RAW.params) SELECT * FROM t

-- shape: a materialised WITH
WITH t AS MATERIALIZED (SELECT value FROM RAW.params) SELECT * FROM t

-- shape: a table in brackets
SELECT * FROM (RAW.params)

-- shape: a join in brackets
SELECT * FROM (runs JOIN RAW.params ON 1)

-- shape: ONLY
SELECT * FROM ONLY RAW.params

-- shape: a version of a table
SELECT * FROM RAW.params FOR SYSTEM_TIME AS OF '2024-01-01'

-- shape: a partition of a table
SELECT * FROM RAW.params PARTITION (p0)

-- shape: a column's type cast that holds SQL
SELECT CAST(1 AS String) FROM RAW.params) --

-- shape: a type with a query in it
SELECT 1::Tuple((SELECT 1))

-- shape: an Enum with a quote
SELECT CAST('a', 'Enum8(\'a\\\') FROM RAW.params --\' = 1)')

-- shape: DISTINCT of a table
SELECT DISTINCT RAW.params.value

-- shape: a column of a table that is not in FROM
SELECT RAW.params.value FROM runs

-- shape: * of a table that is not in FROM
SELECT RAW.params.* FROM runs

-- shape: SELECT from a parameter
SELECT * FROM {p:String}

-- shape: a table name made by a string
SELECT * FROM 'RAW.params'

-- shape: a table name in quotes twice
SELECT * FROM ```RAW`.`params```
