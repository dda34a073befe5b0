//! Notices on their way: signed as Standard Webhooks say, so that whoever gets one knows whose it
//! is, and that it is neither old nor changed.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use trireme_domain::jobs::notice::signed;
use trireme_service::store::Notice;

/// How long a receiver may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Sends notices.
#[derive(Clone)]
pub struct Messenger {
    agent: ureq::Agent,
    secret: Option<Arc<[u8]>>,
}

/// Says nothing of the secret.
impl fmt::Debug for Messenger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Messenger").field("signs", &self.secret.is_some()).finish()
    }
}

impl Messenger {
    /// Signs with this secret. One that begins with `whsec_` is in base64 from there on, as other
    /// senders' are.
    pub fn new(secret: Option<&str>) -> Self {
        // Whoever is sent elsewhere by a receiver would get what was meant for that one.
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(PATIENCE))
            .max_redirects(0)
            .http_status_as_error(false)
            .build();
        Self { agent: config.into(), secret: secret.map(bytes) }
    }

    /// Sends a notice.
    ///
    /// # Errors
    /// Why it was not taken, in a few words that hold no address.
    pub async fn send(&self, notice: &Notice) -> Result<(), &'static str> {
        let (agent, notice) = (self.agent.clone(), notice.clone());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
        let signature = self.signature(&notice, now);
        let sent = tokio::task::spawn_blocking(move || {
            let mut request = agent
                .post(&notice.url)
                .header("content-type", "application/json")
                .header("webhook-id", &notice.id)
                .header("webhook-timestamp", now.to_string());
            if let Some(signature) = signature {
                request = request.header("webhook-signature", signature);
            }
            request.send(notice.body.as_str())
        });
        match sent.await {
            Ok(Ok(response)) if response.status().is_success() => Ok(()),
            Ok(Ok(response)) if response.status().is_redirection() => Err("it points elsewhere"),
            Ok(Ok(_)) => Err("it was refused"),
            Ok(Err(_)) | Err(_) => Err("nobody answered"),
        }
    }

    fn signature(&self, notice: &Notice, now: u64) -> Option<String> {
        // A key of any length is one.
        let mut mac = Hmac::<Sha256>::new_from_slice(self.secret.as_deref()?).ok()?;
        mac.update(signed(&notice.id, now, &notice.body).as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    }
}

fn bytes(secret: &str) -> Arc<[u8]> {
    let coded = secret.strip_prefix("whsec_").and_then(|coded| STANDARD.decode(coded).ok());
    coded.unwrap_or_else(|| secret.as_bytes().to_vec()).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks' own libraries.
    #[test]
    fn a_signature_is_that_of_the_standard() {
        let notice = Notice {
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
            fence: 1,
            url: String::new(),
            body: r#"{"test": 2432232314}"#.to_owned(),
            tries: 1,
        };
        let messenger = Messenger::new(Some("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(messenger.signature(&notice, 1_614_265_330).as_deref(), Some(expected));
        assert_eq!(Messenger::new(None).signature(&notice, 0), None);
    }
}
