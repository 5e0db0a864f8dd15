//! A person's key: it signs what the person decides, and never leaves its file, agent or token.

use async_trait::async_trait;

/// One key of one person.
#[async_trait]
pub trait PersonKey: Send + Sync {
    /// The public half, which tells whose key it is.
    fn public(&self) -> &ssh_key::PublicKey;

    /// An armoured `SSHSIG` over these bytes in this namespace, one that `ssh-keygen -Y verify` accepts. May wait for
    /// the person, whom an agent can ask.
    async fn sign(&self, namespace: &str, bytes: &[u8]) -> anyhow::Result<String>;
}
