'use strict';
// One server admin, known by Basic credentials or a cookie. There are no other users.

const crypto = require('crypto');
const express = require('express');

const OPEN_PATHS = ['/', '/_up'];
const COOKIE = /AuthSession=([^;]+)/;

class Authentication {
  constructor({ name, password }) {
    this.name = name;
    this.credentials = `${name}:${password}`;
    this.header = `Basic ${Buffer.from(this.credentials).toString('base64')}`;
    this.tokens = new Set();
  }

  /** The middleware before all routes. */
  check(request, response, next) {
    const token = COOKIE.exec(request.headers.cookie ?? '')?.[1];
    const { authorization } = request.headers;
    if (authorization && authorization !== this.header) return refuse(response);
    const isAdmin = authorization === this.header || this.tokens.has(token);
    if (request.path === '/_session') return this.session(request, response, next, token, isAdmin);
    if (!isAdmin && !OPEN_PATHS.includes(request.path)) {
      return refuse(response, 'You are not a server admin.');
    }
    // express-pouchdb knows its admin by Basic credentials only.
    if (isAdmin) request.headers.authorization = this.header;
    delete request.headers.cookie;
    return next();
  }

  session(request, response, next, token, isAdmin) {
    if (request.method === 'POST') {
      return parseForm(request, response, () => this.login(request, response));
    }
    if (request.method === 'DELETE') return this.logout(response, token);
    if (request.method !== 'GET') return next();
    const how = this.tokens.has(token) ? 'cookie' : 'default';
    return response.json({
      ok: true,
      userCtx: { name: isAdmin ? this.name : null, roles: isAdmin ? ['_admin'] : [] },
      info: {
        authentication_handlers: ['cookie', 'default'],
        authentication_db: '_users',
        ...(isAdmin && { authenticated: how }),
      },
    });
  }

  login({ body = {} }, response) {
    const given = `${body.name ?? body.username}:${body.password}`;
    if (given !== this.credentials) return refuse(response);
    const token = crypto.randomBytes(24).toString('base64url');
    this.tokens.add(token);
    setCookie(response, token);
    return response.json({ ok: true, name: this.name, roles: ['_admin'] });
  }

  logout(response, token) {
    this.tokens.delete(token);
    setCookie(response, '');
    return response.json({ ok: true });
  }
}

const json = express.json();
const urlencoded = express.urlencoded({ extended: false });

function parseForm(request, response, next) {
  json(request, response, () => urlencoded(request, response, next));
}

function setCookie(response, token) {
  response.setHeader('Set-Cookie', `AuthSession=${token}; Version=1; Path=/; HttpOnly`);
}

function refuse(response, reason = 'Name or password is incorrect.') {
  return response.status(401).json({ error: 'unauthorized', reason });
}

module.exports = { Authentication };
