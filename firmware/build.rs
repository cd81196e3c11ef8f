//! Lays the board's memory map before the linker, and hands its name and its RAM to the code.

use std::{env, error::Error, fs, path::PathBuf};

#[allow(unreachable_pub, reason = "public in the firmware")]
#[path = "src/experiment/room.rs"]
mod room;

fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let boards = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("boards");
    println!("cargo:rerun-if-changed={}", boards.display());

    let (name, memory) = chosen(&boards)?;
    let ram =
        length(&memory, "RAM").ok_or_else(|| format!("boards/{name}.x has no line `RAM : ORIGIN = …, LENGTH = …`"))?;
    let (uart, clock, mhz) = (uart(&name, &memory)?, clock(&name, &memory)?, mhz(&name, &memory)?);
    let keep = keep(&name, &memory)?;
    println!("cargo:rustc-check-cfg=cfg(clock, kept, stamped, ticks)");
    if !clock.is_empty() {
        println!("cargo:rustc-cfg=clock");
    }
    let has = |feature: &str| env::var_os(format!("CARGO_FEATURE_{feature}")).is_some();
    // with `rtic` SysTick is that image's clock
    let target = env::var("TARGET")?;
    let ticks = target.starts_with("thumb") && !has("RTIC");
    if ticks {
        println!("cargo:rustc-cfg=ticks");
    }
    // for a board, not for an emulator of one
    if ticks && !has("SEMIHOSTING") {
        println!("cargo:rustc-cfg=stamped");
        if !keep.is_empty() {
            println!("cargo:rustc-cfg=kept");
        }
    }
    let (fpu, riscv) = (room::has_fpu(&target), target.starts_with("riscv"));
    println!("cargo:rustc-check-cfg=cfg(soft_floats)");
    if target.starts_with("thumbv6m") {
        // no FPU, and no multiplication into 64 bits either
        println!("cargo:rustc-cfg=soft_floats");
    }
    let stack = room::stack(usize::try_from(ram)?);
    fs::write(out.join("memory.x"), below_the_statics(&memory, stack, riscv))?;
    fs::write(
        out.join("board.rs"),
        format!(
            "/// The board that this image is for.\npub const BOARD: &str = {name:?};\n\
             /// Its RAM, bytes.\npub const RAM: usize = {ram};\n\
             /// Whether its core computes floats by itself.\npub const FPU: bool = {fpu};\n\
             /// What of it is the stack's, at its lower end, bytes.\npub const STACK: usize = {stack};\n{uart}{clock}{mhz}{keep}"
        ),
    )?;

    println!("cargo:rustc-link-search={}", out.display());
    // cortex-m-rt's script includes the memory's map, riscv-rt's comes after it
    let first = riscv.then_some("-Tmemory.x");
    for arg in first.into_iter().chain(["-Tlink.x", "-Tdefmt.x", "--nmagic"]) {
        println!("cargo:rustc-link-arg-bins={arg}");
    }
    Ok(())
}

/// The one board whose feature is on, and the text of its memory map.
fn chosen(boards: &PathBuf) -> Result<(String, String), Box<dyn Error>> {
    let mut on = Vec::new();
    for entry in fs::read_dir(boards)? {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let feature = format!("CARGO_FEATURE_{}", name.to_uppercase().replace('-', "_"));
        if env::var_os(feature).is_some() {
            on.push((name, fs::read_to_string(&path)?));
        }
    }
    match on.len() {
        1 => Ok(on.remove(0)),
        0 => Err(
            "no board: --no-default-features --features BOARD,semihosting (or BOARD,rtt); the boards are in boards/"
                .into(),
        ),
        _ => {
            let names: Vec<_> = on.into_iter().map(|(name, _)| name).collect();
            Err(format!("one board at a time, not {}: add --no-default-features", names.join(" and ")).into())
        }
    }
}

/// The port that frames leave by with the feature `serial`, as the first line says it: `uart=KIND@ADDRESS`.
fn uart(name: &str, memory: &str) -> Result<String, Box<dyn Error>> {
    if env::var_os("CARGO_FEATURE_SERIAL").is_none() {
        return Ok(String::new());
    }
    let word = word(memory, "uart=");
    let kind = |kind: &str| match kind {
        "cmsdk" => Some("Cmsdk"),
        "nrf" => Some("Nrf"),
        _ => None,
    };
    let port = word.and_then(|word| word.split_once('@')).and_then(|(k, address)| Some((kind(k)?, address)));
    let (kind, address) = port.ok_or_else(|| {
        format!("the first line of boards/{name}.x has no `uart=cmsdk@ADDRESS` or `uart=nrf@ADDRESS`: the serial transport needs one")
    })?;
    Ok(format!("/// Where frames leave.\nconst UART: serial::Uart = serial::Uart::{kind}({address});\n"))
}

