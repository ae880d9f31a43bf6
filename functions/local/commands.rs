//! What each command does.

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use clap::{CommandFactory, Subcommand};
use registry::jobs::fsck::{Report, Severity, fsck};
use tracing_subscriber::util::SubscriberInitExt;

use crate::account::Asking;
use crate::account::users::UserCommand;
use crate::api::Api;
use crate::cli::{Arguments, Command, KeyCommand, TagCommand};
use crate::connection::is_in_use;
use crate::content;
use crate::gc;
use crate::keys::Keys;
use crate::log::{filter, log};
use crate::output::{print, print_line};
use crate::repair::repair;
use crate::serve::serve;
use crate::settings::Settings;
use crate::smoke::smoke;
use crate::storage::Storage;
use crate::tags;
use crate::whereabouts::Whereabouts;

/// Runs the command of the arguments.
pub(crate) fn run(arguments: Arguments) -> Result<ExitCode> {
    let (command, serve_options) = match arguments.command {
        Some(Command::Serve(options)) => (None, options),
        command => (command, arguments.serve),
    };
    let environment = |name: &str| std::env::var(name).ok();
    let named = arguments.registry;
    ensure!(
        named.is_none() || command.as_ref().is_some_and(Command::asks_a_registry),
        "--registry is for commands that ask a registry, such as `slipway repo ls`; this one does not"
    );
    let is_data_named = arguments.options.data.is_some() || environment("SLIPWAY_DATA").is_some();
    ensure!(
        is_data_named
            || !Whereabouts::names_registry(environment)
            || !command.as_ref().is_some_and(Command::keeps_house),
        "SLIPWAY_REGISTRY names a registry, and this command works on a data folder: name that with --data, or unset \
         the variable. On AWS a function does this (infra/README.md)"
    );
    let usual = named.or_else(|| Whereabouts::usual_registry(&arguments.options, environment));
    let settings = Settings::new(arguments.options, &serve_options, environment)?;
    let filter = filter(&settings.log).with_context(|| format!("--log {:?}", settings.log))?;
    log(filter, std::io::stderr).init();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match command {
            None | Some(Command::Serve(_)) => serve(&settings).await?,
            Some(Command::Fsck { deep, json }) => return check(&settings, deep, json).await,
            Some(Command::Repair(options)) => return repair(&settings, &options).await,
            Some(Command::Export(options)) => {
                let at = Whereabouts { data: settings.data, usual };
                return options.run(at.connect(&options.registry).await?).await;
            }
            Some(Command::Import(options)) => {
                let at = Whereabouts { data: settings.data, usual };
                return options.run(at.connect_or_make(&options.registry).await?).await;
            }
            Some(Command::Smoke(options)) => return smoke(options).await,
            Some(Command::Gc(options)) => gc::collect(&settings, &options).await?,
            Some(Command::Undelete { repository, digests }) => {
                gc::undelete(&settings, &repository, &digests).await?;
            }
            Some(Command::Key(KeyCommand::Rotate)) => Keys::rotate(&settings.data)?,
            Some(Command::Completions { shell }) => {
                let mut script = Vec::new();
                clap_complete::generate(shell, &mut Arguments::command(), "slipway", &mut script);
                print(script)?;
            }
            Some(command) => ask(command, &Whereabouts { data: settings.data, usual }).await?,
        }
        Ok(ExitCode::SUCCESS)
    })
}

/// Does what a registry is asked for, wherever it is.
async fn ask(command: Command, at: &Whereabouts) -> Result<()> {
    match command {
        Command::Login(options) => options.run(at.usual.clone()).await,
        Command::Logout(options) => options.run(at.usual.clone()),
        Command::User(asking) => {
            let makes_registry = matches!(asking.command, UserCommand::Add { .. });
            let connection = match makes_registry {
                true => at.connect_or_make(&asking.registry).await?,
                false => at.connect(&asking.registry).await?,
            };
            asking.command.run(&Api::new(connection, asking.is_json)).await
        }
        Command::Org(asking) => {
            let (api, command) = api(asking, at).await?;
            command.run(&api).await
        }
        Command::Team(asking) => {
            let (api, command) = api(asking, at).await?;
            command.run(&api).await
        }
        Command::Token(asking) => {
            let (api, command) = api(asking, at).await?;
            command.run(&api).await
        }
        Command::Trust(asking) => {
            let (api, command) = api(asking, at).await?;
            command.run(&api).await
        }
        Command::Repo(asking) => {
            let (api, command) = api(asking, at).await?;
            command.run(&api).await
        }
        Command::Audit(options) => {
            let connection = at.connect(&options.registry).await?;
            let api = Api::new(connection, options.is_json);
            options.run(&api).await
        }
        Command::Tag(asking) => {
            let connection = at.connect(&asking.registry).await?;
            match asking.command {
                TagCommand::Ls { name } => content::tags(&connection, &name, asking.is_json).await,
                TagCommand::Rm { image, tags } => content::remove_tags(&connection, &image, &tags).await,
                TagCommand::Log { image } => tags::log(&Api::new(connection, asking.is_json), &image).await,
                TagCommand::Restore { image, to } => {
                    tags::restore(&Api::new(connection, asking.is_json), &image, to.as_ref()).await
                }
            }
        }
        Command::Inspect { registry, image, raw } => {
            content::inspect(&at.connect(&registry).await?, &image, raw).await
        }
        Command::Rm { registry, images } => content::remove(&at.connect(&registry).await?, &images).await,
        Command::Serve(_)
        | Command::Fsck { .. }
        | Command::Gc(_)
        | Command::Export(_)
        | Command::Import(_)
        | Command::Repair(_)
        | Command::Undelete { .. }
        | Command::Smoke(_)
        | Command::Key(_)
        | Command::Completions { .. } => Ok(()),
    }
}

async fn api<C: Subcommand>(asking: Asking<C>, at: &Whereabouts) -> Result<(Api, C)> {
    Ok((Api::new(at.connect(&asking.registry).await?, asking.is_json), asking.command))
}

async fn check(settings: &Settings, is_deep: bool, is_json: bool) -> Result<ExitCode> {
    let storage = Storage::open_checked(&settings.data).map_err(|error| match is_in_use(&error) {
        true => error.context("fsck needs the registry stopped"),
        false => error,
    })?;
    let report = fsck(&*storage.items, &*storage.objects, is_deep).await?;
    if is_json {
        print_line(&serde_json::to_string_pretty(&report)?)?;
    } else {
        print_report(&report)?;
    }
    Ok(if report.is_broken() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn print_report(report: &Report) -> Result<()> {
    for finding in &report.findings {
        let severity = match finding.severity {
            Severity::Broken => "BROKEN ",
            Severity::Garbage => "garbage",
        };
        print_line(&format!("{severity}  {}: {}", finding.what, finding.problem))?;
    }
    let items: u64 = report.counts.values().sum();
    let broken = report.findings.iter().filter(|finding| finding.severity == Severity::Broken).count();
    print_line(&format!(
        "{items} items, {} objects with {} bytes, {} of them hashed: {broken} broken, {} garbage",
        report.objects,
        report.object_bytes,
        report.hashed_objects,
        report.findings.len() - broken
    ))
}
