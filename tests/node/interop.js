// The interop cases of gRPC (interop-test-descriptions.md) from Node's grpc-js, through a gateway.
//
//     client.js PROTO_ROOT GATEWAY CA CERT KEY ASSERTION_KEY KID ROLE PURPOSE
//
// Prints a line a case: its name and `ok`, or what was not as it should be.
'use strict'

const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const grpc = require('@grpc/grpc-js')
const loader = require('@grpc/proto-loader')

const [root, gateway, ca, cert, key, assertionKey, kid, role, purpose] = process.argv.slice(2)

// A fresh role assertion for every call.
function bearer () {
  const certificate = new crypto.X509Certificate(fs.readFileSync(cert))
  const now = Math.floor(Date.now() / 1000)
  const claims = {
    iss: /serialNumber=(\d{20})/.exec(certificate.subject)[1],
    sub: 'a.bakker',
    aud: 'veldwacht',
    iat: now,
    exp: now + 300,
    jti: crypto.randomUUID(),
    role,
    purpose,
    cnf: { 'x5t#S256': crypto.createHash('sha256').update(certificate.raw).digest('base64url') }
  }
  const part = value => Buffer.from(JSON.stringify(value)).toString('base64url')
  const signed = `${part({ alg: 'EdDSA', kid })}.${part(claims)}`
  const signature = crypto.sign(null, Buffer.from(signed), fs.readFileSync(assertionKey))
  return `Bearer ${signed}.${signature.toString('base64url')}`
}

const asserted = grpc.credentials.createFromMetadataGenerator((_, done) => {
  const metadata = new grpc.Metadata()
  metadata.set('authorization', bearer())
  done(null, metadata)
})
const tls = grpc.credentials.createSsl(...[ca, key, cert].map(file => fs.readFileSync(file)))
const credentials = grpc.credentials.combineChannelCredentials(tls, asserted)
const contract = grpc.loadPackageDefinition(
  loader.loadSync('src/proto/grpc/testing/test.proto', { includeDirs: [root], keepCase: true, defaults: true })
).grpc.testing

const body = size => ({ body: Buffer.alloc(size) })
const REQUEST_SIZES = [27182, 8, 1828, 45904]
const RESPONSE_SIZES = [31415, 9, 2653, 58979]

// How a call with one answer ended.
function answered (open) {
  return new Promise(resolve => {
    const ended = { initial: undefined, trailing: undefined }
    const call = open((error, response) => resolve({ error, response, ended }))
    call.on('metadata', metadata => { ended.initial = metadata })
    call.on('status', status => { ended.trailing = status.metadata })
  })
}

// How a stream of answers ended; `each` sees every one of them.
function streamed (call, each = () => {}) {
  return new Promise(resolve => {
    const messages = []
    const ended = { messages, status: undefined, initial: undefined }
    call.on('metadata', metadata => { ended.initial = metadata })
    call.on('data', message => { messages.push(message); each(message, messages.length) })
    call.on('error', () => {}) // the status says it
    call.on('status', status => { ended.status = status; setImmediate(resolve, ended) })
  })
}

const sizes = messages => messages.map(message => message.payload ? message.payload.body.length : 0)
const unary = (stub, request, metadata = new grpc.Metadata()) =>
  answered(done => stub.UnaryCall(request, metadata, done))

