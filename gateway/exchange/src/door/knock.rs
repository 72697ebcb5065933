//! One knock on the door: the client certificate of one handshake, judged by the gateway's rules and by the TLS
//! library's verifier.
//!
//! Owns: asking both, and keeping what they said: the TLS library tells a client no more than an alert, and the record
//! wants the reason. Lives as long as one handshake; the keys it judges by are those of its [`Entrance`].

use std::fmt;
use std::sync::{Arc, OnceLock};

use identity::{Certified, Fingerprint};
use model::{FieldViolation, Oin, Reason, Refusal};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{CertificateError, DigitallySignedStruct, DistinguishedName, Error, SignatureScheme};

use super::Clock;
use super::guard::Entrance;
use super::guest::Guest;

pub(super) struct Knock {
    entrance: Arc<Entrance>,
    clock: Clock,
    judged: OnceLock<Judged>,
}

struct Judged {
    fingerprint: Fingerprint,
    presented: Arc<[CertificateDer<'static>]>,
    verdict: Verdict,
}

enum Verdict {
    Welcome(Guest),
    /// The refusal, whether a trusted authority vouches for the certificate, and whose it is if that is known.
    Refused(Refusal, bool, Option<Oin>),
}

impl Knock {
    pub(super) fn new(entrance: Arc<Entrance>, clock: Clock) -> Arc<Knock> {
        Arc::new(Knock { entrance, clock, judged: OnceLock::new() })
    }

    /// Who it is, if they may come in. The handshake must be done: only then they have proven to hold the key.
    pub(super) fn guest(&self) -> Option<Guest> {
        match &self.judged.get()?.verdict {
            Verdict::Welcome(guest) => Some(guest.clone()),
            Verdict::Refused(..) => None,
        }
    }

    /// The refusal, and whether a trusted authority vouches for the certificate.
    pub(super) fn refusal(&self) -> Option<(Refusal, bool)> {
        match &self.judged.get()?.verdict {
            Verdict::Welcome(_) => None,
            Verdict::Refused(refusal, vouched, _) => Some((refusal.clone(), *vouched)),
        }
    }

    pub(super) fn oin(&self) -> Option<Oin> {
        match &self.judged.get()?.verdict {
            Verdict::Welcome(peer) => Some(peer.oin()),
            Verdict::Refused(_, _, oin) => *oin,
        }
    }

    pub(super) fn fingerprint(&self) -> Option<Fingerprint> {
        self.judged.get().map(|judged| judged.fingerprint)
    }

    /// What was shown, leaf first; empty when nothing was.
    pub(super) fn presented(&self) -> Arc<[CertificateDer<'static>]> {
        self.judged.get().map_or_else(|| Arc::from([]), |judged| Arc::clone(&judged.presented))
    }

    fn judge(&self, presented: &[CertificateDer<'_>], library_now: UnixTime) -> Verdict {
        let (entrance, now) = (&self.entrance, (self.clock)());
        let certified = match Certified::check(presented, &entrance.trust, now) {
            Ok(certified) => certified,
            Err(refusal) => return Verdict::Refused(refusal, false, None),
        };
        let peer = match Guest::find(certified, entrance) {
            Ok(peer) => peer,
            Err(refusal) => return Verdict::Refused(refusal, true, None),
        };
        if let Err(refusal) = peer.check(entrance, now) {
            return Verdict::Refused(refusal, true, Some(peer.oin()));
        }
        let Some((leaf, intermediates)) = presented.split_first() else {
            return Verdict::Refused(Reason::CertificateRefused.into(), false, None);
        };
        match entrance.verify(leaf, intermediates, library_now) {
            Ok(_) => Verdict::Welcome(peer),
            Err(error) => Verdict::Refused(by_the_library(&error), true, Some(peer.oin())),
        }
    }
}

/// What the TLS library found that the gateway's rules did not. Its own words may hold what stands in the certificate.
fn by_the_library(error: &Error) -> Refusal {
    let description = match error {
        Error::InvalidCertificate(CertificateError::Revoked) => "revoked",
        Error::InvalidCertificate(CertificateError::UnknownRevocationStatus) => {
            "no revocation list speaks of it"
        }
        Error::InvalidCertificate(
            CertificateError::ExpiredRevocationList | CertificateError::ExpiredRevocationListContext { .. },
        ) => "the revocation list of its authority is too old",
        _ => "refused by the TLS library; look at name constraints and encoding",
    };
    let violation = FieldViolation {
        field: "certificate".to_owned(),
        description: description.to_owned(),
        class: None,
        rule: None,
        span: None,
    };
    Refusal::at(Reason::CertificateRefused, vec![violation])
}

impl fmt::Debug for Knock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Knock")
    }
}

impl ClientCertVerifier for Knock {
    fn offer_client_auth(&self) -> bool {
        true
    }

    fn client_auth_mandatory(&self) -> bool {
        true
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.entrance.library().root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let presented: Vec<CertificateDer<'static>> =
            std::iter::once(end_entity).chain(intermediates).map(|der| der.clone().into_owned()).collect();
        let judged = self.judged.get_or_init(|| Judged {
            fingerprint: Fingerprint::of(end_entity),
            verdict: self.judge(&presented, now),
            presented: presented.into(),
        });
        match judged.verdict {
            Verdict::Welcome(_) => Ok(ClientCertVerified::assertion()),
            Verdict::Refused(..) => {
                Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure))
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.entrance.library().verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.entrance.library().verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.entrance.library().supported_verify_schemes()
    }
}
