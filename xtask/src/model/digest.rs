//! SHA-256 digests: the identity of every object in the vault and of every release.

use std::{fmt, str::FromStr};

use base64::Engine as _;
use serde::{Deserialize, Serialize, de};
use sha2::{Digest as _, Sha256};

/// A SHA-256 digest, written `sha256:` and 64 lower-case hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of these bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// 64 lower-case hex digits, as `sha256sum` prints them.
    #[must_use]
    pub fn hex(&self) -> String {
        hex::encode(self.0)
    }

    /// Standard base64 of the 32 raw bytes: the form of Lambda's `CodeSha256` and of S3's `x-amz-checksum-sha256`.
    #[must_use]
    pub fn base64(&self) -> String {
        base64::engine::general_purpose::STANDARD.encode(self.0)
    }

    /// The digest that this base64 stands for.
    ///
    /// # Errors
    /// If it is no base64 of 32 bytes.
    pub fn from_base64(text: &str) -> Result<Self, Base64Error> {
        let wrong = || Base64Error(text.chars().take(80).collect());
        let raw = base64::engine::general_purpose::STANDARD.decode(text).map_err(|_no_base64| wrong())?;
        raw.try_into().map(Self).map_err(|_other_size| wrong())
    }

    /// The first twelve hex digits: enough for a person to tell two digests apart in a table.
    #[must_use]
    pub fn short(&self) -> String {
        hex::encode(&self.0[..6])
    }
}

/// Hashes a stream piece by piece, counting its bytes.
#[derive(Debug, Default, Clone)]
pub struct Hasher {
    sha: Sha256,
    size: u64,
}

impl Hasher {
    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        self.sha.update(piece);
        self.size += piece.len() as u64;
    }

    /// The digest and the number of bytes of all pieces.
    #[must_use]
    pub fn finish(self) -> (Digest, u64) {
        (Digest(self.sha.finalize().into()), self.size)
    }
}

impl std::io::Write for Hasher {
    fn write(&mut self, piece: &[u8]) -> std::io::Result<usize> {
        self.update(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A text that is not a digest.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not a digest: write `sha256:` and 64 lower-case hex digits")]
pub struct DigestError(String);

/// A text that is not the base64 of a digest.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("`{0}` is not the base64 of a SHA-256 digest")]
pub struct Base64Error(String);

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let wrong = || DigestError(text.chars().take(80).collect());
        let digits = text.strip_prefix("sha256:").ok_or_else(wrong)?;
        if digits.bytes().any(|b| b.is_ascii_uppercase()) {
            return Err(wrong());
        }
        let mut raw = [0; 32];
        hex::decode_to_slice(digits, &mut raw).map_err(|_not_hex| wrong())?;
        Ok(Self(raw))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sha256:{}", self.hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_sha256sum_prints() {
        assert_eq!(Digest::of(b"").hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
        assert_eq!(Digest::of(b"").base64(), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=");
    }

    #[test]
    fn reads_only_its_own_form() {
        let digest = Digest::of(b"box");
        assert_eq!(digest.to_string().parse(), Ok(digest));
        for wrong in
            ["", "sha256:", &digest.hex(), &digest.to_string().to_uppercase(), &format!("{digest}0"), "sha256:é"]
        {
            assert!(wrong.parse::<Digest>().is_err(), "{wrong}");
        }
    }
}
