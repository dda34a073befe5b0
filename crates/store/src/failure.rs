//! What went wrong, in the words of the port.

use rusqlite::ErrorCode;
use tokio_postgres::error::SqlState;
use trireme_service::store::StoreError;

/// An error of either database on its way out.
#[derive(Debug)]
pub struct Failure(pub StoreError);

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(error)
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        let reason = error.to_string();
        Self(match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                StoreError::Busy { reason }
            }
            Some(ErrorCode::DiskFull) => StoreError::NoRoom { reason },
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                StoreError::ReadOnly { reason }
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                StoreError::Damaged { reason }
            }
            Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) => {
                StoreError::Unreachable { reason }
            }
            _ => StoreError::Failed { reason },
        })
    }
}

impl From<tokio_postgres::Error> for Failure {
    fn from(error: tokio_postgres::Error) -> Self {
        let reason = reason(&error);
        Self(match error.code() {
            Some(state) => of_state(state, reason),
            // Without a state it is no answer of the database's: the connection broke.
            None if error.is_closed() || is_io(&error) => StoreError::Unreachable { reason },
            None => StoreError::Failed { reason },
        })
    }
}

/// The database's own words; the outermost error only says whose they are.
fn reason(error: &tokio_postgres::Error) -> String {
    let inner = std::error::Error::source(error);
    inner.map_or_else(|| error.to_string(), ToString::to_string)
}

fn is_io(error: &tokio_postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(<dyn std::error::Error>::is::<std::io::Error>)
}

fn of_state(state: &SqlState, reason: String) -> StoreError {
    let is = |states: &[SqlState]| states.contains(state);
    match state.code().get(..2) {
        _ if is(&[SqlState::DISK_FULL]) => StoreError::NoRoom { reason },
        _ if is(&[SqlState::READ_ONLY_SQL_TRANSACTION, SqlState::INSUFFICIENT_PRIVILEGE]) => {
            StoreError::ReadOnly { reason }
        }
        _ if is(&[SqlState::LOCK_NOT_AVAILABLE, SqlState::QUERY_CANCELED]) => {
            StoreError::Busy { reason }
        }
        // Deadlocks, and connections or memory that others have.
        Some("40" | "53") => StoreError::Busy { reason },
        Some("08" | "57") => StoreError::Unreachable { reason },
        // It lets nobody in for now.
        _ if is(&[SqlState::OBJECT_NOT_IN_PREREQUISITE_STATE]) => {
            StoreError::Unreachable { reason }
        }
        Some("28" | "3D") => StoreError::Misconfigured { reason },
        Some("XX") => StoreError::Damaged { reason },
        _ => StoreError::Failed { reason },
    }
}
