//! A case: who demands it, in which section of the specification, and the function that checks it.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, LazyLock};

use libtest_mimic::{Failed, Trial};

use crate::client::Repository;
use crate::differences::Differences;
use crate::target::Target;

/// How strongly a case binds a registry.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// The specification says MUST.
    Must,
    /// The specification says SHOULD.
    Should,
    /// The specification says MAY, and Slipway does.
    May,
    /// The specification is silent; real clients need it, or Slipway promises it.
    Slipway,
}

impl Level {
    fn word(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::May => "MAY",
            Self::Slipway => "SLIPWAY",
        }
    }
}

/// One statement about a registry.
pub(crate) struct Case {
    pub(crate) module: &'static str,
    pub(crate) name: &'static str,
    pub(crate) section: &'static str,
    pub(crate) level: Level,
    pub(crate) run: fn(&Repository<'_>),
}

impl Case {
    /// Returns the case as a test that runs in a repository of its own on `target`.
    pub(crate) fn trial(
        &'static self,
        target: &Arc<LazyLock<Target>>,
        differences: &Arc<Differences>,
    ) -> Trial {
        let (target, differences) = (Arc::clone(target), Arc::clone(differences));
        let run = move || differences.judge(&self.full_name(), self.run_on(&target));
        Trial::test(self.full_name(), run).with_kind(self.level.word())
    }

    /// Returns the name under which the case runs.
    pub(crate) fn full_name(&self) -> String {
        format!("{}::{}", self.module.rsplit("::").next().unwrap(), self.name)
    }

    fn run_on(&self, target: &Target) -> Result<(), Failed> {
        let repository = target.registry().fresh_repository(self.name);
        catch_unwind(AssertUnwindSafe(|| (self.run)(&repository))).map_err(|panic| {
            let (section, level, place) = (self.section, self.level.word(), PLACE.take());
            format!("{section} ({level}), {place}: {}", message(&*panic)).into()
        })
    }
}

thread_local! {
    static PLACE: Cell<String> = const { Cell::new(String::new()) };
}

/// Keeps the place of each failure for its report, instead of a backtrace among the names of the cases.
pub(crate) fn keep_places_of_failures() {
    std::panic::set_hook(Box::new(|panic| {
        PLACE.set(panic.location().map(ToString::to_string).unwrap_or_default());
    }));
}

fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("panicked")
}

/// Builds the table of a module: its section of the specification, then each case behind its level.
macro_rules! cases {
    ($section:literal: $($level:ident $run:ident),+ $(,)?) => {
        pub(crate) const CASES: &[$crate::case::Case] = &[$($crate::case::Case {
            module: module_path!(),
            name: stringify!($run),
            section: $section,
            level: $crate::case::Level::$level,
            run: $run,
        }),+];
    };
}
