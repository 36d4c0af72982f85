// Makes and opens PASETO tokens with the npm packages paseto and paseto-ts, with what these do by default: they add iat
// and exp to claims that lack them, and refuse tokens outside their time.
//
// Reads one JSON request a line from standard input and answers each, in order, with one JSON line. Every request has an
// op, a library, a version and a purpose; beside them:
//
//   generate                                 {"key":…, "publicKey":…, "id":…, "publicID":…}
//   read      key                            the same
//   make      key, claims, footer, implicit  {"token":…}
//   open      key, token, implicit           {"claims":{…}, "footer":…}
//
// The answer to what fails is {"error":…}. Keys are PASERK. Local keys have no public half; tokens of purpose public are
// opened with the public half alone. The identifiers of PASERK are missing where the package does not make them. A footer
// is a string or an object, and empty where there is none.

import './globals.mjs'; // before the packages that need it

import { createInterface } from 'node:readline';
import { LocalProtocol, PublicProtocol } from 'paseto';
import * as v3local from 'paseto/v3/local';
import * as v3public from 'paseto/v3/public';
import * as v4local from 'paseto/v4/local';
import * as v4public from 'paseto/v4/public';
import * as ts from 'paseto-ts/v4';

const suites = {
  'paseto v3 local': pasetoLocal(v3local),
  'paseto v3 public': pasetoPublic(v3public),
  'paseto v4 local': pasetoLocal(v4local), // keys only
  'paseto v4 public': pasetoPublic(v4public),
  'paseto-ts v4 local': {
    generate: () => ({ key: ts.generateKeys('local') }),
    make: ({ key, claims, ...request }) => ts.encrypt(key, claims, tsOptions(request)),
    open: ({ key, token, ...request }) => tsResult(ts.decrypt(key, token, tsOptions(request))),
  },
  'paseto-ts v4 public': {
    generate: () => {
      const { secretKey, publicKey } = ts.generateKeys('public');
      return { key: secretKey, publicKey };
    },
    make: ({ key, claims, ...request }) => ts.sign(key, claims, tsOptions(request)),
    open: ({ key, token, ...request }) => tsResult(ts.verify(key, token, tsOptions(request))),
  },
};

function pasetoLocal(operations) {
  const protocol = new LocalProtocol(...factories(operations));
  const describe = async (key) => {
    const paserk = await protocol.ExportKey(key);
    return { key: paserk, id: await protocol.KeyID?.(paserk) };
  };
  return {
    generate: async () => describe(await protocol.GenerateKey({ extractable: true })),
    read: async ({ key }) => describe(await protocol.ImportKey(key, { extractable: true })),
    make: async ({ key, claims, ...request }) =>
      protocol.Encrypt(await protocol.ImportKey(key), claims, pasetoOptions(request)),
    open: async ({ key, token, ...request }) =>
      pasetoResult(await protocol.Decrypt(await protocol.ImportKey(key), token, pasetoOptions(request))),
  };
}

function pasetoPublic(operations) {
  const protocol = new PublicProtocol(...factories(operations));
  const describe = async (secretKey) => {
    const key = await protocol.ExportSecretKey(secretKey);
    const publicKey = await protocol.ExportPublicKey(await protocol.GetPublicKey(secretKey));
    return { key, id: await protocol.SecretKeyID?.(key), publicKey, publicID: await protocol.PublicKeyID?.(publicKey) };
  };
  return {
    generate: async () => describe((await protocol.GenerateKeyPair({ extractable: true })).secretKey),
    read: async ({ key }) => describe(await protocol.ImportSecretKey(key, { extractable: true })),
    make: async ({ key, claims, ...request }) =>
      protocol.Sign(await protocol.ImportSecretKey(key), claims, pasetoOptions(request)),
    open: async ({ key, token, ...request }) =>
      pasetoResult(await protocol.Verify(await protocol.ImportPublicKey(key), token, pasetoOptions(request))),
  };
}

// Everything that the package does for a version and purpose.
function factories(operations) {
  return Object.entries(operations).flatMap(([name, factory]) => (name.endsWith('Factory') ? [factory] : []));
}

function pasetoOptions({ footer, implicit }) {
  const options = {};
  if (footer !== undefined) options.footer = Buffer.from(typeof footer === 'string' ? footer : JSON.stringify(footer));
  if (implicit !== undefined) options.implicitAssertion = Buffer.from(implicit);
  return options;
}

function pasetoResult({ claims, footer }) {
  const text = new TextDecoder().decode(footer);
  return { claims, footer: text.startsWith('{') ? JSON.parse(text) : text };
}

function tsOptions({ footer, implicit }) {
  const options = {};
  if (footer !== undefined) options.footer = footer;
  if (implicit !== undefined) options.assertion = implicit;
  return options;
}

function tsResult({ payload, footer }) {
  return { claims: payload, footer };
}

async function answer({ op, library, version, purpose, ...request }) {
  const run = suites[`${library} ${version} ${purpose}`]?.[op];
  if (!run) throw new Error(`there is no ${op} of ${library} for ${version}.${purpose}`);
  const result = await run(request);
  return op === 'make' ? { token: result } : result;
}

for await (const line of createInterface({ input: process.stdin })) {
  let reply;
  try {
    reply = await answer(JSON.parse(line));
  } catch (error) {
    reply = { error: error.message || String(error) };
  }
  console.log(JSON.stringify(reply));
}
