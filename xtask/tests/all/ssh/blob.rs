//! The fields of an armoured signature, to be altered one by one and put together again.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ssh_encoding::{Decode as _, Encode as _};

/// The fields as they stand in the signature, except that the algorithm is parted from the signature's own bytes.
#[derive(Clone)]
pub(crate) struct Blob {
    pub(crate) magic: Vec<u8>,
    pub(crate) version: u32,
    pub(crate) key: Vec<u8>,
    pub(crate) namespace: Vec<u8>,
    pub(crate) reserved: Vec<u8>,
    pub(crate) hash: Vec<u8>,
    pub(crate) algorithm: Vec<u8>,
    /// The signature's string with its length, and whatever follows it.
    pub(crate) signature: Vec<u8>,
}

impl Blob {
    pub(crate) fn read(armour: &str) -> Self {
        let bytes = bytes(armour);
        let (magic, mut rest) = bytes.split_at(6);
        let version = u32::decode(&mut rest).unwrap();
        let mut next = || Vec::<u8>::decode(&mut rest).unwrap();
        let (key, namespace, reserved, hash, signature) = (next(), next(), next(), next(), next());
        let mut inner = signature.as_slice();
        let algorithm = Vec::decode(&mut inner).unwrap();
        Self {
            magic: magic.to_owned(),
            version,
            key,
            namespace,
            reserved,
            hash,
            algorithm,
            signature: inner.to_owned(),
        }
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let mut bytes = self.magic.clone();
        self.version.encode(&mut bytes).unwrap();
        let signature = [string(&self.algorithm), self.signature.clone()].concat();
        for field in [&self.key, &self.namespace, &self.reserved, &self.hash, &signature] {
            bytes.extend(string(field));
        }
        bytes
    }

    pub(crate) fn armour(&self) -> String {
        armour(&self.bytes())
    }
}

/// Bytes as a field: their length before them.
pub(crate) fn string(bytes: &[u8]) -> Vec<u8> {
    let mut field = Vec::new();
    bytes.encode(&mut field).unwrap();
    field
}

/// What the armour holds.
pub(crate) fn bytes(armour: &str) -> Vec<u8> {
    let body: String = armour.lines().filter(|line| !line.starts_with('-')).collect();
    STANDARD.decode(body).unwrap()
}

/// Armour as OpenSSH writes it.
pub(crate) fn armour(bytes: &[u8]) -> String {
    wrapped(bytes, 70)
}

/// Armour with lines of this length.
pub(crate) fn wrapped(bytes: &[u8], width: usize) -> String {
    let body = STANDARD.encode(bytes);
    let lines: Vec<_> = body.as_bytes().chunks(width).map(|line| std::str::from_utf8(line).unwrap()).collect();
    format!("-----BEGIN SSH SIGNATURE-----\n{}\n-----END SSH SIGNATURE-----\n", lines.join("\n"))
}
