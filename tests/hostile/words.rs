//! The words of the tables and what they stand for.

/// What each word stands for.
#[derive(Clone, Default)]
pub(crate) struct Words(Vec<(String, String)>);

impl Words {
    /// Sets what `<word>` stands for; `value` may hold words that are set already.
    pub(crate) fn set(&mut self, word: &str, value: &str) {
        let value = self.fill_text(value);
        self.0.retain(|(known, _)| *known != format!("<{word}>"));
        self.0.push((format!("<{word}>"), value));
    }

    /// Returns the same words but for one.
    pub(crate) fn without(&self, word: &str) -> Self {
        Self(self.0.iter().filter(|(known, _)| *known != format!("<{word}>")).cloned().collect())
    }

    /// Returns whether `<word>` stands for anything.
    pub(crate) fn has(&self, word: &str) -> bool {
        self.0.iter().any(|(known, _)| *known == format!("<{word}>"))
    }

    /// Returns what `<word>` stands for.
    pub(crate) fn get(&self, word: &str) -> &str {
        let known = self.0.iter().find(|(known, _)| *known == format!("<{word}>"));
        known.map(|(_, value)| value.as_str()).unwrap_or_else(|| panic!("no word <{word}>"))
    }

    /// Replaces every word in `text`.
    pub(crate) fn fill_text(&self, text: &str) -> String {
        let mut filled = text.to_owned();
        for (word, value) in self.0.iter().filter(|(word, _)| text.contains(word.as_str())) {
            filled = filled.replace(word.as_str(), value);
        }
        filled
    }

    /// Replaces every word in `bytes`, unless they are no text.
    pub(crate) fn fill(&self, bytes: &[u8]) -> Vec<u8> {
        match str::from_utf8(bytes) {
            Ok(text) => self.fill_text(text).into_bytes(),
            Err(_) => bytes.to_vec(),
        }
    }
}
