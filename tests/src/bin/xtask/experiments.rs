//! The firmware's experiments, found by the build script: a file of `firmware/src/bin` each.

include!(concat!(env!("OUT_DIR"), "/experiments.rs"));
