//! ECDSA key files whose secret number is short. OpenSSH drops the number's leading zeros, ssh-key 0.6 insists on all
//! of its bytes: it reads every second key on P-521 and one in 256 on the other curves not at all. Can go with a
//! version of that crate that reads them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use ssh_encoding::{Decode as _, Encode as _};
use ssh_key::{PrivateKey, private::KeypairData};

/// The unencrypted ECDSA key of this file with its number made whole; `None` if it is anything else.
pub(super) fn read_short(text: &str) -> Option<PrivateKey> {
    let armoured = text.trim().strip_prefix("-----BEGIN OPENSSH PRIVATE KEY-----")?;
    let body: String = armoured.strip_suffix("-----END OPENSSH PRIVATE KEY-----")?.split_whitespace().collect();
    let file = STANDARD.decode(body).ok()?;
    let mut outer = file.strip_prefix(b"openssh-key-v1\0")?;
    let (cipher, _kdf, _options) = (string(&mut outer)?, string(&mut outer)?, string(&mut outer)?);
    if cipher != b"none" || u32::decode(&mut outer).ok()? != 1 {
        return None;
    }
    let (public, private) = (string(&mut outer)?, string(&mut outer)?);
    let mut inner = private.as_slice();
    if u32::decode(&mut inner).ok()? != u32::decode(&mut inner).ok()? {
        return None;
    }
    let (kind, curve, point, number) =
        (string(&mut inner)?, string(&mut inner)?, string(&mut inner)?, string(&mut inner)?);
    let size = match curve.as_slice() {
        b"nistp256" => 32,
        b"nistp384" => 48,
        b"nistp521" => 66,
        _ => return None,
    };
    let mut whole = vec![0; size - number.len().min(size)];
    whole.extend(&number);
    let mut pair = Vec::new();
    for field in [kind, curve, point, whole] {
        field.encode(&mut pair).ok()?;
    }
    let key = PrivateKey::try_from(KeypairData::decode(&mut pair.as_slice()).ok()?).ok()?;
    (key.public_key().to_bytes().ok()? == public).then_some(key)
}

/// The next field.
fn string(reader: &mut &[u8]) -> Option<Vec<u8>> {
    Vec::decode(reader).ok()
}
