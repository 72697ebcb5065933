//! Lesser forms of a value: year, age band, postcode, hours band, yes or no, pseudonym.
//!
//! Owns: what a form does to one value. The wire type stays, so that the receiver's parser does. A value that is
//! not what its kind promises becomes empty, never itself. Doing it twice is doing it once, because a document is
//! filtered when it is sent and again when it is collected.

use model::{DataClass, Form};

use crate::pseudonym::PseudonymKey;
use crate::scalar::{self, Scalar};

/// How much of a value passes.
#[derive(Clone, Copy)]
pub(crate) struct Lesser {
    pub(crate) form: Form,
    /// Pseudonyms of different classes do not meet.
    pub(crate) class: Option<DataClass>,
}

impl Lesser {
    /// All of it.
    pub(crate) const NONE: Lesser = Lesser { form: Form::Vol, class: None };

    /// A string or bytes in this form, appended to `to`.
    pub(crate) fn text(self, scalar: Scalar, value: &[u8], key: &PseudonymKey, to: &mut Vec<u8>) {
        match self.form {
            Form::Vol => to.extend_from_slice(value),
            _ if value.is_empty() => {}
            Form::Jaar => to.extend_from_slice(year(value).unwrap_or_default()),
            Form::Postcode4 => to.extend_from_slice(postcode4(value).unwrap_or_default()),
            Form::JaNee => push_yes(scalar, to),
            Form::Pseudoniem => {
                if let Some(class) = self.class {
                    to.extend_from_slice(&key.text(class, value));
                }
            }
            Form::Leeftijdsband | Form::Urenband => {}
        }
    }

    /// A number in this form, as its canonical bits.
    pub(crate) fn number(self, scalar: Scalar, bits: u64, key: &PseudonymKey) -> u64 {
        match (self.form, self.class) {
            (Form::Vol, _) => bits,
            (Form::JaNee, _) if is_zero(scalar, bits) => 0,
            (Form::JaNee, _) => yes(scalar),
            (Form::Leeftijdsband, _) => band(scalar, bits, 10),
            (Form::Urenband, _) => band(scalar, bits, 8),
            (Form::Pseudoniem, Some(class)) if bits != 0 => pseudonym(scalar, bits, class, key),
            (Form::Pseudoniem | Form::Jaar | Form::Postcode4, _) => 0,
        }
    }
}

/// Appends the one value that says yes, as it stands on the wire past key and length.
pub(crate) fn push_yes(scalar: Scalar, to: &mut Vec<u8>) {
    match scalar {
        Scalar::Text => to.extend_from_slice(b"ja"),
        Scalar::Bytes => to.push(1),
        _ => scalar::push(scalar, yes(scalar), to),
    }
}

fn yes(scalar: Scalar) -> u64 {
    match scalar {
        Scalar::Sint32 | Scalar::Sint64 => 2,
        Scalar::Float => u64::from(1f32.to_bits()),
        Scalar::Double => 1f64.to_bits(),
        _ => 1,
    }
}

fn is_zero(scalar: Scalar, bits: u64) -> bool {
    match scalar {
        Scalar::Float => f32::from_bits(bits as u32) == 0.0,
        Scalar::Double => f64::from_bits(bits) == 0.0,
        _ => bits == 0,
    }
}

/// The year of `YYYY-MM-DD`, or of a year.
fn year(value: &[u8]) -> Option<&[u8]> {
    let (year, rest) = value.split_at_checked(4)?;
    let is_rest = match rest {
        [] => true,
        [b'-', m1, m2, b'-', d1, d2] => [m1, m2, d1, d2].into_iter().all(u8::is_ascii_digit),
        _ => false,
    };
    (is_rest && year.iter().all(u8::is_ascii_digit)).then_some(year)
}

/// The four digits of `1234 AB`, `1234AB` or `1234`.
fn postcode4(value: &[u8]) -> Option<&[u8]> {
    let (digits, rest) = value.split_at_checked(4)?;
    let is_rest = match rest {
        [] => true,
        [b' ', a, b] | [a, b] => a.is_ascii_alphabetic() && b.is_ascii_alphabetic(),
        _ => false,
    };
    (is_rest && digits.iter().all(u8::is_ascii_digit)).then_some(digits)
}

/// The lower bound of the band that a number is in; 0 for what is below 0 or not a number.
fn band(scalar: Scalar, bits: u64, width: u32) -> u64 {
    let of_float = |value: f64| {
        let band = (value / f64::from(width)).floor() * f64::from(width);
        if band.is_finite() && band > 0.0 { band } else { 0.0 }
    };
    let of_signed = |value: i64| value.max(0) as u64 / u64::from(width) * u64::from(width);
    match scalar {
        Scalar::Float => u64::from((of_float(f64::from(f32::from_bits(bits as u32))) as f32).to_bits()),
        Scalar::Double => of_float(f64::from_bits(bits)).to_bits(),
        Scalar::Sint32 | Scalar::Sint64 => of_signed(unzigzag(bits)) << 1,
        Scalar::Int32 | Scalar::Int64 | Scalar::Sfixed64 => of_signed(bits as i64),
        Scalar::Sfixed32 => of_signed(i64::from(bits as i32)),
        _ => bits / u64::from(width) * u64::from(width),
    }
}

fn pseudonym(scalar: Scalar, bits: u64, class: DataClass, key: &PseudonymKey) -> u64 {
    match scalar {
        Scalar::Sint64 => key.number(class, unzigzag(bits) as u64) << 1,
        _ => key.number(class, bits),
    }
}

