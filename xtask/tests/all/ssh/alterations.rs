//! Altered signatures: OpenSSH and we must give the same verdict, except where `model/sshsig.rs` says that we are
//! stricter. What OpenSSH refuses is never accepted here.

use ssh_key::PublicKey;

use super::{
    blob::{self, Blob, string},
    tools::{Claim, KINDS, NAMESPACES, Workshop, signer, time},
};

/// What both must say of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Both accept.
    Good,
    /// Both refuse.
    Bad,
    /// OpenSSH accepts, we refuse: documented.
    Stricter,
}

type Case = (String, Claim, Verdict);

#[test]
fn openssh_and_we_agree_on_altered_claims() {
    let workshop = Workshop::new();
    workshop.make_key("other", &["ed25519"]);
    let mut cases = Vec::new();
    for (name, kind) in KINDS {
        workshop.make_key(name, kind);
        let armour = workshop.sign(name, NAMESPACES[0], b"approved");
        let claim = Claim::new(&armour, b"approved", &workshop.public(name));
        // One kind goes through all positions, the others through some: each step costs a process.
        let step = match name {
            "ed25519" => 1,
            "p256" => 5,
            _ => 17,
        };
        let before = cases.len();
        cases.extend(statements(&claim, &workshop.public("other")));
        cases.extend(flips(&claim, step));
        cases.extend(fields(&claim));
        cases.extend(armours(&claim));
        for (what, ..) in &mut cases[before..] {
            *what = format!("{name}: {what}");
        }
    }
    assert!(cases.len() >= 100, "only {} cases", cases.len());
    let mut wrong = Vec::new();
    for (what, claim, expected) in &cases {
        let found = match (claim.is_accepted(), workshop.openssh_accepts(claim)) {
            (true, true) => "Good",
            (false, false) => "Bad",
            (false, true) => "Stricter",
            (true, false) => "ACCEPTED HERE, REFUSED BY OPENSSH",
        };
        if found != format!("{expected:?}") {
            wrong.push(format!("{what}: {found} instead of {expected:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} cases:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// Another message, namespace, person, key, or time.
fn statements(good: &Claim, other: &PublicKey) -> Vec<Case> {
    let case = |what: &str, verdict, alter: &dyn Fn(&mut Claim)| {
        let mut claim = good.clone();
        alter(&mut claim);
        (what.to_owned(), claim, verdict)
    };
    let mut cases = vec![
        case("as it was", Verdict::Good, &|_| {}),
        case("first byte of the message", Verdict::Bad, &|c| c.message[0] ^= 1),
        case("last byte of the message", Verdict::Bad, &|c| *c.message.last_mut().unwrap() ^= 0x80),
        case("longer message", Verdict::Bad, &|c| c.message.push(b'\n')),
        case("shorter message", Verdict::Bad, &|c| c.message.truncate(7)),
        case("no message", Verdict::Bad, &|c| c.message.clear()),
        case("other namespace of the same key", Verdict::Bad, &|c| c.namespace = NAMESPACES[1].to_owned()),
        case("namespace that the key has not", Verdict::Bad, &|c| c.namespace = "file".to_owned()),
        case("namespace in capitals", Verdict::Bad, &|c| c.namespace = NAMESPACES[0].to_uppercase()),
        case("longer namespace", Verdict::Bad, &|c| c.namespace.push('1')),
        case("unknown person", Verdict::Bad, &|c| c.principal = "bob".to_owned()),
        case("person in capitals", Verdict::Bad, &|c| c.principal = "Alice".to_owned()),
        case("nobody is allowed", Verdict::Bad, &|c| c.signers.clear()),
        case("another key", Verdict::Bad, &|c| c.signers = vec![signer("alice", other)]),
        case("another person's key", Verdict::Bad, &|c| {
            c.signers = vec![signer("alice", other), c.signers[0].clone()];
            c.principal = "bob".to_owned();
        }),
        case("second of two keys", Verdict::Good, &|c| c.signers.insert(0, signer("alice", other))),
        case("shared key", Verdict::Good, &|c| {
            let key = allowed_key(c);
            c.signers.insert(0, signer("bob", &key));
        }),
    ];
    for (at, verdict) in [
        ("2025-12-31T23:59:59Z", Verdict::Bad),
        ("2026-01-01T00:00:00Z", Verdict::Good),
        ("2026-01-01T00:00:01Z", Verdict::Good),
        ("2026-01-31T23:59:58Z", Verdict::Good),
        ("2026-01-31T23:59:59Z", Verdict::Good),
        ("2026-02-01T00:00:00Z", Verdict::Bad),
        ("1999-01-01T00:00:00Z", Verdict::Bad),
        ("2999-01-01T00:00:00Z", Verdict::Bad),
    ] {
        cases.push(case(at, verdict, &|c| c.at = time(at)));
    }
    cases
}

/// One bit of every `step`th byte.
fn flips(good: &Claim, step: usize) -> Vec<Case> {
    let bytes = blob::bytes(&good.armour);
    let flip = |position: usize| {
        let mut altered = bytes.clone();
        altered[position] ^= 1 << ((position + 7) % 8);
        // The version is not signed, and OpenSSH takes 0 as well.
        let verdict = if altered[..10] == *b"SSHSIG\0\0\0\0" { Verdict::Stricter } else { Verdict::Bad };
        (format!("byte {position}"), Claim { armour: blob::armour(&altered), ..good.clone() }, verdict)
    };
    (0..bytes.len()).step_by(step).map(flip).collect()
}

/// Fields that are longer, other, or filled although they must not be.
fn fields(good: &Claim) -> Vec<Case> {
    let case = |what: &str, verdict, alter: &dyn Fn(&mut Blob)| {
        let mut altered = Blob::read(&good.armour);
        alter(&mut altered);
        (what.to_owned(), Claim { armour: altered.armour(), ..good.clone() }, verdict)
    };
    let longer = |more: &[u8]| {
        let bytes = [blob::bytes(&good.armour), more.to_owned()].concat();
        (format!("{} bytes behind", more.len()), Claim { armour: blob::armour(&bytes), ..good.clone() }, Verdict::Bad)
    };
    let is_rsa = Blob::read(&good.armour).algorithm.starts_with(b"rsa");
    let mut cases = vec![
        case("put together again", Verdict::Good, &|_| {}),
        case("version 0", Verdict::Stricter, &|b| b.version = 0),
        case("version 2", Verdict::Bad, &|b| b.version = 2),
        case("other magic", Verdict::Bad, &|b| b.magic = b"SSHSIH".to_vec()),
        case("no namespace", Verdict::Bad, &|b| b.namespace.clear()),
        case("other namespace", Verdict::Bad, &|b| b.namespace = NAMESPACES[1].into()),
        case("namespace with a zero byte", Verdict::Stricter, &|b| b.namespace.push(0)),
        case("reserved field in use", Verdict::Stricter, &|b| b.reserved = b"x".to_vec()),
        case("other digest", Verdict::Bad, &|b| b.hash = b"sha256".to_vec()),
        case("unknown digest", Verdict::Bad, &|b| b.hash = b"sha1".to_vec()),
        case("digest in capitals", Verdict::Bad, &|b| b.hash = b"SHA512".to_vec()),
        case("no digest", Verdict::Bad, &|b| b.hash.clear()),
        case("a byte behind the key", Verdict::Bad, &|b| b.key.push(0)),
        case("a field behind the key", Verdict::Bad, &|b| b.key.extend(string(b"x"))),
        case("no key", Verdict::Bad, &|b| b.key.clear()),
        case("a byte behind the signature", Verdict::Bad, &|b| b.signature.push(0)),
        case("a field behind the signature", Verdict::Bad, &|b| b.signature.extend(string(b"x"))),
        case("an empty signature", Verdict::Bad, &|b| b.signature = string(b"")),
        case("a signature with a byte more", Verdict::Bad, &|b| {
            b.signature = string(&[b.signature[4..].to_vec(), vec![0]].concat());
        }),
        case("a signature with a byte less", Verdict::Bad, &|b| {
            b.signature = string(&b.signature[4..b.signature.len() - 1]);
        }),
        case("an unknown algorithm", Verdict::Bad, &|b| b.algorithm = b"none".to_vec()),
        case("DSA", Verdict::Bad, &|b| b.algorithm = b"ssh-dss".to_vec()),
        case("SHA-1", Verdict::Bad, &|b| b.algorithm = b"ssh-rsa".to_vec()),
        case("RSA with SHA-256", Verdict::Bad, &|b| b.algorithm = b"rsa-sha2-256".to_vec()),
        longer(&[0]),
        longer(&[0; 4]),
    ];
    if is_rsa {
        // The library takes the name of the algorithm for that of the key, and so does OpenSSH.
        cases.push(case("key named like its algorithm", Verdict::Stricter, &|b| {
            b.key = [string(b"rsa-sha2-512"), b.key[11..].to_vec()].concat();
        }));
    }
    cases
}

/// Damaged or decorated armour.
fn armours(good: &Claim) -> Vec<Case> {
    let text = &good.armour;
    let bytes = blob::bytes(text);
    let body = text.lines().nth(1).unwrap();
    [
        ("without its last line break", Verdict::Good, text.trim_end().to_owned()),
        ("without its first line", Verdict::Bad, text.replace("-----BEGIN SSH SIGNATURE-----\n", "")),
        ("without its last line", Verdict::Bad, text.replace("-----END SSH SIGNATURE-----\n", "")),
        ("without a body line", Verdict::Bad, text.replace(&format!("{body}\n"), "")),
        ("with a body line twice", Verdict::Bad, text.replace(body, &format!("{body}\n{body}"))),
        ("with another label", Verdict::Bad, text.replace("SIGNATURE", "SIGNATUR")),
        ("in small letters", Verdict::Bad, text.replace("SSH SIGNATURE", "ssh signature")),
        ("with text before it", Verdict::Bad, format!("note\n{text}")),
        ("with a line break before it", Verdict::Bad, format!("\n{text}")),
        ("with text behind it", Verdict::Stricter, format!("{text}note\n")),
        ("with a line break behind it", Verdict::Stricter, format!("{text}\n")),
        ("twice", Verdict::Stricter, format!("{text}{text}")),
        ("with CR LF", Verdict::Bad, text.replace('\n', "\r\n")),
        ("with CR", Verdict::Bad, text.replace('\n', "\r")),
        ("with an empty line", Verdict::Stricter, text.replacen('\n', "\n\n", 1)),
        ("with blanks", Verdict::Stricter, text.replacen(body, &format!("{body} "), 1)),
        ("with short lines", Verdict::Stricter, blob::wrapped(&bytes, 64)),
        ("with long lines", Verdict::Stricter, blob::wrapped(&bytes, 76)),
        ("in one line", Verdict::Stricter, blob::wrapped(&bytes, usize::MAX)),
        ("with a foreign letter", Verdict::Bad, text.replacen(&body[..4], "U1N*", 1)),
        ("with a letter of another base64", Verdict::Bad, text.replacen(&body[..4], "U1N-", 1)),
        ("with a padding inside", Verdict::Bad, text.replacen(body, &format!("{body}="), 1)),
        ("with a comment line", Verdict::Bad, text.replacen(body, &format!("Comment: x\n{body}"), 1)),
        ("empty", Verdict::Bad, String::new()),
        ("first line only", Verdict::Bad, "-----BEGIN SSH SIGNATURE-----\n".to_owned()),
        ("without a body", Verdict::Bad, "-----BEGIN SSH SIGNATURE-----\n-----END SSH SIGNATURE-----\n".to_owned()),
    ]
    .map(|(what, verdict, armour)| (format!("armour {what}"), Claim { armour, ..good.clone() }, verdict))
    .into()
}

/// The key that signed.
fn allowed_key(claim: &Claim) -> PublicKey {
    PublicKey::from_bytes(&Blob::read(&claim.armour).key).unwrap()
}
