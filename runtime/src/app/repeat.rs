//! Idempotency keys: the commands that a key stands for, and whether a repeat gives the same.
//!
//! Always true here: a repeat is answered only where its commands are equal to those of the first use, in the same order. A
//! store keeps a hash of them for each key, with the version of the algorithm that made it; a hash is compared only with one
//! of its own version.
//!
//! * **Version 1** is that of the builds before [`HASH_VERSION`] was stored: 64-bit FNV-1a over the name and the payload of the
//!   first command, as it was written.
//! * **Version 2** is SipHash-2-4 over the name and the [canonical form](super::canonical) of a command. The commands of a unit
//!   of work are a chain: each hash covers the one before it. So a unit of one command has the hash of that command.
//!
//! A hash of 64 bits finds every mistake; it does not stop an attacker who may choose both commands. With 2^32 trials he
//! finds two of one hash, and may then repeat his own key with the other one: nothing is stored, and the answer is that of the
//! first. To find a command with the hash of somebody else's takes 2^64 trials.

#![allow(deprecated, reason = "`SipHasher` is SipHash-2-4 for good, and its successor promises no algorithm")]

use std::hash::{Hasher as _, SipHasher};
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use super::Inner;
use super::canonical::{self, Original};
use super::held::Decider;
use super::options::Options;
use crate::error::{Failure, StoreError};
use crate::schema::Fingerprint;
use crate::store::{HASH_VERSION, KeyRecord, NewKey};
use crate::{Aggregate, StreamName};

/// An idempotency key with the commands that it was given for, so far.
#[derive(Debug, Clone)]
pub(crate) struct KeyedCommands {
    key: Arc<str>,
    /// By the algorithm of [`HASH_VERSION`].
    hash: u64,
    /// By the algorithm of the first builds.
    hash_1: u64,
}

impl KeyedCommands {
    pub(crate) fn key(&self) -> &str {
        &self.key
    }
    /// The key as a store keeps it.
    pub(crate) fn stored(&self) -> NewKey {
        NewKey { key: Arc::clone(&self.key), command_hash: self.hash, hash_version: HASH_VERSION }
    }
    /// Adds the next command of a unit of work, which is given to this stream.
    pub(crate) fn add<A: Aggregate, D: Decider<A>>(&mut self, stream: &StreamName, decider: &D) -> Result<(), Failure> {
        let (next, _) = hashes(decider)?;
        let mut chain = SipHasher::new();
        chain.write(&self.hash.to_le_bytes());
        chain.write(stream.as_str().as_bytes());
        chain.write(&next.to_le_bytes());
        self.hash = chain.finish();
        Ok(())
    }
    /// Whether a use of the key was one of these commands, all of them.
    ///
    /// # Errors
    /// [`Failure::NewerKey`] where a newer build stored it.
    pub(crate) fn is_use(&self, stream: &StreamName, record: &KeyRecord) -> Result<bool, Failure> {
        match record.hash_version {
            1 => Ok(record.command_hash == self.hash_1),
            HASH_VERSION => Ok(record.command_hash == self.hash),
            hash_version => {
                let (stream, key) = (stream.clone(), self.key.to_string());
                Err(Failure::NewerKey { stream, key, hash_version })
            }
        }
    }
    /// Refuses commands that the key does not stand for.
    pub(crate) fn check(&self, stream: &StreamName, record: &KeyRecord) -> Result<(), Failure> {
        if self.is_use(stream, record)? { Ok(()) } else { Err(self.reused(stream)) }
    }
    /// The refusal of other commands than those of the first use.
    pub(crate) fn reused(&self, stream: &StreamName) -> Failure {
        Failure::KeyReused { stream: stream.clone(), key: self.key.to_string() }
    }
}

impl Inner {
    /// The key of a command, with the hash of the command.
    pub(crate) fn keyed<A: Aggregate, D: Decider<A>>(
        &self,
        decider: &D,
        options: &Options,
    ) -> Result<Option<KeyedCommands>, Failure> {
        let Some(key) = options.key.clone() else { return Ok(None) };
        if self.store.keys.is_none() {
            return Err(StoreError::Unsupported("idempotency keys").into());
        }
        StreamName::check_id(&key).map_err(Failure::InvalidKey)?;
        let (hash, hash_1) = hashes(decider)?;
        Ok(Some(KeyedCommands { key, hash, hash_1 }))
    }

    pub(crate) async fn find_key(&self, stream: &StreamName, key: &KeyedCommands) -> Result<Option<KeyRecord>, Failure> {
        match &self.store.keys {
            Some(keys) => Ok(keys.find_key(stream, &key.key).await?),
            None => Ok(None),
        }
    }
}

/// The hashes of a command, by the algorithm of today and by the first one.
fn hashes<A: Aggregate, D: Decider<A>>(decider: &D) -> Result<(u64, u64), Failure> {
    let info = decider.info();
    let mut payload = Vec::with_capacity(128);
    decider.encode(&mut payload).map_err(|why| Failure::Unwritable { event: info.name, why })?;
    let mut form = Vec::with_capacity(payload.len() * 2);
    if !canonical::write(&info.node, &payload, &OfDecider(decider, PhantomData::<fn() -> A>), &mut form) {
        form.clone_from(&payload);
    }
    let mut hash = SipHasher::new();
    hash.write(&(info.name.len() as u64).to_le_bytes());
    hash.write(info.name.as_bytes());
    hash.write(&form);
    let hash_1 = Fingerprint::new().bytes(info.name.as_bytes()).bytes(&payload).finish();
    Ok((hash.finish(), hash_1))
}

struct OfDecider<'a, A, D>(&'a D, PhantomData<fn() -> A>);

impl<A: Aggregate, D: Decider<A>> Original for OfDecider<'_, A, D> {
    // The user's code meets forms here that no caller gave: where it panics, the form is not one of the command.
    fn is_read_from(&self, form: &[u8]) -> bool {
        catch_unwind(AssertUnwindSafe(|| self.0.is_read_from(form))).unwrap_or(false)
    }
    fn rewritten(&self, form: &[u8]) -> Option<Vec<u8>> {
        catch_unwind(AssertUnwindSafe(|| self.0.rewritten(form))).unwrap_or(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hashes are stored, so they never change: the vector is that of the paper, Aumasson and Bernstein 2012.
    #[test]
    fn the_hash_is_siphash_2_4() {
        let bytes: Vec<u8> = (0..15).collect();
        let mut hash = SipHasher::new_with_keys(0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908);
        hash.write(&bytes);
        assert_eq!(hash.finish(), 0xa129_ca61_49be_45e5);
        // In pieces it is the same.
        let mut hash = SipHasher::new();
        hash.write(&bytes[..7]);
        hash.write(&bytes[7..]);
        let mut whole = SipHasher::new();
        whole.write(&bytes);
        assert_eq!(hash.finish(), whole.finish());
    }
}
