// An organisation's client in Node: ordinary grpc-js over mutual TLS, nothing of ours but the contracts.
//
//   client.mjs GATEWAY PKI STEP [ARGUMENT…]
//
// GATEWAY is host:port, PKI a folder as `veldwacht pki init` lays it out. Each step prints one JSON document.

import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import loader from '@grpc/proto-loader';
import protobuf from 'protobufjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const [gateway, pki, step, ...rest] = process.argv.slice(2);

const options = { keepCase: true, longs: String, includeDirs: [path.join(here, '../../proto')] };
const contracts = grpc.loadPackageDefinition(
  loader.loadSync(['veldwacht/exchange/v1/exchange.proto', 'veldwacht/audit/v1/audit.proto'], options),
);
const { ExchangeService } = contracts.veldwacht.exchange.v1;
const { AuditService } = contracts.veldwacht.audit.v1;
const rpc = protobuf.loadSync(path.join(here, 'rpc.proto'));

const read = (name) => fs.readFileSync(path.join(pki, name));
const credentials = (who) =>
  grpc.credentials.createSsl(read('gateway-ca.pem'), read(`${who.system}.key.pem`), read(`${who.system}.pem`));

// Someone who works at an organisation, through one of its systems.
const klantmanager = { system: 'gemeente/klantmanager', key: 'gemeente/assert.key.pem', role: 'klantmanager', purpose: 'aanmelding' };
const coach = { system: 'rib/coach', key: 'rib/assert.key.pem', role: 'coach' };

const base64url = (value) => Buffer.from(value).toString('base64url');

// Who acts, in which role, for what: signed by the organisation, bound to the certificate, five minutes.
function assertion(who) {
  const certificate = new crypto.X509Certificate(read(`${who.system}.pem`));
  const key = crypto.createPrivateKey(read(who.key));
  const { crv, kty, x } = crypto.createPublicKey(key).export({ format: 'jwk' });
  const kid = crypto.createHash('sha256').update(JSON.stringify({ crv, kty, x })).digest('base64url');
  const now = Math.floor(Date.now() / 1000);
  const claims = {
    iss: certificate.subject.match(/serialNumber=(\d{20})/)[1],
    sub: 'n.ode', aud: 'veldwacht', iat: now, exp: now + 300, jti: crypto.randomUUID(),
    role: who.role, purpose: who.purpose,
    cnf: { 'x5t#S256': crypto.createHash('sha256').update(certificate.raw).digest('base64url') },
  };
  const signed = `${base64url(JSON.stringify({ alg: 'EdDSA', typ: 'JWT', kid }))}.${base64url(JSON.stringify(claims))}`;
  return `${signed}.${base64url(crypto.sign(null, signed, key))}`;
}

function metadata(who, more = {}) {
  const metadata = new grpc.Metadata();
  if (who) metadata.set('authorization', `Bearer ${assertion(who)}`);
  Object.entries(more).forEach(([name, value]) => metadata.set(name, value));
  return metadata;
}

