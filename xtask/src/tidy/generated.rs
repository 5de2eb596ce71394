//! What is generated is fresh.

use super::Finding;
use crate::codegen;
use crate::tree::Tree;

pub fn check() -> anyhow::Result<Vec<Finding>> {
    let stale = codegen::stale(&Tree::root())?;
    Ok(stale.into_iter().map(|path| Finding::new("generated", path, "is not fresh; run `make codegen`")).collect())
}
