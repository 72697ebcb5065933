# An organisation's client in Ruby: Debian's ruby-grpc, which is gRPC's C core, over mutual TLS.
#
#   client.rb GATEWAY PKI STEP [ARGUMENT...]
#
# GATEWAY is host:port, PKI a folder as `veldwacht pki init` lays it out. Each step prints one JSON document. The stubs are
# made by tests/setup.

$LOAD_PATH.unshift File.join(__dir__, 'stubs')

require 'base64'
require 'digest'
require 'grpc'
require 'json'
require 'openssl'
require 'securerandom'
require 'google/protobuf/well_known_types'
require 'google/rpc/error_details_pb'
require 'google/rpc/status_pb'
require 'veldwacht/exchange/v1/exchange_services_pb'

Exchange = Veldwacht::Exchange::V1
GATEWAY, PKI, STEP, *REST = ARGV

def file(name) = File.binread(File.join(PKI, name))
def base64url(bytes) = Base64.urlsafe_encode64(bytes, padding: false)

# Someone who works at an organisation, through one of its systems.
KLANTMANAGER = { system: 'gemeente/klantmanager', key: 'gemeente/assert.key.pem', role: 'klantmanager', purpose: 'aanmelding' }.freeze
COACH = { system: 'rib/coach', key: 'rib/assert.key.pem', role: 'coach' }.freeze

# Who acts, in which role, for what: signed by the organisation, bound to the certificate, five minutes.
def assertion(who)
  certificate = OpenSSL::X509::Certificate.new(file("#{who[:system]}.pem"))
  key = OpenSSL::PKey.read(file(who[:key]))
  x = base64url(key.public_to_der[-32..])
  kid = base64url(Digest::SHA256.digest(%({"crv":"Ed25519","kty":"OKP","x":"#{x}"})))
  oin = certificate.subject.to_a.find { |name, _| name == 'serialNumber' }[1]
  now = Time.now.to_i
  claims = {
    iss: oin, sub: 'r.uby', aud: 'veldwacht', iat: now, exp: now + 300, jti: SecureRandom.uuid,
    role: who[:role], purpose: who[:purpose],
    cnf: { 'x5t#S256' => base64url(Digest::SHA256.digest(certificate.to_der)) }
  }.compact
  signed = [{ alg: 'EdDSA', typ: 'JWT', kid: kid }, claims].map { |part| base64url(part.to_json) }.join('.')
  "#{signed}.#{base64url(key.sign(nil, signed))}"
end

def metadata(who) = { 'authorization' => "Bearer #{assertion(who)}" }

def stub(who)
  credentials = GRPC::Core::ChannelCredentials.new(file('gateway-ca.pem'), file("#{who[:system]}.key.pem"), file("#{who[:system]}.pem"))
  Exchange::ExchangeService::Stub.new(GATEWAY, credentials)
end

# A fresh UUIDv7 (RFC 9562).
def uuid
  bytes = [(Time.now.to_f * 1000).to_i].pack('Q>')[2..] + SecureRandom.bytes(10)
  bytes.setbyte(6, 0x70 | (bytes.getbyte(6) & 0x0f))
  bytes.setbyte(8, 0x80 | (bytes.getbyte(8) & 0x3f))
  bytes.unpack1('H*').sub(/\A(.{8})(.{4})(.{4})(.{4})(.{12})\z/, '\1-\2-\3-\4-\5')
end

def letter(id = '')
  to = Exchange::Party.new(oin: '00000099000000004000', role: 'coach')
  Exchange::SendRequest.new(exchange_id: id, client_bsn: '999990019', message_type: 'werkfit.v1.Aanmelding',
                            document: File.binread(REST[0]), receivers: [to])
end

# What a status says to programs: never guess from its text.
def told(error)
  said = { code: GRPC::Core::StatusCodes.constants.find { |name| GRPC::Core::StatusCodes.const_get(name) == error.code } }
  packed = error.metadata && error.metadata['grpc-status-details-bin']
  return said.merge(message: error.details) unless packed

  Google::Rpc::Status.decode(packed).details.each do |detail|
    info = detail.unpack(Google::Rpc::ErrorInfo)
    said.update(reason: info.reason, domain: info.domain, metadata: info.metadata.to_h) if info
    bad = detail.unpack(Google::Rpc::BadRequest)
    said[:violations] = bad.field_violations.map(&:to_h) if bad
  end
  said
end

def attempt
  yield
rescue GRPC::BadStatus => e
  told(e)
end

# Ends its requests when nothing came for half a second: gRPC for Ruby waits for that before it tells how a call ended.
def collect(follow: false, **options)
  waiting = Queue.new
  waiting << Exchange::CollectRequest.new(start: Exchange::Start.new(follow: follow))
  last = Time.now
  requests = Enumerator.new do |out|
    while Time.now - last < 0.5
      waiting.empty? ? sleep(0.01) : out << waiting.pop
    end
  end
  collected = []
  outcome = attempt do
    stub(COACH).collect(requests, metadata: metadata(COACH), **options) do |response|
      last = Time.now
      if (delivery = response.delivery)
        collected << delivery.exchange_id
        waiting << Exchange::CollectRequest.new(acknowledge: Exchange::Acknowledge.new(delivery_id: delivery.delivery_id))
      end
    end
    {}
  end
  outcome.merge(collected: collected)
end

def send_letter(letter, who = KLANTMANAGER, **options)
  attempt { stub(who).send(letter, metadata: metadata(who), **options).to_h }
end

said =
  case STEP
  when 'send' then send_letter(letter)
  when 'collect' then collect
  when 'wrong-role' then send_letter(letter, KLANTMANAGER.merge(role: 'verzekeringsarts'))
  when 'wrong-client' then send_letter(letter.tap { |request| request.client_bsn = '999990018' })
  when 'deadline' then collect(follow: true, deadline: Time.now + 0.5)
  when 'cancel'
    ids = Array.new(20) { uuid }
    service = stub(KLANTMANAGER)
    first = ids.each_with_index.map do |id, index|
      call = service.send(letter(id), metadata: metadata(KLANTMANAGER), return_op: true)
      Thread.new { sleep(index / 1000.0); call.cancel }
      attempt { call.execute.to_h }
    end
    { ids: ids, first: first, again: ids.map { |id| send_letter(letter(id)) } }
  end

puts JSON.generate(said)
