SELECT project, name AS artifact, version, type, digest, run_id, description, metadata, size AS size_bytes, files,
  created_at, created_by, if(toUnixTimestamp64Micro(expires_at) = 0, NULL, expires_at) AS expires_at,
  arraySort(aliases) AS aliases, arraySort(tags) AS tags
FROM (${versions}) AS versions
LEFT JOIN (
  SELECT project, name, version, groupArray(alias) AS aliases FROM (
    SELECT project, name, version, alias FROM ${db}.aliases FINAL WHERE kind = 'artifact'
    UNION ALL
    SELECT project, name, max(version) AS version, 'latest' AS alias FROM (${versions}) GROUP BY project, name)
  GROUP BY project, name, version) AS named USING (project, name, version)
LEFT JOIN (
  SELECT project, name, version, groupArray(tag) AS tags FROM ${db}.artifact_tags FINAL
  GROUP BY project, name, version) AS tagged USING (project, name, version)
