'use strict';
// Request bodies and their Content-Type.

const express = require('express');
const { CouchError } = require('./errors');

const JSON_TYPE = 'application/json';

// The POSTs for which CouchDB insists on the header.
const CHECKED = new RegExp(
  '^/(_dbs_info|_replicate|[^_/][^/]*/?' +
    '|[^/]+/_(all_docs|bulk_docs|bulk_get|changes|compact|design_docs|ensure_full_commit' +
    '|explain|find|index|local_docs|missing_revs|purge|revs_diff))$',
);
// Documents, but not their attachments.
const DOCUMENT = /^\/[^/]+\/((_design|_local)\/)?[^/]+$/;

const parseJson = express.json({ limit: '256mb', type: () => true });

/** express-pouchdb drops a body not declared as JSON; CouchDB refuses it or takes it as JSON. */
function checkContentType(request, response, next) {
  const { method, path, headers } = request;
  const type = (headers['content-type'] ?? '').split(';')[0];
  if (method === 'POST' && CHECKED.test(path) && type !== JSON_TYPE) {
    throw new CouchError(415, 'bad_content_type', `Content-Type must be ${JSON_TYPE}`);
  }
  if (method === 'PUT' && DOCUMENT.test(path) && type !== 'multipart/related') {
    headers['content-type'] = JSON_TYPE;
  }
  next();
}

module.exports = { checkContentType, parseJson };
