//! The platforms that keep objects, each with its own variables.

use std::env;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::{ObjectStore, RetryConfig};

use super::client::Connector;

/// How long a request is tried for: a server that is not there is said not to be.
const PATIENCE: Duration = Duration::from_secs(30);

/// Whose objects they are.
#[derive(Clone, Copy)]
pub enum Platform {
    Amazon,
    Google,
    Azure,
}

impl Platform {
    /// The platform of an address's scheme.
    pub fn of(scheme: &str) -> Option<Self> {
        match scheme {
            "s3" => Some(Self::Amazon),
            "gs" => Some(Self::Google),
            "az" => Some(Self::Azure),
            _ => None,
        }
    }

    /// A variable with a line break in it, as a file leaves one at its end, or with letters that a
    /// header takes none of: no request can carry it, and the library would panic.
    pub fn unsendable(self) -> Option<String> {
        let sent = |name: &str| {
            let key = name.to_ascii_lowercase();
            // What `Client` has is not sent, and a service account is JSON, on several lines.
            match self {
                Self::Amazon => {
                    let sent = |key| !matches!(key, AmazonS3ConfigKey::Client(_));
                    name.starts_with("AWS_") && key.parse().is_ok_and(sent)
                }
                Self::Google => {
                    let sent = |key| {
                        use GoogleConfigKey::{Client, ServiceAccountKey};
                        !matches!(key, Client(_) | ServiceAccountKey)
                    };
                    name.starts_with("GOOGLE_") && key.parse().is_ok_and(sent)
                }
                Self::Azure => {
                    let sent = |key| !matches!(key, AzureConfigKey::Client(_));
                    name.starts_with("AZURE_") && key.parse().is_ok_and(sent)
                }
            }
        };
        let readable = |(name, value): (OsString, OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let mut variables = env::vars_os().filter_map(readable);
        let unsendable = |(name, value): &(String, String)| {
            let in_a_header = ["_ACCESS_KEY_ID", "_TOKEN", "_REGION"];
            let plain = !in_a_header.iter().any(|end| name.ends_with(end)) || value.is_ascii();
            (!plain || value.contains(char::is_control)) && sent(name)
        };
        variables.find(unsendable).map(|(name, _)| name)
    }

    /// A bucket, with the platform's own variables.
    ///
    /// # Errors
    /// The library's, where the variables make no sense.
    pub fn bucket(self, name: &str) -> object_store::Result<Arc<dyn ObjectStore>> {
        let retry =
            RetryConfig { max_retries: 5, retry_timeout: PATIENCE, ..RetryConfig::default() };
        Ok(match self {
            Self::Amazon => Arc::new(
                AmazonS3Builder::from_env()
                    .with_bucket_name(name)
                    .with_http_connector(Connector)
                    .with_retry(retry)
                    .build()?,
            ),
            Self::Google => Arc::new(
                GoogleCloudStorageBuilder::from_env()
                    .with_bucket_name(name)
                    .with_http_connector(Connector)
                    .with_retry(retry)
                    .build()?,
            ),
            Self::Azure => Arc::new(
                MicrosoftAzureBuilder::from_env()
                    .with_container_name(name)
                    .with_http_connector(Connector)
                    .with_retry(retry)
                    .build()?,
            ),
        })
    }
}
