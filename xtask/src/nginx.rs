//! The proxy that servers are restarted behind.

use std::fs;

use crate::error::{Error, Result};
use crate::install::{answers, debian, quietly, whole};
use crate::process::command;

/// Whether it is here.
pub fn present() -> bool {
    answers(&trireme_tests::nginx().to_string_lossy(), &["-v"])
}

/// Unpacks Debian's package beside setup's other tools. Installed as packages are, it would begin
/// to serve on port 80.
pub fn install() -> Result<()> {
    whole(&trireme_tests::nginx_dir(), |work| {
        fs::create_dir_all(work).map_err(Error::file(work))?;
        let download = || {
            let mut apt = command("apt-get");
            apt.args(["download", "nginx"]).current_dir(work);
            quietly("apt-get", apt)
        };
        // A machine that never asked for its lists knows of no package.
        download().or_else(|_| debian(&[]).and_then(|()| download()))?;
        let packages = fs::read_dir(work).map_err(Error::file(work))?;
        for package in packages.flatten() {
            let mut unpack = command("dpkg-deb");
            unpack.arg("-x").arg(package.path()).arg(work);
            quietly("dpkg-deb", unpack)?;
        }
        Ok(())
    })
}