fn unzigzag(bits: u64) -> i64 {
    (bits >> 1) as i64 ^ -((bits & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> PseudonymKey {
        PseudonymKey::for_receiver(&[1; 32], &"00000099000000001000".parse().unwrap())
    }

    fn text(form: Form, value: &str) -> String {
        let mut written = Vec::new();
        let lesser = Lesser { form, class: Some(DataClass::Persoon) };
        lesser.text(Scalar::Text, value.as_bytes(), &key(), &mut written);
        String::from_utf8(written).unwrap()
    }

    fn number(form: Form, scalar: Scalar, bits: u64) -> u64 {
        Lesser { form, class: Some(DataClass::Persoon) }.number(scalar, bits, &key())
    }

    #[test]
    fn a_date_becomes_its_year_and_anything_else_becomes_empty() {
        assert_eq!(text(Form::Jaar, "1980-02-29"), "1980");
        for bad in ["29-02-1980", "1980-2-9", "1980-02-29T", "198", "19800229", "depressief", "１９８０"]
        {
            assert_eq!(text(Form::Jaar, bad), "", "{bad}");
        }
    }

    #[test]
    fn a_postcode_keeps_four_digits_and_anything_else_becomes_empty() {
        for good in ["1234 AB", "1234AB", "1234 ab"] {
            assert_eq!(text(Form::Postcode4, good), "1234");
        }
        for bad in ["123 AB", "1234  AB", "1234 A", "1234 A1", "12345", "AB 1234", "Kerkstraat 1"] {
            assert_eq!(text(Form::Postcode4, bad), "", "{bad}");
        }
    }

    #[test]
    fn numbers_fall_to_the_lower_bound_of_their_band_whatever_their_type() {
        assert_eq!(number(Form::Leeftijdsband, Scalar::Int32, 37), 30);
        assert_eq!(number(Form::Leeftijdsband, Scalar::Uint64, u64::MAX), u64::MAX / 10 * 10);
        assert_eq!(number(Form::Leeftijdsband, Scalar::Sint64, 37 << 1), 30 << 1);
        assert_eq!(number(Form::Leeftijdsband, Scalar::Sint32, 3), 0, "below zero");
        assert_eq!(number(Form::Leeftijdsband, Scalar::Int64, -37i64 as u64), 0);
        assert_eq!(number(Form::Urenband, Scalar::Fixed32, 39), 32);
        assert_eq!(number(Form::Urenband, Scalar::Sfixed32, -39i32 as u32 as u64), 0);
        assert_eq!(number(Form::Urenband, Scalar::Sfixed64, 40), 40);
        for (hours, band) in [(39.9, 32.0), (7.9, 0.0), (-1.0, 0.0), (f64::NAN, 0.0), (f64::INFINITY, 0.0)] {
            assert_eq!(number(Form::Urenband, Scalar::Double, f64::to_bits(hours)), f64::to_bits(band));
            let single = u64::from((hours as f32).to_bits());
            assert_eq!(number(Form::Urenband, Scalar::Float, single), u64::from((band as f32).to_bits()));
        }
    }

    #[test]
    fn yes_is_the_same_whatever_the_value_and_no_stays_no() {
        assert_eq!(text(Form::JaNee, "F32.1"), "ja");
        assert_eq!(text(Form::JaNee, ""), "");
        for (scalar, one) in [
            (Scalar::Bool, 1),
            (Scalar::Int32, 1),
            (Scalar::Sint64, 2),
            (Scalar::Float, u64::from(1f32.to_bits())),
            (Scalar::Double, 1f64.to_bits()),
        ] {
            assert_eq!(number(Form::JaNee, scalar, 0), 0);
            assert_eq!(number(Form::JaNee, scalar, 0x3fff_ffff), one);
        }
        assert_eq!(number(Form::JaNee, Scalar::Double, (-0.0f64).to_bits()), 0);
        assert_eq!(number(Form::JaNee, Scalar::Float, u64::from((-0.0f32).to_bits())), 0);
    }

    #[test]
    fn a_pseudonym_is_the_same_for_a_number_in_every_type_that_holds_it() {
        let plain = number(Form::Pseudoniem, Scalar::Uint64, 12_345);
        assert_eq!(number(Form::Pseudoniem, Scalar::Fixed64, 12_345), plain);
        assert_eq!(number(Form::Pseudoniem, Scalar::Sint64, 12_345 << 1), plain << 1);
        assert_eq!(number(Form::Pseudoniem, Scalar::Uint64, 0), 0);
        assert_eq!(text(Form::Pseudoniem, ""), "");
        assert_eq!(text(Form::Pseudoniem, "999990019").len(), 32);
    }

    #[test]
    fn doing_it_twice_is_doing_it_once() {
        let values = ["1980-02-29", "1234 AB", "999990019", "", "é", "ja"];
        for form in Form::ALL {
            for value in values {
                let once = text(*form, value);
                assert_eq!(text(*form, &once), once, "{form}");
            }
            for bits in [0, 1, 7, 8, 37, 1 << 33, u64::MAX, 1f64.to_bits(), 39.5f64.to_bits()] {
                for scalar in
                    [Scalar::Uint64, Scalar::Int64, Scalar::Sint64, Scalar::Double, Scalar::Sfixed64]
                {
                    let once = number(*form, scalar, bits);
                    assert_eq!(number(*form, scalar, once), once, "{form} {scalar:?} {bits}");
                }
            }
        }
    }
}
