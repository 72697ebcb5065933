//! What expires soon: the gateway's certificate, authorities, revocation lists. Known 30, 7 and 1 days ahead.
//!
//! Owns: telling it, as a list that is empty on a good day. Who is told, and how often, is the caller's business.

use model::Timestamp;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::guard::Guard;

const SECONDS_A_DAY: i64 = 86_400;
/// Whole days left at which a warning becomes more urgent.
const STEPS: [i64; 3] = [1, 7, 30];

/// Something that expires within 30 days, or did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expiring {
    /// What it is.
    pub what: String,
    /// Last moment at which it is good.
    pub until: Timestamp,
    /// 30, 7 or 1: it expires within so many days; 0: it has expired. A step is worth one warning.
    pub step: i64,
}

impl Guard {
    /// What expires within 30 days of `now`, soonest first.
    pub fn expiring(&self, now: Timestamp) -> Vec<Expiring> {
        let entrance = self.entrance();
        let own = entrance.certificates.iter().map(|der| ("the gateway's certificate", der.as_ref()));
        let authorities = entrance.trust.authorities().map(|der| ("an authority of clients", der));
        let certificates = own.chain(authorities).filter_map(|(what, der)| {
            let (_, certificate) = X509Certificate::from_der(der).ok()?;
            let until = certificate.validity().not_after.timestamp();
            Some((format!("{what} ({})", certificate.subject()), until))
        });
        let lists = entrance
            .revocations
            .good_until()
            .map(|(pin, until)| (format!("the revocation list of {pin}"), until.unix_seconds()));
        let mut expiring: Vec<Expiring> =
            certificates.chain(lists).filter_map(|(what, until)| soon(what, until, now)).collect();
        expiring.sort_by_key(|expiring| expiring.until);
        expiring
    }
}

fn soon(what: String, until: i64, now: Timestamp) -> Option<Expiring> {
    let left = until.saturating_sub(now.unix_seconds());
    let step = if left < 0 {
        0
    } else {
        STEPS.into_iter().find(|days| left <= days.saturating_mul(SECONDS_A_DAY))?
    };
    Some(Expiring { what, until: Timestamp::from_unix_millis(until.saturating_mul(1000)), step })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_warning_comes_30_7_and_1_days_ahead_and_not_before() {
        let now = Timestamp::from_unix_millis(1_790_000_000_000);
        let step = |days: i64, seconds: i64| {
            let until = now.unix_seconds() + days * SECONDS_A_DAY + seconds;
            soon("a certificate".to_owned(), until, now).map(|expiring| expiring.step)
        };
        assert_eq!(step(30, 1), None);
        assert_eq!(step(30, 0), Some(30));
        assert_eq!(step(7, 1), Some(30));
        assert_eq!(step(7, 0), Some(7));
        assert_eq!(step(1, 0), Some(1));
        assert_eq!(step(0, 0), Some(1), "its last second");
        assert_eq!(step(0, -1), Some(0), "expired");
    }
}
