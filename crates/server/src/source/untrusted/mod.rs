//! What servers, disks and settings say, read before anything is done with it: functions of text,
//! without I/O.
//!
//! Public for the fuzz targets, which stand outside of this crate. A host has no use for it, and
//! its shape may change with any version.

pub mod address;
pub mod headers;
pub mod names;
