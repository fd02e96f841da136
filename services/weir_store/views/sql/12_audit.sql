-- Deleted runs are here: this is where one reads who deleted them.
SELECT project, run_id, ts AS time, attrs['by'] AS who, kind AS action, attrs['field'] AS field,
  attrs['before'] AS before, attrs['after'] AS after, title, body AS reason, attrs
FROM ${db}.events FINAL
WHERE source = 'server' AND attrs['by'] != '' AND kind != 'alert'