const cases = {
  async empty_unary (stub) {
    const { error, response } = await answered(done => stub.EmptyCall({}, done))
    assert.ifError(error)
    assert.deepEqual({ ...response }, {})
  },
  async large_unary (stub) {
    const { error, response } = await unary(stub, { response_size: 314159, payload: body(271828) })
    assert.ifError(error)
    assert.deepEqual(sizes([response]), [314159])
  },
  async server_streaming (stub) {
    const response_parameters = RESPONSE_SIZES.map(size => ({ size }))
    const { messages, status } = await streamed(stub.StreamingOutputCall({ response_parameters }))
    assert.equal(status.code, grpc.status.OK)
    assert.deepEqual(sizes(messages), RESPONSE_SIZES)
  },
  async client_streaming (stub) {
    const { error, response } = await answered(done => {
      const call = stub.StreamingInputCall(done)
      REQUEST_SIZES.forEach(size => call.write({ payload: body(size) }))
      call.end()
      return call
    })
    assert.ifError(error)
    assert.equal(response.aggregated_payload_size, 74922)
  },
  async ping_pong (stub) {
    const call = stub.FullDuplexCall()
    const next = index => call.write({
      response_parameters: [{ size: RESPONSE_SIZES[index] }], payload: body(REQUEST_SIZES[index])
    })
    next(0)
    const { messages, status } = await streamed(call, (_, count) => count < 4 ? next(count) : call.end())
    assert.equal(status.code, grpc.status.OK)
    assert.deepEqual(sizes(messages), RESPONSE_SIZES)
  },
  async cancel_after_begin (stub) {
    const { error } = await answered(done => {
      const call = stub.StreamingInputCall(done)
      setImmediate(() => call.cancel())
      return call
    })
    assert.equal(error.code, grpc.status.CANCELLED)
  },
  async cancel_after_first_response (stub) {
    const call = stub.FullDuplexCall()
    call.write({ response_parameters: [{ size: 31415 }], payload: body(27182) })
    const { messages, status } = await streamed(call, () => call.cancel())
    assert.equal(status.code, grpc.status.CANCELLED)
    assert.equal(messages.length, 1)
  },
  async timeout_on_sleeping_server (stub) {
    const call = stub.FullDuplexCall({ deadline: Date.now() + 1 })
    call.on('error', () => {})
    call.write({ payload: body(27182) })
    assert.equal((await streamed(call)).status.code, grpc.status.DEADLINE_EXCEEDED)
  },
  async empty_stream (stub) {
    const call = stub.FullDuplexCall()
    call.end()
    const { messages, status } = await streamed(call)
    assert.equal(status.code, grpc.status.OK)
    assert.equal(messages.length, 0)
  },
  async status_code_and_message (stub) {
    const response_status = { code: 2, message: 'test status message' }
    const { error } = await unary(stub, { response_size: 1, payload: body(1), response_status })
    assert.deepEqual([error.code, error.details], [2, response_status.message])
    const call = stub.FullDuplexCall()
    call.write({ response_parameters: [{ size: 1 }], payload: body(1), response_status })
    call.end()
    const { status } = await streamed(call)
    assert.deepEqual([status.code, status.details], [2, response_status.message])
  },
  async special_status_message (stub) {
    const message = '\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \u{1f608}\t\n'
    const { error } = await unary(stub, { response_size: 1, payload: body(1), response_status: { code: 2, message } })
    assert.deepEqual([error.code, error.details], [2, message])
  },
  async unimplemented_method (stub) {
    const { error } = await answered(done => stub.UnimplementedCall({}, done))
    assert.equal(error.code, grpc.status.UNIMPLEMENTED)
  },
  async unimplemented_service () {
    const stub = new contract.UnimplementedService(gateway, credentials)
    const { error } = await answered(done => stub.UnimplementedCall({}, done))
    stub.close()
    assert.equal(error.code, grpc.status.UNIMPLEMENTED)
  },
  async custom_metadata (stub) {
    const metadata = new grpc.Metadata()
    metadata.set('x-grpc-test-echo-initial', 'test_initial_metadata_value')
    metadata.set('x-grpc-test-echo-trailing-bin', Buffer.from('0a0b0a0b0a0b', 'hex'))
    const echoed = (initial, trailing) => {
      assert.deepEqual(initial.get('x-grpc-test-echo-initial'), ['test_initial_metadata_value'])
      assert.equal(trailing.get('x-grpc-test-echo-trailing-bin')[0].toString('hex'), '0a0b0a0b0a0b')
    }
    const { error, ended } = await unary(stub, { response_size: 1, payload: body(1) }, metadata)
    assert.ifError(error)
    echoed(ended.initial, ended.trailing)
    const call = stub.FullDuplexCall(metadata)
    call.write({ response_parameters: [{ size: 1 }], payload: body(1) })
    call.end()
    const { status, initial } = await streamed(call)
    assert.equal(status.code, grpc.status.OK)
    echoed(initial, status.metadata)
  }
}

async function main () {
  for (const [name, run] of Object.entries(cases)) {
    const stub = new contract.TestService(gateway, credentials)
    const said = await run(stub).then(() => 'ok', error => error.message.replace(/\s+/g, ' '))
    stub.close()
    console.log(name, said)
  }
}

main()
