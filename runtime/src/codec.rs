//! Between types and their stored form, JSON.
//!
//! Always true here: what is written reads back as what it was. JSON has no NaN and no infinity, so types that may hold
//! a float are walked once before they are written; types without one (known from the schema) are not.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::{DecodeError, EncodeError};
use crate::{Schema, finite};

/// Appends the stored form of `value` to `payload`, which is left as it was on an error.
pub(crate) fn encode<T: Serialize + Schema>(value: &T, payload: &mut Vec<u8>) -> Result<(), EncodeError> {
    if const { T::NODE.may_hold_float() } {
        finite::check(value)?;
    }
    let start = payload.len();
    serde_json::to_writer(&mut *payload, value).map_err(|e| {
        payload.truncate(start);
        EncodeError::Unwritable(e.to_string())
    })
}

/// Reads a stored form.
pub(crate) fn decode<T: DeserializeOwned>(payload: &[u8]) -> Result<T, DecodeError> {
    serde_json::from_slice(payload).map_err(|e| DecodeError::Payload {
        path: String::new(),
        why: e.to_string(),
        start: String::from_utf8_lossy(payload.get(..32).unwrap_or(payload)).into_owned(),
    })
}

/// Reads a stored form and writes it again.
pub(crate) fn rewrite<T: DeserializeOwned + Serialize + Schema>(payload: &[u8]) -> Result<Vec<u8>, DecodeError> {
    written(&decode::<T>(payload)?)
}

/// The stored form of what has been made of a stored form.
pub(crate) fn written<T: Serialize + Schema>(value: &T) -> Result<Vec<u8>, DecodeError> {
    let mut written = Vec::new();
    let unwritable = |why: EncodeError| DecodeError::Payload { path: String::new(), why: why.to_string(), start: String::new() };
    encode(value, &mut written).map_err(unwritable)?;
    Ok(written)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_finite_number_reads_back_as_it_was() {
        let mut bits = 0x9e37_79b9_7f4a_7c15_u64;
        for _ in 0..50_000 {
            // xorshift64, Marsaglia 2003.
            bits ^= bits << 13;
            bits ^= bits >> 7;
            bits ^= bits << 17;
            // Any bits at all, and numbers between 1 and 2, where short texts are.
            for number in [f64::from_bits(bits), f64::from_bits(bits >> 12 | 0x3ff << 52)] {
                if number.is_finite() {
                    let mut payload = Vec::new();
                    encode(&number, &mut payload).unwrap();
                    assert_eq!(decode::<f64>(&payload).map(f64::to_bits), Ok(number.to_bits()), "{number:e}");
                }
            }
        }
    }

    #[test]
    fn what_was_in_the_buffer_stays_when_a_value_cannot_be_written() {
        let mut payload = b"before".to_vec();
        assert!(encode(&vec![1.0, f64::NAN], &mut payload).is_err());
        assert_eq!(payload, b"before");
    }
}
