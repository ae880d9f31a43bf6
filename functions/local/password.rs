//! Passwords: asked for on the terminal, or read from a pipe. Never an argument, which everybody on the machine sees.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use registry::access::Secret;
use secrecy::ExposeSecret;

/// Where passwords come from.
#[derive(Debug, Args)]
pub(crate) struct PasswordOptions {
    /// Read the password from standard input instead of asking on the terminal
    #[arg(long)]
    password_stdin: bool,
}

impl PasswordOptions {
    /// Returns a password that there is already.
    pub(crate) fn known(&self, prompt: &str) -> Result<Secret> {
        if self.password_stdin { line() } else { ask(prompt) }
    }

    /// Returns a password to be; it is asked for twice.
    pub(crate) fn new_one(&self, prompt: &str) -> Result<Secret> {
        let password = self.known(prompt)?;
        if !self.password_stdin {
            let again = ask("Once more: ")?;
            ensure!(again.expose_secret() == password.expose_secret(), "these are two different passwords");
        }
        Ok(password)
    }

    /// Returns the name of a user, which is asked for on the terminal alone.
    pub(crate) fn user(&self, prompt: &str) -> Result<String> {
        let input = std::io::stdin();
        ensure!(!self.password_stdin && input.is_terminal(), "-u NAME is missing");
        eprint!("{prompt}");
        std::io::stderr().flush()?;
        let mut name = String::new();
        input.lock().read_line(&mut name)?;
        let name = name.trim().to_owned();
        ensure!(!name.is_empty(), "-u NAME is missing");
        Ok(name)
    }
}

fn ask(prompt: &str) -> Result<Secret> {
    let Ok(password) = rpassword::prompt_password(prompt) else {
        bail!(
            "there is no terminal to ask for the password on; --password-stdin reads it from standard input"
        );
    };
    ensure!(!password.is_empty(), "no password was given");
    Ok(password.into())
}

/// Reads a line; a password may have spaces at its end.
fn line() -> Result<Secret> {
    let mut text = String::new();
    std::io::stdin().lock().read_line(&mut text).context("standard input")?;
    let password = text.trim_end_matches(['\r', '\n']);
    if password.is_empty() {
        bail!("no password came by standard input");
    }
    Ok(password.into())
}
