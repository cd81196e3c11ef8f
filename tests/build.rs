//! Finds the firmware's experiments: every file of `firmware/src/bin` with an `EXPERIMENT`, compiled for this machine as well.

use std::{env, error::Error, fmt::Write, fs, path::Path};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../firmware/src/bin").canonicalize()?;
    println!("cargo:rerun-if-changed={}", folder.display());
    let mut sources =
        fs::read_dir(&folder)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    sources.sort();
    let (mut modules, mut list) = (String::new(), String::new());
    for path in sources.iter().filter(|path| path.extension().is_some_and(|end| end == "rs")) {
        println!("cargo:rerun-if-changed={}", path.display());
        let name = path.file_stem().and_then(|stem| stem.to_str()).ok_or("a name that is no text")?;
        if fs::read_to_string(path)?.contains("const EXPERIMENT: Experiment") {
            writeln!(modules, "#[path = {path:?}]\nmod {name};")?;
            writeln!(list, "    ({name:?}, {name}::EXPERIMENT),")?;
        }
    }
    let text = format!(
        "{modules}\n/// Every experiment of the firmware under the name of its binary, in order.\n\
         pub(crate) const EXPERIMENTS: &[(&str, crate::experiment::Experiment)] = &[\n{list}];\n"
    );
    fs::write(Path::new(&env::var("OUT_DIR")?).join("experiments.rs"), text)?;
    Ok(())
}
