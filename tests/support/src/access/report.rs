//! What came of the cells.

/// How many cells were asked, and what was wrong.
#[derive(Debug, Default)]
pub struct Report {
    /// How many cells were asked.
    pub asked: usize,
    /// How many of them were to be refused.
    pub refused: usize,
    /// How many could not be asked here.
    pub skipped: usize,
    /// What was wrong, each in a sentence.
    pub wrong: Vec<String>,
}

impl Report {
    /// Prints how many cells were asked, and fails unless that were so many and nothing was wrong.
    pub fn assert_right(&self, cells: usize) {
        let Self { asked, refused, skipped, wrong } = self;
        println!("{asked} cells asked, {refused} of them refused, {skipped} skipped");
        assert!(wrong.is_empty(), "{} wrong: {:#?}", wrong.len(), &wrong[..wrong.len().min(20)]);
        assert_eq!((*asked, *skipped), (cells, 0));
    }
}
