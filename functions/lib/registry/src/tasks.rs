//! Work in tasks of its own.

use tokio::task::JoinError;

use crate::Error;

/// Runs `work` to its end even when nobody waits for it any more.
///
/// # Errors
///
/// Those of the work, and [`Error::TaskFailed`] if it panics.
pub async fn in_own_task<T, E>(work: impl Future<Output = Result<T, E>> + Send + 'static) -> Result<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    tokio::spawn(work).await.map_err(Error::from)?
}

impl From<JoinError> for Error {
    fn from(error: JoinError) -> Self {
        Self::TaskFailed(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;
    use crate::http::told;

    #[tokio::test]
    async fn work_that_panics_is_an_error_inside_and_nothing_stored_is_blamed() {
        let broken = in_own_task::<(), Error>(async { panic!("a secret of the inside") }).await;
        let error = broken.unwrap_err();
        let text = error.to_string();
        assert!(text.contains("ended early") && !text.contains("damaged"), "{text}");
        let told = told(error);
        assert_eq!(told.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(told.request_id.is_some() && !told.message.contains("secret"), "{told:?}");
    }
}
