//! File names that a model or a server said.

use std::path::PathBuf;

/// A file's name inside a model as a relative path; `None` where it would leave the folder that it
/// is joined to.
///
/// ```
/// use trireme_service::relative_path;
///
/// assert!(relative_path("1_Pooling/config.json").is_some());
/// assert!(relative_path("../secret").is_none());
/// ```
#[must_use]
pub fn relative_path(name: &str) -> Option<PathBuf> {
    let unsafe_part = |part: &str| matches!(part, "" | "." | "..");
    // A backslash or a colon means a path of its own on Windows.
    if name.contains(['\\', ':', '\0']) || name.split('/').any(unsafe_part) {
        return None;
    }
    Some(name.split('/').collect())
}
