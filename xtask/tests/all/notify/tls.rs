//! Notices over TLS, with the real binary: they reach whom this machine trusts, and nobody else.

use std::{fs, sync::Arc};

use camino::{Utf8Path, Utf8PathBuf};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring::default_provider, pki_types::PrivatePkcs8KeyDer},
};

use super::{
    configured,
    sinks::{Encryption, Sink, https, smtp_over},
};
use crate::support::project::{Project, RELEASE, Ran};

/// Somebody who certifies servers, and the file by which a machine trusts them.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    file: Utf8PathBuf,
}

impl Authority {
    fn new(file: Utf8PathBuf) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, file.file_name().unwrap());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        fs::write(&file, params.self_signed(&key).unwrap().pem()).unwrap();
        Self { issuer: Issuer::new(params, key), file }
    }

    /// What a server of this name shows.
    fn certified(&self, name: &str) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let params = CertificateParams::new([name.to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap().der().clone();
        let config = ServerConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate], PrivatePkcs8KeyDer::from(key.serialize_der()).into());
        TlsAcceptor::from(Arc::new(config.unwrap()))
    }
}

/// A project whose notices go to two servers that show the same certificate.
struct Told {
    project: Project,
    hook: Sink,
    address: String,
    mail: Sink,
}

impl Told {
    async fn at(encryption: &str, shown: TlsAcceptor) -> Self {
        let (hook, address) = https(shown.clone()).await;
        let (mail, port) = match encryption {
            "starttls" => smtp_over(Encryption::Asked(shown)).await,
            _ => smtp_over(Encryption::Always(shown)).await,
        };
        let project = Project::new();
        let told = configured(port).replace("\"none\"", &format!("\"{encryption}\""));
        let login = "login = { user = \"tool\", password = { file = \"../password\" } }\n";
        project.repo().write("release.toml", &format!("{RELEASE}\n{told}{login}"));
        fs::write(project.repo().beside("password"), "sesame\n").unwrap();
        Self { project, hook, address, mail }
    }

    /// `notify --test` on a machine that trusts what this file has, or what this machine has.
    async fn test(&self, trusted: Option<&Utf8Path>) -> Ran {
        let mut command = self.project.command(self.project.root(), &["notify", "--test"]);
        command.env("HOOK", &self.address).envs(trusted.map(|file| ("SSL_CERT_FILE", file)));
        tokio::task::spawn_blocking(move || Ran::of(command.output().unwrap())).await.unwrap()
    }

    /// What was taken over the webhook and by mail.
    fn got(&self) -> (usize, usize) {
        (self.hook.got().len(), self.mail.got().len())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn they_reach_whom_this_machine_trusts_and_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str| Utf8Path::from_path(folder.path()).unwrap().join(name);
    let (ours, stranger) = (Authority::new(file("ours.pem")), Authority::new(file("stranger.pem")));
    for encryption in ["starttls", "tls"] {
        let told = Told::at(encryption, ours.certified("127.0.0.1")).await;
        for trusted in [None, Some(&*stranger.file)] {
            let ran = told.test(trusted).await.expect(8);
            both_say(&ran, "UnknownIssuer");
        }
        assert_eq!(told.got(), (0, 0), "{encryption}");
        let ran = told.test(Some(&ours.file)).await.expect(0);
        assert_eq!(ran.stdout, "e-mail: taken\nthe webhook: taken\n", "{encryption}");
        assert_eq!(told.got(), (1, 1), "{encryption}");
        assert!(told.mail.got()[0].contains("Subject: A test notice"), "{encryption}: {:?}", told.mail.got());
        // Trusted, but as somebody else.
        let told = Told::at(encryption, ours.certified("elsewhere.example.com")).await;
        let ran = told.test(Some(&ours.file)).await.expect(8);
        both_say(&ran, "not valid for name");
        assert_eq!(told.got(), (0, 0), "{encryption}");
    }
}

/// Why neither took it.
#[track_caller]
fn both_say(ran: &Ran, why: &str) {
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let refused = |line: &&str| line.contains("not taken: ") && line.contains(why);
    assert!(lines.len() == 2 && lines.iter().all(refused), "{why}: {ran:?}");
}
