//! A text whose answer is known: while the model gives it, the model is well.

use trireme_domain::{Code, Fault};
use trireme_service::{Answers, Job, Task};

/// The text, and the answer that the model gave when it was new.
#[derive(Default)]
pub struct Canary {
    known: Option<Answers>,
}

impl Canary {
    /// What the model is asked.
    pub fn job() -> Job {
        let texts = vec!["The canary sings in the harbour.".to_owned().into()];
        Job { texts, task: Task::default(), ..Job::default() }
    }

    /// What is wrong with the model, by this answer. Bits never change, so any other is wrong.
    pub fn heard(&mut self, answer: Result<Answers, Fault>) -> Option<String> {
        let answers = match answer.and_then(|answers| {
            let fault = answers.iter().find_map(|answer| answer.as_ref().err().cloned());
            fault.map_or(Ok(answers), Err)
        }) {
            Ok(answers) => answers,
            // Somebody else's memory may be given back; the model itself is as it was.
            Err(fault) if fault.code == Code::OutOfMemory => return Some(fault.message),
            Err(fault) => return Some(format!("its canary has no answer: {}", fault.message)),
        };
        let known = self.known.get_or_insert_with(|| answers.clone());
        (*known != answers).then(|| "its canary's answer has changed".to_owned())
    }
}

#[cfg(test)]
mod tests {
    use trireme_service::Answer;

    use super::*;

    #[test]
    fn a_model_is_well_while_it_says_what_it_said() {
        let says = |value: f32| {
            Ok(vec![Ok(Answer { values: vec![value], tokens: 1, dropped: 0, id: None })])
        };
        let fault = || Fault::new(Code::Internal, "broken");
        let mut canary = Canary::default();
        assert_eq!(canary.heard(says(1.0)), None, "the first answer is what is known");
        assert_eq!(canary.heard(says(1.0)), None);
        let changed = Some("its canary's answer has changed".to_owned());
        assert_eq!(canary.heard(says(1.0 + f32::EPSILON)), changed);
        let silent = Some("its canary has no answer: broken".to_owned());
        assert_eq!(canary.heard(Err(fault())), silent);
        assert_eq!(canary.heard(Ok(vec![Err(fault())])), silent);
        assert_eq!(canary.heard(says(1.0)), None, "it may recover");
    }
}
