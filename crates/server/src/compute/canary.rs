//! A text whose answer is known: while the model gives it, the model is well.

use std::any::Any;
use std::sync::{Arc, Weak};
use std::time::Duration;

use trireme_domain::similarity::cosine;
use trireme_domain::{Code, Fault};
use trireme_service::{Answers, Job, NEAR, Task};

/// How often a canary may be left out before nobody knows how the model is.
const FEW: u32 = 3;

/// What goes before a canary may take so long; so soon nothing is made of its silence.
const SOON: Duration = Duration::from_secs(30);

/// The text, and the answer that the model gave when it was new.
#[derive(Default)]
pub struct Canary {
    known: Option<Known>,
}

/// An answer, and the model whose it is. That one may be gone, and is not held here.
struct Known {
    by: Weak<dyn Any>,
    answers: Answers,
}

impl Canary {
    /// What the model is asked.
    pub fn job() -> Job {
        let texts = vec!["The canary sings in the harbour.".to_owned().into()];
        Job { texts, task: Task::default(), ..Job::default() }
    }

    /// What is wrong with the model, by this answer of its own. Bits never change, so any other is
    /// wrong; but in the place of one that lost its device may stand another, whose bits are new.
    pub fn heard(&mut self, answer: Result<Answers, Fault>, by: &Arc<impl Any>) -> Option<String> {
        let answers = match answer.and_then(|answers| {
            let fault = answers.iter().find_map(|answer| answer.as_ref().err().cloned());
            fault.map_or(Ok(answers), Err)
        }) {
            Ok(answers) => answers,
            // Somebody else's memory may be given back; the model itself is as it was.
            Err(fault) if fault.code == Code::OutOfMemory => return Some(fault.message),
            Err(fault) => return Some(format!("its canary has no answer: {}", fault.message)),
        };
        let by = Arc::downgrade(by) as Weak<dyn Any>;
        let as_known = self.known.as_ref().is_none_or(|known| match known.by.ptr_eq(&by) {
            true => known.answers == answers,
            false => near(&known.answers, &answers),
        });
        if !as_known {
            return Some("its canary's answer has changed".to_owned());
        }
        self.known = Some(Known { by, answers });
        None
    }
}

/// Whether answers of two devices are those of one model.
fn near(one: &Answers, other: &Answers) -> bool {
    let mut pairs = one.iter().flatten().zip(other.iter().flatten());
    // Nothing, where a vector is none.
    pairs.all(|(one, other)| cosine(&one.values, &other.values) >= NEAR)
}

/// What a canary was heard to say, and when that was last what is known.
#[derive(Default)]
pub struct Heard {
    unwell: Option<String>,
    well: Option<Duration>,
}

impl Heard {
    /// The canary sang just now.
    pub fn checked(&mut self, unwell: Option<String>, now: Duration) {
        if unwell.is_none() {
            self.well = Some(now);
        }
        self.unwell = unwell;
    }

    /// Why nobody should ask the model, where its canary is to sing so often: it is not known to be
    /// well, or was not of late.
    pub fn unready(&self, every: Option<Duration>, now: Duration) -> Option<String> {
        if self.unwell.is_some() {
            return self.unwell.clone();
        }
        let every = every?;
        let Some(well) = self.well else { return Some("its canary was not heard yet".to_owned()) };
        let silent = now.saturating_sub(well);
        let late = silent > every.saturating_mul(FEW).max(SOON);
        late.then(|| format!("its canary was not heard for {} s", silent.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use trireme_service::Answer;

    use super::*;

    fn says(values: &[f32]) -> Result<Answers, Fault> {
        Ok(vec![Ok(Answer { values: values.to_vec(), tokens: 1, dropped: 0, id: None })])
    }

    fn changed() -> Option<String> {
        Some("its canary's answer has changed".to_owned())
    }

    #[test]
    fn a_model_is_well_while_it_says_what_it_said() {
        let fault = || Fault::new(Code::Internal, "broken");
        let (mut canary, model) = (Canary::default(), Arc::new("a model"));
        assert_eq!(canary.heard(says(&[1.0, 0.0]), &model), None, "the first one is known");
        assert_eq!(canary.heard(says(&[1.0, 0.0]), &model), None);
        assert_eq!(canary.heard(says(&[1.0 + f32::EPSILON, 0.0]), &model), changed());
        let silent = Some("its canary has no answer: broken".to_owned());
        assert_eq!(canary.heard(Err(fault()), &model), silent);
        assert_eq!(canary.heard(Ok(vec![Err(fault())]), &model), silent);
        assert_eq!(canary.heard(says(&[1.0, 0.0]), &model), None, "it may recover");
    }

    #[test]
    fn a_model_on_another_device_says_nearly_the_same_and_then_the_same() {
        let (mut canary, first) = (Canary::default(), Arc::new("on a GPU"));
        assert_eq!(canary.heard(says(&[1.0, 0.0]), &first), None);
        // Nothing of it is left, least of all on the device.
        drop(first);
        let second = Arc::new("on the processor");
        assert_eq!(canary.heard(says(&[0.0, 1.0]), &second), changed(), "that is no rounding");
        assert_eq!(canary.heard(says(&[f32::NAN, 0.0]), &second), changed());
        assert_eq!(canary.heard(says(&[1.0, 0.01]), &second), None, "it is well there");
        assert_eq!(canary.heard(says(&[1.0, 0.01]), &second), None);
        assert_eq!(canary.heard(says(&[1.0, 0.0]), &second), changed(), "its bits are its own");
    }

    #[test]
    fn a_model_is_ready_while_its_canary_was_well_of_late() {
        const SECOND: Duration = Duration::from_secs(1);
        let ill = || Some("ill".to_owned());
        let not_yet = Some("its canary was not heard yet".to_owned());
        let silent = |seconds| Some(format!("its canary was not heard for {seconds} s"));
        let (often, seldom) = (Some(SECOND), Some(20 * SECOND));
        for (case, checks, every, now, expected) in [
            ("no canary", &[][..], None, 999, None),
            ("none yet", &[], often, 0, not_yet),
            ("at once", &[(0, None)], often, 0, None),
            ("after a while", &[(5, None)], often, 35, None),
            ("after a longer one", &[(5, None)], often, 36, silent(31)),
            ("where it is seldom asked", &[(5, None)], seldom, 65, None),
            ("and was left out", &[(5, None)], seldom, 66, silent(61)),
            ("ill", &[(5, None), (6, ill())], often, 6, ill()),
            ("ill from the first", &[(0, ill())], often, 0, ill()),
            ("well again", &[(5, None), (6, ill()), (90, None)], often, 91, None),
        ] {
            let mut heard = Heard::default();
            for (at, unwell) in checks {
                heard.checked(unwell.clone(), *at * SECOND);
            }
            assert_eq!(heard.unready(every, now * SECOND), expected, "{case}");
        }
    }
}
