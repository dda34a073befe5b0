//! How much is forgotten at once.

/// Rows that are forgotten at once at most: others wait for the store that long.
pub const MOST: usize = 10_000;

/// What is forgotten at once.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// These jobs, with all that belongs to them; how many rows that is.
    Jobs(Vec<String>, usize),
    /// Of one job that has more results than that, all from a place on.
    Results(String, usize),
}

impl Piece {
    /// Of these jobs whose time is over, each with how many results it has. A job goes whole where
    /// few enough are left; one with more loses its last results first, so that what it still has
    /// is as many as it says.
    pub fn of(due: Vec<(String, usize)>) -> Self {
        if let Some((id, done)) = due.first().filter(|(_, done)| *done >= MOST) {
            return Self::Results(id.clone(), done - MOST);
        }
        let mut rows = 0;
        let mut jobs = Vec::new();
        for (id, done) in due {
            if rows + done + 1 > MOST {
                break;
            }
            rows += done + 1;
            jobs.push(id);
        }
        Self::Jobs(jobs, rows)
    }
}

#[test]
fn no_piece_is_larger_than_it_may_be_and_none_is_empty_while_there_is_something() {
    for (done, expected) in [
        (vec![], Piece::Jobs(vec![], 0)),
        (vec![0, 2], Piece::Jobs(vec!["0".to_owned(), "1".to_owned()], 4)),
        (vec![MOST - 1, 0], Piece::Jobs(vec!["0".to_owned()], MOST)),
        (vec![MOST - 2, 1], Piece::Jobs(vec!["0".to_owned()], MOST - 1)),
        (vec![MOST], Piece::Results("0".to_owned(), 0)),
        (vec![MOST + 7, 1], Piece::Results("0".to_owned(), 7)),
        (vec![3, MOST + 7], Piece::Jobs(vec!["0".to_owned()], 4)),
    ] {
        let due = done.iter().enumerate().map(|(at, done)| (at.to_string(), *done)).collect();
        assert_eq!(Piece::of(due), expected, "{done:?}");
    }
}
