//! Serde adapters for what is stored packed.

/// Byte strings as one length and the bytes.
pub mod bytes {
    use serde::{Deserializer, Serializer};

    /// Writes the bytes.
    ///
    /// # Errors
    /// As the format's.
    pub fn serialize<S: Serializer>(value: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(value)
    }

    /// Reads the bytes.
    ///
    /// # Errors
    /// As the format's.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        from.deserialize_byte_buf(Buffer)
    }

    struct Buffer;

    impl serde::de::Visitor<'_> for Buffer {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("bytes")
        }

        fn visit_bytes<E>(self, value: &[u8]) -> Result<Vec<u8>, E> {
            Ok(value.to_vec())
        }

        fn visit_byte_buf<E>(self, value: Vec<u8>) -> Result<Vec<u8>, E> {
            Ok(value)
        }
    }
}

/// [`endcap_targeting::Behaviour`] in its own binary form, the one that the page reads too.
pub mod behaviour {
    use endcap_targeting::Behaviour;
    use serde::de::Error;
    use serde::{Deserializer, Serializer};

    /// Writes the binary form.
    ///
    /// # Errors
    /// As the format's.
    pub fn serialize<S: Serializer>(value: &Behaviour, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(&value.encode())
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Behaviour, D::Error> {
        Behaviour::decode(&super::bytes::deserialize(from)?).map_err(D::Error::custom)
    }
}
