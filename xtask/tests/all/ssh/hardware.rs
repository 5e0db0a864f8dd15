//! Signatures as hardware keys make them, and as nobody should make them: signed here field by field, because no
//! tool would.

use rsa::signature::Signer as _;
use sha2::{Digest as _, Sha256, Sha512};
use ssh_key::{
    Algorithm, EcdsaCurve, PrivateKey, PublicKey, Signature,
    public::{KeyData, SkEcdsaSha2NistP256, SkEd25519},
    rand_core::OsRng,
};

use xtask::model::{
    allowed_signers::{AllowedSigner, AllowedSignerError, Validity},
    sshsig::{self, KeyError, SignatureError},
};

use super::{
    blob::{Blob, string},
    tools::{Claim, NAMESPACES, Workshop},
};

const MESSAGE: &[u8] = b"approved";

/// What is signed for this message.
fn signed(namespace: &str, reserved: &[u8]) -> Vec<u8> {
    let fields = [namespace.as_bytes(), reserved, b"sha512", &Sha512::digest(MESSAGE)].map(string);
    [b"SSHSIG".as_slice(), &fields.concat()].concat()
}

fn blob(key: &KeyData, namespace: &str, reserved: &[u8], algorithm: &str, signature: Vec<u8>) -> Blob {
    Blob {
        magic: b"SSHSIG".to_vec(),
        version: 1,
        key: PublicKey::from(key.clone()).to_bytes().unwrap(),
        namespace: namespace.into(),
        reserved: reserved.to_owned(),
        hash: b"sha512".to_vec(),
        algorithm: algorithm.into(),
        signature,
    }
}

#[test]
fn a_field_that_is_signed_is_still_refused_if_openssh_does() {
    let workshop = Workshop::new();
    let key = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
    for (namespace, reserved, good) in
        [(NAMESPACES[0], b"".as_slice(), true), (NAMESPACES[0], b"x", false), ("", b"", false)]
    {
        let signature: Signature = key.try_sign(&signed(namespace, reserved)).unwrap();
        let public = key.public_key();
        let armour = blob(public.key_data(), namespace, reserved, "ssh-ed25519", string(signature.as_bytes())).armour();
        let claim = Claim { namespace: namespace.to_owned(), ..Claim::new(&armour, MESSAGE, public) };
        assert_eq!(claim.is_accepted(), good, "here: {namespace:?} {reserved:?}");
        assert_eq!(workshop.openssh_accepts(&claim), good, "OpenSSH: {namespace:?} {reserved:?}");
    }
}

/// What a token does: it signs the digests of the application and of the data, with its flags and counter between.
#[test]
fn a_hardware_key_counts_if_it_was_touched() {
    let workshop = Workshop::new();
    let inner = PrivateKey::random(&mut OsRng, Algorithm::Ed25519).unwrap();
    let point = inner.public_key().key_data().ed25519().unwrap();
    let public = PublicKey::from(KeyData::SkEd25519(SkEd25519::new(*point, "ssh:")));
    let sign = |flags: u8, told: u8| {
        let trailer = |flags: u8| [&[flags][..], &7_u32.to_be_bytes()].concat();
        let data =
            [Sha256::digest("ssh:").to_vec(), trailer(flags), Sha256::digest(signed(NAMESPACES[0], b"")).to_vec()];
        let signature: Signature = inner.try_sign(&data.concat()).unwrap();
        let signature = [string(signature.as_bytes()), trailer(told)].concat();
        let blob = blob(public.key_data(), NAMESPACES[0], b"", "sk-ssh-ed25519@openssh.com", signature);
        Claim::new(&blob.armour(), MESSAGE, &public)
    };
    // Flags as signed, flags as told, accepted here, accepted by OpenSSH.
    for (flags, told, here, openssh) in
        [(1, 1, true, true), (5, 5, true, true), (0, 0, false, true), (0, 1, false, false)]
    {
        let claim = sign(flags, told);
        assert_eq!(claim.is_accepted(), here, "here: {flags} {told}");
        assert_eq!(workshop.openssh_accepts(&claim), openssh, "OpenSSH: {flags} {told}");
    }
}

/// ssh-key 0.6 does not write what it reads of them, so they cannot be checked for their form.
#[test]
fn an_ecdsa_key_in_hardware_is_named_as_unsupported() {
    let inner = PrivateKey::random(&mut OsRng, Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 }).unwrap();
    let Some(ssh_key::public::EcdsaPublicKey::NistP256(point)) = inner.public_key().key_data().ecdsa() else {
        panic!("another curve");
    };
    let public = PublicKey::from(KeyData::SkEcdsaSha2NistP256(SkEcdsaSha2NistP256::new(*point, "ssh:")));
    let unsupported = KeyError::Unsupported(Algorithm::SkEcdsaSha2NistP256);

    let listed = AllowedSigner::new("alice", &NAMESPACES, Validity::default(), &public);
    assert!(matches!(listed, Err(AllowedSignerError::Key { source, .. }) if source == unsupported));

    let trailer = [1, 0, 0, 0, 7];
    let data = [Sha256::digest("ssh:").to_vec(), trailer.into(), Sha256::digest(signed(NAMESPACES[0], b"")).to_vec()];
    let signature: Signature = inner.try_sign(&data.concat()).unwrap();
    let signature = [string(signature.as_bytes()), trailer.into()].concat();
    let blob = blob(public.key_data(), NAMESPACES[0], b"", "sk-ecdsa-sha2-nistp256@openssh.com", signature);
    let found = sshsig::verify(&blob.armour(), MESSAGE, NAMESPACES[0], [&public]);
    assert!(matches!(found, Err(SignatureError::Key(why)) if why == unsupported));
}
