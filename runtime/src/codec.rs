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
    serde_json::from_slice(payload).map_err(|e| DecodeError::Payload(e.to_string()))
}
