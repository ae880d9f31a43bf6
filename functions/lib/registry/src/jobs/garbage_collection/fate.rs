//! What becomes of a suspect, for those that are looked at one by one.

use super::queue::Visit;
use super::{Collector, Kind, RETRY, Report};
use crate::Error;
use crate::ports::{StoreError, Timestamp, Write};

/// What becomes of a suspect.
pub(super) enum Fate {
    /// It is needed, or gone already.
    Needed,
    /// It has to be looked at again then.
    Later(Timestamp),
    /// It is, or will be, gone.
    Ended(Ending),
    /// Somebody else is changing it.
    Contended,
    /// It could not be looked at.
    Failed(String),
}

/// How something ends.
#[derive(Default)]
pub(super) struct Ending {
    /// Why, if that is to be told.
    pub(super) why: Option<&'static str>,
    pub(super) size_bytes: u64,
    pub(super) is_object_deleted: bool,
    /// What is to be written together with the suspect's end.
    pub(super) writes: Vec<Write>,
    /// Whether it left suspects that are due at once.
    pub(super) has_followers: bool,
}

impl Fate {
    /// What is damaged must not keep others waiting; what a store cannot do now ends the run.
    pub(super) fn or_failed(fate: Result<Self, Error>) -> Result<Self, Error> {
        match fate {
            Err(Error::Contended) => Ok(Self::Contended),
            fate => Ok(or_damaged(fate)?.unwrap_or_else(Self::Failed)),
        }
    }

    pub(super) fn of_object_error(error: &StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// Returns the answer, or why there will be none; what a store cannot do now ends the run.
pub(super) fn or_damaged<A>(answer: Result<A, Error>) -> Result<Result<A, String>, Error> {
    match answer {
        Err(Error::Store(error)) if error.is_retryable() => Err(error.into()),
        Err(error) => Ok(Err(error.to_string())),
        Ok(answer) => Ok(Ok(answer)),
    }
}

impl Collector {
    /// Writes what became of suspects, and reports it.
    pub(super) async fn settle<T: Clone>(
        &self,
        kind: Kind,
        fates: Vec<(Visit<T>, Fate)>,
        name: impl Fn(&T) -> String,
        report: &mut Report,
    ) -> Result<(), Error> {
        let (mut needed, mut later, mut ended) = (Vec::new(), Vec::new(), Vec::new());
        for (visit, fate) in fates {
            match fate {
                Fate::Needed => needed.push(visit),
                Fate::Later(until) => later.push((visit, until)),
                Fate::Ended(ending) => ended.push((visit, ending)),
                Fate::Contended => report.contended += 1,
                Fate::Failed(problem) => {
                    report.failed(name(&visit.what), problem);
                    later.push((visit, self.registry.now().after(RETRY)));
                }
            }
        }
        self.suspects_drop(needed, report).await?;
        self.suspects_postpone(later, report).await?;
        self.end_all(kind, ended, name, report).await
    }

    async fn end_all<T>(
        &self,
        kind: Kind,
        ended: Vec<(Visit<T>, Ending)>,
        name: impl Fn(&T) -> String,
        report: &mut Report,
    ) -> Result<(), Error> {
        let group = |(visit, ending): &(Visit<T>, Ending)| [ending.writes.clone(), visit.end()].concat();
        let written = self.batch(ended.iter().map(group).collect()).await?;
        for ((visit, ending), is_ended) in ended.into_iter().zip(written) {
            report.contended += u64::from(!is_ended);
            report.has_followers |= ending.has_followers;
            if ending.is_object_deleted {
                report.objects_deleted += 1;
                report.freed_bytes += ending.size_bytes;
            }
            if let Some(why) = ending.why {
                report.gone(kind, name(&visit.what), why, ending.size_bytes);
            }
        }
        Ok(())
    }
}