/// What is set up before anything else, as the first line says it: `clock=KIND`.
fn clock(name: &str, memory: &str) -> Result<String, Box<dyn Error>> {
    let kind = match word(memory, "clock=") {
        None => return Ok(String::new()),
        Some("stm32f4") => "Stm32f4",
        Some("stm32h7") => "Stm32h7",
        Some("nrf52") => "Nrf52",
        Some("rp2350") => "Rp2350",
        Some(other) => {
            let known = "stm32f4, stm32h7, nrf52 and rp2350";
            return Err(format!("boards/{name}.x says clock={other}: src/clock has {known}").into());
        }
    };
    Ok(format!("/// What is set up at first.\nconst CLOCK: clock::Clock = clock::Clock::{kind};\n"))
}

/// MHz of the core of a board without a clock that is set up, as the first line says them: `mhz=NUMBER`.
fn mhz(name: &str, memory: &str) -> Result<String, Box<dyn Error>> {
    let mhz = word(memory, "mhz=").map(str::parse::<u32>).transpose();
    let mhz = mhz.map_err(|_| format!("boards/{name}.x says `mhz=` of what is no whole number"))?;
    Ok(format!(
        "/// Of the core, where it is known.\n#[cfg(all(stamped, not(clock)))]\nconst MHZ: Option<u32> = {mhz:?};\n"
    ))
}

/// Where results are copied to, as the first line says it: `keep=nvmc@ADDRESS`, behind the flash that the linker fills.
fn keep(name: &str, memory: &str) -> Result<String, Box<dyn Error>> {
    let Some(word) = word(memory, "keep=") else { return Ok(String::new()) };
    let number = |text: &str| u64::from_str_radix(text.trim().strip_prefix("0x")?, 16).ok();
    let address = word.strip_prefix("nvmc@").and_then(number);
    let address = address.ok_or_else(|| format!("boards/{name}.x says keep={word}: keep=nvmc@0x…"))?;
    let flash = memory.lines().find(|line| line.trim_start().starts_with("FLASH"));
    let origin = flash.and_then(|line| number(line.split_once("ORIGIN =")?.1.split_once(',')?.0));
    let end = origin.zip(length(memory, "FLASH")).map(|(origin, length)| origin + length);
    if end.is_none_or(|end| address < end) {
        return Err(format!(
            "boards/{name}.x says keep={word}, which lies in the FLASH of the linker: shorten its LENGTH"
        )
        .into());
    }
    Ok(format!("/// Where results are copied to.\n#[cfg(kept)]\nconst KEPT: usize = {address:#x};\n"))
}

/// What follows `key` in the first line.
fn word<'a>(memory: &'a str, key: &str) -> Option<&'a str> {
    memory.lines().next()?.split_whitespace().find_map(|word| word.strip_prefix(key))
}

/// The memory map with the lower end of the RAM taken for the stack, which grows downwards: where it is too deep it leaves the
/// RAM, which is a fault, and does not run into the variables, which would be silent.
fn below_the_statics(memory: &str, stack: usize, riscv: bool) -> String {
    let mut map = String::new();
    for line in memory.lines() {
        let is_ram = line.trim_start().starts_with("RAM");
        let parts = line.split_once("ORIGIN =").and_then(|(_, rest)| rest.split_once(','));
        match parts.and_then(|(origin, length)| Some((origin.trim(), length.split_once('=')?.1.trim()))) {
            Some((origin, length)) if is_ram => {
                map += &format!("  RAM : ORIGIN = {origin} + {stack}, LENGTH = {length} - {stack}\n");
                if riscv {
                    map += &format!("  STACK : ORIGIN = {origin}, LENGTH = {stack}\n");
                }
            }
            _ => map = map + line + "\n",
        }
    }
    if riscv {
        let regions = [
            ("TEXT", "FLASH"),
            ("RODATA", "FLASH"),
            ("DATA", "RAM"),
            ("BSS", "RAM"),
            ("HEAP", "RAM"),
            ("STACK", "STACK"),
        ];
        regions.iter().for_each(|(what, region)| map += &format!("REGION_ALIAS(\"REGION_{what}\", {region});\n"));
    }
    map + &format!("_stack_start = ORIGIN(RAM);\n_stack_end = ORIGIN(RAM) - {stack};\n")
}

/// Bytes of a region: `RAM : ORIGIN = 0x20000000, LENGTH = 128K` -> 131072
fn length(memory: &str, region: &str) -> Option<u64> {
    let line = memory.lines().find(|line| line.trim_start().starts_with(region))?;
    let length = line.split("LENGTH").nth(1)?.trim_start_matches([' ', '=']).trim();
    match length.strip_suffix(['K', 'M']) {
        Some(n) => Some(n.parse::<u64>().ok()? << if length.ends_with('K') { 10 } else { 20 }),
        None => length.parse().ok(),
    }
}
