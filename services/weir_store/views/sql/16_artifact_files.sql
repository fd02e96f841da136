SELECT project, name AS artifact, version, path, size AS size_bytes, mime, sha256, uri
FROM (SELECT project, name, version, digest FROM (${versions})) AS versions
INNER JOIN (SELECT project, digest, path, size, mime, sha256, uri FROM ${db}.artifact_files FINAL) AS held
  USING (project, digest)
