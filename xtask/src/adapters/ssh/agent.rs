//! A key that an ssh-agent holds: the public half is known here, the agent signs.

use std::{io, os::unix::net::UnixStream, time::Duration};

use anyhow::Context as _;
use async_trait::async_trait;
use camino::{Utf8Path, Utf8PathBuf};
use ssh_agent_client_rs::{Client, Error, Identity};
use ssh_key::{PublicKey, Signature, SshSig, public::KeyData};

use super::{HASH, armour};
use crate::{failure::Failure, model::sshsig, ports::person_key::PersonKey};

/// How long an agent may take to list its keys, for which it asks nobody. One behind a dead connection never answers.
const PATIENCE: Duration = Duration::from_secs(20);

/// A key in an agent.
pub(super) struct AgentKey {
    path: Utf8PathBuf,
    socket: Utf8PathBuf,
    public: PublicKey,
}

impl AgentKey {
    /// Finds the agent, and the key in it. The path is for the messages.
    pub(super) fn open(path: &Utf8Path, public: PublicKey, socket: Option<&Utf8Path>) -> anyhow::Result<Self> {
        sshsig::check_key(public.key_data())
            .map_err(|error| Failure::usage(format!("the key {path} cannot be used: {error}")))?;
        let Some(socket) = socket else {
            let text = format!(
                "{path} is a public key, and no ssh-agent is known (SSH_AUTH_SOCK is not set): \
                 start one with `eval \"$(ssh-agent)\"` and load the key with `ssh-add`"
            );
            return Err(Failure::usage(text).into());
        };
        if holds(socket, public.key_data())? == Some(false) {
            let text = format!(
                "the ssh-agent at {socket} does not hold the key {path}: load its private half with `ssh-add` \
                 (a locked agent shows no keys: `ssh-add -X` unlocks it)"
            );
            return Err(Failure::usage(text).into());
        }
        Ok(Self { path: path.to_owned(), socket: socket.to_owned(), public })
    }
}

#[async_trait]
impl PersonKey for AgentKey {
    fn public(&self) -> &PublicKey {
        &self.public
    }

    async fn sign(&self, namespace: &str, bytes: &[u8]) -> anyhow::Result<String> {
        let data = SshSig::signed_data(namespace, HASH, bytes).context("failed to prepare what is signed")?;
        let (socket, key) = (self.socket.clone(), self.public.key_data().clone());
        let answer = tokio::task::spawn_blocking(move || ask(&socket, key, &data)).await;
        let signature = answer.context("the talk with ssh-agent was cut short")?.map_err(|error| {
            let why = match error.downcast_ref() {
                Some(Error::RemoteFailure) => " (it does not hold the key, is locked, or whoever it asked said no)",
                _ => "",
            };
            Failure::unfinished(format!("ssh-agent did not sign with the key {}{why}", self.path), error)
        })?;
        armour(&self.public, namespace, bytes, signature)
    }
}

/// Whether the agent holds this key, if it can be told: the library gives the whole list up for one entry that it
/// cannot read, such as a certificate that never ends. Signing shows it then.
fn holds(socket: &Utf8Path, key: &KeyData) -> anyhow::Result<Option<bool>> {
    let is_ours = |identity: &Identity<'_>| match identity {
        Identity::PublicKey(held) => held.key_data() == key,
        Identity::Certificate(_) => false,
    };
    match connect(socket, Some(PATIENCE))?.list_all_identities() {
        Ok(held) => Ok(Some(held.iter().any(is_ours))),
        Err(Error::SSHKey(_) | Error::SSHEncoding(_)) => Ok(None),
        Err(error) => Err(Failure::usage(format!("the ssh-agent at {socket} does not list its keys: {error}")).into()),
    }
}

/// One signature from the agent, however long the person takes to confirm it.
fn ask(socket: &Utf8Path, key: KeyData, data: &[u8]) -> anyhow::Result<Signature> {
    Ok(connect(socket, None)?.sign(PublicKey::from(key), data)?)
}

fn connect(socket: &Utf8Path, patience: Option<Duration>) -> anyhow::Result<Client> {
    let connected = UnixStream::connect(socket).and_then(|stream| {
        stream.set_read_timeout(patience)?;
        Ok(stream)
    });
    match connected {
        Ok(stream) => Ok(Client::with_read_write(Box::new(stream))),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            let text = format!(
                "no ssh-agent listens at {socket} (SSH_AUTH_SOCK): start one with `eval \"$(ssh-agent)\"` \
                 and load the key with `ssh-add`"
            );
            Err(Failure::usage(text).into())
        }
        Err(error) => Err(error).with_context(|| format!("failed to reach the ssh-agent at {socket}")),
    }
}
