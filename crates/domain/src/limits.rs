//! How much one request may ask.

use crate::{Code, Fault};

/// What a host takes in one request. Tokens are not limited here: a text that is too long for the
/// model is cut, and the answer's work is bounded by these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Texts in one request.
    pub texts: usize,
    /// Bytes of one text.
    pub text_bytes: usize,
    /// Bytes of a request's body.
    pub body_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { texts: 256, text_bytes: 128 * 1024, body_bytes: 2 * 1024 * 1024 }
    }
}

impl Limits {
    /// Checks the texts of one request.
    ///
    /// ```
    /// use trireme_domain::{Code, Limits};
    ///
    /// let fault = Limits::default().check(["fine", " \n"]).unwrap_err();
    /// assert_eq!(fault.code, Code::EmptyText);
    /// assert_eq!(fault.message, "text 1 is empty");
    /// ```
    ///
    /// # Errors
    /// The first text that is empty or too long, or there being too many or none.
    pub fn check<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> Result<(), Fault> {
        let mut count = 0;
        for text in texts {
            self.check_text(text).map_err(|fault| fault.of_text(count))?;
            count += 1;
            self.check_count(count)?;
        }
        self.check_count(count)
    }

    /// Checks how many texts a request holds.
    ///
    /// # Errors
    /// There are too many, or none.
    pub fn check_count(&self, texts: usize) -> Result<(), Fault> {
        if texts > self.texts {
            let message = format!("more than {} texts; send fewer at once", self.texts);
            return Err(Fault::new(Code::TooManyTexts, message));
        }
        match texts {
            0 => Err(Fault::new(Code::InvalidRequest, "there is no text")),
            _ => Ok(()),
        }
    }

    /// Checks the size of a request's body.
    ///
    /// # Errors
    /// It is too large.
    pub fn check_body(&self, bytes: usize) -> Result<(), Fault> {
        if bytes <= self.body_bytes {
            return Ok(());
        }
        let most = self.body_bytes;
        let message = format!("the body has more than {most} bytes; send less at once");
        Err(Fault::new(Code::BodyTooLarge, message))
    }

    /// Checks one text; the fault does not know of how many.
    ///
    /// # Errors
    /// The text is empty or too long.
    pub fn check_text(&self, text: &str) -> Result<(), Fault> {
        if text.len() > self.text_bytes {
            let (got, most) = (text.len(), self.text_bytes);
            let message = format!("the text has {got} bytes, more than {most}; shorten it");
            return Err(Fault::new(Code::TextTooLong, message));
        }
        if text.chars().all(char::is_whitespace) {
            return Err(Fault::new(Code::EmptyText, "the text is empty"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_holds_to_the_byte() {
        let limits = Limits { texts: 2, text_bytes: 4, body_bytes: 0 };
        let cases: [(&str, &[&str], Option<Code>); 7] = [
            ("a text at the limit", &["four"], None),
            ("a text past the limit", &["fours"], Some(Code::TextTooLong)),
            ("bytes count, not characters", &["ééé"], Some(Code::TextTooLong)),
            ("as many texts as may be", &["a", "b"], None),
            ("one text too many", &["a", "b", "c"], Some(Code::TooManyTexts)),
            ("no text", &[], Some(Code::InvalidRequest)),
            ("nothing but white space", &["a", "\u{3000}\t"], Some(Code::EmptyText)),
        ];
        for (case, texts, expected) in cases {
            let got = limits.check(texts.iter().copied()).err().map(|fault| fault.code);
            assert_eq!(got, expected, "{case}");
        }
    }
}
