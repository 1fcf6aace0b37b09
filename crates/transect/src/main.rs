//! The program: arguments, diagnostics, commands.

mod args;
mod commands;
mod console;
mod pages;
mod publish;
mod setup;

use std::process::ExitCode;

use clap::Parser;
use transect_core::Errors;

use args::{Cli, Command};

/// What a command comes to: 0 all well, 1 a finding failed (only with `--fail-on`).
type Outcome = Result<u8, Errors>;

fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Audit(args) => commands::audit::run(&args),
        Command::Inspect(args) => commands::inspect::run(&args),
        Command::Gather(args) => commands::gather::run(&args),
        Command::Predict(args) => commands::predict::run(&args),
        Command::Manifest(args) => commands::manifest::run(&args),
        Command::Demo(args) => commands::demo::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Completions(args) => {
            commands::completions::run(&args);
            Ok(0)
        }
    };
    match outcome {
        Ok(code) => ExitCode::from(code),
        Err(errors) => {
            console::errors(&errors);
            ExitCode::from(2)
        }
    }
}
