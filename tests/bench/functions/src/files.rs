//! The programs as files: what is uploaded, and what they need of the system.

use std::path::Path;
use std::process::Command;

use slipway_bench::Result;
use slipway_bench::report::{Table, number};

const ZIPPED: &str = "
import os, sys, tempfile, zipfile
with tempfile.TemporaryFile() as file:
    with zipfile.ZipFile(file, 'w', zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(sys.argv[1], 'bootstrap')
    print(file.tell())
";

/// Lists the programs of `functions`.
pub(crate) fn measure(functions: &Path, programs: &[&str]) -> Result<Table> {
    let mut table = Table::new("The programs", &["program", "size, MB", "as zip, MB", "needs glibc"]);
    for program in programs {
        let path = functions.join(program);
        let size = path.metadata()?.len() as f64;
        let zipped: f64 = output(Command::new("python3").args(["-c", ZIPPED]).arg(&path))?.trim().parse()?;
        let glibc = newest_glibc(&output(Command::new("objdump").arg("-T").arg(&path))?);
        table.row(vec![(*program).to_owned(), number(size / 1e6), number(zipped / 1e6), glibc]);
    }
    Ok(table)
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
    Ok(String::from_utf8(output.stdout)?)
}

/// The newest version that a symbol of the program asks for; Lambda's Amazon Linux 2023 has 2.34.
fn newest_glibc(symbols: &str) -> String {
    let versions = symbols.split("GLIBC_").skip(1).filter_map(|rest| {
        let version = rest.split(|letter: char| letter != '.' && !letter.is_ascii_digit()).next()?;
        let numbers: Option<Vec<u32>> = version.split('.').map(|number| number.parse().ok()).collect();
        Some((numbers?, version))
    });
    versions.max().map_or("none".to_owned(), |(_, version)| version.to_owned())
}