// A fresh UUIDv7 (RFC 9562).
function uuid() {
  const bytes = crypto.randomBytes(16);
  bytes.writeUIntBE(Date.now(), 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}

// What a status says to programs: never guess from its text.
function told(error) {
  const said = { code: grpc.status[error.code], message: error.details };
  const [packed] = error.metadata?.get('grpc-status-details-bin') ?? [];
  if (!packed) return said;
  const lookup = (name) => rpc.lookupType(name);
  for (const detail of lookup('google.rpc.Status').decode(packed).details) {
    const name = detail.type_url.split('/').pop();
    if (name === 'google.rpc.ErrorInfo') Object.assign(said, lookup(name).toObject(lookup(name).decode(detail.value)));
    if (name === 'google.rpc.BadRequest') said.violations = lookup(name).decode(detail.value).fieldViolations;
    if (name === 'google.rpc.RetryInfo') said.retry_seconds = Number(lookup(name).decode(detail.value).retryDelay.seconds);
  }
  const [transaction] = error.metadata.get('fsc-transaction-id');
  return { ...said, transaction };
}

function letter(exchange_id = '') {
  return {
    exchange_id, client_bsn: '999990019', message_type: 'werkfit.v1.Aanmelding', document: fs.readFileSync(rest[0]),
    receivers: [{ oin: '00000099000000004000', role: 'coach' }],
  };
}

function unary(service, method, request, who, { headers, deadline, cancelAfter } = {}) {
  return new Promise((resolve) => {
    let head;
    const call = service[method](request, metadata(who, headers), deadline ? { deadline: Date.now() + deadline } : {}, (error, answer) =>
      resolve(error ? told(error) : { ...answer, transaction: head?.get('fsc-transaction-id')[0] }));
    call.on('metadata', (metadata) => { head = metadata; });
    if (cancelAfter !== undefined) setTimeout(() => call.cancel(), cancelAfter);
  });
}

function collect(service, { follow = false, acknowledge = true, deadline } = {}) {
  return new Promise((resolve) => {
    const call = service.Collect(metadata(coach), deadline ? { deadline: Date.now() + deadline } : {});
    const collected = [];
    call.on('data', ({ delivery, acknowledged }) => {
      if (delivery) {
        collected.push(delivery.exchange_id);
        if (acknowledge) call.write({ acknowledge: { delivery_id: delivery.delivery_id } });
      }
    });
    call.on('error', (error) => resolve({ collected, ...told(error) }));
    call.on('end', () => resolve({ collected }));
    call.write({ start: { follow } });
    if (!acknowledge) call.end();
  });
}

const exchange = (who, options) => new ExchangeService(gateway, credentials(who), options);

const steps = {
  send: () => unary(exchange(klantmanager), 'Send', letter(), klantmanager, { headers: rest[1] ? { 'fsc-transaction-id': rest[1] } : {} }),
  collect: () => collect(exchange(coach)),
  'wrong-role': () => unary(exchange(klantmanager), 'Send', letter(), { ...klantmanager, role: 'verzekeringsarts' }),
  'wrong-client': () => unary(exchange(klantmanager), 'Send', { ...letter(), client_bsn: '999990018' }, klantmanager),
  compressed: () => unary(exchange(klantmanager, { 'grpc.default_compression_algorithm': 2 }), 'Send', letter(), klantmanager),
  // The gateway keeps the stream open until the caller's time is over.
  deadline: () => collect(exchange(coach), { follow: true, deadline: 500 }),

  // Gives calls up at every moment of their way, then sends each again under the same exchange id.
  cancel: async () => {
    const service = exchange(klantmanager);
    const ids = Array.from({ length: 40 }, uuid);
    const first = await Promise.all(ids.map((id, index) =>
      unary(service, 'Send', letter(id), klantmanager, index % 2 ? { cancelAfter: index } : { deadline: 1 + index })));
    const again = [];
    for (const id of ids) again.push(await unary(service, 'Send', letter(id), klantmanager));
    return { ids, first, again };
  },

  // More streams of one system at once than it may have: the last is told when to come back.
  busy: async () => {
    const service = exchange(coach);
    const streams = Array.from({ length: Number(rest[0]) }, () => {
      const call = service.Collect(metadata(coach));
      call.on('error', () => {});
      call.on('data', () => {});
      call.write({ start: { follow: true } });
      return call;
    });
    await new Promise((resolve) => setTimeout(resolve, 500));
    const refused = await collect(service, { follow: true });
    streams.forEach((call) => call.cancel());
    return refused;
  },

  // Reflection as grpcurl and its like use it: which services are there for me, and what do they look like?
  reflect: async () => {
    const file = path.join(here, 'node_modules/@grpc/reflection/build/proto/grpc/reflection/v1/reflection.proto');
    const { ServerReflection } = grpc.loadPackageDefinition(loader.loadSync(file, { keepCase: true })).grpc.reflection.v1;
    const whom = { klantmanager, coach }[rest[0]];
    const call = new ServerReflection(gateway, credentials(whom)).ServerReflectionInfo(metadata(rest[1] && { ...whom, role: rest[1] }));
    const ask = (request) => new Promise((resolve, reject) => {
      call.once('data', resolve);
      call.once('error', (error) => reject(error));
      call.write(request);
    });
    const { list_services_response } = await ask({ list_services: '' });
    const known = {};
    for (const symbol of rest.slice(2)) {
      const answer = await ask({ file_containing_symbol: symbol });
      known[symbol] = answer.file_descriptor_response?.file_descriptor_proto.length ?? answer.error_response.error_code;
    }
    call.end();
    return { services: list_services_response.service.map(({ name }) => name), known };
  },
};

const said = await steps[step]().catch(told);
// What is longer than a pipe takes at once is not yet gone when `exit` is called.
process.stdout.write(JSON.stringify(said), () => process.exit(0));
