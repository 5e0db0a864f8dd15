//! Keeping the box of what is live: the years for which it must be kept run from its last effect, so that each promotion
//! lengthens them. Done before the promotion is closed: whatever is recorded as verified is kept, and a promotion that
//! could not see to that is unfinished, like any other that cannot go on.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{
    engine::promote::Promotion,
    model::{
        key::VaultKey,
        manifest::{MANIFEST, box_key},
    },
    ports::vault::AT_ONCE,
};

impl Promotion<'_> {
    /// Has the vault keep every object of the box, from now on.
    pub(super) async fn keep(&self) -> anyhow::Result<()> {
        let mut kept = Vec::new();
        for name in self.manifest.objects.keys().map(String::as_str).chain([MANIFEST]) {
            kept.push(self.keep_one(box_key(self.manifest.release, name)?));
        }
        stream::iter(kept).buffered(AT_ONCE).try_collect().await
    }

    async fn keep_one(&self, key: VaultKey) -> anyhow::Result<()> {
        let kept = self.context.vault.keep(&key, &self.chain().writer()).await;
        Ok(kept.map_err(|error| error.failed(format!("failed to lengthen the retention of {key}")))?)
    }
}
