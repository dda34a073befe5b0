//! `trireme config` and `trireme key`

use trireme_domain::access::{Scope, hash};
use trireme_domain::{Code, Fault};
use trireme_server::Random;
use trireme_service::ports::Entropy as _;

use super::serve;
use crate::args::{Config, Global, NewKey};
use crate::output::Output;
use crate::redacted::redacted;

/// Reads what a server would be started with, and says it or whether it makes sense.
pub fn run(config: Config, global: &Global, output: Output) -> Result<(), Fault> {
    match config {
        Config::Check(options) => {
            serve::check(&options.whole(global)?, global, output)?;
            output.result("the options make sense")
        }
        Config::Show(options) => {
            let mut options = options.whole(global)?;
            options.model = options.model.map(|model| redacted(&model));
            options.endpoint = options.endpoint.map(|hub| redacted(&hub));
            options.token = options.token.map(|_| "…".to_owned());
            options.traces = options.traces.map(|collector| redacted(&collector));
            options.database_url = options.database_url.map(|url| redacted(&url));
            options.webhook_secret = options.webhook_secret.map(|_| "…".to_owned());
            options.with.iter_mut().flatten().for_each(|other| *other = redacted(other));
            output.result(options.to_toml()?.trim_end())
        }
    }
}

/// Makes a key. The secret is said once, and kept nowhere.
pub fn key(args: &NewKey, output: Output) -> Result<(), Fault> {
    let secret = format!("tri_{}{}", Random.id(), Random.id());
    let quoted = |text: &str| toml::Value::String(text.to_owned()).to_string();
    let scopes: Vec<String> = args.scopes.iter().map(|scope| quoted(word(*scope))).collect();
    let rate = args.rate.map_or(Ok(String::new()), |rate| {
        let sound = rate.is_finite() && rate > 0.0;
        let burst = (10.0 * rate).max(1.0);
        let line = format!("rate = {{ per_second = {rate:?}, burst = {burst:?} }}\n");
        let fault = || Fault::new(Code::InvalidOption, "rate is above 0");
        sound.then_some(line).ok_or_else(fault)
    })?;
    output.result(&secret)?;
    output.note(&format!(
        "# add this to the file of --keys; the secret itself is kept nowhere\n\
         [[keys]]\nname = {}\ntenant = {}\nsha256 = {}\nscopes = [{}]\n{rate}",
        quoted(&args.name),
        quoted(args.tenant.as_deref().unwrap_or(&args.name)),
        quoted(&hash(&secret)),
        scopes.join(", ")
    ));
    Ok(())
}

fn word(scope: Scope) -> &'static str {
    match scope {
        Scope::Infer => "infer",
        Scope::Admin => "admin",
        Scope::Metrics => "metrics",
    }
}
