//! The key that signs for the shop.

use super::key::{PublicKey, SecretKey};

/// The shop's signing key with the name under which subscriptions remember it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VapidKey {
    id: String,
    public: PublicKey,
    secret: SecretKey,
}

impl VapidKey {
    /// Joins the two halves of a key pair. `id` is stored with each subscription that was made with this key.
    pub fn new(id: impl Into<String>, public: PublicKey, secret: SecretKey) -> Self {
        Self { id: id.into(), public, secret }
    }

    /// The key's name.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The half that browsers are given as `applicationServerKey`.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The half that signs.
    pub fn secret(&self) -> &SecretKey {
        &self.secret
    }
}
