//! Which model a path under `/v2/models/` means, and what of it.

/// What is asked of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    /// What it takes and gives.
    Metadata,
    /// Whether it answers.
    Ready,
    /// Its answer.
    Infer,
}

/// A model, one of its versions, and what is asked of it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place<'a> {
    model: &'a str,
    version: Option<&'a str>,
    pub what: What,
}

impl Place<'_> {
    /// As [`trireme_service::Models::get`] takes it.
    pub fn name(&self) -> String {
        match self.version {
            None => self.model.to_owned(),
            Some(version) => format!("{}@{version}", self.model),
        }
    }
}

/// Reads what stands behind `/v2/models/`, from the right: a hub's ids hold a `/`.
pub(super) fn place(rest: &str) -> Place<'_> {
    let (named, what) = match rest.rsplit_once('/') {
        Some((named, "infer")) => (named, What::Infer),
        Some((named, "ready")) => (named, What::Ready),
        _ => (rest, What::Metadata),
    };
    match named.rsplit_once("/versions/") {
        Some((model, version)) if !version.contains('/') => {
            Place { model, version: Some(version), what }
        }
        _ => Place { model: named, version: None, what },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_from_the_right() {
        for (rest, name, what) in [
            ("mini", "mini", What::Metadata),
            ("mini/ready", "mini", What::Ready),
            ("mini/infer", "mini", What::Infer),
            ("mini/versions/2", "mini@2", What::Metadata),
            ("mini/versions/2/ready", "mini@2", What::Ready),
            ("mini/versions/2/infer", "mini@2", What::Infer),
            ("owner/mini", "owner/mini", What::Metadata),
            ("owner/mini/versions/2/infer", "owner/mini@2", What::Infer),
            ("owner/versions/2/infer", "owner@2", What::Infer),
            ("mini/versions/2/more/infer", "mini/versions/2/more", What::Infer),
            ("a/versions/1/versions/2", "a/versions/1@2", What::Metadata),
            ("infer", "infer", What::Metadata),
            ("infer/infer", "infer", What::Infer),
            ("versions/2", "versions/2", What::Metadata),
            ("mini/versions/", "mini@", What::Metadata),
            ("mini/", "mini/", What::Metadata),
            ("/infer", "", What::Infer),
            ("", "", What::Metadata),
        ] {
            let got = place(rest);
            assert_eq!((got.name().as_str(), got.what), (name, what), "{rest:?}");
        }
    }
}
