'use strict';
// Which request is answered here; express-pouchdb answers the rest.

const express = require('express');
const { Authentication } = require('./authentication');
const { checkContentType, parseJson } = require('./bodies');
const { Changes } = require('./changes');
const { Databases } = require('./databases');
const { Documents, listAllIds } = require('./documents');
const { CouchError, answering, noDatabase, sendError } = require('./errors');
const { Information } = require('./information');
const { Updates } = require('./updates');

const DATABASE_NAME = /^[a-z_][a-z0-9_$()+/-]*$/;

function createApp(storage, sequences, admin) {
  const app = express();
  app.disable('x-powered-by').disable('etag').enable('case sensitive routing');
  storage.routes.disable('x-powered-by');
  app.use(setHeaders);
  if (admin) {
    const authentication = new Authentication(admin);
    app.use((...parts) => authentication.check(...parts));
  }
  app.use(checkContentType);
  addServerRoutes(app, storage, sequences);
  app.use(storage.routes);
  app.use((error, request, response, next) => sendError(response, error));
  return app;
}

function setHeaders(request, response, next) {
  response.setHeader('Server', 'couchlike/0.1 (PouchDB)');
  response.setHeader('Cache-Control', 'must-revalidate');
  next();
}

function addServerRoutes(app, storage, sequences) {
  const updates = new Updates(sequences);
  const databases = new Databases(storage, updates);
  const information = new Information(databases, sequences);
  app.get('/', (request, response) => response.json(welcome(storage.uuid)));
  app.get('/_up', (request, response) => response.json({ status: 'ok', seeds: {} }));
  app.get('/_db_updates', answering((...parts) => updates.follow(...parts)));
  app.post('/_dbs_info', parseJson, answering((...parts) => information.ofMany(...parts)));
  app.put('/:db', answering(checkName));
  app.delete('/:db', answering((...parts) => checkExists(databases, ...parts)));
  app.get('/:db', answering((...parts) => information.ofOne(...parts)));
  addDatabaseRoutes(app, databases, sequences);
}

function addDatabaseRoutes(app, databases, sequences) {
  const changes = new Changes(databases, sequences);
  const documents = new Documents(databases);
  const follow = answering((...parts) => changes.follow(...parts));
  app.get('/:db/_changes', follow);
  app.post('/:db/_changes', parseJson, follow);
  app.get('/:db/_all_docs', listAllIds);
  app.post('/:db/_bulk_get', parseJson, answering((...parts) => documents.bulkGet(...parts)));
}

const welcome = (uuid) => ({
  couchdb: 'Welcome',
  version: '3.3.3',
  git_sha: 'couchlike',
  uuid,
  features: [],
  vendor: { name: 'couchlike (express-pouchdb)' },
});

function checkName(request, response, next) {
  const { db } = request.params;
  if (DATABASE_NAME.test(db)) return next();
  throw new CouchError(
    400,
    'illegal_database_name',
    `Name: '${db}'. Only lowercase characters (a-z), digits (0-9), and any of the characters ` +
      '_, $, (, ), +, -, and / are allowed. Must begin with a letter.',
  );
}

async function checkExists(databases, request, response, next) {
  if (!(await databases.exists(request.params.db))) throw noDatabase();
  next();
}

module.exports = { createApp };
